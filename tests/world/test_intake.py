"""Machine M1 over HTTP: what an agency and its own contact point do with a request before anything leaves the state."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from app.domain.codes import RequestType
from tests.routers.clients import assert_problem
from tests.world.documents import document, put, without
from tests.world.journey import DESK_ROAD, expect, filed, preservation, taken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.world import World
    from tests.world.ledger import Ledger

DO, SUP, AGENCY = "duty_officer", "supervisor", "agency_officer"
ABROAD = ("XT", "XS")
OPENED = ((DO, "open"),)
DRAFTED = ((DO, "open"), (DO, "approve"))
RETURN = {"codes": ["C-PORT"], "text": "The address is shared: add the source port."}
REDIRECT = {"code": "D-MLA", "text": "Content needs a letter of request.", "contact": "Ministry of Justice"}
DECLINE = {"code": "D-NOTCRIM", "text": "A civil dispute; no offence is named."}


class Act(NamedTuple):
    """An act by the person in that seat, with what it says, and the state it leads to."""

    seat: str
    action: str
    members: Mapping[str, Any]
    state: str


ROADS: dict[str, list[Act]] = {
    "returned, completed, approved and drafted": [
        Act(DO, "open", {}, "TRIAGE"),
        Act(DO, "return", RETURN, "RETURNED"),
        Act(AGENCY, "resubmit", {"document": document(RequestType.PRESERVATION, requested_period_days=120)}, "TRIAGE"),
        Act("duty_officer_2", "approve", {"note": "Now complete."}, "DRAFTED"),
    ],
    "redirected": [Act(DO, "open", {}, "TRIAGE"), Act(DO, "redirect", REDIRECT, "REDIRECTED")],
    "declined by two": [
        Act(DO, "open", {}, "TRIAGE"),
        Act(DO, "decline", DECLINE, "DECLINE_PROPOSED"),
        Act(SUP, "confirm_decline", {"text": "Agreed."}, "DECLINED"),
    ],
    "declined by two supervisors": [
        Act(SUP, "open", {}, "TRIAGE"),
        Act(SUP, "decline", DECLINE, "DECLINE_PROPOSED"),
        Act("supervisor_2", "confirm_decline", {}, "DECLINED"),
    ],
    "not declined after all": [
        Act(DO, "open", {}, "TRIAGE"),
        Act(DO, "decline", DECLINE, "DECLINE_PROPOSED"),
        Act(SUP, "reopen", {"text": "It is an offence under section 615."}, "TRIAGE"),
        Act(SUP, "approve", {}, "DRAFTED"),
    ],
    "the draft taken back": [
        Act(DO, "open", {}, "TRIAGE"),
        Act(DO, "approve", {}, "DRAFTED"),
        Act(SUP, "reopen", {"text": "The marking is too wide."}, "TRIAGE"),
        Act(DO, "approve", {"marking": {"tlp": "TLP:RED", "pap": "PAP:RED", "handling": ["H1"]}}, "DRAFTED"),
    ],
    "supplemented and withdrawn at once": [
        Act(AGENCY, "supplement", {"text": "A second session was seen."}, "INTAKE"),
        Act(AGENCY, "withdraw", {"text": "The suspect was arrested."}, "WITHDRAWN_DOMESTIC"),
    ],
    "withdrawn in triage": [
        Act(DO, "open", {}, "TRIAGE"),
        Act(AGENCY, "supplement", {"text": "A second session was seen."}, "TRIAGE"),
        Act(AGENCY, "withdraw", {}, "WITHDRAWN_DOMESTIC"),
    ],
    "withdrawn when returned": [
        Act(DO, "open", {}, "TRIAGE"),
        Act(DO, "return", RETURN, "RETURNED"),
        Act(AGENCY, "withdraw", {}, "WITHDRAWN_DOMESTIC"),
    ],
    "withdrawn as a draft": [
        Act(DO, "open", {}, "TRIAGE"),
        Act(DO, "approve", {}, "DRAFTED"),
        Act(AGENCY, "withdraw", {}, "WITHDRAWN_DOMESTIC"),
    ],
}


@pytest.mark.parametrize("name", ROADS)
async def test_road_at_home(world: World, ledger: Ledger, name: str) -> None:
    """Each act leads where it should, one generation on, is told in timeline and feed, and nobody abroad gets a row."""
    made = await filed(world, document(RequestType.PRESERVATION))
    path = f"/v1/requests/{made['id']}"
    await ledger.calm(placed=ABROAD)
    abroad = {code: await ledger.everything(code) for code in ABROAD}
    shown = made
    for act in ROADS[name]:
        caller = world["XA"].as_(act.seat)
        assert act.action in expect(await caller.get(path), 200)["allowed_actions"]
        shown = expect(await caller.act(path, act.action, generation=shown["generation"], **act.members), 200)
        assert shown["state"] == act.state
    assert shown["generation"] == 1 + len(ROADS[name])
    expected = ["filed", *(act.action for act in ROADS[name])]
    lines = expect(await world["XA"].as_(AGENCY).get(f"{path}/timeline"), 200)["data"]
    assert [line["event"] for line in lines] == expected
    assert {line["party"] for line in lines} == {"XA"}
    told = await ledger.rows("XA", "SELECT kind FROM event WHERE subject_id = $1 ORDER BY id", made["id"])
    assert [row["kind"] for row in told] == [f"request.{event}" for event in expected]
    await ledger.calm(placed=ABROAD)
    assert {code: await ledger.everything(code) for code in ABROAD} == abroad


async def test_signing_is_seen_abroad(world: World, ledger: Ledger) -> None:
    """Control: the same count notices a request that is signed."""
    await ledger.calm()
    before = await ledger.everything("XT")
    await preservation(world)
    after = await ledger.everything("XT")
    assert {"exchange", "inbox", "thread", "timeline"} <= {name for name in after if after[name] > before[name]}


async def test_agency_reads_why(world: World) -> None:
    """What was returned, redirected or declined shows the agency the codes and the words of the desk."""
    for action, said in (("return", RETURN), ("redirect", REDIRECT), ("decline", DECLINE)):
        made = await filed(world, document(RequestType.PRESERVATION))
        path = f"/v1/requests/{made['id']}"
        await taken(world, made["id"], *OPENED)
        expect(await world["XA"].as_(DO).act(path, action, **said), 200)
        shown = expect(await world["XA"].as_(AGENCY).get(path), 200)
        assert shown["outcome"].items() >= said.items()
        assert shown["outcome"]["action"] == action


async def test_ends_are_ends(world: World) -> None:
    """From a request that is declined, redirected or withdrawn no act leads anywhere."""
    for last in ("redirected", "declined by two", "withdrawn in triage"):
        made = await filed(world, document(RequestType.PRESERVATION))
        path = f"/v1/requests/{made['id']}"
        for act in ROADS[last]:
            expect(await world["XA"].as_(act.seat).act(path, act.action, **act.members), 200)
        for seat in (AGENCY, DO, SUP):
            assert expect(await world["XA"].as_(seat).get(path), 200)["allowed_actions"] == []
        for seat, action in ((DO, "open"), (DO, "approve"), (AGENCY, "withdraw"), (SUP, "sign"), (SUP, "reopen")):
            answer = await world["XA"].as_(seat).act(path, action)
            assert_problem(answer, 409, "action_not_allowed")


async def test_completed_document_replaces_the_first(world: World) -> None:
    """What is resubmitted is checked like a filing, pointers into the act, and then is the request's document."""
    made = await filed(world, document(RequestType.PRESERVATION))
    path = f"/v1/requests/{made['id']}"
    agency = world["XA"].as_(AGENCY)
    await taken(world, made["id"], *OPENED)
    expect(await world["XA"].as_(DO).act(path, "return", **RETURN), 200)
    whole = document(RequestType.PRESERVATION, requested_period_days=120)
    lacking = await agency.act(path, "resubmit", document=without(whole, "/necessity/text"))
    problem = assert_problem(lacking, 422, "invalid_document")
    assert ("/document/necessity/text", "C-MISSING") in {(one["pointer"], one["code"]) for one in problem["errors"]}
    own = await agency.act(path, "resubmit", document=put(whole, "/requested", "XA"))
    problem = assert_problem(own, 422, "domestic_matter")
    assert [one["pointer"] for one in problem["errors"]] == ["/document/requested"]
    other = await agency.act(path, "resubmit", document=document(RequestType.TECHNICAL_ADVICE))
    problem = assert_problem(other, 422, "invalid_document")
    assert [(one["pointer"], one["code"]) for one in problem["errors"]] == [("/document/type", "type_changed")]
    still = expect(await agency.get(path), 200)
    assert (still["state"], still["document"]["requested_period_days"]) == ("RETURNED", 90)
    done = expect(await agency.act(path, "resubmit", document=whole), 200)
    assert (done["state"], done["document"]["requested_period_days"], done["outcome"]) == ("TRIAGE", 120, None)


