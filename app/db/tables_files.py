"""Attachments on their way: the file a signed message binds, and its chunks (ruling 20)."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from app.db.metadata import metadata, one_of
from app.domain.codes import Direction


class FileState(StrEnum):
    """`complete` was decrypted and has the hash its message names; `wrong` has not and is never shown."""

    ARRIVING = "arriving"
    COMPLETE = "complete"
    WRONG = "wrong"


attachment = Table(
    "attachment",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("peer", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("exchange_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("chunks", Integer, nullable=False),
    Column("queued", Integer, nullable=False, server_default="0"),
    Column("state", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("complete_at", DateTime(timezone=True)),
    Column("marking", JSONB(none_as_null=True)),
    one_of("direction", Direction),
    one_of("state", FileState),
    CheckConstraint("chunks > 0 AND queued BETWEEN 0 AND chunks", name="chunks_from_one"),
    comment="A file that a signed message names: what it must be when all its chunks are there",
)
Index("ix_attachment_exchange_id", attachment.c.exchange_id)
Index(
    "ix_attachment_received",
    attachment.c.sha256,
    postgresql_where=attachment.c.direction == "incoming",
)
Index(
    "ix_attachment_leaving",
    attachment.c.peer,
    attachment.c.created_at,
    postgresql_where=(attachment.c.direction == "outgoing") & (attachment.c.state == "arriving"),
)

attachment_chunk = Table(
    "attachment_chunk",
    metadata,
    Column("peer", Text, nullable=False),
    Column("file_id", Uuid, nullable=False),
    Column("number", Integer, nullable=False),
    Column("chunks", Integer, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("stored_at", DateTime(timezone=True), nullable=False),
    # Whether a signed message had named the file when this was last looked at: a hint, so that few rows need a look.
    Column("named", Boolean, nullable=False),
    PrimaryKeyConstraint("peer", "file_id", "number"),
    comment="Chunks as they travel, encrypted; those that no message names go after seven days",
)
Index(
    "ix_attachment_chunk_unnamed",
    attachment_chunk.c.peer,
    attachment_chunk.c.stored_at,
    postgresql_where=attachment_chunk.c.named.is_(False),
)
