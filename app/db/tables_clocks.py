"""What is due and when, how far it was escalated, and who has to be told of it."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from app.db.metadata import metadata, one_of
from app.domain.codes import Tier
from app.domain.deadlines import Audience, Step, Subject, Whose


class ChannelKind(StrEnum):
    """How a notification travels."""

    MAIL = "mail"
    WEBHOOK = "webhook"


class NotificationState(StrEnum):
    """Where a notification is: `pending` until it was taken, `failed` once nobody tries any more."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"


watched = Table(
    "watched",
    metadata,
    Column("subject", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("look_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("subject"),
    one_of("kind", Subject),
    Index("ix_watched_look_at", "look_at"),
    comment="Requests and exchanges with a clock running, and when to look at them next; a change of one says now",
)

deadline = Table(
    "deadline",
    metadata,
    Column("id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Uuid, nullable=False),
    Column("hold", Uuid),
    Column("step", Text, nullable=False),
    Column("tier", Text, nullable=False),
    Column("whose", Text, nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("due_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("id"),
    one_of("kind", Subject),
    one_of("step", Step),
    one_of("tier", Tier),
    one_of("whose", Whose),
    Index("ix_deadline_due_at_id", "due_at", "id"),
    Index("ix_deadline_subject", "subject"),
    comment="What is waited for, as it was when its subject was last looked at: for lists and counts, never for rules",
)

escalation = Table(
    "escalation",
    metadata,
    Column("subject", Uuid, nullable=False),
    Column("step", Text, nullable=False),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("level", SmallInteger, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    # Each level once per deadline, whoever looks and however often.
    PrimaryKeyConstraint("subject", "step", "due_at", "level"),
    one_of("step", Step),
    CheckConstraint("level IN (50, 100, 200)", name="level_known"),
    Index("ix_escalation_at", "at"),
    comment="Levels that people were told of; a deadline that moves is another one",
)

deadline_outcome = Table(
    "deadline_outcome",
    metadata,
    Column("step", Text, nullable=False),
    Column("tier", Text, nullable=False),
    Column("whose", Text, nullable=False),
    Column("met", BigInteger, nullable=False),
    Column("missed", BigInteger, nullable=False),
    PrimaryKeyConstraint("step", "tier", "whose"),
    one_of("step", Step),
    one_of("tier", Tier),
    one_of("whose", Whose),
    comment="How many steps were done in their time and how many after it, since the beginning",
)

channel = Table(
    "channel",
    metadata,
    Column("id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("audience", Text, nullable=False),
    Column("tiers", ARRAY(Text), nullable=False),
    Column("secret_file", Text),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("stopped_at", DateTime(timezone=True)),
    PrimaryKeyConstraint("id"),
    UniqueConstraint("kind", "target", "audience"),
    one_of("kind", ChannelKind),
    one_of("audience", Audience),
    CheckConstraint("(kind = 'webhook') = (secret_file IS NOT NULL)", name="webhooks_are_signed"),
    comment="Who is told through which mailbox or address; secrets stay in files",
)

notification = Table(
    "notification",
    metadata,
    Column("id", Uuid, nullable=False),
    Column("event_id", BigInteger, nullable=False),
    Column("event_at", DateTime(timezone=True), nullable=False),
    Column("event", Text, nullable=False),
    Column("audience", Text, nullable=False),
    Column("kind", Text),
    Column("target", Text, nullable=False),
    Column("channel_id", Uuid, ForeignKey("channel.id", ondelete="SET NULL")),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("next_at", DateTime(timezone=True)),
    Column("ended_at", DateTime(timezone=True)),
    Column("alarmed_at", DateTime(timezone=True)),
    Column("trouble", Text),
    PrimaryKeyConstraint("id"),
    # One event tells one address once, whatever the number of reasons. Its id alone may come again after a restore.
    UniqueConstraint("event_id", "event_at", "target"),
    one_of("audience", Audience),
    one_of("kind", ChannelKind),
    one_of("state", NotificationState),
    CheckConstraint("(state = 'pending') = (next_at IS NOT NULL)", name="pending_is_due"),
    CheckConstraint("(state = 'pending') = (ended_at IS NULL)", name="ended_or_pending"),
    CheckConstraint("kind IS NOT NULL OR state = 'failed'", name="no_channel_is_a_failure"),
    Index("ix_notification_next_at", "next_at", postgresql_where="next_at IS NOT NULL"),
    Index("ix_notification_alarmed_at", "alarmed_at", postgresql_where="alarmed_at IS NOT NULL"),
    Index("ix_notification_target_ended_at", "target", "ended_at"),
    comment="One message to one address about one event: written once, sent until it is taken, its failure an alarm",
)

notice_position = Table(
    "notice_position",
    metadata,
    Column("name", Text, nullable=False),
    Column("txid", BigInteger, nullable=False),
    Column("id", BigInteger, nullable=False),
    PrimaryKeyConstraint("name"),
    comment="How far the feed of events was read for notifications; moves in the transaction that writes them",
)
