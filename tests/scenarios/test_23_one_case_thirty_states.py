"""Scenario 23: one case put to thirty states in one action: thirty exchanges that know nothing of one another."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from app.domain.codes import Instrument
from app.domain.directory import publish_directory
from app.domain.law import Party
from app.keystore import create_keys, example_profile, write_directory
from tests.support.world import seen
from tests.world.journey import PRESERVING, Journey, expect
from tests.world.keeping import kept_world
from tests.world.ledger import open_ledger
from tests.world.test_time_passes import fresh

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.postgres import PostgresServer
    from tests.support.world import World
    from tests.world.ledger import Ledger

LIVING = "XT"
INVENTED = tuple(f"X{letter}" for letter in "BCDEFGHIJLMNOPQRUVWYZ") + tuple(f"Q{letter}" for letter in "MNOPQRST")
"""User-assigned codes of ISO 3166, which no state has. Nobody is at home there: what is sent to them waits."""
SINCE = date(2020, 1, 1)
ASKED = (LIVING, *INVENTED)
UNBOUND = ("XB", "XM", "QT")
"""States that no instrument binds: nothing can be signed for them."""
CASE_REFERENCE, TITLE = "OP-ZWIEBEL-7", "Operation Zwiebelkuchen"


async def publish(world: World, folder: Path) -> None:
    """Publish a directory with thirty more contact points, and wait until XA goes by it."""
    runtime, now = world["XA"].runtime, world.clock()
    known, valid = runtime.node.directory, timedelta(days=365)
    profiles = [example_profile(LIVING).model_copy(update={"code": code, "country": code}) for code in INVENTED]
    keys = {code: create_keys(folder / code, code, now=now, validity=valid) for code in INVENTED}
    others = publish_directory(profiles, keys, version=2, issued_at=now).contact_points
    wide = known.model_copy(update={"version": 2, "contact_points": (*known.contact_points, *others)})
    write_directory(runtime.directory_file, wide)

    async def version() -> int:
        return runtime.node.directory.version

    await seen(version, lambda found: found == wide.version)


@pytest.fixture(scope="module")
async def wide_world(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """XA and XT at work, in a directory and under a law in which there are thirty more states."""
    folder: Path = tmp_path_factory.mktemp("wide")
    async with kept_world(postgres, folder, ("XA", LIVING)) as world:
        await publish(world, tmp_path_factory.mktemp("keys"))
        trust = world["XA"].runtime.trust
        bound = [Party(instrument=Instrument.ETS185, state=code, since=SINCE) for code in INVENTED]
        parties = (*trust.node.law.parties, *(party for party in bound if party.state not in UNBOUND))
        trust.node = replace(trust.node, law=replace(trust.node.law, parties=parties))
        yield world


@pytest.fixture(scope="module")
async def wide_ledger(wide_world: World) -> AsyncIterator[Ledger]:
    """What the databases of `wide_world` hold."""
    async with open_ledger(wide_world) as opened:
        yield opened


def filing(world: World) -> dict[str, Any]:
    """One preservation for thirty states; only for XT is the custodian known."""
    document = {name: value for name, value in fresh(world).items() if name != "requested"}
    target = {name: value for name, value in document["targets"][0].items() if name != "custodian"}
    searched = {"custodian_unknown": True, "custodian_search": "The registries name no custodian."}
    known = document["targets"]
    document["targets"] = [target | searched]
    return {
        "reference": CASE_REFERENCE,
        "title": TITLE,
        "document": document,
        "requested": list(ASKED),
        "overrides": {LIVING: {"targets": known}},
    }


@pytest.fixture(scope="module")
async def signed(wide_world: World) -> dict[str, Any]:
    """What the signing of the whole case answered."""
    home = wide_world["XA"]
    case = expect(await home.as_("agency_officer").post("/v1/cases", filing(wide_world)), 201)
    assert [one["requested"] for one in case["states"]] == list(ASKED)
    assert case["requests"] == {"INTAKE": len(ASKED)}
    path = f"/v1/cases/{case['id']}"
    for action in ("open", "approve"):
        done = expect(await home.as_("duty_officer").post(f"{path}/actions", {"action": action}), 200)
        assert [one["problem"] for one in done["results"]] == [None] * len(ASKED)
    return expect(await home.as_("supervisor").post(f"{path}/actions", {"action": "sign"}), 200)


async def test_one_action_signs_all_but_those_that_fail(wide_world: World, signed: dict[str, Any]) -> None:
    """Thirty results: three fail by themselves with their code, twenty-seven exchanges are on their way."""
    failed = {one["requested"]: one["problem"]["code"] for one in signed["results"] if one["problem"]}
    assert failed == dict.fromkeys(UNBOUND, "N-NOBASIS")
    assert Counter(one["state"] for one in signed["results"]) == {"SIGNED": 27, "DRAFTED": 3}
    ids = {one["exchange_id"] for one in signed["case"]["states"]}
    assert len(ids - {None}) == 27
    for seat in ("agency_officer", "agency_viewer", "duty_officer"):
        shown = expect(await wide_world["XA"].as_(seat).get(f"/v1/cases/{signed['case']['id']}"), 200)
        assert shown["requests"] == {"DRAFTED": 3, "SIGNED": 27}
        assert sum(shown["exchanges"].values()) == 27


async def test_living_state_goes_its_own_way(wide_world: World, signed: dict[str, Any]) -> None:
    """What XT does shows in its own row of the dashboard, and in no other's."""
    (row,) = [one for one in signed["case"]["states"] if one["requested"] == LIVING]
    journey = Journey(wide_world, row["id"], row["exchange_id"], LIVING)
    await seen(partial(journey.theirs().get, journey.exchange), lambda answer: answer.status_code == 200)
    await journey.do(*PRESERVING)
    await journey.settled()
    caller = wide_world["XA"].as_("agency_officer")
    shown = expect(await caller.get(f"/v1/cases/{signed['case']['id']}"), 200)
    states = {one["requested"]: one["exchange"] and one["exchange"]["state"] for one in shown["states"]}
    assert states == dict.fromkeys(ASKED, "DISPATCHED") | dict.fromkeys(UNBOUND) | {LIVING: "PRESERVED"}
    (held,) = [one["exchange"]["holds"] for one in shown["states"] if one["requested"] == LIVING]
    assert [hold["state"] for hold in held] == ["TIMED"]
    assert shown["exchanges"] == {"DISPATCHED": 26, "PRESERVED": 1}
    (listed,) = expect(await caller.get("/v1/cases"), 200)["data"]
    assert {name: shown[name] for name in listed} == listed


