"""Each check answers its one question: yes on a healthy node, no when just that is wrong; it says who does what."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from app.audit.checkpoint import Checkpoint, sign_checkpoint
from app.db.engine import begin
from app.domain.codes import Role
from app.routers.node_checks import CHECKS
from app.services.enrol import enrol_person
from app.services.node import SYSTEM, Acting
from app.workers import sequence, start_log
from tests.routers.clients import assert_problem
from tests.routers.stuck import come_in, feel_pulse, keep_aside, open_thread, put_out
from tests.routers.test_monitoring_peers import close

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from fastapi import FastAPI

    from app.runtime import Runtime
    from tests.routers.clients import Clients

NAMES = [
    "database", "broker", "outbox-age", "gaps", "quarantine", "dead-letters", "key-expiry", "audit-chain", "clock-skew",
    "recovery", "notifications", "duty-roster", "revoked-keys",
]  # fmt: skip
HOUR = timedelta(hours=1)


@pytest.fixture
async def healthy(runtime: Runtime, tokens: object) -> Runtime:
    """A node at which all is well: its log is open and covered by a checkpoint."""
    await start_log(runtime)
    return runtime


async def answers(client: Clients) -> tuple[int, dict[str, Any]]:
    """Status and outcome of each check, as the list has it."""
    answer = await client("monitor").get("/v1/monitoring/checks")
    shown = answer.json()
    assert shown["outcome"] == ("pass" if answer.status_code == 200 else "fail")
    return answer.status_code, {one["name"]: one for one in shown["checks"]}


async def test_a_healthy_node(client: Clients, healthy: Runtime) -> None:
    """Every question is answered yes, in the list and alone; nobody has to do anything."""
    status, checks = await answers(client)
    assert list(checks) == NAMES == list(CHECKS)
    assert {one["outcome"] for one in checks.values()} == {"pass"}, checks
    assert {one["next_act"] for one in checks.values()} == {"Nobody has to do anything."}
    assert status == 200
    for name in NAMES:
        answer = await client("monitor").get(f"/v1/monitoring/checks/{name}")
        assert (answer.status_code, answer.json()) == (200, checks[name])


async def old_outbox(runtime: Runtime, now: datetime) -> None:
    """A message that the broker confirmed an hour ago."""
    await put_out(runtime, now - HOUR, next_at=None, confirmed_at=now - HOUR, published_lane="urgent", tries=3)


async def old_gap(runtime: Runtime, now: datetime) -> None:
    """A message that has waited for an hour."""
    await come_in(runtime, now - HOUR, thread=await open_thread(runtime, now), seq=2, state="held")


async def aside(runtime: Runtime, now: datetime) -> None:
    """A forgery."""
    await keep_aside(runtime, now, "bad_signature")


async def dead_letter(runtime: Runtime, now: datetime) -> None:
    """What nobody lived to open."""
    await keep_aside(runtime, now, "unopened")


async def wrong_clock(runtime: Runtime, now: datetime) -> None:
    """A counterpart nine seconds behind."""
    await feel_pulse(runtime, "XT", now, skew_ms=-9_000)


async def restored(runtime: Runtime, _now: datetime) -> None:
    """A counterpart that is waited for."""
    await close(runtime, "XT")


async def no_broker(runtime: Runtime, _now: datetime) -> None:
    """The connection is gone."""
    await runtime.broker.aclose()


WRONG: dict[str, tuple[Callable[[Runtime, datetime], Awaitable[None]], set[str], str]] = {
    "a message without a receipt for an hour": (old_outbox, {"outbox-age"}, "/v1/monitoring/outbox"),
    "a gap of an hour": (old_gap, {"gaps"}, "outbox retry"),
    "a forgery in quarantine": (aside, {"quarantine"}, "quarantine list"),
    "something that nobody could open": (dead_letter, {"dead-letters", "quarantine"}, "maintains the software"),
    "a clock that is nine seconds slow": (wrong_clock, {"clock-skew"}, "time server"),
    "a restore that is not over": (restored, {"recovery"}, "recovery show"),
    "no connection to the broker": (no_broker, {"broker"}, "/v1/monitoring/bus"),
}


@pytest.mark.parametrize("case", WRONG)
async def test_what_is_wrong_fails_its_check_alone(client: Clients, healthy: Runtime, now: datetime, case: str) -> None:
    """Just the check whose question it is answers 503, alone and in the list, and says who does what."""
    break_it, failing, words = WRONG[case]
    await break_it(healthy, now)
    status, checks = await answers(client)
    assert status == 503
    assert {name for name, one in checks.items() if one["outcome"] == "fail"} == failing
    assert any(words in checks[name]["next_act"] for name in failing)
    for name in NAMES:
        answer = await client("monitor").get(f"/v1/monitoring/checks/{name}")
        assert answer.status_code == (503 if name in failing else 200)


async def test_it_names_whom_it_is_about(client: Clients, healthy: Runtime, now: datetime) -> None:
    """A check that fails for some contact points names them, and how bad it is."""
    await old_outbox(healthy, now)
    _, checks = await answers(client)
    assert (checks["outbox-age"]["peers"], checks["outbox-age"]["observed"]) == (["XT"], 3600.0)


async def test_a_message_in_its_time_is_no_fault(client: Clients, healthy: Runtime, now: datetime) -> None:
    """What was sent half a minute ago, and a gap of half an hour, are not yet anybody's business."""
    since = now - timedelta(seconds=30)
    await put_out(healthy, since, next_at=None, confirmed_at=since, published_lane="urgent", tries=1)
    await come_in(healthy, now - HOUR / 2, thread=await open_thread(healthy, now), seq=2, state="held")
    assert (await answers(client))[0] == 200


