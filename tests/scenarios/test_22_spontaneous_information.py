"""Scenario 22: information is offered under a condition, and leaves the state only when that is settled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from app.domain.codes import RequestType
from app.domain.documents import example
from tests.files.test_upload import arrived, handed_over
from tests.routers.clients import assert_problem
from tests.world.journey import DESK_ROAD, delivered, expect, filed, taken

if TYPE_CHECKING:
    from tests.support.world import World
    from tests.world.journey import Journey
    from tests.world.ledger import Ledger

SECRET = "Quartz-7 is the name under which the seller of the stolen accounts can be reached at night."
CONDITION = {"kind": "COURT_CONSENT", "text": "No use in court without the consent of the prosecutor of Port-Clair."}
SENT = "SELECT encode(body, 'escape') AS body FROM outbox WHERE exchange_id = $1"


def offer(**members: object) -> dict[str, Any]:
    """The example of an offer with a content that can be looked for."""
    made = example(RequestType.SPONTANEOUS_INFORMATION)
    made["information"] |= {"text": SECRET, "source": "B", "evaluation": "2"}
    return made | {"condition": CONDITION} | members


async def left(journey: Journey, ledger: Ledger) -> bool:
    """Whether the content is in anything that the giver has queued in this exchange."""
    rows = await ledger.rows("XA", SENT, journey.exchange_id)
    assert rows
    return any("Quartz-7" in row["body"] for row in rows)


@pytest.fixture(scope="module")
async def accepted(scenario_world: World, scenario_ledger: Ledger) -> Journey:
    """An offer whose condition XT has accepted, and whose content was then sent as it was kept."""
    journey = await delivered(scenario_world, offer())
    shown = expect(await journey.theirs().get(journey.exchange), 200)
    assert "information" not in shown["document"]
    assert shown["details"]["condition"]["text"] == CONDITION["text"]
    await journey.do("acknowledge")
    await journey.settled()
    early = await journey.ours().act(journey.exchange, "send_content")
    assert assert_problem(early, 409, "action_not_allowed")["reason"] == "condition_open"
    await journey.do("accept_information")
    await journey.settled()
    assert not await left(journey, scenario_ledger)
    await journey.wish("send_content")
    assert await left(journey, scenario_ledger), "the control: sent, the content is found where it was looked for"
    return journey


async def test_condition_is_on_every_derived_item(accepted: Journey) -> None:
    """What was kept arrives whole and evaluated; the accepted condition is on the answer and in both exports."""
    shown = await accepted.settled()
    (answer,) = shown["details"]["answers"]
    (condition,) = shown["details"]["accepted_conditions"]
    assert (answer["text"], answer["source"], answer["information"]) == (SECRET, "B", "2")
    assert answer["conditions"] == [condition["id"]]
    assert answer["marking"]["handling"] == ["H1"]
    for caller in (accepted.ours(), accepted.theirs()):
        block = expect(await caller.get(f"{accepted.exchange}/export"), 200)
        assert [item["conditions"] for item in block["items"] if item["kind"] == "answer"] == [[condition["id"]]]
        assert [one["text"] for one in block["conditions"]] == [CONDITION["text"]]
    court = expect(await accepted.theirs().get(f"{accepted.exchange}/export", recipient="court"), 200)
    assert {one["kind"]: one["reason"] for one in court["withheld"]}["answer"] == "court_use_not_permitted"
    assert SECRET not in str(court)


async def test_cannot_comply_leaves_the_decision_with_the_giver(scenario_world: World, scenario_ledger: Ledger) -> None:
    """Who cannot comply is given nothing before the giver has decided to give anyway."""
    journey = await delivered(scenario_world, offer())
    await journey.do("acknowledge")
    await journey.do("cannot_comply", text="Our courts decide that themselves.")
    assert (await journey.settled())["state"] == "CONDITIONS"
    assert_problem(await journey.ours().act(journey.exchange, "send_content"), 409, "action_not_allowed")
    assert not await left(journey, scenario_ledger)
    assert (await journey.wish("provide_anyway"))["state"] == "ACCEPTED"
    assert not await left(journey, scenario_ledger)
    given = await journey.wish("send_content")
    assert given["details"]["accepted_conditions"] == []
    assert given["details"]["answers"][0]["text"] == SECRET


async def test_withheld_information_never_left(scenario_world: World, scenario_ledger: Ledger) -> None:
    """Kept back, the information is in nothing that was ever queued, and the exchange is over."""
    journey = await delivered(scenario_world, offer())
    await journey.do("acknowledge", "cannot_comply")
    await journey.settled()
    assert (await journey.wish("withhold"))["state"] == "CLOSED"
    assert not await left(journey, scenario_ledger)
    sent = await journey.ours().act(journey.exchange, "send_content")
    assert_problem(sent, 409, "action_not_allowed")


async def test_without_a_condition_the_content_goes_at_once(scenario_world: World) -> None:
    """An offer without a condition needs nobody's acceptance; its content never travels without four by four."""
    made = offer()
    del made["condition"]
    journey = await delivered(scenario_world, made)
    await journey.do("acknowledge")
    await journey.settled()
    half = await journey.ours().act(journey.exchange, "send_content", text="A part of it.", source="A")
    assert [one["pointer"] for one in assert_problem(half, 422, "missing")["errors"]] == ["/information"]
    assert (await journey.wish("send_content"))["state"] == "ANSWERED"


