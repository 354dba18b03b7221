"""Machine M2 between two live contact points: a preservation, and the ways it can go."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from app.domain.codes import RequestType
from tests.routers.clients import assert_problem
from tests.world.documents import document
from tests.world.holding import shortfalls
from tests.world.journey import PRESERVING, expect, preservation

if TYPE_CHECKING:
    from tests.support.world import World
    from tests.world.journey import Journey

REASONS = "The conduct described is a political offence under our law."
REFUSAL: dict[str, Any] = {"code": "R-POL", "reasons": REASONS, "considered_partial": True}
THREE = document(RequestType.PRESERVATION)["targets"] * 3
HELD_TWO = [
    {"target": 0, "outcome": "HELD"},
    {"target": 1, "outcome": "HELD"},
    {"target": 2, "outcome": "N-EXPIRED", "text": "Overwritten on 20 November."},
]


def moment(text: str) -> datetime:
    """A time as shown."""
    return datetime.fromisoformat(text)


async def events(journey: Journey, caller_seat: str = "duty_officer") -> list[str]:
    """What the requested side's timeline lists, in order."""
    return [line["event"] for line in await journey.timeline(journey.theirs(caller_seat))]


async def test_happy_road(world: World) -> None:
    """Acknowledged, accepted, started, preserved: one hold of the days asked for, on both sides, told to the agency."""
    journey = await preservation(world, *PRESERVING)
    shown = await journey.settled()
    assert shown["state"] == "PRESERVED"
    assert shown["generation"] == 5
    assert shown["b_reference"].startswith("XT-2026-")
    assert shown["instrument"] == "ETS185"
    (hold,) = shown["holds"]
    assert (hold["state"], hold["days_granted"], hold["targets"]) == ("TIMED", 90, [0])
    assert moment(hold["expires_at"]) - moment(hold["preserved_at"]) >= timedelta(days=90)
    assert hold["mla"]["status"] == "ANNOUNCED"
    assert await events(journey) == ["delivered", *PRESERVING]
    agency = expect(await journey.ours("agency_officer").get(journey.request), 200)["exchange"]
    assert agency["holds"][0]["expires_at"] == hold["expires_at"]
    lines = expect(await journey.ours("agency_officer").get(f"{journey.request}/timeline"), 200)["data"]
    assert lines[-1]["detail"].items() >= {"from": "IN_EXECUTION", "to": "PRESERVED"}.items()


async def test_every_state_of_the_road_is_shown(world: World) -> None:
    """After each act both sides, and the agency, show the state it led to."""
    journey = await preservation(world)
    assert (await journey.settled())["state"] == "DELIVERED"
    states = dict(zip(PRESERVING, ("ACKNOWLEDGED", "ACCEPTED", "IN_EXECUTION", "PRESERVED"), strict=True))
    for action, state in states.items():
        assert action in expect(await journey.theirs().get(journey.exchange), 200)["allowed_actions"]
        await journey.do(action)
        assert (await journey.settled())["state"] == state


async def test_question_and_supplement(world: World) -> None:
    """A question stops the work; the supplement that answers it takes it up where it was left."""
    journey = await preservation(world, "acknowledge", "accept", "start")
    asked = await journey.do("ask", codes=["C-PORT"], text="The address is shared: which source port?")
    assert asked["state"] == "CLARIFICATION"
    await journey.settled()
    part = expect(await journey.ours("agency_officer").get(journey.request), 200)["exchange"]
    assert part["question"]["codes"] == ["C-PORT"]
    answer = await journey.theirs().act(journey.exchange, "preserve")
    assert_problem(answer, 409, "action_not_allowed")
    resumed = await journey.wish("supplement", text="51544, by the gateway's log.")
    assert resumed["state"] == "IN_EXECUTION"
    assert resumed["details"]["question"] is None
    assert [one["text"] for one in resumed["details"]["supplements"]] == ["51544, by the gateway's log."]
    await journey.do("preserve")
    assert (await journey.settled())["state"] == "PRESERVED"


async def test_supplement_that_answers_nothing(world: World) -> None:
    """Further facts may be sent at any time; they move nothing."""
    journey = await preservation(world, "acknowledge")
    shown = await journey.wish("supplement", text="A second session was seen.")
    assert shown["state"] == "ACKNOWLEDGED"
    assert len(shown["details"]["supplements"]) == 1