async def test_triage_begins_anew_with_the_completed_document(world: World) -> None:
    """The desk's time counts from the resubmission, by the tier that the completed document has."""
    made = await filed(world, document(RequestType.PRESERVATION))
    path = f"/v1/requests/{made['id']}"
    opened = await taken(world, made["id"], *OPENED)
    expect(await world["XA"].as_(DO).act(path, "return", **RETURN), 200)
    urgency = {"tier": "EMERGENCY", "reasons": "A person is in danger."}
    emergency = document(RequestType.EMERGENCY_DISCLOSURE)["emergency"]
    worse = document(RequestType.PRESERVATION, urgency=urgency, emergency=emergency)
    done = expect(await world["XA"].as_(AGENCY).act(path, "resubmit", document=worse), 200)
    assert done["tier"] == "EMERGENCY"
    waited = minutes(opened["updated_at"], opened["triage_due_at"])
    assert (waited, minutes(done["updated_at"], done["triage_due_at"])) == (120, 15)


def minutes(start: str, end: str) -> int:
    """Minutes from one shown time to another."""
    return round((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds() / 60)


async def test_document_is_taken_as_it_was_shown(world: World) -> None:
    """A document can be read, mended and resubmitted, `normalised` and all."""
    made = await filed(world, document(RequestType.PRESERVATION))
    path = f"/v1/requests/{made['id']}"
    await taken(world, made["id"], *OPENED)
    expect(await world["XA"].as_(DO).act(path, "return", **RETURN), 200)
    done = expect(await world["XA"].as_(AGENCY).act(path, "resubmit", document=made["document"]), 200)
    assert done["document"] == made["document"]


FOUR_EYES = {
    "a supervisor who approved signs": (((SUP, "open"), (SUP, "approve")), "sign"),
    "a supervisor who declined confirms": (((SUP, "open"), (SUP, "decline")), "confirm_decline"),
}


@pytest.mark.parametrize("name", FOUR_EYES)
async def test_nobody_confirms_what_they_decided(world: World, name: str) -> None:
    """Four eyes: the second decision is not the first one's author's, who is not offered it and gets 403."""
    acts, second = FOUR_EYES[name]
    made = await filed(world, document(RequestType.PRESERVATION))
    path = f"/v1/requests/{made['id']}"
    for seat, action in acts:
        expect(await world["XA"].as_(seat).act(path, action, **(DECLINE if action == "decline" else {})), 200)
    assert second not in expect(await world["XA"].as_(SUP).get(path), 200)["allowed_actions"]
    assert_problem(await world["XA"].as_(SUP).act(path, second), 403, "four_eyes")
    assert_problem(await world["XA"].as_(DO).act(path, second), 403, "role_not_allowed")
    assert second in expect(await world["XA"].as_("supervisor_2").get(path), 200)["allowed_actions"]
    expect(await world["XA"].as_("supervisor_2").act(path, second), 200)


async def test_generation_is_compared_where_it_is_given(world: World) -> None:
    """An act on an older generation is 409 with the present form; without a generation it is taken as asked."""
    made = await filed(world, document(RequestType.PRESERVATION))
    path = f"/v1/requests/{made['id']}"
    await taken(world, made["id"], *OPENED)
    answer = await world["XA"].as_(DO).act(path, "approve", generation=1)
    problem = assert_problem(answer, 409, "stale_generation")
    assert (problem["current"]["state"], problem["current"]["generation"]) == ("TRIAGE", 2)
    assert expect(await world["XA"].as_(DO).act(path, "approve"), 200)["generation"] == 3


async def test_approval_takes_what_is_proposed(world: World) -> None:
    """`approve` alone takes the instrument, the marking and the checklist; what the officer writes goes before them."""
    made = await filed(world, document(RequestType.PRESERVATION))
    drafted = await taken(world, made["id"], *DRAFTED)
    assert drafted["approval"]["instrument"] == "ETS185"
    assert drafted["approval"]["marking"] == made["document"]["marking"]
    assert [entry["test"] for entry in drafted["approval"]["checklist"]] == [f"TRI-{n:02}" for n in range(1, 15)]
    other = await filed(world, document(RequestType.PRESERVATION))
    await taken(world, other["id"], *OPENED)
    marking = {"tlp": "TLP:AMBER", "pap": "PAP:GREEN", "handling": ["H0"]}
    checklist = [{"test": "TRI-03", "answer": "FAILED", "note": "Known, and weighed."}]
    members = {"instrument": "G7_24_7", "marking": marking, "checklist": checklist}
    answer = await world["XA"].as_(DO).act(f"/v1/requests/{other['id']}", "approve", **members)
    approval = expect(answer, 200)["approval"]
    assert (approval["instrument"], approval["marking"]) == ("G7_24_7", marking)
    assert checklist[0] in approval["checklist"]
    assert_problem(await world["XA"].as_(DO).act(f"/v1/requests/{made['id']}", "approve"), 409, "action_not_allowed")


async def test_withdrawal_after_signing_is_a_wish(world: World, ledger: Ledger) -> None:
    """Once signed, an agency's withdrawal is noted for the desk, once, and changes nothing of the exchange."""
    journey = await preservation(world, "acknowledge")
    before = await journey.settled()
    await ledger.calm()
    sent = await ledger.counts("XA", ("outbox", "act"))
    agency = journey.ours(AGENCY)
    wished = expect(await agency.act(journey.request, "withdraw", text="The suspect was arrested."), 200)
    assert (wished["state"], wished["exchange"]["state"]) == ("SIGNED", "ACKNOWLEDGED")
    assert wished["withdrawal_wished_at"] is not None
    assert expect(await journey.ours().get(journey.request), 200)["withdrawal_wished_at"] is not None
    assert_problem(await agency.act(journey.request, "withdraw"), 409, "action_not_allowed")
    expect(await agency.act(journey.request, "supplement", text="He was released again."), 200)
    assert await journey.settled() == before
    assert await ledger.counts("XA", ("outbox", "act")) == sent
    assert expect(await agency.get(journey.request), 200)["allowed_actions"] == ["supplement"]


async def test_signed_request_takes_no_more_desk_acts(world: World) -> None:
    """After signing, the desk acts on the exchange; on the request nothing is left for it to do."""
    made = await filed(world, document(RequestType.PRESERVATION))
    signed = await taken(world, made["id"], *DESK_ROAD)
    assert signed["state"] == "SIGNED"
    for seat, action in ((SUP, "sign"), (DO, "approve"), (SUP, "reopen"), (DO, "open")):
        answer = await world["XA"].as_(seat).act(f"/v1/requests/{made['id']}", action)
        assert answer.status_code in {403, 409}
    assert_problem(
        await world["XA"].as_("supervisor_2").act(f"/v1/requests/{made['id']}", "sign"), 409, "action_not_allowed"
    )
