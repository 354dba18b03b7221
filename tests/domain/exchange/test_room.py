"""An exchange always fits into one envelope, whatever the other side sends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from app.domain.codes import RequestType, State
from app.domain.exchange.judging import judge
from app.domain.exchange.room import MAX_KEPT, ROOM_BYTES, snapshot_bytes, within_room
from app.domain.exchange.values import Condition, Progress, Supplement
from app.domain.exchange_codes import ConditionKind
from app.domain.messages import ActionBody, StateBody, write_body
from app.domain.snapshot import take_snapshot
from app.errors import Refused
from tests.domain.exchange.build import CONDITION_ID, NOW, TOKYO, body, content, delivered, do, in_state, walk

if TYPE_CHECKING:
    from app.domain.exchange.values import Exchange

LONGEST = "\N{GRINNING FACE}" * 8000
"""Four bytes a character: the largest text that anybody can send."""


def flooded(exchange: Exchange, times: int) -> Exchange:
    """The exchange after so many of the largest supplements, a minute apart."""
    for minute in range(times):
        now = NOW + timedelta(minutes=minute)
        message = ActionBody(act=body("supplement", 1, text=LONGEST), at=now)
        exchange = judge(exchange, message, now=now, first_received_at=now, zone=TOKYO).exchange
    return exchange


def test_a_flood_of_supplements_leaves_an_exchange_that_can_be_sent() -> None:
    """The newest are kept, the others counted; the snapshot stays within its room."""
    exchange = flooded(in_state(State.ACCEPTED), 30)
    assert snapshot_bytes(exchange) <= ROOM_BYTES
    assert exchange.supplements[-1].at == NOW + timedelta(minutes=29)
    assert 0 < len(exchange.supplements) == 30 - exchange.left_out
    assert exchange.generation == in_state(State.ACCEPTED).generation + 30
    assert do(exchange, "start").state is State.IN_EXECUTION


def test_without_leaving_anything_out_the_flood_would_not_fit() -> None:
    """Negative control: the same supplements, all kept, are larger than any envelope."""
    supplements = tuple(Supplement(NOW, LONGEST) for _ in range(30))
    assert snapshot_bytes(replace(in_state(State.ACCEPTED), supplements=supplements)) > 272 * 1024


def test_facts_after_the_end_flood_nothing_either() -> None:
    """Always stored as messages; in the exchange the newest are kept."""
    exchange = flooded(in_state(State.CLOSED), 10)
    assert snapshot_bytes(exchange) <= ROOM_BYTES
    assert len(exchange.late_facts) + exchange.left_out == 10


def test_many_short_remarks_are_bounded_in_number() -> None:
    """However short: a list has a length that the other side's schema can read."""
    exchange = replace(in_state(State.ACCEPTED), progress=(Progress(NOW, "x"),) * (MAX_KEPT + 7))
    kept = within_room(exchange)
    assert (len(kept.progress), kept.left_out) == (MAX_KEPT, 7)
    write_body(StateBody(snapshot=take_snapshot(kept), consumed=0))


def test_what_fits_is_left_as_it_is() -> None:
    """No remark is touched while there is room."""
    exchange = in_state(State.CONDITIONS)
    assert within_room(exchange) is exchange


def test_what_is_never_left_out_is_not_left_out_for_room_either() -> None:
    """Conditions that bind stay, even in an exchange that nobody could have written."""
    condition = Condition(CONDITION_ID, ConditionKind.OTHER, "x" * 31_000, NOW, NOW, NOW)
    impossible = replace(in_state(State.ACCEPTED), accepted_conditions=(condition,) * 8)
    assert snapshot_bytes(impossible) > ROOM_BYTES
    assert within_room(impossible) is impossible


def test_the_requested_side_cannot_write_more_than_an_exchange_carries_for_good() -> None:
    """A hundred targets with a page each: refused with a hint, and the exchange goes on without."""
    begun = walk(delivered(targets=100), "acknowledge", "accept", "start")
    results = [{"target": target, "outcome": "HELD", "text": "x" * 4000} for target in range(100)]
    with pytest.raises(Refused) as caught:
        do(begun, "preserve", results=results)
    assert caught.value.code == "too_much_text"
    assert do(begun, "preserve").state is State.PRESERVED


def test_the_largest_content_of_both_sides_fits_together() -> None:
    """What is never left out, at its largest on both sides, stays within the room."""
    offer = in_state(State.ACKNOWLEDGED, RequestType.SPONTANEOUS_INFORMATION)
    condition = Condition(CONDITION_ID, ConditionKind.OTHER, "x" * 31_000, NOW, NOW, NOW)
    full = replace(offer, accepted_conditions=(condition,) * 4)
    members = {**content("send_content", full), "text": LONGEST}
    sent = judge(
        full, ActionBody(act=body("send_content", 1, **members), at=NOW), now=NOW, first_received_at=NOW, zone=TOKYO
    )
    assert sent.exchange.state is State.ANSWERED
    assert snapshot_bytes(flooded(sent.exchange, 5)) <= ROOM_BYTES
