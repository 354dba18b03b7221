"""Pre triage.

Revises: 20261122_1027
Created: 2026-11-22 10:28 UTC

Each statement waits at most 5 s for a lock and runs at most 10 min (app/migrate.py); a longer one is cut into steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import op

if TYPE_CHECKING:
    from collections.abc import Sequence

revision: str = "20261122_1028"
down_revision: str | None = "20261122_1027"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


SIGNED_BEFORE = "(state = 'SIGNED') = (exchange_id IS NOT NULL)"
SIGNED_NOW = "(state = 'SIGNED' OR merged_into IS NOT NULL) = (exchange_id IS NOT NULL)"
NEW_CHECKS = {
    "origin_known": "origin IN ('traffic_path', 'wrong_state', 'case')",
    "merged_is_redirected": "merged_into IS NULL OR state = 'REDIRECTED'",
}
POINTERS = ("case_id", "merged_into", "draft_of")


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "case_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Text(), nullable=False),
        sa.Column("opened_by", sa.Uuid(), nullable=False),
        sa.Column("own_reference", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_case_file_agency_id_agency")),
        sa.ForeignKeyConstraint(["opened_by"], ["person.id"], name=op.f("fk_case_file_opened_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_file")),
        comment="Requests to several states that one agency filed in one action; known to nobody abroad",
    )
    op.create_index("ix_case_file_agency_id_id", "case_file", ["agency_id", "id"], unique=False)
    op.add_column("request", sa.Column("draft_of", sa.Uuid(), nullable=True))
    op.add_column("request", sa.Column("origin", sa.Text(), nullable=True))
    op.add_column("request", sa.Column("case_id", sa.Uuid(), nullable=True))
    op.add_column("request", sa.Column("merged_into", sa.Uuid(), nullable=True))
    op.add_column("request", sa.Column("review_due_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("request", sa.Column("reviewed_by", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_request_draft_of_request"), "request", "request", ["draft_of"], ["id"])
    op.create_foreign_key(op.f("fk_request_case_id_case_file"), "request", "case_file", ["case_id"], ["id"])
    op.create_foreign_key(op.f("fk_request_merged_into_request"), "request", "request", ["merged_into"], ["id"])
    op.create_foreign_key(op.f("fk_request_reviewed_by_person"), "request", "person", ["reviewed_by"], ["id"])
    for column in POINTERS:
        filled = sa.text(f"{column} IS NOT NULL")
        op.create_index(f"ix_request_{column}", "request", [column], unique=False, postgresql_where=filled)
    for name, condition in NEW_CHECKS.items():
        op.create_check_constraint(op.f(f"ck_request_{name}"), "request", condition)
    op.drop_constraint(op.f("ck_request_signed_has_exchange"), "request", type_="check")
    op.create_check_constraint(op.f("ck_request_signed_has_exchange"), "request", SIGNED_NOW)


def downgrade() -> None:
    """Take this revision back."""
    op.drop_constraint(op.f("ck_request_signed_has_exchange"), "request", type_="check")
    for name in NEW_CHECKS:
        op.drop_constraint(op.f(f"ck_request_{name}"), "request", type_="check")
    for column in POINTERS:
        op.drop_index(f"ix_request_{column}", table_name="request")
    for name in ("draft_of_request", "case_id_case_file", "merged_into_request", "reviewed_by_person"):
        op.drop_constraint(op.f(f"fk_request_{name}"), "request", type_="foreignkey")
    op.execute("UPDATE request SET exchange_id = NULL WHERE merged_into IS NOT NULL")
    for column in (*POINTERS, "origin", "review_due_at", "reviewed_by"):
        op.drop_column("request", column)
    op.create_check_constraint(op.f("ck_request_signed_has_exchange"), "request", SIGNED_BEFORE)
    op.drop_table("case_file")
