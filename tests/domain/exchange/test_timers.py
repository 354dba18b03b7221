"""What time alone does, once and no more; and the marks that each node works out for itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from app.domain.codes import HoldState, RequestType, State, Tier
from app.domain.deadlines import Standpoint
from app.domain.exchange.clocks import delivery_due
from app.domain.exchange.judging import awaiting_withdrawal
from app.domain.exchange.timers import due, expire, local_flags, next_timer
from app.domain.exchange_codes import Flag, LocalFlag, Side
from tests.domain.exchange.build import NOW, in_state, not_reminded, preserved

if TYPE_CHECKING:
    from app.domain.exchange.values import Exchange

A_MOMENT = timedelta(milliseconds=1)
MONTH = timedelta(days=30)


def with_timer(kind: str) -> Exchange:
    """An exchange that has exactly one timer."""
    if kind == "hold":
        return preserved()
    if kind == "review":
        return in_state(State.POSTPONED, RequestType.EVIDENCE_COLLECTION)
    if kind == "answered":
        return in_state(State.ANSWERED, RequestType.TECHNICAL_ADVICE)
    if kind in {State.CLARIFICATION, State.RISK_NOTICE, State.CONDITIONS}:
        return not_reminded(in_state(State(kind), RequestType.TECHNICAL_ADVICE))
    hold = preserved().holds[0]
    decided = replace(hold.mla, decided_at=NOW)
    pending = replace(hold, state=HoldState.PENDING_DECISION, expires_at=None, mla=decided)
    return replace(preserved(), holds=(pending,))


@pytest.mark.parametrize("kind", ["hold", "review", "answered", "grace", "CLARIFICATION", "RISK_NOTICE", "CONDITIONS"])
def test_a_timer_does_nothing_before_its_instant_and_its_work_once_from_then_on(kind: str) -> None:
    """The instant itself counts; a second run returns the very same exchange."""
    exchange = with_timer(kind)
    instant = next_timer(exchange)
    assert instant is not None
    assert not due(exchange, instant - A_MOMENT)
    assert expire(exchange, instant - A_MOMENT) is exchange
    assert due(exchange, instant)
    after = expire(exchange, instant)
    assert after.generation == exchange.generation + 1
    assert expire(after, instant) is after
    assert next_timer(after) is None


@pytest.mark.parametrize(
    ("kind", "state", "reason"),
    [
        ("hold", State.CLOSED, "holds_ended"),
        ("review", State.ACKNOWLEDGED, None),
        ("answered", State.CLOSED, "closed_by_itself"),
        ("grace", State.CLOSED, "holds_ended"),
        ("RISK_NOTICE", State.RISK_NOTICE, None),
    ],
)
def test_each_timer_leads_where_its_row_says(kind: str, state: State, reason: str | None) -> None:
    """X28 with the last hold, X22 at review, X27 after thirty days, X28 after the grace; a reminder moves nothing."""
    exchange = with_timer(kind)
    instant = next_timer(exchange)
    assert instant is not None
    after = expire(exchange, instant)
    assert (after.state, after.reason) == (state, reason)


def test_a_hold_that_ran_out_ended_at_its_end_not_when_the_timer_ran() -> None:
    """A node that slept for a day writes the true instant."""
    exchange = preserved()
    end = exchange.holds[0].expires_at
    assert end is not None
    hold = expire(exchange, end + timedelta(days=1)).holds[0]
    assert (hold.state, hold.ended_at, hold.expires_at, hold.end_reason) == (HoldState.EXPIRED, end, end, "ran_out")


def test_a_decided_hold_is_released_when_the_grace_is_over() -> None:
    """Fourteen days after the decision, and not before."""
    exchange = with_timer("grace")
    assert next_timer(exchange) == NOW + timedelta(days=14)
    hold = expire(exchange, NOW + timedelta(days=20)).holds[0]
    assert (hold.state, hold.ended_at, hold.end_reason) == (HoldState.RELEASED, NOW + timedelta(days=14), "decided")


def test_an_exchange_with_another_hold_stays_open() -> None:
    """X28 waits for the last one."""
    exchange = preserved()
    end = exchange.holds[0].expires_at
    assert end is not None
    other = replace(exchange.holds[0], id=exchange.id, expires_at=end + MONTH)
    after = expire(replace(exchange, holds=(*exchange.holds, other)), end)
    assert after.state is State.PRESERVED
    assert next_timer(after) == end + MONTH


def test_formalities_that_are_due_keep_an_answered_exchange_from_closing_by_itself() -> None:
    """X27 has no outstanding formalities as its guard."""
    exchange = replace(with_timer("answered"), flags=(Flag.POST_FORMALITIES_DUE,))
    assert next_timer(exchange) is None
    assert expire(exchange, NOW + 2 * MONTH) is exchange


def test_a_step_that_is_not_done_in_its_term_is_overdue_and_nothing_else() -> None:
    """A service target: the mark is this node's own, the exchange is untouched."""
    exchange = in_state(State.DELIVERED)
    term = NOW + timedelta(hours=1)
    assert local_flags(exchange, Standpoint(Side.REQUESTED), now=term - A_MOMENT) == ()
    assert local_flags(exchange, Standpoint(Side.REQUESTED), now=term) == (LocalFlag.OVERDUE,)
    assert local_flags(in_state(State.CLOSED), Standpoint(Side.REQUESTED), now=NOW + 12 * MONTH) == ()


@pytest.mark.parametrize(
    ("tier", "clock"),
    [(Tier.EMERGENCY, timedelta(minutes=30)), (Tier.URGENT, timedelta(hours=4)), (Tier.ROUTINE, timedelta(hours=24))],
)
def test_undeliverable_is_a_mark_of_the_requesting_side_and_no_end(tier: Tier, clock: timedelta) -> None:
    """While DISPATCHED and the delivery clock has run out; never at the other side, never after delivery."""
    exchange = in_state(State.DISPATCHED, tier=tier)
    assert delivery_due(exchange) == NOW + clock
    assert local_flags(exchange, Standpoint(Side.REQUESTING), now=NOW + clock) == (LocalFlag.UNDELIVERABLE,)
    assert local_flags(exchange, Standpoint(Side.REQUESTING), now=NOW + clock - A_MOMENT) == ()
    assert local_flags(exchange, Standpoint(Side.REQUESTED), now=NOW + clock) == ()
    delivered = in_state(State.DELIVERED, tier=tier)
    assert LocalFlag.UNDELIVERABLE not in local_flags(delivered, Standpoint(Side.REQUESTING), now=NOW + MONTH)
    assert expire(exchange, NOW + 12 * MONTH) is exchange


def test_a_waiting_withdrawal_is_shown_to_the_desk() -> None:
    """The mark that explains what is blocked."""
    flags = local_flags(awaiting_withdrawal(in_state(State.ACCEPTED)), Standpoint(Side.REQUESTED), now=NOW)
    assert flags == (LocalFlag.WITHDRAWAL_WAITING,)