async def test_no_state_learns_of_another(wide_world: World, wide_ledger: Ledger, signed: dict[str, Any]) -> None:
    """Nothing that leaves XA for one state names another one, the case, or a request to another state."""
    rows = await wide_ledger.rows("XA", "SELECT peer, convert_from(body, 'UTF8') AS body FROM outbox WHERE seq = 1")
    assert {row["peer"] for row in rows} == set(ASKED) - set(UNBOUND)
    references = {one["requested"]: one["reference"] for one in signed["case"]["states"]}
    case_id = signed["case"]["id"]
    for row in rows:
        words = set(leaves(json.loads(row["body"])))
        assert {row["peer"], references[row["peer"]]} <= words, "the control: what is its own is found"
        others = (set(ASKED) | set(references.values())) - {row["peer"], references[row["peer"]]}
        assert not words & others
        assert not [secret for secret in (CASE_REFERENCE, TITLE, case_id, "Zwiebel") if secret in row["body"]]
    everything = "SELECT string_agg(opening::text || body::text, ' ') FROM exchange"
    arrived = await wide_ledger.value(LIVING, everything)
    assert references[LIVING] in arrived
    assert not [code for code in INVENTED if references[code] in arrived]
    assert "Zwiebel" not in arrived


async def test_state_named_in_another_ones_document_is_warned_of(wide_world: World) -> None:
    """A shared document that names one of the states asked carries a warning in the requests to all the others."""
    caller = wide_world["XA"].as_("agency_officer")
    named = filing(wide_world) | {"requested": [LIVING, "XC"], "overrides": {}}
    named["document"]["targets"] = filing(wide_world)["overrides"][LIVING]["targets"]
    checked = expect(await caller.post("/v1/cases?validate_only=true", named), 200)
    warned = {one["requested"]: {warning["code"] for warning in one["warnings"]} for one in checked["states"]}
    assert "names_another_recipient" in warned["XC"]
    assert "names_another_recipient" not in warned[LIVING]


def leaves(value: object) -> list[str]:
    """Every text of a document."""
    if isinstance(value, dict):
        return [text for inner in value.values() for text in leaves(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in leaves(inner)]
    return [value] if isinstance(value, str) else []
