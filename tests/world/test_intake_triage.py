"""Triage over HTTP: what only the desk sees, drafts that lack things, and one officer alone in an emergency."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, get_args
from uuid import UUID

import httpx

from app.db import requests
from app.db.engine import begin
from app.domain.codes import RequestType
from app.domain.intake import DraftOrigin
from app.domain.intake_acts import DeclineCode, RedirectCode
from app.domain.triage import TRIAGE_TESTS
from app.main import create_app
from app.services.draft_request import Draft, draft_request
from app.services.node import SYSTEM
from tests.routers.clients import assert_problem
from tests.support.world import Caller
from tests.world.documents import CANARY, document, without
from tests.world.journey import expect, filed, taken

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.world import World
    from tests.world.ledger import Ledger

ALONE = "supervisor"


async def test_checklist_is_for_the_desk_while_it_decides(world: World) -> None:
    """All fourteen tests with their reasons from triage until signing; never for the agency, never in a list."""
    raw = document(RequestType.PRESERVATION, marking=None)
    made = await filed(world, raw)
    path = f"/v1/requests/{made['id']}"
    assert expect(await world["XA"].as_("duty_officer").get(path), 200)["desk"]["triage"] == []
    for seat, action in (("duty_officer", "open"), ("duty_officer", "approve")):
        shown = await taken(world, made["id"], (seat, action))
        assert [one["test"] for one in shown["desk"]["triage"]] == [test.id for test in TRIAGE_TESTS]
        (marking,) = [one for one in shown["desk"]["triage"] if one["test"] == "TRI-13"]
        assert (marking["proposal"], marking["because"][0]["code"]) == ("OPEN", "marking_proposed")
        kept = {entry["test"]: entry["answer"] for entry in (shown["approval"] or {"checklist": []})["checklist"]}
        assert kept.get("TRI-13", "OPEN") == "OPEN"
    assert expect(await world["XA"].as_("agency_officer").get(path), 200)["desk"] is None
    listed = expect(await world["XA"].as_("duty_officer").get("/v1/requests", limit=5), 200)["data"]
    assert {one["desk"] for one in listed} == {None}


async def test_provider_of_our_own_list_is_said_to_be_at_home(world: World) -> None:
    """TRI-04: a custodian that stands on our list of providers, by name or brand, points to an order of our own."""
    entry = {"legal_name": "Aurelia Hosting", "brands": ["Pastel Cloud"], "establishment_country": "XA"}
    listed = entry | {"verified_on": "2026-11-01"}
    expect(await world["XA"].as_("duty_officer").post("/v1/providers", listed), 201)
    for name, said in (("PASTEL cloud", True), ("aurelia hosting", True), ("Kita Hosting", False)):
        raw = document(RequestType.PRESERVATION)
        raw["targets"][0]["custodian"] |= {"name": name}
        made = await filed(world, raw)
        opened = await taken(world, made["id"], ("duty_officer", "open"))
        (home,) = [one for one in opened["desk"]["triage"] if one["test"] == "TRI-04"]
        found = {(doubt["code"], doubt["suggests"]) for doubt in home["because"]}
        assert (("provider_established_here", "D-DOMESTIC") in found) is said, name


async def drafted(world: World, lacking: str) -> dict[str, Any]:
    """A draft that a machine prepared from a request, without one of its members."""
    source = await filed(world, document(RequestType.PRESERVATION))
    runtime = world["XA"].runtime
    async with begin(runtime.engine) as session:
        record = await requests.load(session, UUID(source["id"]))
        assert record is not None
        raw = without(record.document, lacking)
        draft = Draft(source=record, requested="XS", document=raw, origin=DraftOrigin.TRAFFIC_PATH)
        made = await draft_request(session, runtime.node, draft, actor=SYSTEM, now=runtime.clock())
    return expect(await world["XA"].as_("agency_officer").get(f"/v1/requests/{made.reference}"), 200)


async def test_draft_shows_what_it_lacks_and_is_not_signed_without_it(world: World) -> None:
    """A gap is shown with its code, counts against TRI-08, stops the signature, and is filled by the agency."""
    draft = await drafted(world, "/necessity")
    assert (draft["origin"], draft["requested"], draft["state"]) == ("traffic_path", "XS", "INTAKE")
    (gap,) = [warning for warning in draft["warnings"] if warning.get("error")]
    assert (gap["pointer"], gap["code"]) == ("/necessity", "C-MISSING")
    opened = await taken(world, draft["id"], ("duty_officer", "open"))
    (complete,) = [one for one in opened["desk"]["triage"] if one["test"] == "TRI-08"]
    assert (complete["proposal"], "C-MISSING" in {doubt["code"] for doubt in complete["because"]}) == ("OPEN", True)
    await taken(world, draft["id"], ("duty_officer", "approve"))
    path = f"/v1/requests/{draft['id']}"
    refused = await world["XA"].as_("supervisor").act(path, "sign")
    assert ("/document/necessity", "C-MISSING") in {
        (error["pointer"], error["code"]) for error in assert_problem(refused, 422, "invalid_document")["errors"]
    }
    expect(await world["XA"].as_("supervisor").act(path, "reopen", text="It lacks the necessity."), 200)
    returned = {"codes": ["C-MISSING"], "text": "Say why the data would be lost."}
    expect(await world["XA"].as_("duty_officer").act(path, "return", **returned), 200)
    whole = document(RequestType.PRESERVATION, requested="XS")
    completed = expect(await world["XA"].as_("agency_officer").act(path, "resubmit", document=whole), 200)
    assert [warning for warning in completed["warnings"] if warning.get("error")] == []
    signed = await taken(world, draft["id"], ("duty_officer", "approve"), ("supervisor", "sign"))
    assert signed["state"] == "SIGNED"


async def test_draft_for_our_own_state_is_never_signed(world: World) -> None:
    """A path that leads home makes a draft to our own code: signing refuses it, the desk sends it another way."""
    source = await filed(world, document(RequestType.PRESERVATION))
    runtime = world["XA"].runtime
    async with begin(runtime.engine) as session:
        record = await requests.load(session, UUID(source["id"]))
        assert record is not None
        draft = Draft(source=record, requested="XA", document=record.document, origin=DraftOrigin.TRAFFIC_PATH)
        made = await draft_request(session, runtime.node, draft, actor=SYSTEM, now=runtime.clock())
    await taken(world, str(made.id), ("duty_officer", "open"), ("duty_officer", "approve"))
    path = f"/v1/requests/{made.id}"
    assert_problem(await world["XA"].as_("supervisor").act(path, "sign"), 422, "domestic_matter")
    expect(await world["XA"].as_("supervisor").act(path, "reopen", text="A domestic matter."), 200)
    act = {"code": "D-DOMESTIC", "text": "The provider is ours: ask it by an order of our own."}
    handled = expect(await world["XA"].as_("duty_officer").act(path, "redirect", **act), 200)
    assert (handled["state"], handled["outcome"]["code"]) == ("REDIRECTED", "D-DOMESTIC")


async def test_desk_may_answer_with_advice_alone(world: World) -> None:
    """ADVISE_ONLY: the text is the answer, and nothing goes abroad."""
    made = await filed(world, document(RequestType.TECHNICAL_ADVICE))
    await taken(world, made["id"], ("duty_officer", "open"))
    act = {"code": "D-ADVICE", "text": "The log you have is enough: the port is in its third column."}
    told = expect(await world["XA"].as_("duty_officer").act(f"/v1/requests/{made['id']}", "redirect", **act), 200)
    assert (told["state"], told["exchange_id"], told["outcome"]["code"]) == ("REDIRECTED", None, "D-ADVICE")


SAID_AT_HOME = "SELECT count(*) FROM outbox WHERE position(convert_to($1, 'UTF8') IN body) > 0"


async def test_what_triage_said_leaves_with_no_letter(world: World, ledger: Ledger) -> None:
    """A request that was returned, nearly declined and reopened goes abroad without a word of it; its facts do go."""
    facts = "Quittenbrot-9: an unknown person signed in to the gateway and copied the records of patients."
    made = await filed(world, document(RequestType.TECHNICAL_ADVICE))
    path, desk = f"/v1/requests/{made['id']}", world["XA"].as_("duty_officer")
    checklist = [{"test": "TRI-09", "answer": "FAILED", "note": CANARY}]
    whole = document(RequestType.TECHNICAL_ADVICE, facts_summary=facts)
    acts: list[tuple[Caller, str, dict[str, Any]]] = [
        (desk, "open", {}),
        (desk, "return", {"codes": ["C-VAGUE"], "text": CANARY}),
        (world["XA"].as_("agency_officer"), "resubmit", {"document": whole}),
        (desk, "decline", {"code": "D-DISPROP", "text": CANARY}),
        (world["XA"].as_("supervisor"), "reopen", {"text": CANARY}),
        (desk, "approve", {"note": CANARY, "checklist": checklist}),
        (world["XA"].as_("supervisor"), "sign", {}),
    ]
    for caller, action, members in acts:
        expect(await caller.act(path, action, **members), 200)
    assert await ledger.value("XA", SAID_AT_HOME, "Quittenbrot-9") == 1, "the control: what leaves is found there"
    assert await ledger.value("XA", SAID_AT_HOME, CANARY) == 0


async def test_no_other_outcome_than_forwarding_sends_anything(world: World, ledger: Ledger) -> None:
    """Every code with which a request is not forwarded ends it here: no letter, no exchange, whatever the code."""
    await ledger.calm()
    outgoing = await ledger.counts("XA", ("outbox", "exchange"))
    desk = world["XA"].as_("duty_officer")
    ends = [("redirect", code) for code in get_args(RedirectCode)] + [
        ("decline", code) for code in get_args(DeclineCode)
    ]
    for action, code in ends:
        made = await filed(world, document(RequestType.TECHNICAL_ADVICE))
        await taken(world, made["id"], ("duty_officer", "open"))
        shown = expect(await desk.act(f"/v1/requests/{made['id']}", action, code=code, text="Not this way."), 200)
        assert (shown["outcome"]["code"], shown["exchange_id"]) == (code, None)
    await ledger.calm()
    assert await ledger.counts("XA", ("outbox", "exchange")) == outgoing


@asynccontextmanager
async def alone_at_night(world: World) -> AsyncIterator[Caller]:
    """The supervisor of XA at a gateway whose operator set SINGLE_OFFICER_SHIFT."""
    node = world["XA"]
    trust = replace(node.runtime.trust, node=replace(node.runtime.node, single_officer_shift=True))
    app = create_app(replace(node.runtime, trust=trust))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://xa.test") as http:
        yield Caller(http, node.tokens[ALONE])


def night() -> dict[str, Any]:
    """A preservation in an emergency."""
    emergency = document(RequestType.EMERGENCY_DISCLOSURE)["emergency"]
    urgency = {"tier": "EMERGENCY", "reasons": "A child is in danger tonight."}
    return document(RequestType.PRESERVATION, urgency=urgency, emergency=emergency)


async def test_one_officer_alone_sends_an_emergency_and_another_reviews_it(world: World) -> None:
    """Domain.md 6.1: where the shift is one person an emergency does not wait; the review is due within a day."""
    made = await filed(world, night())
    path = f"/v1/requests/{made['id']}"
    async with alone_at_night(world) as officer:
        for action in ("open", "approve"):
            expect(await officer.act(path, action), 200)
        signed = expect(await officer.act(path, "sign"), 200)
        assert signed["state"] == "SIGNED"
        due = datetime.fromisoformat(signed["desk"]["review_due_at"])
        assert timedelta(hours=23) < due - world.clock() <= timedelta(hours=24)
        assert "review" not in signed["allowed_actions"]
        assert_problem(await officer.act(path, "review", text="It was right."), 403, "four_eyes")
    other = world["XA"].as_("supervisor_2")
    assert "review" in expect(await other.get(path), 200)["allowed_actions"]
    reviewed = expect(await other.act(path, "review", text="Rightly sent: the threat was real."), 200)
    assert (reviewed["desk"]["reviewed"], reviewed["state"]) == (True, "SIGNED")
    assert_problem(await other.act(path, "review", text="Again."), 409, "action_not_allowed")


async def test_two_people_decide_unless_it_is_an_emergency_of_such_a_shift(world: World) -> None:
    """Control: without the setting the emergency needs two, and with it a request that is none still does."""
    made = await filed(world, night())
    await taken(world, made["id"], (ALONE, "open"), (ALONE, "approve"))
    assert_problem(await world["XA"].as_(ALONE).act(f"/v1/requests/{made['id']}", "sign"), 403, "four_eyes")
    urgent = await filed(world, document(RequestType.PRESERVATION))
    async with alone_at_night(world) as officer:
        for action in ("open", "approve"):
            expect(await officer.act(f"/v1/requests/{urgent['id']}", action), 200)
        assert_problem(await officer.act(f"/v1/requests/{urgent['id']}", "sign"), 403, "four_eyes")
