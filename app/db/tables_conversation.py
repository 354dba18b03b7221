"""What became of received information at home: every disclosure to another authority, kept as long as its exchange."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, DateTime, ForeignKey, Index, Table, Text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from app.db.metadata import metadata, one_of
from app.domain.markings import Destination

disclosure = Table(
    "disclosure",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("exchange_id", UUID(as_uuid=True), ForeignKey("exchange.id"), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("person_id", UUID(as_uuid=True), ForeignKey("person.id"), nullable=False),
    Column("recipient", Text, nullable=False),
    Column("authority", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("other_use", Boolean, nullable=False),
    Column("transfer_id", UUID(as_uuid=True)),
    Column("marking", JSONB, nullable=False),
    one_of("recipient", Destination),
    Index("ix_disclosure_exchange_id", "exchange_id", "id"),
    comment="To whom received information was disclosed at home, and for what (CETS 224 art. 14(9)); never changed",
)

DISCLOSURE_RIGHTS = {disclosure.name: "SELECT, INSERT"}
"""A disclosure that was made cannot be unmade."""
