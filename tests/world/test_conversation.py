"""The conversation around a case between living contact points: formalities, paths, markings, leave to pass on."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from app.domain.codes import IntakeState
from app.domain.intake import DraftOrigin
from tests.routers.clients import assert_problem
from tests.world.journey import advice, expect, preservation

if TYPE_CHECKING:
    from tests.support.world import World
    from tests.world.journey import Journey
    from tests.world.ledger import Ledger

PATH: dict[str, Any] = {
    "provider": "Sahran Transit",
    "country": "XS",
    "path": [
        {"address": "203.0.113.9", "country": "XT", "seen_at": "2026-11-21T22:14:05Z"},
        {"address": "198.51.100.77", "country": "XS", "seen_at": "2026-11-21T22:14:06Z"},
    ],
}
HOME: dict[str, Any] = {
    "provider": "Aurelia Net",
    "country": "XA",
    "path": [{"address": "gw.aurelia-net.example", "country": "XA"}],
}
NOWHERE: dict[str, Any] = {"provider": "Lost Wires", "country": "XQ"}
DRAFTS = "SELECT id, origin, requested, state FROM request WHERE draft_of = $1 ORDER BY id"
GREEN = {"tlp": "TLP:GREEN", "pap": "PAP:RED"}
CLEAR = {"tlp": "TLP:CLEAR", "pap": "PAP:RED"}
H3 = {"tlp": "TLP:RED", "pap": "PAP:RED", "handling": ["H3"]}
STRICT = {"tlp": "TLP:RED", "pap": "PAP:RED", "handling": ["H1", "H3"], "text": "For the Cyber Unit alone."}


async def test_formal_confirmation(world: World) -> None:
    """Where the directory asks for it, it is owed from the opening on, and the requesting side's word clears it."""
    journey = await advice(world, "acknowledge")
    owed = await journey.settled()
    assert "CONFIRMATION_OUTSTANDING" in owed["flags"]
    due_at = datetime.fromisoformat(owed["details"]["confirmation"]["due_at"])
    assert due_at - datetime.fromisoformat(owed["opened_at"]) > timedelta(days=29)
    assert_problem(await journey.theirs().act(journey.exchange, "confirm_formally"), 403, "role_not_allowed")
    told = {"reference": "MOJ-2026-77", "date": "2026-11-25"}
    confirmed = await journey.wish("confirm_formally", **told)
    assert "CONFIRMATION_OUTSTANDING" not in confirmed["flags"]
    assert (confirmed["details"]["confirmation"]["reference"], confirmed["state"]) == ("MOJ-2026-77", "ACKNOWLEDGED")
    again = await journey.ours().act(journey.exchange, "confirm_formally", **told)
    assert assert_problem(again, 409, "action_not_allowed")["reason"] == "no_confirmation_due"


async def test_nobody_asks_for_a_confirmation_that_is_not_wanted(world: World) -> None:
    """Control: a contact point whose entry asks for none has neither the flag nor the date."""
    journey = await preservation(world)
    shown = await journey.settled()
    assert "CONFIRMATION_OUTSTANDING" not in shown["flags"]
    assert shown["details"].get("confirmation") is None


async def drafts(journey: Journey, ledger: Ledger) -> list[dict[str, Any]]:
    """The requests that were prepared from this one, oldest first."""
    return await ledger.rows("XA", DRAFTS, journey.request_id)


async def test_traffic_path_prepares_the_next_request(world: World, ledger: Ledger) -> None:
    """A path told while executing gives a draft to the state it names, once; at home, one to ourselves; else a hint."""
    journey = await preservation(world, "acknowledge", "accept", "start")
    await journey.do("disclose_traffic_path", **PATH)
    await journey.do("report_progress", text="The rest is being secured.")
    await journey.settled()
    (draft,) = await drafts(journey, ledger)
    assert (draft["origin"], draft["requested"], draft["state"]) == (
        DraftOrigin.TRAFFIC_PATH,
        "XS",
        IntakeState.INTAKE,
    )
    shown = expect(await journey.ours("agency_officer").get(f"/v1/requests/{draft['id']}"), 200)
    (target,) = shown["document"]["targets"]
    assert target["identifier"]["value"] == "198.51.100.77"
    assert target["custodian"] == {"name": "Sahran Transit", "country": "XS"}
    assert shown["exchange_id"] is None
    await journey.do("disclose_traffic_path", **HOME)
    await journey.do("disclose_traffic_path", **NOWHERE)
    await journey.settled()
    assert [one["requested"] for one in await drafts(journey, ledger)] == ["XS", "XA"]
    hints = [line["detail"]["hint"] for line in await followed(journey)]
    assert hints == ["ask_the_state", "domestic", "no_contact_point"]
    part = expect(await journey.ours("agency_officer").get(journey.request), 200)["exchange"]
    assert [one["provider"] for one in part["traffic_paths"]] == ["Sahran Transit", "Aurelia Net", "Lost Wires"]


