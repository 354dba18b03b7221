"""What contact points know of one another and do for one another, beside their cases."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from app.db.metadata import metadata, one_of
from app.domain.codes import Direction
from app.domain.directory_codes import OtherChannel
from app.domain.service_messages import CallKind

test_call = Table(
    "test_call",
    metadata,
    Column("id", Uuid, nullable=False),
    Column("peer", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("note", Text),
    Column("planned_at", DateTime(timezone=True), nullable=False),
    Column("called_at", DateTime(timezone=True)),
    Column("due_at", DateTime(timezone=True)),
    Column("answered_at", DateTime(timezone=True)),
    Column("answered_by", Uuid),
    Column("missed_at", DateTime(timezone=True)),
    # The caller chooses the id: another contact point may have chosen the same.
    PrimaryKeyConstraint("peer", "direction", "id"),
    one_of("direction", Direction),
    one_of("kind", CallKind),
    CheckConstraint("(called_at IS NULL) = (due_at IS NULL)", name="due_once_called"),
    comment="Test calls to and from other contact points; nothing of a case",
)
Index("ix_test_call_peer_planned_at", test_call.c.peer, test_call.c.planned_at)
Index(
    "ix_test_call_open",
    test_call.c.planned_at,
    postgresql_where=test_call.c.answered_at.is_(None) & test_call.c.missed_at.is_(None),
)

incident = Table(
    "incident",
    metadata,
    Column("id", Uuid, nullable=False),
    Column("peer", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("discovered_at", DateTime(timezone=True), nullable=False),
    Column("told_at", DateTime(timezone=True), nullable=False),
    Column("what", Text, nullable=False),
    Column("mitigations", Text, nullable=False),
    Column("contact", Text, nullable=False),
    Column("exchanges", ARRAY(UUID(as_uuid=True)), nullable=False),
    Column("limit_onward", Boolean, nullable=False),
    Column("over_at", DateTime(timezone=True)),
    Column("over_note", Text),
    PrimaryKeyConstraint("peer", "direction", "id"),
    one_of("direction", Direction),
    CheckConstraint("(over_at IS NULL) = (over_note IS NULL)", name="over_for_a_reason"),
    comment="Security incidents told to another contact point, or by one",
)
Index("ix_incident_told_at", incident.c.told_at)

channel_copy = Table(
    "channel_copy",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("peer", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("note", Text),
    Column("targets", JSONB, nullable=False),
    Column("noted_at", DateTime(timezone=True), nullable=False),
    Column("noted_by", Uuid, nullable=False),
    Column("exchange_id", Uuid),
    Column("linked_at", DateTime(timezone=True)),
    Column("linked_by", Uuid),
    one_of("direction", Direction),
    one_of("channel", OtherChannel),
    CheckConstraint("(exchange_id IS NULL) = (linked_by IS NULL)", name="linked_by_a_person"),
    UniqueConstraint("peer", "direction", "channel", "reference"),
    comment="The same request on another road, with its reference there; a person says which exchange it is",
)
Index("ix_channel_copy_exchange_id", channel_copy.c.exchange_id)

provider = Table(
    "provider",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("country", Text, nullable=False),
    Column("legal_name", Text, nullable=False),
    Column("entry", JSONB, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("retired_at", DateTime(timezone=True)),
    comment="Providers, as this contact point knows them",
)
Index("ix_provider_country_legal_name", provider.c.country, provider.c.legal_name)
