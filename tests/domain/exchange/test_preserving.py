"""Results target by target, and the holds they make."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.codes import HoldState, MlaStatus, NotExecutable, RequestType, State
from app.domain.exchange.shortfalls import lacks_power
from app.domain.holds import still_held
from app.errors import Refused
from tests.domain.exchange.build import NOW, delivered, do, in_state, walk

HELD = {"outcome": "HELD"}


def results(*outcomes: str) -> list[dict[str, object]]:
    """One result per target, in order."""
    return [{"target": target, "outcome": outcome} for target, outcome in enumerate(outcomes)]


def test_three_targets_of_which_one_is_gone_are_partially_preserved() -> None:
    """The hold covers the two that are held, and each target keeps its own result."""
    exchange = walk(delivered(targets=3), "acknowledge", "accept", "start")
    partial = do(exchange, "preserve", results=results("HELD", "HELD", "N-EXPIRED"))
    assert partial.state is State.PARTIALLY_PRESERVED
    assert [result.outcome for result in partial.results] == [None, None, NotExecutable.EXPIRED]
    assert partial.holds[0].targets == (0, 1)


def test_the_rest_secured_later_makes_it_whole_with_a_hold_of_its_own() -> None:
    """X18: a second hold on the target that became held, with its own clock; the first is untouched."""
    exchange = walk(delivered(targets=3), "acknowledge", "accept", "start")
    partial = do(exchange, "preserve", results=results("HELD", "HELD", "N-PROVIDER"))
    later = NOW + timedelta(days=2)
    whole = do(partial, "preserve", now=later)
    assert whole.state is State.PRESERVED
    assert [result.outcome for result in whole.results] == [None, None, None]
    assert whole.holds[0] == partial.holds[0]
    assert (whole.holds[1].targets, whole.holds[1].preserved_at) == ((2,), later)
    assert still_held(whole.holds, later) == {0, 1, 2}


def test_a_part_of_the_rest_is_not_the_whole() -> None:
    """From PARTIALLY_PRESERVED there is one way on: everything."""
    exchange = walk(delivered(targets=3), "acknowledge", "accept", "start")
    partial = do(exchange, "preserve", results=results("HELD", "N-PROVIDER", "N-PROVIDER"))
    with pytest.raises(Refused) as caught:
        do(partial, "preserve", results=[{"target": 1, "outcome": "HELD"}])
    assert caught.value.code == "targets_remaining"


def test_what_is_held_is_not_let_go_by_a_new_result() -> None:
    """A held target ends with its hold; a result cannot take it back."""
    exchange = walk(delivered(targets=2), "acknowledge", "accept", "start")
    partial = do(exchange, "preserve", results=results("HELD", "N-PROVIDER"))
    with pytest.raises(Refused) as caught:
        do(partial, "preserve", results=results("N-EXPIRED", "HELD"))
    assert caught.value.code == "already_held"


@pytest.mark.parametrize(
    "named",
    [[0], [0, 0, 1], [0, 1, 2, 3]],
    ids=["a target is left out", "a target is named twice", "a target is made up"],
)
def test_each_target_has_one_result(named: list[int]) -> None:
    """Results that do not cover the request exactly are refused."""
    exchange = walk(delivered(targets=3), "acknowledge", "accept", "start")
    with pytest.raises(Refused) as caught:
        do(exchange, "preserve", results=[{"target": target, **HELD} for target in named])
    assert caught.value.code == "per_target_incomplete"


def test_the_hold_knows_what_the_request_announced_of_its_follow_up() -> None:
    """The intention to ask for assistance (art. 29(2)(f)) is the first status of the follow-up request."""
    hold = walk(delivered(), "acknowledge", "accept", "start", "preserve").holds[0]
    assert (hold.state, hold.mla.status) == (HoldState.TIMED, MlaStatus.ANNOUNCED)
    assert hold.mla.planned_on is not None
    assert hold.mla.planned_on.isoformat() == "2027-01-10"


def test_hold_ids_are_ordered_by_time_and_never_the_same() -> None:
    """The id follows from exchange, generation and instant: no randomness, no second hold under one id."""
    exchange = in_state(State.PARTIALLY_PRESERVED)
    early = do(exchange, "preserve").holds[-1]
    late = do(exchange, "preserve", now=NOW + timedelta(seconds=1)).holds[-1]
    again = do(exchange, "preserve").holds[-1]
    assert early.id == again.id
    assert early.id < late.id
    assert (early.id.version, early.id.variant) == (7, "specified in RFC 4122")


def test_a_preservation_that_no_law_allows_for_is_an_exception_to_the_treaty() -> None:
    """`N-NOPOWER` for the whole or for one target counts; other outcomes, and other types of request, do not."""
    exchange = walk(delivered(targets=2), "acknowledge", "accept", "start")
    counted = [
        lacks_power(do(exchange, "not_executable", code="N-NOPOWER", reasons="No such order.")),
        lacks_power(do(exchange, "preserve", results=results("HELD", "N-NOPOWER"))),
        lacks_power(do(exchange, "preserve", results=results("HELD", "N-EXPIRED"))),
        lacks_power(replace(in_state(State.NOT_EXECUTABLE, RequestType.LOCATE_SUSPECT), reason="N-NOPOWER")),
    ]
    assert counted == [True, True, False, False]
