"""Acts of both sides that cross on their way: both end with the same, and what came too late is said to have."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from app.domain.codes import RequestType
from tests.routers.clients import assert_problem
from tests.support.emergency import EMERGENCY
from tests.support.world import seen
from tests.world.documents import document
from tests.world.journey import PRESERVING, Journey, expect, preservation, sent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.world import World
    from tests.world.ledger import Ledger

LONG_ENOUGH = timedelta(minutes=2)
"""After which whatever was not taken is published again."""


@contextmanager
def silence(world: World, code: str) -> Iterator[None]:
    """Cut a contact point off the bus meanwhile."""
    world.bus.pause(code)
    try:
        yield
    finally:
        world.bus.resume(code)
        world.clock.advance(LONG_ENOUGH)


async def under_way(journey: Journey, action: str, *, seat: str = "duty_officer", **members: object) -> dict[str, Any]:
    """An act of the requesting side that has not arrived yet: what its 202 said."""
    taken = expect(await journey.ours(seat).act(journey.exchange, action, **members), 202)
    assert taken["act_id"] in {act["act_id"] for act in taken["exchange"]["under_way"]}
    return taken


async def fate(journey: Journey, ledger: Ledger, act_id: str) -> tuple[str, str]:
    """The fate of an act as the requesting side's feed tells it, and the event that does."""
    query = "SELECT kind, data FROM event WHERE subject_id = $1 AND data ->> 'act_id' = $2 AND data ? 'fate'"
    (told,) = await ledger.rows(journey.requesting, query, journey.exchange_id, act_id)
    return json.loads(told["data"])["fate"], told["kind"]


async def test_withdrawal_crosses_the_result(ageing_world: World, ageing_ledger: Ledger) -> None:
    """Withdrawn here while it was preserved there: the withdrawal applies, and the new hold is to be released."""
    journey = await preservation(ageing_world, "acknowledge", "accept", "start")
    with silence(ageing_world, "XA"):
        act = await under_way(journey, "withdraw", reasons="The suspect was arrested.")
        assert act["exchange"]["state"] == "IN_EXECUTION"
        preserved = await journey.do("preserve")
        shown = expect(await journey.ours().get(journey.exchange), 200)
        assert (shown["state"], preserved["state"]) == ("IN_EXECUTION", "PRESERVED")
        assert [one["action"] for one in shown["under_way"]] == ["withdraw"]
    ended = await journey.settled()
    assert ended["state"] == "WITHDRAWN"
    assert [(hold["state"], hold["flags"]) for hold in ended["holds"]] == [("TIMED", ["releasing"])]
    assert await fate(journey, ageing_ledger, act["act_id"]) == ("applied", "exchange.withdraw_applied")


async def test_withdrawal_comes_too_late(ageing_world: World, ageing_ledger: Ledger) -> None:
    """Withdrawn here when it had ended there: the act is stale, both sides show the end, and the feed says so."""
    journey = await preservation(ageing_world, "acknowledge")
    with silence(ageing_world, "XA"):
        act = await under_way(journey, "withdraw")
        await journey.do("not_executable", code="N-NODATA", reasons="No log is kept.")
    assert (await journey.settled())["state"] == "NOT_EXECUTABLE"
    assert await fate(journey, ageing_ledger, act["act_id"]) == ("stale", "exchange.withdraw_stale")
    told = [line["event"] for line in await journey.timeline(journey.ours())]
    assert {"withdraw_sent", "withdraw_stale"} <= set(told)
    assert "withdraw_stale" in [line["event"] for line in await journey.timeline(journey.theirs())]


async def test_second_answer_is_stale(ageing_world: World, ageing_ledger: Ledger) -> None:
    """Two persons answer one notice before either answer arrived: the first counts, the second is stale."""
    journey = await preservation(ageing_world, "acknowledge")
    await journey.do("notify_risk", codes=["W-CONF"], text="The provider must tell its customer.")
    await journey.settled()
    with silence(ageing_world, "XT"):
        first = await under_way(journey, "proceed")
        second = await under_way(journey, "proceed", seat="supervisor", narrowing="Subscriber data only.")
        assert len(second["exchange"]["under_way"]) == 2
    shown = await journey.settled()
    assert (shown["state"], shown["details"]["narrowing"]) == ("ACCEPTED", None)
    assert await fate(journey, ageing_ledger, first["act_id"]) == ("applied", "exchange.proceed_applied")
    assert await fate(journey, ageing_ledger, second["act_id"]) == ("stale", "exchange.proceed_stale")


async def test_stop_after_proceed_withdraws(ageing_world: World, ageing_ledger: Ledger) -> None:
    """`stop` whose notice is no longer open is what it means: a withdrawal (ruling 14)."""
    journey = await preservation(ageing_world, "acknowledge")
    await journey.do("notify_risk", codes=["W-CONF"], text="The provider must tell its customer.")
    await journey.settled()
    with silence(ageing_world, "XT"):
        await under_way(journey, "proceed")
        stop = await under_way(journey, "stop")
    assert (await journey.settled())["state"] == "WITHDRAWN"
    assert (await fate(journey, ageing_ledger, stop["act_id"]))[0] == "applied"


