"""Who was and will be on duty: nothing of it is ever changed, a later version stands beside the earlier one."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from app.db.metadata import metadata, one_of
from app.domain.roster import Mode, Severity


class HandoverEntry(StrEnum):
    """What is written at a handover: notes of whoever goes, and that whoever comes has taken over."""

    NOTE = "note"
    CONFIRMATION = "confirmation"


duty_shift = Table(
    "duty_shift",
    metadata,
    Column("id", Uuid, nullable=False),
    Column("version", Integer, nullable=False),
    Column("starts_at", DateTime(timezone=True), nullable=False),
    Column("ends_at", DateTime(timezone=True), nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("primary_id", Uuid, ForeignKey("person.id"), nullable=False),
    Column("secondary_id", Uuid, ForeignKey("person.id"), nullable=False),
    Column("supervisor_id", Uuid, ForeignKey("person.id"), nullable=False),
    Column("call_back_id", Uuid, ForeignKey("person.id")),
    Column("withdrawn", Boolean, nullable=False),
    Column("reason", Text),
    Column("entered_at", DateTime(timezone=True), nullable=False),
    Column("entered_by", Uuid, ForeignKey("person.id"), nullable=False),
    PrimaryKeyConstraint("id", "version"),
    one_of("mode", Mode),
    CheckConstraint("version >= 1", name="version_from_one"),
    CheckConstraint("ends_at > starts_at", name="ends_after_start"),
    CheckConstraint("primary_id <> secondary_id", name="two_persons"),
    CheckConstraint("version = 1 OR reason IS NOT NULL", name="change_has_reason"),
    Index("ix_duty_shift_ends_at", "ends_at"),
    comment="Shifts, one row per version; the one in force at an instant is the highest that was entered by then",
)

duty_record = Table(
    "duty_record",
    metadata,
    Column("person_id", Uuid, ForeignKey("person.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("reads", ARRAY(Text), nullable=False),
    Column("training", JSONB, nullable=False),
    Column("phone", Text),
    Column("mail", Text),
    Column("entered_at", DateTime(timezone=True), nullable=False),
    Column("entered_by", Uuid, ForeignKey("person.id"), nullable=False),
    PrimaryKeyConstraint("person_id", "version"),
    CheckConstraint("version >= 1", name="version_from_one"),
    comment="Languages, training and private reachability of people on the roster, one row per version",
)

handover = Table(
    "handover",
    metadata,
    Column("id", Uuid, nullable=False),
    Column("shift_id", Uuid, nullable=False),
    Column("entry", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("person_id", Uuid, ForeignKey("person.id"), nullable=False),
    Column("text", Text),
    Column("listed", JSONB, nullable=False),
    PrimaryKeyConstraint("id"),
    one_of("entry", HandoverEntry),
    Index("ix_handover_shift_id", "shift_id"),
    comment="What was written and what was listed when one shift handed over to the next",
)
Index(
    "uq_handover_one_confirmation",
    handover.c.shift_id,
    handover.c.person_id,
    unique=True,
    postgresql_where=handover.c.entry == HandoverEntry.CONFIRMATION.value,
)

roster_notice = Table(
    "roster_notice",
    metadata,
    Column("about", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("about", "severity"),
    one_of("severity", Severity),
    comment="What people were told to be wrong with the roster; each once as a warning and once as an error",
)

ROSTER_RIGHTS = {
    duty_shift.name: "SELECT, INSERT",
    duty_record.name: "SELECT, INSERT",
    handover.name: "SELECT, INSERT",
}
"""Years later it must be possible to say who was on duty, and what they were told."""
