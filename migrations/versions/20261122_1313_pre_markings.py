"""A file bears a marking of its own.

Revises: 20261122_1312
Created: 2026-11-22 13:13 UTC

Each statement waits at most 5 s for a lock and runs at most 10 min (app/migrate.py); a longer one is cut into steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

if TYPE_CHECKING:
    from collections.abc import Sequence

revision: str = "20261122_1313"
down_revision: str | None = "20261122_1312"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    marking = postgresql.JSONB(astext_type=sa.Text())
    op.add_column("attachment", sa.Column("marking", marking, nullable=True))
    op.add_column("upload", sa.Column("marking", marking, nullable=True))
    op.create_index(
        "ix_attachment_received",
        "attachment",
        ["sha256"],
        unique=False,
        postgresql_where=sa.text("direction = 'incoming'"),
    )


def downgrade() -> None:
    """Bring the schema back to the revision before."""
    op.drop_index("ix_attachment_received", table_name="attachment")
    op.drop_column("upload", "marking")
    op.drop_column("attachment", "marking")
