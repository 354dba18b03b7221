"""A node whose database is older than its word: what it asked its peers, what they answered, what nobody has."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Identity,
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
from app.domain.codes import Fate, Lane, ResyncKind

recovery = Table(
    "recovery",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("began_at", DateTime(timezone=True), nullable=False),
    Column("proof", Text, nullable=False),
    Column("detail", JSONB, nullable=False),
    Column("remembers_until", DateTime(timezone=True)),
    Column("reopened_at", DateTime(timezone=True)),
    Column("ended_at", DateTime(timezone=True)),
    comment="One time that this node found its database older than its own word; `reopened_at`: the new log epoch",
)

recovering_peer = Table(
    "recovering_peer",
    metadata,
    Column("recovery_id", Uuid, ForeignKey("recovery.id"), nullable=False),
    Column("peer", Text, nullable=False),
    Column("resync_id", Uuid, nullable=False),
    Column("asked_at", DateTime(timezone=True)),
    Column("answered_at", DateTime(timezone=True)),
    Column("done_at", DateTime(timezone=True)),
    PrimaryKeyConstraint("recovery_id", "peer"),
    comment="A peer whose threads stay closed until `done_at`",
)
Index(
    "uq_recovering_peer_closed",
    recovering_peer.c.peer,
    unique=True,
    postgresql_where=recovering_peer.c.done_at.is_(None),
)

resync_part = Table(
    "resync_part",
    metadata,
    Column("peer", Text, nullable=False),
    Column("resync_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("part", Integer, nullable=False),
    Column("parts", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("answered_at", DateTime(timezone=True)),
    PrimaryKeyConstraint("peer", "resync_id", "kind", "lane", "part"),
    one_of("lane", Lane),
    one_of("kind", ResyncKind),
    comment="Parts of lists that came, kept until all parts have come on both lanes",
)

adopted_state = Table(
    "adopted_state",
    metadata,
    Column("thread", Text, primary_key=True),
    Column("peer", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("applied_at", DateTime(timezone=True)),
    comment="The newest exchange.state/1 of our own that a peer gave back, until the exchange is what it says",
)

adopted_fate = Table(
    "adopted_fate",
    metadata,
    Column("iss", Text, nullable=False),
    Column("jti", Uuid, nullable=False),
    Column("thread", Text, nullable=False),
    Column("fate", Text, nullable=False),
    Column("code", Text),
    PrimaryKeyConstraint("iss", "jti"),
    one_of("fate", Fate),
    comment="What we had answered to acts we do not remember: they end so again, without effect",
)

lost_item = Table(
    "lost_item",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("recovery_id", Uuid, ForeignKey("recovery.id"), nullable=False),
    Column("peer", Text, nullable=False),
    Column("thread", Text, nullable=False),
    Column("seq", Integer),
    Column("what", Text, nullable=False),
    Column("noted_at", DateTime(timezone=True), nullable=False),
    comment="What nobody holds any more: a number filled with void/1, an act that lost its place",
)
Index("ix_lost_item_recovery_id", lost_item.c.recovery_id)