async def test_risk_taken(world: World) -> None:
    """A notice of risk leaves the choice to the requesting side; `proceed`, narrowed, lets the work go on."""
    journey = await preservation(world, "acknowledge")
    noticed = await journey.do("notify_risk", codes=["W-CONF"], text="The provider must tell its customer.")
    assert noticed["state"] == "RISK_NOTICE"
    await journey.settled()
    assert_problem(await journey.theirs().act(journey.exchange, "start"), 409, "action_not_allowed")
    shown = await journey.wish("proceed", narrowing="Subscriber data only.")
    assert (shown["state"], shown["details"]["narrowing"]) == ("ACCEPTED", "Subscriber data only.")
    await journey.do("start", "preserve")
    assert (await journey.settled())["state"] == "PRESERVED"


async def test_risk_not_taken(world: World) -> None:
    """`stop` withdraws the request before anything was executed: no hold, no result, and no work can begin."""
    journey = await preservation(world, "acknowledge", "accept")
    await journey.do("notify_risk", codes=["W-PREJ", "W-CONF"], text="The provider must tell its customer.")
    await journey.settled()
    shown = await journey.wish("stop")
    assert (shown["state"], shown["details"]["reason"]) == ("WITHDRAWN", "stopped")
    assert shown["holds"] == shown["details"]["results"] == []
    for action in ("start", "preserve"):
        assert_problem(await journey.theirs().act(journey.exchange, action), 409, "action_not_allowed")


async def test_silence_is_no_answer_before_its_time(world: World) -> None:
    """A notice that was just given cannot be met with N-NOANSWER."""
    journey = await preservation(world, "acknowledge")
    await journey.do("notify_risk", codes=["W-AVAIL"], text="The log may be gone before the order is served.")
    answer = await journey.theirs().act(journey.exchange, "not_executable", code="N-NOANSWER")
    assert assert_problem(answer, 409, "action_not_allowed")["reason"] == "answer_not_overdue"
    await journey.settled()


async def test_not_executable(world: World) -> None:
    """What cannot be done ends with code, reasons and a suggestion, which the agency reads; it is no refusal."""
    before = await shortfalls(world["XT"])
    journey = await preservation(world, "acknowledge", "accept", "start")
    said = {"code": "N-EXPIRED", "reasons": "Logs are overwritten after 72 hours.", "suggestion": "Ask XS."}
    assert (await journey.do("not_executable", **said))["state"] == "NOT_EXECUTABLE"
    shown = await journey.settled()
    assert shown["holds"] == []
    part = expect(await journey.ours("agency_officer").get(journey.request), 200)["exchange"]
    assert (part["reason"], part["reason_text"], part["suggestion"]) == tuple(said.values())
    assert_problem(await journey.theirs().act(journey.exchange, "start"), 409, "action_not_allowed")
    assert await shortfalls(world["XT"]) == before


async def test_not_executable_needs_reasons(world: World) -> None:
    """Art. 27(7): 422 at the member that lacks them. `N-NOPOWER` is no ground of art. 29: both sides count it."""
    before = [await shortfalls(world[code]) for code in ("XA", "XT")]
    journey = await preservation(world, "acknowledge")
    answer = await journey.theirs().act(journey.exchange, "not_executable", code="N-NOPOWER")
    problem = assert_problem(answer, 422, "missing")
    assert [one["pointer"] for one in problem["errors"]] == ["/reasons"]
    await journey.do("not_executable", code="N-NOPOWER", reasons="No law here orders a provider to preserve.")
    await journey.settled()
    after = [await shortfalls(world[code]) for code in ("XA", "XT")]
    grown = [now - was for now, was in zip(after, before, strict=True)]
    assert grown == [{("no_power", "outgoing"): 1}, {("no_power", "incoming"): 1}]


