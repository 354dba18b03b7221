"""Requests of our own agencies (machine M1) and their timeline. Nothing of this leaves the state."""

from __future__ import annotations

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
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from app.db.metadata import metadata, one_of
from app.domain.codes import IntakeState, RequestType, Tier
from app.domain.intake import DraftOrigin

case_file = Table(
    "case_file",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("agency_id", Text, ForeignKey("agency.id"), nullable=False),
    Column("opened_by", UUID(as_uuid=True), ForeignKey("person.id"), nullable=False),
    Column("own_reference", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Index("ix_case_file_agency_id_id", "agency_id", "id"),
    comment="Requests to several states that one agency filed in one action; known to nobody abroad",
)

request = Table(
    "request",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("reference", Text, nullable=False),
    Column("agency_id", Text, ForeignKey("agency.id"), nullable=False),
    Column("filed_by", UUID(as_uuid=True), ForeignKey("person.id"), nullable=False),
    Column("type", Text, nullable=False),
    Column("requested", Text, nullable=False),
    Column("tier", Text, nullable=False),
    Column("own_reference", Text),
    Column("state", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("document", JSONB, nullable=False),
    Column("warnings", JSONB, nullable=False),
    Column("approved_by", UUID(as_uuid=True), ForeignKey("person.id")),
    Column("declined_by", UUID(as_uuid=True), ForeignKey("person.id")),
    Column("signed_by", UUID(as_uuid=True), ForeignKey("person.id")),
    Column("approval", JSONB),
    Column("outcome", JSONB),
    Column("withdrawal_wished_at", DateTime(timezone=True)),
    Column("exchange_id", UUID(as_uuid=True)),
    Column("is_test", Boolean, nullable=False),
    Column("triage_due_at", DateTime(timezone=True)),
    Column("draft_of", UUID(as_uuid=True), ForeignKey("request.id")),
    Column("origin", Text),
    Column("case_id", UUID(as_uuid=True), ForeignKey("case_file.id")),
    Column("merged_into", UUID(as_uuid=True), ForeignKey("request.id")),
    Column("review_due_at", DateTime(timezone=True)),
    Column("reviewed_by", UUID(as_uuid=True), ForeignKey("person.id")),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("reference"),
    one_of("state", IntakeState),
    one_of("type", RequestType),
    one_of("tier", Tier),
    CheckConstraint("generation > 0", name="generation_positive"),
    one_of("origin", DraftOrigin),
    CheckConstraint(
        "(state = 'SIGNED' OR merged_into IS NOT NULL) = (exchange_id IS NOT NULL)", name="signed_has_exchange"
    ),
    CheckConstraint("merged_into IS NULL OR state = 'REDIRECTED'", name="merged_is_redirected"),
    Index("ix_request_agency_id_id", "agency_id", "id"),
    Index("ix_request_state_id", "state", "id"),
    Index("ix_request_exchange_id", "exchange_id", postgresql_where="exchange_id IS NOT NULL"),
    Index("ix_request_case_id", "case_id", postgresql_where="case_id IS NOT NULL"),
    Index("ix_request_merged_into", "merged_into", postgresql_where="merged_into IS NOT NULL"),
    Index("ix_request_draft_of", "draft_of", postgresql_where="draft_of IS NOT NULL"),
)

timeline = Table(
    "timeline",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("subject_id", UUID(as_uuid=True), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("party", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("detail", JSONB, nullable=False),
    Column("for_agency", Boolean, nullable=False),
    Index("ix_timeline_subject_id_id", "subject_id", "id"),
)
