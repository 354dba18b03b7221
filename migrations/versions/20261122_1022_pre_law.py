"""Pre law.

Revises: 20261122_0658
Created: 2026-11-22 10:22 UTC

Each statement waits at most 5 s for a lock and runs at most 10 min (app/migrate.py); a longer one is cut into steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import op

if TYPE_CHECKING:
    from collections.abc import Sequence

revision: str = "20261122_1022"
down_revision: str | None = "20261122_0658"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "law_seen",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("dated", sa.Date(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_law_seen")),
        comment="Each edition of the law this node has started with, and since when; the last row is the present one",
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table("law_seen")
