"""Scenario 11: the provider would tell its customer; nothing is executed until the requesting side has decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.domain.exchange.clocks import REPLY, SILENCE_FACTOR
from tests.routers.clients import assert_problem
from tests.world.journey import advice, expect, preservation
from tests.world.test_time_passes import fresh, shows

if TYPE_CHECKING:
    from tests.support.world import World
    from tests.world.journey import Journey

EXECUTING = ("accept", "start", "preserve")
NOTICE: dict[str, Any] = {"codes": ["W-CONF"], "text": "The provider must tell its customer within a day."}


async def warned(world: World, *before: str) -> Journey:
    """A preservation at XT about which XT has given notice of the risk."""
    journey = await preservation(world, *before, **fresh(world))
    assert (await journey.do("notify_risk", **NOTICE))["state"] == "RISK_NOTICE"
    shown = await journey.settled()
    assert (shown["details"]["question"]["codes"], shown["details"]["question"]["text"]) == (
        NOTICE["codes"],
        NOTICE["text"],
    )
    return journey


async def test_stop_ends_it_and_nothing_was_served(scenario_world: World) -> None:
    """Nothing is executed while the notice is open, nor after; B confirms that nothing was served."""
    journey = await warned(scenario_world, "acknowledge", "accept", "start")
    for action in EXECUTING:
        assert_problem(await journey.theirs().act(journey.exchange, action), 409, "action_not_allowed")
    part = expect(await journey.ours("agency_officer").get(journey.request), 200)["exchange"]
    assert part["question"]["text"] == NOTICE["text"]
    shown = await journey.wish("stop")
    assert (shown["state"], shown["details"]["reason"], shown["details"].get("served_at")) == (
        "WITHDRAWN",
        "stopped",
        None,
    )
    for action in (*EXECUTING, "notify_risk"):
        assert_problem(await journey.theirs().act(journey.exchange, action), 409, "action_not_allowed")
    await journey.do("report_progress", text="Nothing was served on the provider.")
    confirmed = await journey.settled()
    assert [one["text"] for one in confirmed["details"]["late_facts"]] == ["Nothing was served on the provider."]
    assert confirmed["holds"] == []


async def test_proceed_may_ask_for_less(scenario_world: World) -> None:
    """Told to go on, the requested side goes on, with what the requesting side narrowed it to."""
    journey = await warned(scenario_world, "acknowledge")
    shown = await journey.wish("proceed", narrowing="Subscriber data only.")
    assert (shown["state"], shown["details"]["narrowing"]) == ("ACCEPTED", "Subscriber data only.")
    await journey.do("start", "preserve")
    assert (await journey.settled())["state"] == "PRESERVED"


async def test_silence_is_never_proceed(scenario_world: World) -> None:
    """Past twice the term A was reminded once and nothing has moved; only then may B end it for want of an answer."""
    journey = await warned(scenario_world, "acknowledge")
    tier = (await journey.settled())["tier"]
    ended = {"code": "N-NOANSWER", "reasons": "No answer came."}
    early = await journey.theirs().act(journey.exchange, "not_executable", **ended)
    assert assert_problem(early, 409, "action_not_allowed")["reason"] == "answer_not_overdue"
    scenario_world.clock.advance(SILENCE_FACTOR * REPLY[tier])
    reminded = await shows(journey, lambda shown: shown["details"]["question"]["reminded_at"] is not None)
    assert reminded["state"] == "RISK_NOTICE"
    for caller in (journey.ours(), journey.theirs()):
        assert [line["event"] for line in await journey.timeline(caller)].count("reminded") == 1
    await journey.do("not_executable", **ended)
    assert (await journey.settled())["state"] == "NOT_EXECUTABLE"


async def test_no_notice_once_the_order_is_served(scenario_world: World) -> None:
    """A notice asks whether to execute: once the order is served there is nothing left to decide (X7)."""
    journey = await preservation(scenario_world, "acknowledge", "accept", **fresh(scenario_world))
    await journey.do("start", order_served=True)
    served = (await journey.settled())["details"]["served_at"]
    assert served is not None
    late = await journey.theirs().act(journey.exchange, "notify_risk", **NOTICE)
    assert assert_problem(late, 409, "action_not_allowed")["reason"] == "order_served"


async def test_other_types_know_confidentiality_alone(scenario_world: World) -> None:
    """Art. 27(8) is for every type, art. 29(6) for preservation: of advice only W-CONF can be said."""
    journey = await advice(scenario_world, "acknowledge")
    refused = await journey.theirs().act(journey.exchange, "notify_risk", codes=["W-AVAIL"], text="It may be gone.")
    assert_problem(refused, 422, "code_not_available")
    await journey.do("notify_risk", **NOTICE)
    assert (await journey.settled())["state"] == "RISK_NOTICE"
