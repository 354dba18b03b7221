"""What the databases and logs of several nodes say happened, compared: the sets of what is wrong, never only counts.

Pure: `tests/support/evidence.py` reads the histories, tests doctor them to show that each set is found.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, fields
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

SHOWN = 20
"""Members of a set that are printed."""

OPENED = frozenset({"delivered", "arrived_withdrawn"})
"""The event by which an opening shows its effect at the requested node."""

UNPAIRED = frozenset({"receipt/1", "heartbeat/1"})
"""Types that end without receipt, and that one side may have without the other."""

QUEUED, RECEIVED = "envelope.queued", "envelope.received"
OF_A_CASE = frozenset({"case.changed", "ack.human"})
"""Facts of which each stands for one line of a timeline."""

WAITING = frozenset({"held", "quarantined"})
STORED = "stored"
SUPERSEDED = "superseded"
"""How a row of the outbox left that a recovery replaced."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message in a node's outbox, and what its receipt said."""

    jti: str
    peer: str
    type: str
    thread: str | None = None
    seq: int | None = None
    status: str | None = None
    left_by: str | None = None


@dataclass(frozen=True, slots=True)
class Got:
    """A message in a node's inbox, and how it ended."""

    jti: str
    iss: str
    type: str
    state: str
    thread: str | None = None
    seq: int | None = None


Message = TypeVar("Message", Sent, Got)


@dataclass(frozen=True, slots=True)
class Told:
    """A line of a node's timeline, in the order of the effects; `number` is that of a numbered act."""

    subject: str
    event: str
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Leaf:
    """A fact in a node's audit log."""

    type: str
    jti: str | None = None
    thread: str | None = None


