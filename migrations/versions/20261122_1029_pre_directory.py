"""Pre directory.

Revises: 20261122_1028
Created: 2026-11-22 10:29 UTC

Each statement waits at most 5 s for a lock and runs at most 10 min (app/migrate.py); a longer one is cut into steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

if TYPE_CHECKING:
    from collections.abc import Sequence

revision: str = "20261122_1029"
down_revision: str | None = "20261122_1028"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "incident",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("peer", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("discovered_at", MOMENT, nullable=False),
        sa.Column("told_at", MOMENT, nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("mitigations", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("exchanges", postgresql.ARRAY(sa.UUID()), nullable=False),
        sa.Column("limit_onward", sa.Boolean(), nullable=False),
        sa.CheckConstraint("direction IN ('incoming', 'outgoing')", name=op.f("ck_incident_direction_known")),
        sa.PrimaryKeyConstraint("peer", "direction", "id", name=op.f("pk_incident")),
        comment="Security incidents told to another contact point, or by one",
    )
    op.create_index("ix_incident_told_at", "incident", ["told_at"], unique=False)
    op.create_table(
        "test_call",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("peer", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("planned_at", MOMENT, nullable=False),
        sa.Column("called_at", MOMENT, nullable=True),
        sa.Column("due_at", MOMENT, nullable=True),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("missed_at", MOMENT, nullable=True),
        sa.CheckConstraint("direction IN ('incoming', 'outgoing')", name=op.f("ck_test_call_direction_known")),
        sa.CheckConstraint("kind IN ('PING', 'DRILL')", name=op.f("ck_test_call_kind_known")),
        sa.CheckConstraint("(called_at IS NULL) = (due_at IS NULL)", name=op.f("ck_test_call_due_once_called")),
        sa.PrimaryKeyConstraint("peer", "direction", "id", name=op.f("pk_test_call")),
        comment="Test calls to and from other contact points; nothing of a case",
    )
    op.create_index("ix_test_call_peer_planned_at", "test_call", ["peer", "planned_at"], unique=False)
    op.create_index(
        "ix_test_call_open",
        "test_call",
        ["planned_at"],
        unique=False,
        postgresql_where=sa.text("answered_at IS NULL AND missed_at IS NULL"),
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_index(
        "ix_test_call_open",
        table_name="test_call",
        postgresql_where=sa.text("answered_at IS NULL AND missed_at IS NULL"),
    )
    op.drop_index("ix_test_call_peer_planned_at", table_name="test_call")
    op.drop_table("test_call")
    op.drop_index("ix_incident_told_at", table_name="incident")
    op.drop_table("incident")
