"""What is known of the way to a peer: what its receipts prove, when it was last heard, what does not get out."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from app.db.metadata import metadata, one_of
from app.domain.codes import Lane

_BUSY = {"fillfactor": 50, "autovacuum_vacuum_scale_factor": 0.01, "autovacuum_vacuum_threshold": 200}

passage = Table(
    "passage",
    metadata,
    Column("peer", Text, nullable=False),
    Column("lane", Text, nullable=False),
    # Of the publications whose receipts have been known long enough, the latest beginning: what was confirmed before it
    # and has no receipt was lost.
    Column("proven_began_at", DateTime(timezone=True)),
    # A later one whose receipt is not known long enough yet, and since when it is.
    Column("fresh_began_at", DateTime(timezone=True)),
    Column("fresh_since", DateTime(timezone=True)),
    Column("heard_at", DateTime(timezone=True)),
    # Without such proof: the message probed last, when the next one may be, how many stayed without an answer.
    Column("probed_id", BigInteger),
    Column("probe_at", DateTime(timezone=True)),
    Column("silent", Integer, nullable=False, server_default="0"),
    # Rounds in a row in which nothing for this peer got out, and until when none is tried.
    Column("stuck", Integer, nullable=False, server_default="0"),
    Column("stuck_until", DateTime(timezone=True)),
    PrimaryKeyConstraint("peer", "lane"),
    one_of("lane", Lane),
    comment="One row per peer and lane: what its receipts prove, and what it is spared while it is silent",
    postgresql_with=_BUSY,
)

pulse = Table(
    "pulse",
    metadata,
    Column("peer", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("sent_at", DateTime(timezone=True)),
    Column("sent_jti", Uuid),
    Column("answered_at", DateTime(timezone=True)),
    Column("round_trip_ms", Integer),
    Column("heard_at", DateTime(timezone=True)),
    Column("said_at", DateTime(timezone=True)),
    Column("skew_ms", BigInteger),
    Column("software", Text),
    Column("reads", JSONB),
    PrimaryKeyConstraint("peer", "lane"),
    one_of("lane", Lane),
    comment="The latest heartbeat to and from each peer on each lane; each replaces the one before",
    postgresql_with=_BUSY,
)