async def test_raised_tier_crosses_the_start(ageing_world: World, ageing_ledger: Ledger) -> None:
    """A raised tier loses nothing of what the other side did meanwhile."""
    journey = await preservation(ageing_world, "acknowledge", "accept")
    with silence(ageing_world, "XA"):
        act = await under_way(journey, "raise_tier", **EMERGENCY)
        await journey.do("start")
    shown = await journey.settled()
    assert (shown["state"], shown["tier"]) == ("IN_EXECUTION", "EMERGENCY")
    assert (await fate(journey, ageing_ledger, act["act_id"]))[0] == "applied"


async def test_withdrawal_overtakes_nothing(ageing_world: World, ageing_ledger: Ledger) -> None:
    """Signed and withdrawn while nobody could deliver: both arrive together, and it is born WITHDRAWN."""
    with silence(ageing_world, "XT"):
        journey = await sent(ageing_world, document(RequestType.PRESERVATION))
        act = await under_way(journey, "withdraw", reasons="Filed twice.")
        assert act["exchange"]["generation"] == 0
        assert act["exchange"]["state"] == "DISPATCHED"
    await seen(lambda: journey.theirs().get(journey.exchange), lambda answer: answer.status_code == 200)
    ended = await journey.settled()
    assert ended["state"] == "WITHDRAWN"
    assert (await fate(journey, ageing_ledger, act["act_id"]))[0] == "applied"


async def test_call_noted_before_the_request_arrives(ageing_world: World) -> None:
    """A request passed by voice is worked on at once; when its opening arrives it attaches and keeps the state."""
    with silence(ageing_world, "XT"):
        journey = await sent(ageing_world, document(RequestType.PRESERVATION))
        call = {
            "exchange_id": journey.exchange_id,
            "requesting": "XA",
            "type": "PRESERVATION",
            "noted": "Duty officer of XA, 10:41: logs of one address are overwritten at noon.",
        }
        noted = expect(await journey.theirs().post("/v1/exchanges", call), 201)
        assert (noted["state"], noted["direction"], noted["document"]) == ("DELIVERED", "incoming", {})
        assert "noted" in noted["flags"]
        again = await journey.theirs().post("/v1/exchanges", call)
        assert_problem(again, 409, "exchange_exists")
        assert (await journey.do("acknowledge"))["state"] == "ACKNOWLEDGED"

    async def there() -> dict[str, Any]:
        return dict((await journey.theirs().get(journey.exchange)).json())

    await seen(there, lambda exchange: bool(exchange["document"]))
    shown = await journey.settled()
    assert (shown["state"], shown["tier"]) == ("ACKNOWLEDGED", "URGENT")
    await journey.do("accept", "start", "preserve")
    assert (await journey.settled())["state"] == "PRESERVED"


async def test_work_stops_once_withdrawn(ageing_world: World) -> None:
    """What the requested side's officer still sees of the time before is stale: 409 with the withdrawn exchange."""
    journey = await preservation(ageing_world, "acknowledge", "accept")
    before = expect(await journey.theirs().get(journey.exchange), 200)
    await journey.wish("withdraw")
    late = await journey.theirs().act(journey.exchange, "start", generation=before["generation"])
    assert assert_problem(late, 409, "stale_generation")["current"]["state"] == "WITHDRAWN"


@pytest.mark.parametrize("fault", ["duplicate", "drop", "reorder"])
async def test_faults_of_the_bus_change_nothing(ageing_world: World, ageing_ledger: Ledger, fault: str) -> None:
    """Whatever the bus does to messages once, each act takes effect exactly once and both sides end alike."""
    getattr(ageing_world.bus, fault)(3)
    journey = await sent(ageing_world, document(RequestType.PRESERVATION))

    async def arrived() -> Any:  # noqa: ANN401 - an answer
        ageing_world.clock.advance(timedelta(seconds=20))
        return await journey.theirs().get(journey.exchange)

    await seen(arrived, lambda answer: answer.status_code == 200)
    await journey.do(*PRESERVING)

    async def alike() -> dict[str, Any]:
        ageing_world.clock.advance(timedelta(seconds=20))
        return dict((await journey.ours().get(journey.exchange)).json())

    await seen(alike, lambda shown: shown["state"] == "PRESERVED")
    setattr(ageing_world.bus.faults, fault, 0)
    assert len((await journey.settled())["holds"]) == 1
    query = "SELECT count(*) FROM timeline WHERE subject_id::text = $1 AND event = 'delivered'"
    assert await ageing_ledger.value("XT", query, journey.exchange_id) == 1
