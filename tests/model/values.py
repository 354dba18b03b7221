"""The rows of a modelled node: what is committed, as plain values. Named as the tables are."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from app.domain.codes import Lane

if TYPE_CHECKING:
    from uuid import UUID

    from app.db.tables_delivery import InboxState, LeftBy, Trouble
    from app.domain.codes import Fate, ReceiptStatus
    from app.domain.exchange.values import Exchange
    from app.domain.passage import Passage

START = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
CODES = ("XA", "XT", "XS")
KEYS = 4
"""Signing keys that each node has published; it signs with the first that is not revoked."""

ROUND = 6
"""Rows that one round of the relay claims: few, so that a handful of messages takes several rounds."""

LEASE = timedelta(seconds=30)
MAX_AHEAD = 12
"""How far above the next number a message is stored; far less than in the program, so that it is reached."""

REMARK = "exchange.remark/1"
"""A message of a later release: understood once the receiver has that release too, and then it does nothing."""

ThreadKey = tuple[str, str]
"""Thread and peer, in the order in which rows are locked."""

MessageKey = tuple[str, "UUID"]
Way = tuple[str, Lane]


@dataclass(frozen=True, slots=True)
class Text:
    """A signed text. Two are the same text if key, time of signing and everything signed are the same."""

    iss: str
    aud: str
    jti: UUID
    kid: str
    iat: datetime
    thread: str | None
    seq: int | None
    prev: UUID | None
    type: str
    exp: datetime | None
    body: str

    @property
    def hash(self) -> str:
        """The name of the text in receipts: 43 characters, as the wire wants them."""
        members = (self.iss, self.aud, self.jti, self.kid, self.iat, self.said)
        return f"{zlib.crc32(repr(members).encode()):043d}"

    @property
    def said(self) -> tuple[object, ...]:
        """What a text signed again under another key must repeat (ruling 10)."""
        return (self.thread, self.seq, self.prev, self.type, self.exp, self.body)


@dataclass(frozen=True, slots=True)
class Parcel:
    """One publication under way. `number` is the courier's own; a doubled parcel keeps it."""

    number: int
    to: str
    lane: Lane
    text: Text
    copy: int


@dataclass(frozen=True, slots=True)
class Letter:
    """A row of the outbox: due (`next_at`), confirmed (`next_at` is None), or left."""

    id: int
    jti: UUID
    peer: str
    type: str
    body: str
    lane: Lane
    created_at: datetime
    thread: str | None = None
    seq: int | None = None
    prev: UUID | None = None
    exp: datetime | None = None
    text: Text | None = None
    copy: int = 0
    tries: int = 0
    next_at: datetime | None = None
    began_at: datetime | None = None
    confirmed_at: datetime | None = None
    published_lane: Lane | None = None
    trouble: Trouble | None = None
    status: ReceiptStatus | None = None
    reason: str | None = None
    left_by: LeftBy | None = None


@dataclass(frozen=True, slots=True)
class Publication:
    """One attempt, written before it: which parcel, on which lane, when it began, was confirmed and receipted."""

    number: int
    peer: str
    lane: Lane
    began_at: datetime
    confirmed_at: datetime | None = None
    receipted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A row of the inbox: a proven message, once."""

    text: Text
    lane: Lane
    received_at: datetime
    state: InboxState
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Thread:
    """Both counters with one peer."""

    opened_by: str | None = None
    lane: Lane = Lane.ROUTINE
    next_out: int = 1
    last_out: UUID | None = None
    consumed_in: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """An exchange as this node has it."""

    value: Exchange
    is_incoming: bool
    undeliverable: bool = False
    delivery_due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ActRow:
    """A wish of ours: under way until its fate is told."""

    exchange: UUID
    action: str
    tier: str | None = None
    fate: Fate | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """One message that had its effect, or ended without: the history that the checks read."""

    iss: str
    jti: UUID
    thread: str | None
    seq: int | None
    fate: Fate


@dataclass(slots=True)
class Store:
    """Everything that one node has committed. A transaction works on a copy; the rows themselves never change."""

    outbox: dict[int, Letter] = field(default_factory=dict)
    publications: dict[tuple[int, int], Publication] = field(default_factory=dict)
    earlier: dict[tuple[UUID, str], Text] = field(default_factory=dict)
    inbox: dict[MessageKey, Kept] = field(default_factory=dict)
    places: dict[tuple[str, str, int], UUID] = field(default_factory=dict)
    threads: dict[ThreadKey, Thread] = field(default_factory=dict)
    passages: dict[Way, Passage] = field(default_factory=dict)
    exchanges: dict[UUID, Record] = field(default_factory=dict)
    acts: dict[UUID, ActRow] = field(default_factory=dict)
    aside: dict[str, tuple[Parcel, str]] = field(default_factory=dict)
    effects: list[Effect] = field(default_factory=list)
    closed: dict[str, UUID] = field(default_factory=dict)
    parts: dict[tuple[str, UUID, str, Lane], str] = field(default_factory=dict)
    adopted: dict[str, tuple[int, str]] = field(default_factory=dict)
    fates: dict[MessageKey, tuple[Fate, str | None]] = field(default_factory=dict)
    lost: list[tuple[str, str, int | None]] = field(default_factory=list)

    def copy(self) -> Store:
        """The same rows in new tables."""
        return Store(*(getattr(self, member.name).copy() for member in fields(self)))

    def row_of(self, jti: UUID) -> Letter | None:
        """The row of our message of that name."""
        return next((row for row in self.outbox.values() if row.jti == jti), None)
