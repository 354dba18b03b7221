"""Shifts, what is on record of who takes them, handovers, and what was said about gaps.

Revises: 20261122_1029
Created: 2026-11-22 13:12 UTC

Each statement waits at most 5 s for a lock and runs at most 10 min (app/migrate.py); a longer one is cut into steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

if TYPE_CHECKING:
    from collections.abc import Sequence

revision: str = "20261122_1312"
down_revision: str | None = "20261122_1029"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "duty_shift",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("primary_id", sa.Uuid(), nullable=False),
        sa.Column("secondary_id", sa.Uuid(), nullable=False),
        sa.Column("supervisor_id", sa.Uuid(), nullable=False),
        sa.Column("call_back_id", sa.Uuid(), nullable=True),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=False),
        sa.CheckConstraint("mode IN ('STAFFED', 'ON_CALL')", name=op.f("ck_duty_shift_mode_known")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_duty_shift_version_from_one")),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_duty_shift_ends_after_start")),
        sa.CheckConstraint("primary_id <> secondary_id", name=op.f("ck_duty_shift_two_persons")),
        sa.CheckConstraint("version = 1 OR reason IS NOT NULL", name=op.f("ck_duty_shift_change_has_reason")),
        sa.ForeignKeyConstraint(["primary_id"], ["person.id"], name=op.f("fk_duty_shift_primary_id_person")),
        sa.ForeignKeyConstraint(["secondary_id"], ["person.id"], name=op.f("fk_duty_shift_secondary_id_person")),
        sa.ForeignKeyConstraint(["supervisor_id"], ["person.id"], name=op.f("fk_duty_shift_supervisor_id_person")),
        sa.ForeignKeyConstraint(["call_back_id"], ["person.id"], name=op.f("fk_duty_shift_call_back_id_person")),
        sa.ForeignKeyConstraint(["entered_by"], ["person.id"], name=op.f("fk_duty_shift_entered_by_person")),
        sa.PrimaryKeyConstraint("id", "version", name=op.f("pk_duty_shift")),
        comment="Shifts, one row per version; the one in force at an instant is the highest that was entered by then",
    )
    op.create_index("ix_duty_shift_ends_at", "duty_shift", ["ends_at"], unique=False)
    op.create_table(
        "duty_record",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("reads", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("training", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("mail", sa.Text(), nullable=True),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_duty_record_version_from_one")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_duty_record_person_id_person")),
        sa.ForeignKeyConstraint(["entered_by"], ["person.id"], name=op.f("fk_duty_record_entered_by_person")),
        sa.PrimaryKeyConstraint("person_id", "version", name=op.f("pk_duty_record")),
        comment="Languages, training and private reachability of people on the roster, one row per version",
    )
    op.create_table(
        "handover",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("shift_id", sa.Uuid(), nullable=False),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("listed", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("entry IN ('note', 'confirmation')", name=op.f("ck_handover_entry_known")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_handover_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover")),
        comment="What was written and what was listed when one shift handed over to the next",
    )
    op.create_index("ix_handover_shift_id", "handover", ["shift_id"], unique=False)
    op.create_index(
        "uq_handover_one_confirmation",
        "handover",
        ["shift_id", "person_id"],
        unique=True,
        postgresql_where=sa.text("entry = 'confirmation'"),
    )
    op.create_table(
        "roster_notice",
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("severity IN ('notice', 'warning', 'error')", name=op.f("ck_roster_notice_severity_known")),
        sa.PrimaryKeyConstraint("about", "severity", name=op.f("pk_roster_notice")),
        comment="What people were told to be wrong with the roster; each once as a warning and once as an error",
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table("roster_notice")
    op.drop_table("handover")
    op.drop_table("duty_record")
    op.drop_table("duty_shift")
