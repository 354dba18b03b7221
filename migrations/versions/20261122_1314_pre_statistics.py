"""Months are counted once.

Revises: 20261122_1313
Created: 2026-11-22 13:14 UTC

Each statement waits at most 5 s for a lock and runs at most 10 min (app/migrate.py); a longer one is cut into steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

if TYPE_CHECKING:
    from collections.abc import Sequence

revision: str = "20261122_1314"
down_revision: str | None = "20261122_1313"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


MEASURES = (
    "'opened', 'receipt', 'acknowledgement', 'first_substance', 'result', 'completion_asked', 'triage', "
    "'emergency_determination', 'extension', 'traffic_path', 'follow_up', 'hold_end', 'test_call'"
)


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "counted_month",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_counted_month")),
        comment="Up to and with which month everything is counted; one row per time that it was",
    )
    op.create_table(
        "tally",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("peer", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("seconds", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("labels", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint(f"measure IN ({MEASURES})", name=op.f("ck_tally_measure_known")),
        sa.CheckConstraint("direction IN ('incoming', 'outgoing')", name=op.f("ck_tally_direction_known")),
        sa.CheckConstraint("count > 0", name=op.f("ck_tally_count_positive")),
        sa.CheckConstraint("cardinality(seconds) <= count", name=op.f("ck_tally_times_of_cases")),
        sa.PrimaryKeyConstraint("month", "measure", "direction", "peer", name=op.f("pk_tally")),
        comment="What happened with one contact point in one month, counted when the month was over; never changed",
    )


def downgrade() -> None:
    """Bring the schema back to the revision before."""
    op.drop_table("tally")
    op.drop_table("counted_month")