async def test_onward_transfer_needs_a_grant(scenario_world: World, accepted: Journey) -> None:
    """The receiver passes it on to a third state only once the giver has granted that; a denial changes nothing."""
    made = offer(requested="XS", derived_from=accepted.exchange_id)
    made["marking"] = {"tlp": "TLP:AMBER", "pap": "PAP:AMBER", "handling": ["H1"]}
    request = await filed_at(scenario_world, "XT", made)
    assert_problem(await sign(scenario_world, request), 409, "onward_transfer_not_granted")
    answers = []
    for decision in ("DENIED", "GRANTED"):
        await accepted.do("request_onward_transfer", to="XS", purpose="The seller lives there.")
        shown = await accepted.settled()
        open_one = shown["details"]["onward_transfers"][-1]
        own = await accepted.theirs().act(
            accepted.exchange, "decide_onward_transfer", transfer_id=open_one["id"], decision="GRANTED"
        )
        assert_problem(own, 409, "action_not_allowed")
        await accepted.wish("decide_onward_transfer", transfer_id=open_one["id"], decision=decision)
        answers.append(await sign(scenario_world, request))
    assert_problem(answers[0], 409, "onward_transfer_not_granted")
    assert expect(answers[1], 200)["state"] == "SIGNED"
    opener = made | {"marking": {"tlp": "TLP:GREEN", "pap": "PAP:AMBER", "handling": ["H0"]}}
    downgraded = await sign(scenario_world, await filed_at(scenario_world, "XT", opener))
    problem = assert_problem(downgraded, 422, "C-MARKING")
    assert [one["pointer"] for one in problem["errors"]] == ["/document/marking/tlp", "/document/marking/handling"]
    told = [one["decision"] for one in (await accepted.settled())["details"]["onward_transfers"]]
    assert told == ["DENIED", "GRANTED"]


def question(requested: str) -> dict[str, Any]:
    """A request for advice to that contact point."""
    return example(RequestType.TECHNICAL_ADVICE) | {"requested": requested}


async def filed_at(world: World, code: str, made: dict[str, Any]) -> str:
    """A request of an agency of that state, approved and ready to be signed; its id."""
    request = expect(await world[code].as_("agency_officer").post("/v1/requests", made), 201)
    for seat, action in DESK_ROAD[:2]:
        expect(await world[code].as_(seat).act(f"/v1/requests/{request['id']}", action), 200)
    return str(request["id"])


async def sign(world: World, request_id: str) -> Any:  # noqa: ANN401 - a response
    """XT's supervisor signs."""
    return await world["XT"].as_("supervisor").act(f"/v1/requests/{request_id}", "sign")


async def test_a_file_of_another_state_is_known_by_its_content(scenario_world: World) -> None:
    """Under another name and in a request that names no source: its content gives it away. One's own file goes."""
    officer = scenario_world["XA"].as_("agency_officer")
    given = b"the accounts of the seller\n"
    journey = await delivered(scenario_world, question("XT"))
    await journey.do("acknowledge")
    report = await handed_over(journey.theirs(), journey.exchange, given, name="accounts.txt")
    await journey.do("answer", text="See the report.", attachments=[report["id"]])
    await arrived(journey, journey.ours(), "accounts.txt")
    onward = await filed(scenario_world, question("XS"))
    case = f"/v1/requests/{onward['id']}"
    own = await handed_over(officer, case, b"our own words\n", name="own.txt")
    copied = await handed_over(officer, case, given, name="ours.txt")
    await taken(scenario_world, onward["id"], *DESK_ROAD[:2])
    refused = (await scenario_world["XA"].as_("supervisor").act(case, "sign")).json()
    assert (refused["code"], refused["giver"]) == ("onward_transfer_not_granted", "XT")
    assert refused["derived_from"] == journey.exchange_id
    await journey.wish("request_onward_transfer", to="XS", purpose="The seller lives there.")
    wish = (await journey.settled())["details"]["onward_transfers"][-1]
    await journey.do("decide_onward_transfer", transfer_id=wish["id"], decision="GRANTED")
    await journey.settled()
    await taken(scenario_world, onward["id"], *DESK_ROAD[2:])
    states = {one["id"]: one["state"] for one in expect(await officer.get(f"{case}/attachments"), 200)["data"]}
    assert states == {own["id"]: "sent", copied["id"]: "sent"}
