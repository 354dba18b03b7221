"""Scenario 03: an investigator who turns to the foreign contact point directly is not heard there, by any door."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.domain.codes import Lane
from app.envelope.claims import Claims
from app.envelope.seal import encrypt, sign
from app.services.tell_refusals import INTERVAL
from tests.envelope.parties import make_party
from tests.routers.clients import assert_problem
from tests.support.peer import new_id
from tests.support.world import Caller, seen
from tests.world.test_time_passes import fresh

if TYPE_CHECKING:
    from tests.support.world import World
    from tests.world.ledger import Ledger

LABORATORY = "XA-LAB"
"""A machine of the agency that got hold of an account at the broker: no contact point of any directory."""

KEPT = ("request", "case_file", "exchange", "inbox", "outbox", "timeline", "event")
AUDITED = """
    SELECT count(*) FROM (SELECT leaf FROM audit_pending UNION ALL SELECT leaf FROM audit_leaf) facts
    WHERE convert_from(leaf, 'UTF8')::jsonb ->> 'type' = 'access.refused'
"""
REJECTED = "SELECT reason FROM quarantine WHERE iss = $1"
UNKNOWN = "unknown_sender_key"


async def test_agencys_token_opens_no_foreign_door(scenario_world: World, scenario_ledger: Ledger) -> None:
    """401 for every way to file, note or act at XT; it is counted and audited there, and nothing is stored."""
    abroad = scenario_world["XT"]
    stranger = Caller(abroad.http, scenario_world["XA"].tokens["agency_officer"])
    await scenario_ledger.calm()
    before = await scenario_ledger.counts("XT", KEPT)
    counted = refused_at(scenario_world)
    scenario_world.clock.advance(INTERVAL)
    audited = [await scenario_ledger.value(code, AUDITED) for code in ("XT", "XA")]
    document = fresh(scenario_world)
    for path in ("/v1/requests", "/v1/cases", "/v1/exchanges", f"/v1/exchanges/{new_id()}/actions"):
        assert_problem(await stranger.post(path, document), 401, "token_not_valid")
    assert_problem(await stranger.get("/v1/requests"), 401, "token_not_valid")
    assert refused_at(scenario_world) == counted + 5
    assert await scenario_ledger.counts("XT", KEPT) == before
    facts = [await scenario_ledger.value(code, AUDITED) for code in ("XT", "XA")]
    assert facts == [audited[0] + 1, audited[1]], "on record where it was refused, once for all five, nowhere else"


async def test_envelope_of_no_contact_point_is_set_aside(scenario_world: World, scenario_ledger: Ledger) -> None:
    """ACL-1: what a sender outside the directory signs opens nothing; it is kept for the desk, and gets no receipt."""
    directory = scenario_world["XT"].runtime.node.directory
    recipient = directory.encryption_key("XT", scenario_world.clock())
    assert recipient is not None
    assert directory.point(LABORATORY) is None
    party = make_party(LABORATORY)
    thread = new_id()
    claims = Claims(
        iss=LABORATORY,
        aud="XT",
        jti=new_id(),
        iat=int(scenario_world.clock().timestamp()),
        type="exchange.open/1",
        body=opening(scenario_world),
        dir_version=1,
        thread=thread,
        seq=1,
    )
    raw = encrypt(sign(claims, party.signing), iss=LABORATORY, aud="XT", copy=1, recipient=recipient)
    await scenario_ledger.calm()
    before = await scenario_ledger.counts("XT", ("exchange", "outbox", "timeline"))
    broker = scenario_world.bus.connect(LABORATORY)
    await broker.publish(Lane.URGENT, "XT", raw)

    async def reasons() -> list[Any]:
        return [row["reason"] for row in await scenario_ledger.rows("XT", REJECTED, LABORATORY)]

    assert await seen(reasons, bool) == [UNKNOWN]
    await scenario_ledger.calm()
    assert await scenario_ledger.counts("XT", ("exchange", "outbox", "timeline")) == before
    there = await scenario_world["XT"].as_("duty_officer").get(f"/v1/exchanges/{thread}")
    assert_problem(there, 404, "not_found")
    await broker.aclose()


def refused_at(world: World) -> float:
    """How many attempts to speak at XT were refused."""
    value = world["XT"].runtime.metrics.auth_attempts.labels(outcome="refused")._value.get()  # noqa: SLF001 - the client has no other way to read it
    return float(value)


def opening(world: World) -> dict[str, Any]:
    """What the opening of an exchange says."""
    return {
        "type": "PRESERVATION",
        "tier": "URGENT",
        "requesting": LABORATORY,
        "requested": "XT",
        "request_reference": "XA-2026-C5H66SX",
        "opened_at": world.clock().isoformat(),
        "document": fresh(world),
    }
