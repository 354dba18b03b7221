"""What is due next, for the desk as a list, for monitors as counts; both from one look of the clocks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from app.bus.memory import MemoryBus
from app.bus.supervise import Pauses
from app.db import exchanges
from app.db.engine import begin
from app.domain.codes import Direction, RequestType, State, Tier
from app.domain.deadlines import Step
from app.domain.documents import example
from app.errors import SettingsUnusable
from app.runtime import open_runtime
from app.services.identifiers import new_id
from app.workers import run_clocks
from tests.domain.exchange.build import in_state, preserved
from tests.routers.clients import assert_problem, new_key
from tests.services.test_escalate import taken_in

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path
    from uuid import UUID

    import httpx

    from app.domain.exchange.values import Exchange
    from app.runtime import Runtime
    from app.settings import Settings
    from tests.routers.clients import Clients

MINUTE = timedelta(minutes=1)


async def put_in(runtime: Runtime, value: Exchange, *, since: timedelta = timedelta()) -> UUID:
    """An exchange that XA opened and that has been as it is for so long; its id."""
    now = runtime.clock()
    at = now - since
    value = replace(value, id=new_id(), opened_at=at, changed_at=at, state_since=at)
    value = replace(value, holds=tuple(replace(hold, id=new_id(), exchange_id=value.id) for hold in value.holds))
    async with begin(runtime.engine) as session:
        await exchanges.add(session, taken_in(value, Direction.OUTGOING, now), now=now)
    return value.id


@pytest.fixture
async def busy(runtime: Runtime, tokens: Mapping[str, str]) -> list[str]:
    """Three exchanges, soonest due first, the first of them late; and a hold."""
    assert tokens
    late = await put_in(runtime, in_state(State.DELIVERED, tier=Tier.EMERGENCY), since=16 * MINUTE)
    soon = await put_in(runtime, in_state(State.DELIVERED, tier=Tier.EMERGENCY), since=MINUTE)
    later = await put_in(runtime, in_state(State.ACKNOWLEDGED, tier=Tier.URGENT))
    held = await put_in(runtime, preserved())
    await run_clocks(runtime, {})
    return [str(one) for one in (late, soon, later, held)]


def body(answer: httpx.Response) -> dict[str, Any]:
    """What a good answer holds."""
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_what_is_due_next_stands_first(client: Clients, busy: list[str]) -> None:
    """Each step with whose it is, how late, what was told, where to go on and whom to call."""
    shown = body(await client("duty_officer").get("/v1/deadlines"))
    assert [one["id"] for one in shown["data"]] == busy
    first = shown["data"][0]
    assert (first["step"], first["whose"], first["overdue"], first["escalated"]) == (
        "acknowledgement", "theirs", True, 100,
    )  # fmt: skip
    assert "ask for" in first["telephone"]
    assert (first["href"], first["sheet"]) == (f"/v1/exchanges/{busy[0]}", f"/v1/exchanges/{busy[0]}/fallback-sheet")
    assert [one["step"] for one in shown["data"][2:]] == ["substance", "hold_end"]
    assert [one["telephone"] is None for one in shown["data"]] == [False, False, True, True]
    assert shown["next"] is None


async def test_it_comes_in_pages_that_miss_nothing(client: Clients, busy: list[str]) -> None:
    """Page by page the same order, each once; a cursor of another list is refused."""
    caller, found, cursor = client("supervisor"), [], None
    while True:
        page = body(await caller.get("/v1/deadlines", params={"limit": 1} | ({"cursor": cursor} if cursor else {})))
        found += [one["id"] for one in page["data"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert found == busy
    for wrong in ("AAAA", "!", "f" * 200):
        assert_problem(await caller.get("/v1/deadlines", params={"cursor": wrong}), 422, "parameters_invalid")


async def test_one_side_s_steps_alone(client: Clients, busy: list[str]) -> None:
    """What XA waits for is theirs; of its own there is the end of a hold to see to."""
    caller = client("duty_officer")
    theirs = body(await caller.get("/v1/deadlines", params={"whose": "theirs"}))["data"]
    ours = body(await caller.get("/v1/deadlines", params={"whose": "ours"}))["data"]
    assert [one["id"] for one in theirs] == busy[:3]
    assert [one["id"] for one in ours] == busy[3:]


@pytest.mark.parametrize(
    "seat", ["agency_officer", "agency_viewer", "auditor", "monitor", "registrar", "administrator"]
)
async def test_only_the_desk_sees_the_list(client: Clients, seat: str) -> None:
    """Agencies see their requests, monitors counts."""
    assert_problem(await client(seat).get("/v1/deadlines"), 403, "role_not_allowed")


async def test_monitors_see_counts_and_no_case(client: Clients, busy: list[str]) -> None:
    """Per step and tier, how soon, how often told, how notifying goes: nobody had a channel, which is an alarm."""
    answer = await client("monitor").get("/v1/monitoring/deadlines")
    shown = body(answer)
    steps = {(one["step"], one["tier"]): (one["open"], one["overdue"]) for one in shown["steps"]}
    assert steps == {
        ("acknowledgement", "EMERGENCY"): (2, 1),
        ("substance", "URGENT"): (1, 0),
        ("hold_end", "URGENT"): (1, 0),
    }
    assert [one["count"] for one in shown["due"]] == [2, 2, 3]
    assert shown["escalated"] == {"50": 0, "100": 1, "200": 0}
    assert not any(one in answer.text for one in busy)
    for seat in ("duty_officer", "agency_officer", "auditor", "registrar"):
        assert_problem(await client(seat).get("/v1/monitoring/deadlines"), 403, "role_not_allowed")


async def test_metrics_tell_the_same(client: Clients, busy: list[str]) -> None:
    """Gauges per step, tier and side; what is gone since is gone there too."""
    assert busy
    told = (await client("monitor").get("/metrics")).text
    labels = 'step="acknowledgement",tier="EMERGENCY",whose="theirs"'
    assert f"counterpart_deadlines_open{{{labels}}} 2.0" in told
    assert f"counterpart_deadlines_overdue{{{labels}}} 1.0" in told
    assert "counterpart_notifications_pending 0.0" in told
    open_to_all = (await client().get("/metrics")).text
    assert "deadlines" not in open_to_all


async def test_a_request_that_nobody_opens_is_told_at_home_alone(
    client: Clients, runtime: Runtime, tokens: Mapping[str, str]
) -> None:
    """Half and whole of the intake clock, in the feed and the desk's timeline; the agency sees nothing of it."""
    assert tokens
    agency, desk = client("agency_officer"), client("duty_officer")
    filed = (await agency.post("/v1/requests", json=example(RequestType.PRESERVATION), headers=new_key())).json()
    for after in (0, 31, 61):
        later = runtime.clock() + after * MINUTE
        await run_clocks(replace(runtime, clock=partial(lambda at: at, later)), {})
    path = f"/v1/requests/{filed['id']}"
    lines = [line["event"] for line in body(await desk.get(f"{path}/timeline"))["data"]]
    assert lines == ["filed", "second_contact", "overdue"]
    assert [line["event"] for line in body(await agency.get(f"{path}/timeline"))["data"]] == ["filed"]
    kinds = [event["kind"] for event in body(await desk.get("/v1/events"))["data"]]
    assert kinds[-2:] == ["escalation.second_contact", "request.overdue"]
    (listed,) = body(await desk.get("/v1/deadlines"))["data"]
    assert (listed["kind"], listed["step"], listed["reference"]) == ("request", "intake", filed["reference"])
    assert body(await desk.get(path))["state"] == "INTAKE"
    assert not {"escalation.second_contact", "request.overdue"} & {
        event["kind"] for event in body(await agency.get("/v1/events"))["data"]
    }


async def test_the_operator_s_clocks_are_those_of_the_node(settings: Settings, tmp_path: Path, now: datetime) -> None:
    """A file in the settings changes what the node goes by; one with a fault in it stops the start with its line."""
    file = tmp_path / "clocks.yaml"
    file.write_text("steps:\n  acknowledgement: {emergency: 5 min, urgent: 30 min, routine: 1 d}\n")
    bus = MemoryBus(clock=lambda: now, pauses=Pauses(lambda: 0.5))
    stricter = settings.model_copy(update={"clocks": file})
    async with open_runtime(stricter, clock=lambda: now, broker=bus.connect("XA")) as runtime:
        assert runtime.node.clocks.within(Step.ACKNOWLEDGEMENT, Tier.EMERGENCY) == 5 * MINUTE
    file.write_text("steps:\n  acknowledgement: {emergency: 5}\n")
    with pytest.raises(SettingsUnusable, match=r"clocks\.yaml, line 2"):
        await open_runtime(stricter, clock=lambda: now, broker=bus.connect("XA")).__aenter__()
