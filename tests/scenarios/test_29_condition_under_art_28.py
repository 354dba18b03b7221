"""Scenario 29: what was given for one investigation is used for it alone, unless its giver allows more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from app.domain.codes import RequestType
from app.domain.documents import example
from tests.routers.clients import assert_problem
from tests.world.journey import delivered, expect

if TYPE_CHECKING:
    import httpx

    from tests.support.world import World
    from tests.world.journey import Journey

CONDITION = {"kind": "NO_OTHER_USE", "text": "For this investigation only."}
ANSWER = "The subscriber is registered at 3-4 Minato, Kita."
UNIT = {
    "recipient": "agency",
    "authority": "Aurelia Federal Police, Cyber Unit",
    "purpose": "To find the person sought.",
}
OTHER = {
    "recipient": "domestic_authority",
    "authority": "Customs of Aurelia",
    "purpose": "Another matter of the same person.",
    "other_use": True,
}


@pytest.fixture(scope="module")
async def answered(scenario_world: World) -> Journey:
    """XT gave the place of a suspect on a condition that XA's supervisor accepted."""
    made = example(RequestType.LOCATE_SUSPECT) | {"requested": "XT"}
    journey = await delivered(scenario_world, made)
    await journey.do("acknowledge")
    await journey.do("propose_conditions", **CONDITION)
    waiting = await journey.settled()
    assert (waiting["state"], waiting["details"]["condition"]["text"]) == ("CONDITIONS", CONDITION["text"])
    assert_problem(await journey.theirs().act(journey.exchange, "answer", text=ANSWER), 409, "action_not_allowed")
    officer = await journey.ours().act(journey.exchange, "accept_condition")
    assert_problem(officer, 403, "role_not_allowed")
    await journey.wish("accept_condition", seat="supervisor")
    await journey.do("start")
    await journey.do("answer", text=ANSWER)
    await journey.settled()
    return journey


async def disclosed(journey: Journey, **said: object) -> httpx.Response:
    """XA's duty officer records a disclosure at home."""
    return await journey.ours().post(f"{journey.exchange}/disclosures", said)


async def exported(journey: Journey) -> dict[str, Any]:
    """The case as XA exports it."""
    return expect(await journey.ours().get(f"{journey.exchange}/export"), 200)


async def test_accepted_it_binds_what_is_sent(answered: Journey) -> None:
    """The answer bears the condition, on both sides, and so does what the agency reads."""
    shown = await answered.settled()
    (condition,) = shown["details"]["accepted_conditions"]
    assert shown["details"]["answers"][0]["conditions"] == [condition["id"]]
    part = expect(await answered.ours("agency_officer").get(answered.request), 200)["exchange"]
    assert [one["text"] for one in part["accepted_conditions"]] == [CONDITION["text"]]
    assert part["answers"][0]["conditions"] == [condition["id"]]


async def test_other_use_needs_an_authorisation(answered: Journey) -> None:
    """Within the case it may be given to the agency; for another matter only with the grant of its giver."""
    before = len((await exported(answered))["disclosures"])
    expect(await disclosed(answered, **UNIT), 201)
    refused = await disclosed(answered, **OTHER)
    assert assert_problem(refused, 409, "use_not_permitted")["reason"] == "other_use_not_permitted"
    shown = await answered.wish("request_onward_transfer", to="XA", purpose=OTHER["purpose"])
    wish = shown["details"]["onward_transfers"][-1]
    assert (wish["side"], wish.get("decision")) == ("requesting", None)
    undecided = await disclosed(answered, **OTHER, transfer_id=wish["id"])
    assert_problem(undecided, 422, "grant_unknown")
    own = await answered.ours().act(
        answered.exchange, "decide_onward_transfer", transfer_id=wish["id"], decision="GRANTED"
    )
    assert assert_problem(own, 409, "action_not_allowed")["reason"] == "nothing_asked"
    await answered.do("decide_onward_transfer", transfer_id=wish["id"], decision="GRANTED", text="For customs alone.")
    await answered.settled()
    expect(await disclosed(answered, **OTHER, transfer_id=wish["id"]), 201)
    block = await exported(answered)
    assert [(one["authority"], one["other_use"]) for one in block["disclosures"][before:]] == [
        (UNIT["authority"], False),
        (OTHER["authority"], True),
    ]
    assert [one["decision"] for one in block["onward_transfers"]] == ["GRANTED"]
    assert block["purpose"]["reference"] == (await answered.settled())["request_reference"]


async def test_account_of_use(answered: Journey) -> None:
    """The giver demands an account of the use, the receiver gives it once, and the export shows both."""
    assert_problem(await answered.ours().act(answered.exchange, "explain_use"), 409, "action_not_allowed")
    await answered.do("ask_use", text="What has become of the address?")
    asked = (await answered.settled())["details"]["use_questions"][-1]
    wrong = await answered.ours().act(
        answered.exchange, "explain_use", question_id=answered.exchange_id, text="Something."
    )
    assert_problem(wrong, 422, "not_open")
    await answered.wish("explain_use", question_id=asked["id"], text="The flat was searched; nothing was found.")
    (told,) = (await exported(answered))["use_questions"]
    assert (told["text"], told["answer"]) == (asked["text"], "The flat was searched; nothing was found.")
    again = await answered.ours().act(answered.exchange, "explain_use", question_id=asked["id"], text="And more.")
    assert_problem(again, 409, "action_not_allowed")


async def test_disclosures_stay_at_home(answered: Journey) -> None:
    """To whom it was disclosed is XA's record; XT's own export knows nothing of it."""
    expect(await disclosed(answered, **UNIT), 201)
    theirs = expect(await answered.theirs().get(f"{answered.exchange}/export"), 200)
    assert theirs["disclosures"] == []
    listed = expect(await answered.ours("auditor").get(f"{answered.exchange}/disclosures"), 200)["data"]
    assert UNIT["authority"] in {one["authority"] for one in listed}
    assert_problem(await answered.ours("agency_officer").get(f"{answered.exchange}/export"), 403, "role_not_allowed")