async def test_another_schema(client: Clients, healthy: Runtime, gateway: FastAPI) -> None:
    """A database that has not the schema of this software fails its check."""
    gateway.state.runtime = replace(healthy, head_revision="another")
    assert (await answers(client))[1]["database"]["outcome"] == "fail"


async def test_keys_end(client: Clients, healthy: Runtime, gateway: FastAPI, now: datetime) -> None:
    """Our keys fail the check a month before they end, a counterpart's a week before."""
    async with begin(healthy.engine) as session:
        await session.execute(text("UPDATE token SET expires_at = expires_at + interval '1000 days'"))
    for days, peers in ((339, []), (341, ["XA"]), (364, ["XA", "XS", "XT"])):
        gateway.state.runtime = replace(healthy, clock=partial(now.__add__, timedelta(days=days)))
        assert (await answers(client))[1]["key-expiry"]["peers"] == peers


async def let_something_happen(runtime: Runtime) -> None:
    """Leave a fact."""
    async with begin(runtime.engine) as session:
        acting = Acting(session, runtime.node, SYSTEM, runtime.clock())
        await enrol_person(acting, name="Somebody", role=Role.AUDITOR, agency_id=None)


async def test_facts_without_a_checkpoint(client: Clients, healthy: Runtime, gateway: FastAPI, now: datetime) -> None:
    """Facts that no checkpoint covers for five minutes fail the check; once they are covered it passes."""
    later = replace(healthy, clock=lambda: now + timedelta(minutes=6))
    gateway.state.runtime = later
    assert (await answers(client))[1]["audit-chain"]["outcome"] == "pass"
    await let_something_happen(later)
    assert (await answers(client))[1]["audit-chain"]["observed"] == 360.0
    assert (await answers(client))[1]["audit-chain"]["outcome"] == "fail"
    await sequence(later)
    assert (await answers(client))[1]["audit-chain"]["outcome"] == "pass"


async def test_an_anchor_ahead_of_the_database(client: Clients, healthy: Runtime) -> None:
    """A head that we signed and the database lacks fails the check: the database is older than our word."""
    ahead = sign_checkpoint(Checkpoint(healthy.log_writer.origin, 1_000, bytes(32)), healthy.log_writer.key)
    healthy.anchor.write_text(ahead)
    assert (await answers(client))[1]["audit-chain"]["outcome"] == "fail"


async def test_an_anchor_that_nobody_signed(client: Clients, healthy: Runtime) -> None:
    """An anchor with somebody else's words fails the check."""
    healthy.anchor.write_text("somebody else's words\n")
    assert (await answers(client))[1]["audit-chain"]["outcome"] == "fail"


async def test_there_is_no_other_check(client: Clients) -> None:
    """A name that is no check is not there."""
    assert_problem(await client("monitor").get("/v1/monitoring/checks/coffee"), 404, "not_found")
    assert_problem(await client("duty_officer").get("/v1/monitoring/checks/gaps"), 403, "role_not_allowed")
