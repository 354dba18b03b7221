"""Exceptions of the treaties can be counted; a question that waits can be reminded of.

Revises: 20261122_1314
Created: 2026-11-22 13:15 UTC

Each statement waits at most 5 s for a lock and runs at most 10 min (app/migrate.py); a longer one is cut into steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import op

if TYPE_CHECKING:
    from collections.abc import Sequence

revision: str = "20261122_1315"
down_revision: str | None = "20261122_1314"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.add_column("exchange", sa.Column("no_power", sa.Boolean(), server_default=sa.false(), nullable=False))
    # What has ended already counts as well.
    op.execute(
        "UPDATE exchange SET no_power = true WHERE type IN ('PRESERVATION', 'PRESERVATION_EXTENSION')"
        " AND (body #>> '{snapshot,reason}' = 'N-NOPOWER'"
        """ OR body @> '{"snapshot": {"results": [{"outcome": "N-NOPOWER"}]}}')"""
    )
    # Who waits for an answer is looked at once: a reminder may be due.
    op.execute(
        "UPDATE exchange SET due_at = LEAST(due_at, updated_at)"
        " WHERE direction = 'incoming' AND state IN ('CLARIFICATION', 'RISK_NOTICE', 'CONDITIONS')"
    )
    op.create_index("ix_exchange_no_power", "exchange", ["direction"], postgresql_where=sa.text("no_power"))
    op.create_index(
        "ix_hold_treaty_exception",
        "hold",
        ["direction"],
        postgresql_where=sa.text("treaty_exception OR days_granted < 60"),
    )


def downgrade() -> None:
    """Bring the schema back to the revision before."""
    op.drop_index("ix_hold_treaty_exception", table_name="hold")
    op.drop_index("ix_exchange_no_power", table_name="exchange")
    op.drop_column("exchange", "no_power")
