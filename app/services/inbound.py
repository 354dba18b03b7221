"""What arrives and what may be done with it: the values that pass between the edge, the receiver and the effects."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

from app.db.engine import Session
from app.db.threads import ThreadKey
from app.domain.codes import MessageType
from app.domain.message_reading import read_body
from app.domain.messages import known_message
from app.envelope.canonical import parse_json
from app.envelope.claims import read_claims
from app.envelope.format import MAX_CLAIMS_BYTES, MESSAGE_ID, decode_part
from app.errors import Malformed
from app.services.node import Node
from app.services.send import ATTACHMENT_THREAD, THREADED

if TYPE_CHECKING:
    from app.db.inbox import MessageKey, Stored
    from app.domain.codes import Fate, Lane
    from app.domain.wire import Open
    from app.envelope.claims import Claims
    from app.envelope.open import Opened
    from app.envelope.reasons import Rejected


@dataclass(frozen=True, slots=True)
class Arrived:
    """One delivery after its envelope was opened, or was not: the bytes, their lane, and what they proved.

    `received_at` is when they first came, where that is not now.
    """

    raw: bytes
    lane: Lane
    outcome: Opened | Rejected
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Proven:
    """An arrival whose sender is proven. `objection` says why it cannot be understood, None if it can.

    `received_at` is when it first came, where that is not now.
    """

    claims: Claims
    jws: str
    inner_hash: str
    kid: str
    copy: int
    lane: Lane
    objection: str | None
    received_at: datetime | None = None

    @property
    def key(self) -> MessageKey:
        """What makes another arrival the same message."""
        return self.claims.iss, UUID(self.claims.jti)

    @property
    def thread_key(self) -> ThreadKey | None:
        """The thread it has a number in, if any."""
        return None if self.claims.thread is None else ThreadKey(self.claims.thread, self.claims.iss)

    @property
    def seq(self) -> int:
        """Its number in its thread; 0 where there is none, which no thread gives out."""
        return self.claims.seq or 0


@dataclass(frozen=True, slots=True)
class Received:
    """A message whose turn it is, as its effect sees it.

    `received_at` is when its first copy came, by our clock; `issued_at` is the sender's word. `opened_by` is the code
    that opened the thread: the requesting side, None for messages without thread and for attachment threads.
    """

    peer: str
    jti: UUID
    type: MessageType
    body: Mapping[str, Any]
    thread: str | None
    seq: int | None
    opened_by: str | None
    kid: str
    inner_hash: str
    lane: Lane
    issued_at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Applied:
    """How a message ended; `code` says why when it is not simply applied."""

    fate: Fate
    code: str | None = None


Apply: TypeAlias = Callable[[Session, Node, Received, datetime], Awaitable[Applied]]
"""The effect of one type of message: changes rows in the transaction it is given and says how the message ended.

It is called once per message, in the order of its thread, under the lock of the thread row. It may queue messages. What
it raises is taken for a fault of this message: everything is rolled back and the message is quarantined.
"""

Answer: TypeAlias = Callable[[Session, Node, ThreadKey, datetime], Awaitable[None]]
"""Called once per opened thread and batch after messages of it were consumed, with their fates stored: the place to
queue one `exchange.state/1` for all of them. Messages that ended without effect (expired, refused) come here too."""


Wait: TypeAlias = Callable[[Session, Node, "Due", datetime], Awaitable[None]]
"""Called for a message that was just stored and must wait behind a gap: the place to warn a person of it."""


async def answer_nothing(_session: Session, _node: Node, _thread: ThreadKey, _now: datetime) -> None:
    """Keep silent: for a node that has nothing to say in any thread."""


async def wait_quietly(_session: Session, _node: Node, _due: Due, _now: datetime) -> None:
    """Warn nobody."""


UNKNOWN_TYPE = "unknown_type"
MISPLACED = "misplaced"
"""A thread where the type has none, or none where it needs one, or one that is no id."""

NOT_UNDERSTOOD = "not_understood"
"""A body whose structure, types or sizes are not those of its type."""

_THREAD = re.compile(rf"({ATTACHMENT_THREAD})?{MESSAGE_ID.pattern}")

BELOW_EFFECTS = frozenset({MessageType.RECEIPT, MessageType.HEARTBEAT})
"""Types that delivery itself deals with."""


@dataclass(frozen=True, slots=True)
class Effects:
    """What this release understands. A type without an entry is quarantined until a release has one.

    `bodies` are the forms in which bodies are read: one that cannot be is quarantined before it gets to its effect.
    """

    apply: Mapping[MessageType, Apply]
    answer: Answer = answer_nothing
    wait: Wait = wait_quietly
    bodies: Mapping[MessageType, type[Open]] = field(default_factory=dict)

    def understand(self, type_: MessageType) -> bool:
        """Tell whether a message of this type can be given its effect."""
        return type_ in BELOW_EFFECTS or type_ in self.apply

    @property
    def reads(self) -> tuple[str, ...]:
        """All that it understands, by name: what heartbeats tell peers."""
        return tuple(sorted({*map(str, self.apply), *map(str, BELOW_EFFECTS)}))


@dataclass(frozen=True, slots=True)
class Due:
    """A stored message whose turn it is, with its claims."""

    row: Stored
    claims: Claims


def objection_to(claims: Claims, effects: Effects) -> str | None:
    """Return why this node cannot understand a message of a proven sender, or None: then it is quarantined."""
    type_ = known_message(claims.type)
    if type_ is None or not effects.understand(type_):
        return UNKNOWN_TYPE
    if (claims.thread is not None) != (type_ in THREADED) or audit_thread(claims.thread) != claims.thread:
        return MISPLACED
    return _objection_to_body(claims, effects.bodies.get(type_))


def _objection_to_body(claims: Claims, form: type[Open] | None) -> str | None:
    if form is None:
        return None
    try:
        read_body(form, claims.body)
    except Malformed:
        return NOT_UNDERSTOOD
    return None


def audit_thread(thread: str | None) -> str | None:
    """Return the thread if it is one of ours by its form: an exchange's id, or `att:` and a file's id.

    Only then may it enter the audit log, and only then can it be an exchange's: each id has one spelling.
    """
    return thread if thread is not None and _THREAD.fullmatch(thread) else None


def read_kept(row: Stored) -> Due:
    """Return a stored message with the claims of its text, which was verified when it came and is not judged again."""
    return Due(row, claims_of(row.jws))


def claims_of(jws: str) -> Claims:
    """Return what a text says that this node has verified and kept."""
    return read_claims(parse_json(decode_part(jws.split(".")[1]), max_bytes=MAX_CLAIMS_BYTES))


def as_received(due: Due, type_: MessageType, opened_by: str | None) -> Received:
    """Return what the effect of this message may see of it."""
    row, claims = due.row, due.claims
    return Received(
        peer=row.iss,
        jti=row.jti,
        type=type_,
        body=claims.body,
        thread=row.thread,
        seq=row.seq,
        opened_by=opened_by,
        kid=row.kid,
        inner_hash=row.inner_hash,
        lane=row.lane,
        issued_at=claims.issued_at,
        received_at=row.received_at,
    )


def has_expired(due: Due) -> bool:
    """Tell whether the first copy came at or after `exp`. Only for types that have one (ruling 16)."""
    exp = due.claims.exp
    return exp is not None and due.row.received_at >= datetime.fromtimestamp(exp, UTC)
