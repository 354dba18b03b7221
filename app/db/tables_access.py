"""Who may use this node, the answers kept for repeated commands, and the feed of events."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from app.db.metadata import metadata, one_of
from app.domain.codes import Role

agency = Table(
    "agency",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
)

person = Table(
    "person",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("pseudonym", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("agency_id", Text, ForeignKey("agency.id")),
    Column("created_at", DateTime(timezone=True), nullable=False),
    one_of("role", Role),
    # A person of an agency without an agency, or of the desk with one, would see what is not theirs.
    CheckConstraint(
        "(role IN ('agency_officer', 'agency_viewer')) = (agency_id IS NOT NULL)", name="agency_roles_have_agency"
    ),
    Index("ix_person_agency_id", "agency_id"),
)

token = Table(
    "token",
    metadata,
    Column("id", Text, primary_key=True),
    Column("person_id", UUID(as_uuid=True), ForeignKey("person.id"), nullable=False),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("revoked_at", DateTime(timezone=True)),
    CheckConstraint("octet_length(secret_hash) = 32", name="secret_hash_is_sha256"),
    CheckConstraint("expires_at > created_at", name="expires_after_creation"),
    Index("ix_token_person_id", "person_id"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("person_id", UUID(as_uuid=True), ForeignKey("person.id"), primary_key=True),
    Column("route", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Index("ix_idempotency_expires_at", "expires_at"),
)

event = Table(
    "event",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    # Ids are drawn before they are committed and so become visible out of order. The transaction that wrote the row
    # tells a reader when no earlier one can still appear (`db/events.py`).
    Column("txid", BigInteger, nullable=False, server_default=text("(pg_current_xact_id()::text)::bigint")),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject_kind", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("agency_id", Text, ForeignKey("agency.id")),
    Column("data", JSONB, nullable=False),
    # The feed is seen by more people than the content is.
    CheckConstraint("octet_length(data::text) <= 1000", name="data_is_thin"),
    Index("ix_event_txid_id", "txid", "id"),
    Index("ix_event_agency_id_txid_id", "agency_id", "txid", "id"),
)

node_secret = Table(
    "node_secret",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
)