@dataclass(frozen=True, slots=True)
class History:
    """One node."""

    sent: Sequence[Sent] = ()
    got: Sequence[Got] = ()
    told: Sequence[Told] = ()
    leaves: Sequence[Leaf] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What clients were told had been taken: an exchange, opened towards `at`, and its numbered acts."""

    exchange: str
    at: str
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Findings:
    """The sets; all are empty where everything took effect exactly once, in order, and on record at both sides."""

    lost: frozenset[str] = field(default_factory=frozenset)
    doubled: frozenset[str] = field(default_factory=frozenset)
    out_of_order: frozenset[str] = field(default_factory=frozenset)
    receipt_without_effect: frozenset[str] = field(default_factory=frozenset)
    effect_without_leaf: frozenset[str] = field(default_factory=frozenset)
    unmatched: frozenset[str] = field(default_factory=frozenset)

    def sets(self) -> Mapping[str, frozenset[str]]:
        """All of them, by name."""
        return {one.name.replace("_", " "): getattr(self, one.name) for one in fields(self)}

    def __str__(self) -> str:
        return "\n".join(_printed(name, members) for name, members in self.sets().items() if members)


def check(histories: Mapping[str, History], wanted: Iterable[Wanted]) -> Findings:
    """Compare the histories of all nodes with each other, and with what clients had been promised."""
    asked = tuple(wanted)
    return Findings(
        lost=frozenset([*_undelivered(histories), *_without_effect(histories, asked)]),
        doubled=frozenset([*_twice_told(histories), *_twice_logged(histories)]),
        out_of_order=frozenset([*_misnumbered(histories), *_overtaken(histories)]),
        receipt_without_effect=frozenset(_hollow_receipts(histories)),
        effect_without_leaf=frozenset([*_unlogged_messages(histories), *_unlogged_changes(histories)]),
        unmatched=frozenset(_unmatched(histories)),
    )


def _undelivered(histories: Mapping[str, History]) -> Iterator[str]:
    for code, history in histories.items():
        there = {(peer, got.jti) for peer, other in histories.items() for got in other.got if got.iss == code}
        for one in _paired(history.sent):
            if one.peer in histories and one.left_by != SUPERSEDED and (one.peer, one.jti) not in there:
                yield f"{code} to {one.peer}: {_name(one)}"


def _without_effect(histories: Mapping[str, History], wanted: Sequence[Wanted]) -> Iterator[str]:
    for one in wanted:
        told = [line for line in histories[one.at].told if line.subject == one.exchange]
        if not any(line.event in OPENED for line in told):
            yield f"exchange {one.exchange} at {one.at}"
        for number in sorted(set(one.numbers) - {line.number for line in told}):
            yield f"act {number} of exchange {one.exchange} at {one.at}"


def _twice_told(histories: Mapping[str, History]) -> Iterator[str]:
    for code, history in histories.items():
        opened = Counter(line.subject for line in history.told if line.event in OPENED)
        yield from (f"opening of {subject} at {code}, {times} times" for subject, times in opened.items() if times > 1)
        acts = Counter((line.subject, line.number) for line in history.told if line.number is not None)
        yield from (f"act {act[1]} of {act[0]} at {code}, {times} times" for act, times in acts.items() if times > 1)


def _twice_logged(histories: Mapping[str, History]) -> Iterator[str]:
    for code, history in histories.items():
        logged = Counter((leaf.type, leaf.jti) for leaf in history.leaves if leaf.type in {QUEUED, RECEIVED})
        yield from (f"leaf {fact[0]} of {fact[1]} at {code}" for fact, times in logged.items() if times > 1)


def _misnumbered(histories: Mapping[str, History]) -> Iterator[str]:
    """A message that had its effect although an earlier one of its thread still waits, or is not there."""
    for code, history in histories.items():
        threads: defaultdict[tuple[str, str], dict[int, Got]] = defaultdict(dict)
        for one in history.got:
            if one.thread is not None and one.seq is not None:
                threads[one.iss, one.thread][one.seq] = one
        for (iss, thread), line in threads.items():
            consumed = [seq for seq, one in line.items() if one.state not in WAITING]
            for seq in range(1, max(consumed, default=0)):
                if seq not in line or line[seq].state in WAITING:
                    yield f"at {code}, thread {thread} of {iss}: {seq} was passed over"


def _overtaken(histories: Mapping[str, History]) -> Iterator[str]:
    for code, history in histories.items():
        lines: defaultdict[str, list[int]] = defaultdict(list)
        for line in history.told:
            if line.number is not None:
                lines[line.subject].append(line.number)
        for subject, numbers in lines.items():
            for earlier, later in pairwise(numbers):
                if later < earlier:
                    yield f"at {code}, exchange {subject}: act {later} after act {earlier}"


def _hollow_receipts(histories: Mapping[str, History]) -> Iterator[str]:
    for code, history in histories.items():
        there = {
            (peer, got.jti): got.state for peer, other in histories.items() for got in other.got if got.iss == code
        }
        for one in _paired(history.sent):
            state = there.get((one.peer, one.jti), "not there")
            hollow = state == "not there" or (one.status == STORED and state in WAITING)
            if one.status is not None and one.peer in histories and hollow:
                yield f"{one.peer} receipted {_name(one)} of {code}: {state}"


def _unlogged_messages(histories: Mapping[str, History]) -> Iterator[str]:
    for code, history in histories.items():
        queued, received = _logged(history, QUEUED), _logged(history, RECEIVED)
        yield from (f"{code} queued {_name(one)}" for one in _paired(history.sent) if one.jti not in queued)
        yield from (f"{code} received {_name(one)}" for one in _paired(history.got) if one.jti not in received)


def _unlogged_changes(histories: Mapping[str, History]) -> Iterator[str]:
    for code, history in histories.items():
        lines = Counter(line.subject for line in history.told)
        leaves = Counter(leaf.thread for leaf in history.leaves if leaf.type in OF_A_CASE)
        for subject, number in lines.items():
            if leaves[subject] != number:
                yield f"{code}: {number} changes of {subject}, {leaves[subject]} leaves"


def _unmatched(histories: Mapping[str, History]) -> Iterator[str]:
    queued = {code: _logged(history, QUEUED) for code, history in histories.items()}
    received = {code: _logged(history, RECEIVED) for code, history in histories.items()}
    for code, history in histories.items():
        for one in _paired(history.sent):
            there = received.get(one.peer, queued[code])
            if one.left_by != SUPERSEDED and one.jti in queued[code] and one.jti not in there:
                yield f"{code} logged {_name(one)}, {one.peer} did not"
        for other in _paired(history.got):
            there = queued.get(other.iss, received[code])
            if other.jti in received[code] and other.jti not in there:
                yield f"{code} logged {_name(other)}, {other.iss} did not"


def _logged(history: History, type_: str) -> frozenset[str]:
    return frozenset(leaf.jti for leaf in history.leaves if leaf.type == type_ and leaf.jti is not None)


def _paired(messages: Sequence[Message]) -> list[Message]:
    return [one for one in messages if one.type not in UNPAIRED]


def _name(one: Sent | Got) -> str:
    place = "" if one.thread is None else f" {one.thread} {one.seq}"
    return f"{one.type}{place} ({one.jti})"


def _printed(name: str, members: frozenset[str]) -> str:
    ordered = sorted(members)
    more = [f"  … and {len(ordered) - SHOWN} more"] if len(ordered) > SHOWN else []
    return "\n".join([f"{name} ({len(ordered)}):", *(f"  {one}" for one in ordered[:SHOWN]), *more])
