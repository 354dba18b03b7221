"""Pre clocks.

Revises: 20261122_1024
Created: 2026-11-22 10:25 UTC

Each statement waits at most 5 s for a lock and runs at most 10 min (app/migrate.py); a longer one is cut into steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

if TYPE_CHECKING:
    from collections.abc import Sequence

revision: str = "20261122_1025"
down_revision: str | None = "20261122_1024"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


STEPS = (
    "'delivery', 'delivery_alarm', 'intake', 'triage', 'signature_review', 'acknowledgement', 'acceptance', "
    "'substance', 'conditions', 'risk_notice', 'referral', 'clarification_answer', 'risk_notice_answer', "
    "'condition_answer', 'traffic_path', 'preserved', 'answer', 'release', 'regularisation', 'confirmation', "
    "'review', 'mla_receipt', 'hold_end'"
)


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "watched",
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("look_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('request', 'exchange')", name=op.f("ck_watched_kind_known")),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_watched")),
        comment="Requests and exchanges with a clock running, and when to look at them next; a change of one says now",
    )
    op.create_index("ix_watched_look_at", "watched", ["look_at"], unique=False)
    op.create_table(
        "deadline",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("hold", sa.Uuid(), nullable=True),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("whose", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('request', 'exchange')", name=op.f("ck_deadline_kind_known")),
        sa.CheckConstraint(
            f"step IN ({STEPS})",
            name=op.f("ck_deadline_step_known"),
        ),
        sa.CheckConstraint("tier IN ('EMERGENCY', 'URGENT', 'ROUTINE')", name=op.f("ck_deadline_tier_known")),
        sa.CheckConstraint("whose IN ('ours', 'theirs', 'both')", name=op.f("ck_deadline_whose_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deadline")),
        comment="What is waited for, as it was when its subject was last looked at: for lists and counts, never for rules",
    )
    op.create_index("ix_deadline_due_at_id", "deadline", ["due_at", "id"], unique=False)
    op.create_index("ix_deadline_subject", "deadline", ["subject"], unique=False)
    op.create_table(
        "escalation",
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("level IN (50, 100, 200)", name=op.f("ck_escalation_level_known")),
        sa.CheckConstraint(
            f"step IN ({STEPS})",
            name=op.f("ck_escalation_step_known"),
        ),
        sa.PrimaryKeyConstraint("subject", "step", "due_at", "level", name=op.f("pk_escalation")),
        comment="Levels that people were told of; a deadline that moves is another one",
    )
    op.create_index("ix_escalation_at", "escalation", ["at"], unique=False)
    op.create_table(
        "deadline_outcome",
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("whose", sa.Text(), nullable=False),
        sa.Column("met", sa.BigInteger(), nullable=False),
        sa.Column("missed", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(f"step IN ({STEPS})", name=op.f("ck_deadline_outcome_step_known")),
        sa.CheckConstraint("tier IN ('EMERGENCY', 'URGENT', 'ROUTINE')", name=op.f("ck_deadline_outcome_tier_known")),
        sa.CheckConstraint("whose IN ('ours', 'theirs', 'both')", name=op.f("ck_deadline_outcome_whose_known")),
        sa.PrimaryKeyConstraint("step", "tier", "whose", name=op.f("pk_deadline_outcome")),
        comment="How many steps were done in their time and how many after it, since the beginning",
    )
    op.create_table(
        "channel",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("tiers", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("secret_file", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "audience IN ('desk', 'second_contact', 'escalation', 'supervisor', 'registrar', 'operator')",
            name=op.f("ck_channel_audience_known"),
        ),
        sa.CheckConstraint("kind IN ('mail', 'webhook')", name=op.f("ck_channel_kind_known")),
        sa.CheckConstraint(
            "(kind = 'webhook') = (secret_file IS NOT NULL)", name=op.f("ck_channel_webhooks_are_signed")
        ),
        sa.UniqueConstraint("kind", "target", "audience", name=op.f("uq_channel_kind_target_audience")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel")),
        comment="Who is told through which mailbox or address; secrets stay in files",
    )
    op.create_table(
        "notification",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("event_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("alarmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "audience IN ('desk', 'second_contact', 'escalation', 'supervisor', 'registrar', 'operator')",
            name=op.f("ck_notification_audience_known"),
        ),
        sa.CheckConstraint("(state = 'pending') = (ended_at IS NULL)", name=op.f("ck_notification_ended_or_pending")),
        sa.CheckConstraint("kind IN ('mail', 'webhook')", name=op.f("ck_notification_kind_known")),
        sa.CheckConstraint(
            "kind IS NOT NULL OR state = 'failed'", name=op.f("ck_notification_no_channel_is_a_failure")
        ),
        sa.CheckConstraint("(state = 'pending') = (next_at IS NOT NULL)", name=op.f("ck_notification_pending_is_due")),
        sa.CheckConstraint("state IN ('pending', 'sent', 'failed')", name=op.f("ck_notification_state_known")),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channel.id"], name=op.f("fk_notification_channel_id_channel"), ondelete="SET NULL"
        ),
        sa.UniqueConstraint("event_id", "event_at", "target", name=op.f("uq_notification_event_id_event_at_target")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification")),
        comment="One message to one address about one event: written once, sent until it is taken, its failure an alarm",
    )
    op.create_index(
        "ix_notification_alarmed_at",
        "notification",
        ["alarmed_at"],
        unique=False,
        postgresql_where=sa.text("alarmed_at IS NOT NULL"),
    )
    op.create_index(
        "ix_notification_next_at",
        "notification",
        ["next_at"],
        unique=False,
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )
    op.create_index("ix_notification_target_ended_at", "notification", ["target", "ended_at"], unique=False)
    op.create_table(
        "notice_position",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("txid", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_notice_position")),
        comment="How far the feed of events was read for notifications; moves in the transaction that writes them",
    )
    # What is open already has clocks too: the first look at each is now.
    op.execute("INSERT INTO watched (subject, kind, look_at) SELECT id, 'exchange', now() FROM exchange")
    op.execute("INSERT INTO watched (subject, kind, look_at) SELECT id, 'request', now() FROM request")


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table("notice_position")
    op.drop_table("notification")
    op.drop_table("channel")
    op.drop_table("deadline_outcome")
    op.drop_table("escalation")
    op.drop_table("deadline")
    op.drop_table("watched")