async def followed(journey: Journey) -> list[dict[str, Any]]:
    """What the requesting side's desk reads of the paths."""
    return [line for line in await journey.timeline(journey.ours()) if line["event"] == "traffic_path_followed"]


async def test_withheld_path_is_told_as_withheld(world: World, ledger: Ledger) -> None:
    """The requesting side learns that there is a path and on which ground it is withheld, and nothing is prepared."""
    journey = await preservation(world, "acknowledge", "accept", "start")
    await journey.do("disclose_traffic_path", withheld="R-ESS")
    (path,) = (await journey.settled())["details"]["traffic_paths"]
    assert (path["withheld"], path.get("provider"), path.get("path", [])) == ("R-ESS", None, [])
    assert await drafts(journey, ledger) == []
    assert await followed(journey) == []


async def test_marking_that_an_answer_may_not_bear(world: World) -> None:
    """More open than the request that it quotes, CLEAR, or H3 without words: 422 at the member."""
    journey = await advice(world, "acknowledge", marking={"tlp": "TLP:AMBER", "pap": "PAP:RED", "handling": ["H1"]})
    for marking, pointer in ((GREEN, "/marking/tlp"), (CLEAR, "/marking/tlp"), (H3, "/marking/text")):
        answer = await journey.theirs().act(journey.exchange, "answer", text="Twelve months.", marking=marking)
        assert assert_problem(answer, 422, "C-MARKING")["errors"][0]["pointer"] == pointer
    assert (await journey.settled())["state"] == "ACKNOWLEDGED"


async def test_every_message_bears_the_strictest_marking(world: World, ledger: Ledger) -> None:
    """Each message is marked from the opening on, and what is stricter once given marks all that follow."""
    asked = {"tlp": "TLP:AMBER", "pap": "PAP:RED", "handling": ["H0"]}
    journey = await advice(world, "acknowledge", marking=asked)
    await journey.wish("supplement", text="One more thing.")
    await journey.do("answer", text="Twelve months.", marking=STRICT, source="A", information="2")
    shown = await journey.settled()
    assert shown["marking"] == {**STRICT, "handling": ["H0", "H1", "H3"]}
    assert shown["details"]["answers"][0]["marking"] == STRICT
    await journey.wish("close")
    sent = {code: await sent_markings(journey, ledger, code) for code in ("XA", "XS")}
    assert [one["tlp"] for one in sent["XA"]] == ["TLP:AMBER", "TLP:AMBER", "TLP:RED"]
    assert {one["tlp"] for one in sent["XS"][-2:]} == {"TLP:RED"}
    assert all(one is not None for one in sent["XS"])


async def sent_markings(journey: Journey, ledger: Ledger, code: str) -> list[dict[str, Any]]:
    """The marking of each message of the thread, oldest first; a KeyError where one bears none."""
    query = "SELECT body FROM outbox WHERE thread = $1 ORDER BY seq"
    bodies = [json.loads(row["body"]) for row in await ledger.rows(code, query, journey.exchange_id)]
    return [body["snapshot"]["marking"] if "snapshot" in body else body["marking"] for body in bodies]


