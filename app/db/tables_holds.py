"""What is kept beside holds: what each node has told its desk of them, and marks of what is looked for."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, DateTime, ForeignKey, Index, Integer, Table, Text
from sqlalchemy.dialects.postgresql import UUID

from app.db.metadata import metadata, one_of
from app.domain.hold_notices import Notice

hold_warning = Table(
    "hold_warning",
    metadata,
    Column("hold_id", UUID(as_uuid=True), ForeignKey("hold.id"), primary_key=True),
    # An extended hold has another end, and is warned of again before that.
    Column("expires_at", DateTime(timezone=True), primary_key=True),
    Column("days", Integer, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("told", Boolean, nullable=False),
    CheckConstraint("days IN (30, 14, 7, 3, 1)", name="days_known"),
    comment="Which warnings of the end of a hold this node has told its desk, or has passed over for a nearer one",
)

hold_notice = Table(
    "hold_notice",
    metadata,
    Column("hold_id", UUID(as_uuid=True), ForeignKey("hold.id"), primary_key=True),
    Column("notice", Text, primary_key=True),
    Column("since", DateTime(timezone=True), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    one_of("notice", Notice),
    CheckConstraint("number IN (1, 2)", name="once_and_once_more"),
    comment="What else this node has told its desk of a hold: a task, its repetition, an end; each once",
)

target_fingerprint = Table(
    "target_fingerprint",
    metadata,
    Column("subject_kind", Text, primary_key=True),
    Column("subject_id", UUID(as_uuid=True), primary_key=True),
    Column("target", Integer, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("starts_at", DateTime(timezone=True)),
    Column("ends_at", DateTime(timezone=True)),
    CheckConstraint("subject_kind IN ('request', 'exchange')", name="subject_kind_known"),
    Index("ix_target_fingerprint_fingerprint", "fingerprint"),
    comment="Keyed marks of what requests look for: requests of our own agencies, exchanges opened towards us",
)
