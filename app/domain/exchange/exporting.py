"""A case as it may leave the system for one kind of recipient: each item held against marking, conditions, grants."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.domain.codes import State
from app.domain.exchange.onward import bind_answer, is_granted
from app.domain.exchange.receiving import received_file
from app.domain.exchange_codes import Side
from app.domain.markings import DEFAULT, Destination, Item, Marking, combined, may_leave, strictest
from app.domain.transitions import OFFER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from uuid import UUID

    from app.domain.exchange.values import Answer, Exchange, TrafficPath

REQUEST, ANSWER, TRAFFIC_PATH, ATTACHMENT = "request", "answer", "traffic_path", "attachment"


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of the case: `number` counts those of its kind from 0, `party` is the code of its originator."""

    kind: str
    number: int
    party: str
    at: datetime
    item: Item
    conditions: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class BroughtFile:
    """A file of the exchange, one's own or the other side's; without a marking it bears that of the exchange."""

    at: datetime
    own: bool
    marking: Marking | None = None


@dataclass(frozen=True, slots=True)
class Exported:
    """What may go to this recipient, and what may not and why. `marking` is the strictest of what may."""

    to: Destination
    code: str | None
    entries: tuple[Entry, ...]
    withheld: tuple[tuple[Entry, str], ...]

    @property
    def marking(self) -> Marking:
        """A derived item bears the strictest label of what it is made from."""
        markings = [entry.item.marking for entry in self.entries]
        return combined(markings[0], *markings[1:]) if markings else DEFAULT


def export(
    exchange: Exchange,
    side: Side,
    *,
    to: Destination,
    code: str | None = None,
    files: Sequence[BroughtFile] = (),
) -> Exported:
    """The case as that side may give it to this recipient; `code` names the state or organisation of OTHER_STATE.

    One's own items go anywhere; what was received goes as far as its marking, its conditions and the grants allow.
    """
    own = exchange.requesting if side is Side.REQUESTING else exchange.requested
    named = code if to is Destination.OTHER_STATE else own
    granted = named is not None and is_granted(exchange, named, receiver=side)
    entries, withheld = [], []
    brought = _files(exchange, side, files, granted=granted)
    for entry in (*_entries(exchange, own, granted=granted), *brought):
        reason = may_leave(entry.item, to=to)
        if reason is None:
            entries.append(entry)
        else:
            withheld.append((entry, reason))
    return Exported(to, code, tuple(entries), tuple(withheld))


def _entries(exchange: Exchange, own: str, *, granted: bool) -> Iterator[Entry]:
    """Every item, the request first. Until it has left nothing of it is anybody's but its author's."""
    asked = exchange.asked.marking or DEFAULT
    mine = exchange.requesting == own or exchange.state is State.DISPATCHED
    request = Item(asked, own=mine, granted=granted)
    yield Entry(REQUEST, 0, exchange.requesting, exchange.opened_at, request)
    giver = exchange.requesting if exchange.type in OFFER else exchange.requested
    for number, answer in enumerate(exchange.answers):
        item = _given(exchange, answer, own=giver == own, granted=granted)
        yield Entry(ANSWER, number, giver, answer.at, item, answer.conditions)
    for number, path in enumerate(exchange.traffic_paths):
        item = _given(exchange, path, own=exchange.requested == own, granted=granted)
        yield Entry(TRAFFIC_PATH, number, exchange.requested, path.at, item)


def _files(exchange: Exchange, side: Side, files: Sequence[BroughtFile], *, granted: bool) -> Iterator[Entry]:
    """The files of both sides; each of them is an item of its own, whatever brought it."""
    own, other = exchange.requesting, exchange.requested
    if side is Side.REQUESTED:
        own, other = other, own
    for number, file in enumerate(files):
        item = replace(received_file(exchange, side, file.marking, granted=granted), own=file.own)
        binding = () if file.own or not item.conditions else bind_answer(exchange)
        yield Entry(ATTACHMENT, number, own if file.own else other, file.at, item, binding)


def _given(exchange: Exchange, one: Answer | TrafficPath, *, own: bool, granted: bool) -> Item:
    """An item given: never more open than what it answers, and bound by every condition that was accepted."""
    asked = exchange.asked.marking or DEFAULT
    marking = asked if one.marking is None else strictest(asked, one.marking)
    kinds = frozenset(condition.kind for condition in exchange.accepted_conditions)
    return Item(marking, conditions=kinds, own=own, granted=granted)
