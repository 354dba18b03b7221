"""What walking a row does to an exchange beside what the act says: the state, what is left behind, the generation."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import UUID

from app.domain.codes import HoldState, State
from app.domain.exchange.room import within_room
from app.domain.holds import RELEASE_TASK, is_open, next_end, state_at
from app.domain.transitions import X28
from app.errors import StorageInconsistent

if TYPE_CHECKING:
    from app.domain.exchange.values import Exchange
    from app.domain.holds import Hold
    from app.domain.transitions import Row

HOLDS_ENDED = "holds_ended"
DECIDED = "decided"
RAN_OUT = "ran_out"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def derived_id(exchange: Exchange, kind: str, *, now: datetime) -> UUID:
    """The id of what the present act creates: a UUIDv7 of `now` whose random part follows from what it belongs to.

    No randomness is needed here, ids are ordered by time, and one generation makes one thing of a kind.
    """
    drawn = sha256(f"{exchange.id}:{kind}:{exchange.generation + 1}".encode()).digest()
    milliseconds = (now - _EPOCH) // timedelta(milliseconds=1)
    raw = bytearray(milliseconds.to_bytes(6, "big") + drawn[:10])
    raw[6] = 0x70 | raw[6] & 0x0F
    raw[8] = 0x80 | raw[8] & 0x3F
    return UUID(bytes=bytes(raw))


def moved(exchange: Exchange, row: Row, *, now: datetime) -> Exchange:
    """The exchange in the row's target state; unchanged for a row that changes no state.

    What was open in the state it leaves is closed, and a refusal that one person has proposed is overtaken.
    """
    if not row.targets:
        return exchange
    target = row.targets[0] if len(row.targets) == 1 else exchange.resume_state
    if target is None:
        raise StorageInconsistent("resume_state_missing", "a clarification does not know where it was asked from")
    arrived = replace(exchange, state=target, state_since=now, private=replace(exchange.private, proposed_refusal=None))
    if exchange.state is State.CLARIFICATION:
        return replace(arrived, question=None, resume_state=None)
    if exchange.state is State.RISK_NOTICE:
        return replace(arrived, question=None)
    if exchange.state is State.CONDITIONS:
        return replace(arrived, condition=None)
    if exchange.state is State.POSTPONED:
        return _no_longer_postponed(arrived)
    return arrived


def _no_longer_postponed(arrived: Exchange) -> Exchange:
    """A reason given for postponing does not outlive the postponement; one just given for an end stays."""
    if arrived.is_terminal:
        return replace(arrived, review_at=None)
    return replace(arrived, review_at=None, reason=None, reason_text=None)


def written(exchange: Exchange, *, over: Exchange, now: datetime) -> Exchange:
    """The next generation after `over`, X28 walked if its last hold has ended, and no larger than can be sent."""
    return within_room(replace(settled(exchange, now=now), generation=over.generation + 1, changed_at=now))


def settled(exchange: Exchange, *, now: datetime) -> Exchange:
    """X28: closed once every hold has ended; otherwise unchanged."""
    if exchange.state not in X28.sources or not exchange.holds or any(is_open(hold, now) for hold in exchange.holds):
        return exchange
    return replace(moved(exchange, X28, now=now), reason=HOLDS_ENDED)


def run_out(exchange: Exchange, *, now: datetime) -> Exchange:
    """The exchange with every hold in the state that counts at `now`, and closed if none is left open.

    The generation stays: this is how every rule must see it, whether or not the timer has run (ruling 14).
    """
    holds = tuple(_clocked(hold, now) for hold in exchange.holds)
    if holds == exchange.holds:
        return exchange
    return settled(replace(exchange, holds=holds), now=now)


def _clocked(hold: Hold, now: datetime) -> Hold:
    """One hold as the clock has it: rows H8 (a TIMED hold runs out) and H7 (the grace after a decision is over)."""
    state = state_at(hold, now)
    if state is hold.state:
        return hold
    reason = RAN_OUT if state is HoldState.EXPIRED else DECIDED
    return replace(hold, state=state, ended_at=next_end(hold), end_reason=reason, proposed_lift=None)


def with_hold(exchange: Exchange, hold: Hold) -> Exchange:
    """The exchange with this hold in the place of its former self."""
    return replace(exchange, holds=tuple(hold if other.id == hold.id else other for other in exchange.holds))


def releasing(hold: Hold, *, now: datetime, task: timedelta = RELEASE_TASK) -> Hold:
    """An open hold with the task of letting go; the first deadline stays. An ended hold is returned as it is."""
    if not is_open(hold, now) or hold.releasing:
        return hold
    return replace(hold, releasing=True, release_due_at=now + task)