async def test_the_requested_side_passes_nothing_on_by_itself(world: World) -> None:
    """What B has received is the request: its giver A decides, as a wish, and only what A gave can be asked about."""
    journey = await preservation(world, "acknowledge")
    nothing = await journey.ours().act(journey.exchange, "request_onward_transfer", to="XS", purpose="Nothing is here.")
    assert assert_problem(nothing, 409, "action_not_allowed")["reason"] == "nothing_given"
    await journey.do("request_onward_transfer", to="XS", purpose="The address belongs to a provider there.")
    (wish,) = (await journey.settled())["details"]["onward_transfers"]
    assert wish["side"] == "requested"
    told = {"transfer_id": wish["id"], "decision": "DENIED", "text": "We ask them ourselves."}
    own = await journey.theirs().act(journey.exchange, "decide_onward_transfer", **told)
    assert_problem(own, 409, "action_not_allowed")
    await journey.wish("decide_onward_transfer", **told)
    await journey.wish("ask_use", text="Has anybody else been told?")
    (question,) = (await journey.settled())["details"]["use_questions"]
    await journey.do("explain_use", question_id=question["id"], text="Nobody.")
    shown = await journey.settled()
    assert shown["details"]["onward_transfers"][0]["text"] == "We ask them ourselves."
    assert shown["details"]["use_questions"][0]["answer"] == "Nobody."


async def test_emergency_by_voice_first(world: World) -> None:
    """Taken by voice it is regularised within a day; a negative determination names what else can be done."""
    desk = world["XT"].as_("duty_officer")
    call = {
        "exchange_id": str(uuid4()),
        "requesting": "XA",
        "type": "EMERGENCY_DISCLOSURE",
        "noted": "A child is gone.",
    }
    noted = expect(await desk.post("/v1/exchanges", call), 201)
    path = f"/v1/exchanges/{noted['id']}"
    assert noted["determination"] == {"stage": "REQUESTED", "outcome": None}
    expect(await desk.act(path, "acknowledge"), 200)
    spoken = {"made_at": "2026-11-22T09:00:00Z", "made_by": "Duty officer XA", "received_by": "Desk XT"}
    oral = expect(await desk.act(path, "record_oral", **spoken), 200)
    assert "ORAL_FIRST" in oral["flags"]
    assert oral["details"]["oral"]["due_at"] == "2026-11-23T09:00:00.000Z"
    settled = expect(await desk.act(path, "regularise"), 200)
    assert "ORAL_FIRST" not in settled["flags"]
    no = {"code": "N-NODATA", "reasons": "The provider has no such account."}
    bare = await desk.act(path, "not_executable", **no)
    assert assert_problem(bare, 422, "alternatives_missing")["errors"][0]["pointer"] == "/suggestion"
    told = expect(await desk.act(path, "not_executable", **no, suggestion="Preservation at the carrier."), 200)
    assert told["determination"] == {"stage": "DISCLOSURE_NOT_AVAILABLE", "outcome": "DECLINE"}


async def test_export_is_a_reading_of_the_case(world: World, ledger: Ledger) -> None:
    """The desk and the auditor may export, each leaving a read fact; whoever sees no content may not."""
    journey = await preservation(world, "acknowledge")
    read = "SELECT count(*) FROM read_fact WHERE subject = $1"
    before = await ledger.value("XT", read, journey.exchange_id)
    block = expect(await world["XT"].as_("auditor").get(f"{journey.exchange}/export", recipient="other_state"), 200)
    assert [(one["kind"], one["reason"]) for one in block["withheld"]] == [("request", "onward_transfer_not_granted")]
    assert block["items"] == []
    assert await ledger.value("XT", read, journey.exchange_id) == before + 1
    whole = expect(await journey.theirs().get(f"{journey.exchange}/export"), 200)
    assert whole["purpose"]["offences"] == ["Illegal access"]
    assert whole["marking"]["tlp"] == "TLP:AMBER+STRICT"
    for seat in ("monitor", "registrar", "administrator", "agency_officer"):
        for what in ("export", "disclosures"):
            assert_problem(await world["XT"].as_(seat).get(f"{journey.exchange}/{what}"), 403, "role_not_allowed")


async def test_auditor_exports_no_content(world: World) -> None:
    """An auditor reads what there is, how it is marked and to whom it was disclosed; no document, no hold."""
    journey = await preservation(world)
    block = expect(await world["XT"].as_("auditor").get(f"{journey.exchange}/export"), 200)
    assert [(one["kind"], one["content"]) for one in block["items"]] == [("request", None)]
    assert (block["holds"], block["marking"]["tlp"]) == ([], "TLP:AMBER+STRICT")
