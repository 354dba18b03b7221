"""Exchanges and holds as this node knows them, and the requesting side's acts that are under way."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    false,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from app.db.metadata import metadata, one_of
from app.domain.codes import Direction, Fate, HoldState, RequestType, State, Tier

exchange = Table(
    "exchange",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("direction", Text, nullable=False),
    Column("requesting", Text, nullable=False),
    Column("requested", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("tier", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("request_id", UUID(as_uuid=True), ForeignKey("request.id")),
    Column("request_reference", Text, nullable=False),
    Column("opening", JSONB, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("not_understood", JSONB, nullable=False),
    Column("undeliverable", Boolean, nullable=False),
    Column("delivery_due_at", DateTime(timezone=True)),
    Column("due_at", DateTime(timezone=True)),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("no_power", Boolean, nullable=False, server_default=false()),
    one_of("direction", Direction),
    one_of("state", State),
    one_of("type", RequestType),
    one_of("tier", Tier),
    CheckConstraint("generation >= 0", name="generation_not_negative"),
    CheckConstraint("requesting <> requested", name="two_states"),
    Index("ix_exchange_created_at_id", "created_at", "id"),
    Index("ix_exchange_direction_created_at_id", "direction", "created_at", "id"),
    Index("ix_exchange_due_at", "due_at", postgresql_where="due_at IS NOT NULL"),
    Index("ix_exchange_delivery_due_at", "delivery_due_at", postgresql_where="delivery_due_at IS NOT NULL"),
    Index("ix_exchange_no_power", "direction", postgresql_where="no_power"),
)

hold = Table(
    "hold",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("exchange_id", UUID(as_uuid=True), ForeignKey("exchange.id"), nullable=False),
    Column("direction", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("preserved_at", DateTime(timezone=True), nullable=False),
    Column("days_granted", Integer, nullable=False),
    Column("expires_at", DateTime(timezone=True)),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    # When there may be something to tell this node's desk: a warning, a task, an end. Each change says: now.
    Column("look_at", DateTime(timezone=True)),
    Column("treaty_exception", Boolean, nullable=False, server_default=false()),
    one_of("direction", Direction),
    one_of("state", HoldState),
    # What we grant obeys art. 29(7); what a foreign node reports is shown as reported, with a warning.
    CheckConstraint("direction = 'outgoing' OR days_granted >= 60", name="sixty_days"),
    CheckConstraint(
        "direction = 'outgoing' OR expires_at IS NULL OR expires_at >= preserved_at + interval '1440 hours'",
        name="treaty_minimum",
    ),
    CheckConstraint("direction = 'outgoing' OR state <> 'TIMED' OR expires_at IS NOT NULL", name="timed_has_end"),
    CheckConstraint(
        "direction = 'outgoing' OR state <> 'PENDING_DECISION' OR expires_at IS NULL", name="pending_has_no_end"
    ),
    Index("ix_hold_exchange_id", "exchange_id"),
    Index("ix_hold_state_expires_at", "state", "expires_at"),
    Index("ix_hold_look_at", "look_at", postgresql_where="look_at IS NOT NULL"),
    Index("ix_hold_treaty_exception", "direction", postgresql_where="treaty_exception OR days_granted < 60"),
)

act = Table(
    "act",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("exchange_id", UUID(as_uuid=True), ForeignKey("exchange.id"), nullable=False),
    Column("hold_id", UUID(as_uuid=True)),
    Column("action", Text, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("person_id", UUID(as_uuid=True), ForeignKey("person.id"), nullable=False),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("fate", Text),
    Column("code", Text),
    Column("fate_at", DateTime(timezone=True)),
    one_of("fate", Fate),
    Index("ix_act_exchange_id", "exchange_id"),
)
