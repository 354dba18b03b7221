"""Files as people hand them over, piece by piece, until a signed message names them."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from app.db.metadata import metadata, one_of


class UploadState(StrEnum):
    """`ready`: whole, and what was announced. `wrong`: whole and not that. `sent`: a message names it now."""

    UPLOADING = "uploading"
    READY = "ready"
    WRONG = "wrong"
    SENT = "sent"


upload = Table(
    "upload",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("request_id", Uuid, ForeignKey("request.id")),
    Column("exchange_id", Uuid),
    Column("person_id", Uuid, ForeignKey("person.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("declared_type", Text),
    Column("media_type", Text),
    Column("size", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("received", BigInteger, nullable=False, server_default="0"),
    Column("state", Text, nullable=False),
    Column("fault", Text),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("whole_at", DateTime(timezone=True)),
    Column("marking", JSONB(none_as_null=True)),
    one_of("state", UploadState),
    CheckConstraint("(request_id IS NULL) <> (exchange_id IS NULL)", name="of_one_case"),
    CheckConstraint("received BETWEEN 0 AND size", name="received_in_size"),
    CheckConstraint("(state = 'wrong') = (fault IS NOT NULL)", name="wrong_with_fault"),
    comment="A file that a person of ours hands over for a request or an exchange",
)
Index("ix_upload_request_id", upload.c.request_id)
Index("ix_upload_exchange_id", upload.c.exchange_id)

upload_piece = Table(
    "upload_piece",
    metadata,
    Column("upload_id", Uuid, ForeignKey("upload.id", ondelete="CASCADE"), nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),
    PrimaryKeyConstraint("upload_id", "start"),
    comment="What has come of it so far; gone once the file is sent",
)