async def test_refusal_by_two(world: World) -> None:
    """Two persons refuse; before the second signature nothing is shown abroad but that the generation has moved."""
    journey = await preservation(world, "acknowledge")
    before = expect(await journey.ours().get(journey.exchange), 200)
    proposed = await journey.do("refuse", **REFUSAL)
    assert proposed["state"] == "ACKNOWLEDGED"
    await journey.settled()
    seen_abroad = expect(await journey.ours().get(journey.exchange), 200)
    assert changed(before, seen_abroad) <= {"/generation", "/changed_at", "/details/generation", "/details/changed_at"}
    for caller in (journey.ours(), journey.ours("agency_officer"), journey.ours("auditor")):
        for path in (journey.exchange, f"{journey.exchange}/timeline", f"{journey.exchange}/audit", journey.request):
            assert REASONS not in (await caller.get(path)).text
    assert_problem(await journey.theirs().act(journey.exchange, "confirm_refusal"), 403, "role_not_allowed")
    assert (await journey.do("confirm_refusal", seat="supervisor"))["state"] == "REFUSED"
    shown = await journey.settled()
    assert (shown["details"]["reason"], shown["details"]["reason_text"]) == ("R-POL", REASONS)
    assert "29" in shown["details"]["reason_article"]
    part = expect(await journey.ours("agency_officer").get(journey.request), 200)["exchange"]
    assert (part["reason"], part["reason_text"]) == ("R-POL", REASONS)


def changed(before: Any, after: Any, at: str = "") -> set[str]:  # noqa: ANN401 - any JSON
    """Pointers of what differs between two documents of one form."""
    if isinstance(before, dict) and isinstance(after, dict) and before.keys() == after.keys():
        return {found for name in before for found in changed(before[name], after[name], f"{at}/{name}")}
    return set() if before == after else {at}


async def test_refusal_is_not_confirmed_by_its_author(world: World) -> None:
    """A supervisor who proposed the refusal cannot confirm it; another one can."""
    journey = await preservation(world, "acknowledge")
    await journey.do("refuse", seat="supervisor", **REFUSAL)
    answer = await journey.theirs("supervisor").act(journey.exchange, "confirm_refusal")
    assert_problem(answer, 403, "four_eyes")
    assert (await journey.do("confirm_refusal", seat="supervisor_2"))["state"] == "REFUSED"
    await journey.settled()
    assert_problem(await journey.theirs().act(journey.exchange, "accept"), 409, "action_not_allowed")


async def test_first_signature_binds_nobody(world: World) -> None:
    """A refusal that was only proposed does not keep the desk from executing."""
    journey = await preservation(world, "acknowledge")
    await journey.do("refuse", **REFUSAL)
    await journey.do("accept", "start", "preserve")
    assert (await journey.settled())["state"] == "PRESERVED"


ILLEGAL_GROUNDS = {
    "no dual criminality, though arts. 2 to 11 need none": {"code": "R-DC", "reservation_id": "ETS185:29(4)"},
    "no dual criminality, without a reservation": {"code": "R-DC"},
    "a ground of another instrument": {"code": "R-BESTEFFORT"},
    "contrary to law, which art. 29 does not know": {"code": "R-LAW"},
}


async def test_illegal_ground_names_the_legal_ones(world: World) -> None:
    """A ground that the law does not give here is 422, and the answer lists those that it gives."""
    journey = await preservation(world, "acknowledge")
    for name, members in ILLEGAL_GROUNDS.items():
        answer = await journey.theirs().act(journey.exchange, "refuse", **(REFUSAL | members))
        assert answer.status_code == 422, name
        (error,) = assert_problem(answer, 422, "refusal_ground_not_available")["errors"]
        assert error["pointer"] == "/code", name
        assert "R-POL, R-ESS" in error["detail"], name
    assert (await journey.settled())["generation"] == 2


async def test_refusal_says_why_at_length(world: World) -> None:
    """Reasons of a word, or no thought of doing part of it, are 422."""
    journey = await preservation(world, "acknowledge")
    for members, pointer in (({"reasons": "No."}, "/reasons"), ({"considered_partial": False}, "/considered_partial")):
        answer = await journey.theirs().act(journey.exchange, "refuse", **(REFUSAL | members))
        problem = assert_problem(answer, 422, "document_invalid")
        assert [one["pointer"] for one in problem["errors"]] == [pointer]


async def test_not_for_a_preservation(world: World) -> None:
    """Art. 29 knows no postponement and no condition, and what is preserved is not answered: 409 for the type."""
    journey = await preservation(world, "acknowledge")
    allowed = expect(await journey.theirs().get(journey.exchange), 200)["allowed_actions"]
    for action in ("postpone", "propose_conditions", "answer"):
        assert action not in allowed
        problem = assert_problem(await journey.theirs().act(journey.exchange, action), 409, "action_not_allowed")
        assert problem["reason"] == "type", action


