"""Pre holds.

Revises: 20261122_1023
Created: 2026-11-22 10:24 UTC

Each statement waits at most 5 s for a lock and runs at most 10 min (app/migrate.py); a longer one is cut into steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import op

if TYPE_CHECKING:
    from collections.abc import Sequence

revision: str = "20261122_1024"
down_revision: str | None = "20261122_1023"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

WARNINGS = "Which warnings of the end of a hold this node has told its desk, or has passed over for a nearer one"
NOTICES = "What else this node has told its desk of a hold: a task, its repetition, an end; each once"
MARKS = "Keyed marks of what requests look for: requests of our own agencies, exchanges opened towards us"


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.add_column("hold", sa.Column("look_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("hold", sa.Column("treaty_exception", sa.Boolean(), server_default=sa.false(), nullable=False))
    # What is held already is looked at once, whatever is due.
    op.execute("UPDATE hold SET look_at = updated_at")
    op.create_index("ix_hold_look_at", "hold", ["look_at"], postgresql_where=sa.text("look_at IS NOT NULL"))
    op.create_table(
        "hold_warning",
        sa.Column("hold_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.CheckConstraint("days IN (30, 14, 7, 3, 1)", name=op.f("ck_hold_warning_days_known")),
        sa.ForeignKeyConstraint(["hold_id"], ["hold.id"], name=op.f("fk_hold_warning_hold_id_hold")),
        sa.PrimaryKeyConstraint("hold_id", "expires_at", "days", name=op.f("pk_hold_warning")),
        comment=WARNINGS,
    )
    op.create_table(
        "hold_notice",
        sa.Column("hold_id", sa.Uuid(), nullable=False),
        sa.Column("notice", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("number IN (1, 2)", name=op.f("ck_hold_notice_once_and_once_more")),
        sa.CheckConstraint(
            "notice IN ('receipt_to_confirm', 'extension_to_grant', 'release_to_do', 'receipt_unconfirmed',"
            " 'expired', 'ended_not_confirmed')",
            name=op.f("ck_hold_notice_notice_known"),
        ),
        sa.ForeignKeyConstraint(["hold_id"], ["hold.id"], name=op.f("fk_hold_notice_hold_id_hold")),
        sa.PrimaryKeyConstraint("hold_id", "notice", "since", "number", name=op.f("pk_hold_notice")),
        comment=NOTICES,
    )
    op.create_table(
        "target_fingerprint",
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("target", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "subject_kind IN ('request', 'exchange')", name=op.f("ck_target_fingerprint_subject_kind_known")
        ),
        sa.PrimaryKeyConstraint("subject_kind", "subject_id", "target", name=op.f("pk_target_fingerprint")),
        comment=MARKS,
    )
    op.create_index("ix_target_fingerprint_fingerprint", "target_fingerprint", ["fingerprint"])


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table("target_fingerprint")
    op.drop_table("hold_notice")
    op.drop_table("hold_warning")
    op.drop_index("ix_hold_look_at", table_name="hold")
    op.drop_column("hold", "treaty_exception")
    op.drop_column("hold", "look_at")
