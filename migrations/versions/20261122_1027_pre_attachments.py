"""Pre attachments.

Revises: 20261122_1025
Created: 2026-11-22 10:27 UTC

Each statement waits at most 5 s for a lock and runs at most 10 min (app/migrate.py); a longer one is cut into steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import op

if TYPE_CHECKING:
    from collections.abc import Sequence

revision: str = "20261122_1027"
down_revision: str | None = "20261122_1025"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "upload",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=True),
        sa.Column("exchange_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("declared_type", sa.Text(), nullable=True),
        sa.Column("media_type", sa.Text(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("received", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("whole_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('uploading', 'ready', 'wrong', 'sent')", name=op.f("ck_upload_state_known")),
        sa.CheckConstraint("(request_id IS NULL) <> (exchange_id IS NULL)", name=op.f("ck_upload_of_one_case")),
        sa.CheckConstraint("received BETWEEN 0 AND size", name=op.f("ck_upload_received_in_size")),
        sa.CheckConstraint("(state = 'wrong') = (fault IS NOT NULL)", name=op.f("ck_upload_wrong_with_fault")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_upload_person_id_person")),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=op.f("fk_upload_request_id_request")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload")),
        comment="A file that a person of ours hands over for a request or an exchange",
    )
    op.create_index("ix_upload_exchange_id", "upload", ["exchange_id"], unique=False)
    op.create_index("ix_upload_request_id", "upload", ["request_id"], unique=False)
    op.create_table(
        "upload_piece",
        sa.Column("upload_id", sa.Uuid(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["upload_id"], ["upload.id"], name=op.f("fk_upload_piece_upload_id_upload"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("upload_id", "start", name=op.f("pk_upload_piece")),
        comment="What has come of it so far; gone once the file is sent",
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table("upload_piece")
    op.drop_index("ix_upload_request_id", table_name="upload")
    op.drop_index("ix_upload_exchange_id", table_name="upload")
    op.drop_table("upload")
