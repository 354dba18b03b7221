"""What is kept so that it can be shown later: texts that others replaced, decisions of officers, statements of ours."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
)

from app.db.metadata import metadata, one_of


class QuarantineAct(StrEnum):
    """What officers may do with something in quarantine. `void` and `admit` need two of them."""

    RETRY = "retry"
    REJECT = "reject"
    VOID = "void"
    DISCARD = "discard"
    ADMIT = "admit"


class StatementKind(StrEnum):
    """What a node states under its own signature without being asked."""

    UNDELIVERABLE = "undeliverable"


replaced_text = Table(
    "replaced_text",
    metadata,
    Column("iss", Text, nullable=False),
    Column("jti", Uuid, nullable=False),
    Column("inner_hash", Text, nullable=False),
    Column("kid", Text, nullable=False),
    Column("jws", Text, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("noted_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("iss", "jti", "inner_hash"),
    comment="Texts of a peer beside the one in the inbox: signed under a key since revoked, or signed again",
)

returned_text = Table(
    "returned_text",
    metadata,
    Column("peer", Text, nullable=False),
    Column("inner_hash", Text, nullable=False),
    Column("returned_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("peer", "inner_hash"),
    comment="When a peer last got a text of its own back because it had signed another one in its place",
)

revocation_seen = Table(
    "revocation_seen",
    metadata,
    Column("code", Text, nullable=False),
    Column("kid", Text, nullable=False),
    Column("revoked_at", DateTime(timezone=True), nullable=False),
    Column("learned_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("code", "kid", "revoked_at"),
    comment="When this node learned that a signing key is revoked, and since when that is said to be so",
)

quarantine_decision = Table(
    "quarantine_decision",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("quarantine_id", BigInteger, ForeignKey("quarantine.id"), nullable=False),
    Column("act", Text, nullable=False),
    Column("reasons", Text, nullable=False),
    Column("proposed_by", Uuid, ForeignKey("person.id"), nullable=False),
    Column("proposed_at", DateTime(timezone=True), nullable=False),
    Column("confirmed_by", Uuid, ForeignKey("person.id")),
    Column("decided_at", DateTime(timezone=True)),
    one_of("act", QuarantineAct),
    CheckConstraint("confirmed_by IS NULL OR confirmed_by <> proposed_by", name="four_eyes"),
    CheckConstraint("confirmed_by IS NULL OR decided_at IS NOT NULL", name="confirmed_is_decided"),
    comment="Who decided what about something in quarantine, and who agreed",
)
Index("ix_quarantine_decision_quarantine_id", quarantine_decision.c.quarantine_id)

statement = Table(
    "statement",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("exchange_id", Uuid, ForeignKey("exchange.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("jws", Text, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    one_of("kind", StatementKind),
    comment="What this node states about an exchange under its own signature; never changed",
)
Index("uq_statement_exchange_id_kind", statement.c.exchange_id, statement.c.kind, unique=True)

directory_seen = Table(
    "directory_seen",
    metadata,
    Column("version", Integer, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("seen_at", DateTime(timezone=True), nullable=False),
    comment="Each version of the directory this node has worked with, and since when",
)