async def test_partial_preservation(world: World) -> None:
    """Of three targets two are held: the hold covers these, each target has its result, and the rest may follow."""
    journey = await preservation(world, "acknowledge", "accept", "start", targets=THREE)
    await journey.do("preserve", results=HELD_TWO, days=75)
    shown = await journey.settled()
    assert shown["state"] == "PARTIALLY_PRESERVED"
    (hold,) = shown["holds"]
    assert (hold["targets"], hold["days_granted"]) == ([0, 1], 75)
    part = expect(await journey.ours("agency_officer").get(journey.request), 200)["exchange"]
    assert [one["outcome"] for one in part["results"]] == [None, None, "N-EXPIRED"]
    await journey.do("preserve", results=[{"target": 2, "outcome": "HELD"}])
    whole = await journey.settled()
    assert whole["state"] == "PRESERVED"
    assert [one["targets"] for one in whole["holds"]] == [[0, 1], [2]]


BAD_RESULTS: dict[str, tuple[dict[str, Any], str]] = {
    "less than sixty days": ({"days": 59}, "/days"),
    "since tomorrow": ({"preserved_at": "2026-11-23T09:30:00Z"}, "/preserved_at"),
    "so long ago that it has ended": ({"preserved_at": "2026-05-01T09:30:00Z"}, "/preserved_at"),
    "nothing held": ({"results": [{"target": n, "outcome": "N-NODATA"} for n in range(3)]}, "/results"),
    "a target too few": ({"results": HELD_TWO[:2]}, "/results"),
    "a target twice": ({"results": [*HELD_TWO[:2], HELD_TWO[0]]}, "/results"),
    "a target that nobody named": ({"results": [*HELD_TWO, {"target": 3, "outcome": "HELD"}]}, "/results"),
}


async def test_result_that_cannot_be(world: World) -> None:
    """A result shorter than the treaty's minimum, out of time, or not of exactly the targets asked is 422."""
    journey = await preservation(world, "acknowledge", "accept", "start", targets=THREE)
    for name, (members, pointer) in BAD_RESULTS.items():
        answer = await journey.theirs().act(journey.exchange, "preserve", **members)
        assert answer.status_code == 422, name
        assert [one["pointer"] for one in answer.json()["errors"]] == [pointer], name
    assert (await journey.settled())["holds"] == []


PATHS: dict[str, dict[str, Any]] = {
    "told": {
        "provider": "Example Transit SARL",
        "country": "XS",
        "path": [{"address": "192.0.2.14", "country": "XS"}, {"address": "gw.example"}],
    },
    "withheld": {"withheld": "R-ESS"},
}


async def test_traffic_path(world: World) -> None:
    """Art. 30: provider and path are told, or it is told that they are withheld and on which ground, never both."""
    journey = await preservation(world, "acknowledge", "accept", "start")
    for members in PATHS.values():
        assert (await journey.do("disclose_traffic_path", **members))["state"] == "IN_EXECUTION"
    told, withheld = (await journey.settled())["details"]["traffic_paths"]
    assert (told["provider"], told["country"], len(told["path"])) == ("Example Transit SARL", "XS", 2)
    assert (withheld["withheld"], withheld["provider"], withheld["path"]) == ("R-ESS", None, [])
    both = {"action": "disclose_traffic_path", "generation": 6, **PATHS["told"], **PATHS["withheld"]}
    answer = await journey.theirs().post(f"{journey.exchange}/actions", both)
    assert_problem(answer, 422, "document_invalid")


async def test_progress_changes_no_state(world: World) -> None:
    """Progress is told on the way, and as a late fact after the end."""
    journey = await preservation(world, "acknowledge")
    await journey.do("report_progress", text="The judge has the file.", next_update_at="2026-11-23T08:00:00Z")
    shown = await journey.settled()
    assert (shown["state"], shown["next_update_at"]) == ("ACKNOWLEDGED", "2026-11-23T08:00:00.000Z")
    await journey.do("not_executable", code="N-NODATA", reasons="No log is kept.")
    await journey.do("report_progress", text="A copy was found after all.")
    ended = await journey.settled()
    assert ended["state"] == "NOT_EXECUTABLE"
    assert [one["text"] for one in ended["details"]["late_facts"]] == ["A copy was found after all."]
