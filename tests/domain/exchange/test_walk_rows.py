"""Each row of the table is walked, and what nobody walks is walked by time alone: the other reading of the walk."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache
from itertools import product

import pytest

from app.domain.codes import Fate, HoldState, RequestType, Role, State, Tier
from app.domain.exchange.judging import judge
from app.domain.exchange.timers import expire, next_timer
from app.domain.exchange.values import Exchange
from app.domain.exchange_codes import By, Side
from app.domain.transitions import EXCHANGE_ROWS
from tests.domain.exchange.build import NOW, TOKYO, do, in_state, officer
from tests.domain.exchange.oracle import WANTED, Wanted
from tests.domain.exchange.test_walk import arriving, outcome_of, ready_for

MONTHS = timedelta(days=400)
PARTLY = [{"target": 0, "outcome": "HELD"}, {"target": 1, "outcome": "N-EXPIRED"}]


@cache
def walked_somewhere(row: Wanted) -> bool:
    """Whether the act leads from one of the row's sources to one of its targets, for one of its types at least."""
    return any(_leads(row, state, kind) for state, kind in product(sorted(row.sources), sorted(row.kinds)))


def _leads(row: Wanted, state: State, kind: RequestType) -> bool:
    after = _after(row, state, kind)
    return after is not None and after.state in (row.targets or {state})


def _after(row: Wanted, state: State, kind: RequestType) -> Exchange | None:
    exchange = ready_for(row.action, state, kind)
    if row.is_of(Side.REQUESTING):
        judged = judge(exchange, arriving(row.action, exchange), now=NOW, first_received_at=NOW, zone=TOKYO)
        return judged.exchange if judged.fate is Fate.APPLIED else None
    if row.id == "X17":
        two = replace(exchange, asked=replace(exchange.asked, targets=2))
        return do(two, "preserve", results=PARTLY)
    for role in (Role.DUTY_OFFICER, Role.SUPERVISOR):
        after = outcome_of(exchange, row.action, officer(Side.REQUESTED, role))
        if isinstance(after, Exchange):
            return after
    return None


@pytest.mark.parametrize("row", WANTED, ids=lambda row: row.id)
def test_every_row_that_people_walk_is_walked(row: Wanted) -> None:
    """No row of either table is a dead letter: from its sources, by its people, it leads where it says."""
    assert walked_somewhere(row)


def test_every_row_of_the_program_is_among_them_or_is_times_own() -> None:
    """What is not walked by a person is the system's: delivery, and the end of all holds."""
    by_people = {row.id for row in WANTED}
    assert {row.id for row in EXCHANGE_ROWS} - by_people == {"X1", "X28"}
    assert all(row.by == (By.SYS,) for row in EXCHANGE_ROWS if row.id not in by_people)


BY_TIME = {
    (State.POSTPONED, State.ACKNOWLEDGED),
    (State.ANSWERED, State.CLOSED),
    (State.PRESERVED, State.CLOSED),
    (State.PARTIALLY_PRESERVED, State.CLOSED),
}
"""X22, X27 and X28 of the appendix, where the system stands among the movers."""


@pytest.mark.parametrize("kind", list(RequestType))
def test_time_alone_leads_only_where_the_system_stands(kind: RequestType) -> None:
    """However long nobody acts, in every state, type and tier: nothing is refused, decided or executed by itself."""
    for state, tier in product(State, Tier):
        exchange = in_state(state, kind, tier)
        after = expire(exchange, NOW + MONTHS)
        moves = (state, after.state) in BY_TIME
        assert moves or after is exchange, (state, tier)
        assert after.generation == exchange.generation + moves
        assert next_timer(after) is None or after.state is State.ACKNOWLEDGED
        assert all(hold.state in {HoldState.EXPIRED, HoldState.RELEASED} for hold in after.holds if moves)


def test_an_oracle_without_a_row_would_call_its_act_illegal() -> None:
    """Negative control: the oracle is not the program; with a row struck from it, the walk of that row has no place."""
    acknowledging = next(row for row in WANTED if row.id == "X3")
    assert walked_somewhere(acknowledging)
    assert not walked_somewhere(replace(acknowledging, sources=frozenset({State.REFUSED})))
