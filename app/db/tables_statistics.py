"""Months that are over, in numbers. Nothing of a case is in them, so they stay when the cases are erased."""

from __future__ import annotations

from sqlalchemy import ARRAY, CheckConstraint, Column, Date, DateTime, Integer, PrimaryKeyConstraint, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from app.db.metadata import metadata, one_of
from app.domain.codes import Direction
from app.domain.statistics import Measure

counted_month = Table(
    "counted_month",
    metadata,
    Column("month", Date, nullable=False),
    Column("counted_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("month"),
    comment="Up to and with which month everything is counted; one row per time that it was",
)

tally = Table(
    "tally",
    metadata,
    Column("month", Date, nullable=False),
    Column("measure", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("peer", Text, nullable=False),
    Column("count", Integer, nullable=False),
    Column("seconds", ARRAY(Integer), nullable=False),
    Column("labels", JSONB, nullable=False),
    PrimaryKeyConstraint("month", "measure", "direction", "peer"),
    one_of("measure", Measure),
    one_of("direction", Direction),
    CheckConstraint("count > 0", name="count_positive"),
    CheckConstraint("cardinality(seconds) <= count", name="times_of_cases"),
    comment="What happened with one contact point in one month, counted when the month was over; never changed",
)

STATISTICS_RIGHTS = {counted_month.name: "SELECT, INSERT", tally.name: "SELECT, INSERT"}
"""Rights of the application role: a figure that was told stays as it is."""
