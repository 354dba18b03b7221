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

    op.create_table(
        "channel_copy",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("peer", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("targets", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("noted_at", MOMENT, nullable=False),
        sa.Column("noted_by", sa.Uuid(), nullable=False),
        sa.Column("exchange_id", sa.Uuid(), nullable=True),
        sa.Column("linked_at", MOMENT, nullable=True),
        sa.Column("linked_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("direction IN ('incoming', 'outgoing')", name=op.f("ck_channel_copy_direction_known")),
        sa.CheckConstraint(
            "channel IN ('INTERPOL_I247', 'TELEPHONE', 'FAX', 'EMAIL', 'DIPLOMATIC', 'OTHER')",
            name=op.f("ck_channel_copy_channel_known"),
        ),
        sa.CheckConstraint(
            "(exchange_id IS NULL) = (linked_by IS NULL)", name=op.f("ck_channel_copy_linked_by_a_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel_copy")),
        sa.UniqueConstraint(
            "peer", "direction", "channel", "reference", name=op.f("uq_channel_copy_peer_direction_channel_reference")
        ),
        comment="The same request on another road, with its reference there; a person says which exchange it is",
    )
    op.create_index("ix_channel_copy_exchange_id", "channel_copy", ["exchange_id"], unique=False)
    op.create_table(
        "provider",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("legal_name", sa.Text(), nullable=False),
        sa.Column("entry", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("retired_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider")),
        comment="Providers, as this contact point knows them",
    )
    op.create_index("ix_provider_country_legal_name", "provider", ["country", "legal_name"], unique=False)


def downgrade() -> None:
    """Take this revision back."""
    op.drop_index("ix_provider_country_legal_name", table_name="provider")
    op.drop_table("provider")
    op.drop_index("ix_channel_copy_exchange_id", table_name="channel_copy")
    op.drop_table("channel_copy")
    op.drop_index(
        "ix_test_call_open",
        table_name="test_call",
        postgresql_where=sa.text("answered_at IS NULL AND missed_at IS NULL"),
    )
    op.drop_index("ix_test_call_peer_planned_at", table_name="test_call")
    op.drop_table("test_call")
    op.drop_index("ix_incident_told_at", table_name="incident")
    op.drop_table("incident")
