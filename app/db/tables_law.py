"""Which editions of the law this node has gone by."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, DateTime, Identity, Table, Text

from app.db.metadata import metadata

law_seen = Table(
    "law_seen",
    metadata,
    Column("number", BigInteger, Identity(always=True), primary_key=True),
    Column("digest", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("dated", Date, nullable=False),
    Column("seen_at", DateTime(timezone=True), nullable=False),
    comment="Each edition of the law this node has started with, and since when; the last row is the present one",
)
