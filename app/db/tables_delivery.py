"""What is on its way to other contact points, what came from them, and the threads that give both an order."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    false,
)

from app.db.metadata import metadata, one_of
from app.domain.codes import Lane, ReceiptStatus


class InboxState(StrEnum):
    """Where an authenticated message stands: the first two wait, each of the others has consumed its number."""

    HELD = "held"
    QUARANTINED = "quarantined"
    APPLIED = "applied"
    STALE = "stale"
    REFUSED = "refused"
    EXPIRED = "expired"
    VOID = "void"


class LeftBy(StrEnum):
    """Why a row is no longer published: by the peer's receipt, or for types that are never published again.

    `superseded`: another text of ours has its place, signed before our database was restored (ruling 22).
    """

    RECEIPT = "receipt"
    CONFIRM = "confirm"
    REPLACED = "replaced"
    SUPERSEDED = "superseded"


class Trouble(StrEnum):
    """Why the latest attempt to publish a row did not end in a confirmation."""

    UNKNOWN_PEER = "unknown_peer"
    NO_KEY = "no_key"
    UNROUTABLE = "unroutable"
    NOT_TAKEN = "not_taken"
    OUTCOME_UNKNOWN = "outcome_unknown"
    UNSEALABLE = "unsealable"


class QuarantineState(StrEnum):
    """`open` waits for a person, a directory or a release; the others are how that ended."""

    OPEN = "open"
    RELEASED = "released"
    DISCARDED = "discarded"
    REJECTED = "rejected"
    VOIDED = "voided"
    ADMITTED = "admitted"


# Queue tables die of dead rows in their hot index, not of volume: leave room for updates in the page, vacuum early.
_BUSY = {"fillfactor": 70, "autovacuum_vacuum_scale_factor": 0.01, "autovacuum_vacuum_threshold": 500}

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("jti", Uuid, nullable=False, unique=True),
    Column("peer", Text, nullable=False),
    Column("thread", Text),
    Column("seq", Integer),
    Column("prev", Uuid),
    Column("type", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("exp", DateTime(timezone=True)),
    Column("exchange_id", Uuid),
    Column("lane", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("jws", Text),
    Column("jws_kid", Text),
    Column("jws_hash", Text),
    Column("signed_at", DateTime(timezone=True)),
    Column("resigned", Integer, nullable=False, server_default="0"),
    Column("copy", Integer, nullable=False, server_default="0"),
    Column("tries", Integer, nullable=False, server_default="0"),
    # Null while the latest copy is confirmed: then no clock makes it due, only evidence, a probe or a hurry does.
    Column("next_at", DateTime(timezone=True)),
    Column("began_at", DateTime(timezone=True)),
    Column("confirmed_at", DateTime(timezone=True)),
    Column("published_lane", Text),
    Column("trouble", Text),
    Column("receipted_at", DateTime(timezone=True)),
    Column("receipt_status", Text),
    Column("receipt_reason", Text),
    Column("left_at", DateTime(timezone=True)),
    Column("left_by", Text),
    # A heartbeat, or a receipt for heartbeats alone: no evidence of anything, cleared after a day.
    Column("fleeting", Boolean, nullable=False, server_default=false()),
    one_of("lane", Lane),
    one_of("published_lane", Lane),
    one_of("trouble", Trouble),
    one_of("receipt_status", ReceiptStatus),
    one_of("left_by", LeftBy),
    CheckConstraint("(thread IS NULL) = (seq IS NULL)", name="thread_has_seq"),
    CheckConstraint("(jws IS NULL) = (jws_kid IS NULL) AND (jws IS NULL) = (jws_hash IS NULL)", name="signed_whole"),
    CheckConstraint("(left_at IS NULL) = (left_by IS NULL)", name="left_for_a_reason"),
    CheckConstraint("copy = 0 OR jws IS NOT NULL", name="signed_before_published"),
    CheckConstraint("next_at IS NOT NULL OR confirmed_at IS NOT NULL OR left_at IS NOT NULL", name="due_or_confirmed"),
    comment="Every message this node ever queued; what has not left is published again until its receipt",
    postgresql_with=_BUSY,
)
Index(
    "ix_outbox_due",
    outbox.c.lane,
    outbox.c.peer,
    outbox.c.next_at,
    outbox.c.id,
    postgresql_where=outbox.c.left_at.is_(None),
)
Index(
    "ix_outbox_confirmed",
    outbox.c.peer,
    outbox.c.published_lane,
    outbox.c.confirmed_at,
    outbox.c.id,
    postgresql_where=outbox.c.left_at.is_(None) & outbox.c.next_at.is_(None),
)
Index(
    "uq_outbox_peer_thread_seq",
    outbox.c.peer,
    outbox.c.thread,
    outbox.c.seq,
    unique=True,
    postgresql_where=outbox.c.thread.is_not(None),
)
Index("ix_outbox_exchange_id", outbox.c.exchange_id, postgresql_where=outbox.c.exchange_id.is_not(None))
Index("ix_outbox_created_at", outbox.c.created_at)
Index("ix_outbox_fleeting", outbox.c.created_at, postgresql_where=outbox.c.fleeting)

publication = Table(
    "publication",
    metadata,
    Column("outbox_id", BigInteger, ForeignKey("outbox.id"), nullable=False),
    Column("copy", Integer, nullable=False),
    Column("peer", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("began_at", DateTime(timezone=True), nullable=False),
    Column("confirmed_at", DateTime(timezone=True)),
    Column("trouble", Text),
    Column("receipted_at", DateTime(timezone=True)),
    PrimaryKeyConstraint("outbox_id", "copy"),
    one_of("lane", Lane),
    one_of("trouble", Trouble),
    CheckConstraint("copy > 0", name="copies_from_one"),
    comment="One row per attempt to publish, written before the attempt; the receipt of a copy is evidence for others",
    postgresql_with={"fillfactor": 80},
)

signed_text = Table(
    "signed_text",
    metadata,
    Column("jti", Uuid, nullable=False),
    Column("inner_hash", Text, nullable=False),
    Column("kid", Text, nullable=False),
    Column("jws", Text, nullable=False),
    Column("signed_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("jti", "inner_hash"),
    comment="Texts that a newer signature replaced in the outbox: kept as evidence, and receipts for them still count",
)

inbox = Table(
    "inbox",
    metadata,
    Column("iss", Text, nullable=False),
    Column("jti", Uuid, nullable=False),
    Column("thread", Text),
    Column("seq", Integer),
    Column("type", Text, nullable=False),
    Column("kid", Text, nullable=False),
    Column("inner_hash", Text, nullable=False),
    Column("jws", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("copy", Integer, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("state", Text, nullable=False),
    Column("code", Text),
    Column("applied_at", DateTime(timezone=True)),
    Column("duplicates", Integer, nullable=False, server_default="0"),
    Column("fleeting", Boolean, nullable=False, server_default=false()),
    PrimaryKeyConstraint("iss", "jti"),
    one_of("lane", Lane),
    one_of("state", InboxState),
    CheckConstraint("(thread IS NULL) = (seq IS NULL)", name="thread_has_seq"),
    CheckConstraint("(state IN ('held', 'quarantined')) = (applied_at IS NULL)", name="waits_or_ended"),
    # Never partitioned by time: the two unique keys are the memory that makes a duplicate a duplicate.
    comment="Every authenticated message, once, with the text its sender signed",
    postgresql_with={"fillfactor": 85},
)
Index(
    "uq_inbox_iss_thread_seq",
    inbox.c.iss,
    inbox.c.thread,
    inbox.c.seq,
    unique=True,
    postgresql_where=inbox.c.thread.is_not(None),
)
Index("ix_inbox_waiting", inbox.c.state, inbox.c.received_at, postgresql_where=inbox.c.applied_at.is_(None))
Index("ix_inbox_kid", inbox.c.iss, inbox.c.kid, inbox.c.received_at)
Index("ix_inbox_duplicates", inbox.c.iss, postgresql_where=inbox.c.duplicates > 0)
Index("ix_inbox_received_at", inbox.c.received_at)
Index("ix_inbox_fleeting", inbox.c.received_at, postgresql_where=inbox.c.fleeting)

thread = Table(
    "thread",
    metadata,
    Column("peer", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("exchange_id", Uuid),
    Column("opened_by", Text),
    Column("lane", Text, nullable=False),
    Column("next_out", Integer, nullable=False),
    Column("last_out", Uuid),
    Column("last_out_but_one", Uuid),
    Column("consumed_in", Integer, nullable=False),
    # The missing number for which the desk was alarmed last.
    Column("gap_alarmed", Integer),
    Column("created_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("peer", "id"),
    one_of("lane", Lane),
    CheckConstraint("next_out > 0 AND consumed_in >= 0", name="numbers_from_one"),
    comment="Both counters of a thread with one peer; this row is the lock under which the thread moves",
    postgresql_with=_BUSY,
)
# A thread belongs to the two codes of its exchange.open: the same id opened by or with a second peer cannot be stored.
Index("uq_thread_id_opened", thread.c.id, unique=True, postgresql_where=thread.c.opened_by.is_not(None))
Index("ix_thread_exchange_id", thread.c.exchange_id, postgresql_where=thread.c.exchange_id.is_not(None))

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("digest", Text, nullable=False, unique=True),
    Column("raw", LargeBinary, nullable=False),
    Column("reason", Text, nullable=False),
    Column("authenticated", Boolean, nullable=False),
    Column("iss", Text),
    Column("jti", Text),
    Column("thread", Text),
    Column("seq", BigInteger),
    Column("lane", Text, nullable=False),
    Column("first_seen", DateTime(timezone=True), nullable=False),
    Column("last_seen", DateTime(timezone=True), nullable=False),
    Column("times", Integer, nullable=False, server_default="1"),
    Column("state", Text, nullable=False, server_default=QuarantineState.OPEN.value),
    one_of("lane", Lane),
    one_of("state", QuarantineState),
    comment="What could not be trusted or understood, byte for byte, and how often it came",
)
Index("ix_quarantine_open", quarantine.c.authenticated, quarantine.c.id, postgresql_where=quarantine.c.state == "open")
