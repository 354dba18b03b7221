"""An incident is over at a time and for a reason.

Revises: 20261122_1316
Created: 2026-11-22 13:18 UTC

Each statement waits at most 5 s for a lock and runs at most 10 min (app/migrate.py); a longer one is cut into steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import op

if TYPE_CHECKING:
    from collections.abc import Sequence

revision: str = "20261122_1318"
down_revision: str | None = "20261122_1316"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.add_column("incident", sa.Column("over_at", sa.DateTime(timezone=True)))
    op.add_column("incident", sa.Column("over_note", sa.Text()))
    op.create_check_constraint(
        op.f("ck_incident_over_for_a_reason"), "incident", "(over_at IS NULL) = (over_note IS NULL)"
    )


def downgrade() -> None:
    """Bring the schema back to the revision before."""
    op.drop_constraint(op.f("ck_incident_over_for_a_reason"), "incident")
    op.drop_column("incident", "over_note")
    op.drop_column("incident", "over_at")
