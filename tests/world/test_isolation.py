"""What one agency, or a role without a case, can learn of the requests of others: nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from app.domain.codes import RequestType
from app.domain.intake import IntakeAction
from app.domain.references import make_reference
from app.main import create_app
from tests.routers.clients import assert_problem
from tests.world.documents import CANARY, document
from tests.world.journey import PRESERVING, Journey, expect, filed, preservation, taken

if TYPE_CHECKING:
    import httpx

    from tests.support.world import Caller, World
    from tests.world.ledger import Ledger

NOWHERE = str(uuid4())
UNUSED_REFERENCE = make_reference("XA", 2026, random_bytes=bytes(range(1, 17)))
FACTS = f"{CANARY}: an unknown person signed in to the gateway and copied the records."


@pytest.fixture(scope="module")
async def journey(world: World) -> Journey:
    """A request of the first agency that went abroad and has a hold; its facts hold the canary."""
    return await preservation(world, *PRESERVING, facts_summary=FACTS)


@pytest.fixture
def stranger(world: World) -> Caller:
    """The officer of another agency."""
    return world["XA"].as_("agency_officer_2")


def form(answer: httpx.Response) -> tuple[int, dict[str, Any], list[str]]:
    """All of an answer that its reader can tell apart, but for what names the question itself."""
    body: dict[str, Any] = answer.json()
    assert body.pop("request_id")
    assert body.pop("instance")
    headers = sorted(name for name in answer.headers if name != "content-length")
    return answer.status_code, body, headers


async def everything(caller: Caller, path: str, **query: object) -> list[dict[str, Any]]:
    """A list, page by page."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, Any] = {}
    while True:
        page = expect(await caller.get(path, **(query | cursor)), 200)
        found += page["data"]
        if not page["data"] or page["next"] is None:
            return found
        cursor = {"after" if path == "/v1/events" else "cursor": page["next"]}


@pytest.mark.parametrize("seat", ["agency_officer_2", "agency_viewer_2"])
async def test_another_agencys_request_reads_as_none(world: World, journey: Journey, seat: str) -> None:
    """By id, by reference and by timeline, another agency's request is answered as one that does not exist."""
    caller = world["XA"].as_(seat)
    reference = expect(await journey.ours("agency_officer").get(journey.request), 200)["reference"]
    for theirs, nobodys in ((journey.request_id, NOWHERE), (reference, UNUSED_REFERENCE), (journey.exchange_id, "x")):
        for rest in ("", "/timeline"):
            answers = [await caller.get(f"/v1/requests/{key}{rest}") for key in (theirs, nobodys)]
            assert form(answers[0]) == form(answers[1])
            assert_problem(answers[0], 404, "not_found")


async def test_another_agencys_request_takes_no_act(stranger: Caller, journey: Journey, ledger: Ledger) -> None:
    """Every act on another agency's request is answered as on one that does not exist, and does nothing."""
    await ledger.calm()
    before = await ledger.counts("XA")
    for action in IntakeAction:
        answers = [
            await stranger.act(f"/v1/requests/{key}", action, generation=4, text="Of another agency.")
            for key in (journey.request_id, NOWHERE)
        ]
        assert form(answers[0]) == form(answers[1])
        assert_problem(answers[0], 404, "not_found")
    assert await ledger.counts("XA") == before


async def test_lists_hold_ones_own(world: World, journey: Journey, stranger: Caller) -> None:
    """An agency's list, however it is filtered or paged, holds its own requests only; the desk's holds all."""
    own = await filed(world, document(RequestType.TECHNICAL_ADVICE), seat="agency_officer_2")
    everybodys = {one["id"] for one in await everything(world["XA"].as_("duty_officer"), "/v1/requests", limit=200)}
    assert {own["id"], journey.request_id} <= everybodys
    for seat, agency in (("agency_officer", "federal-police-cyber"), ("agency_officer_2", "customs-investigation")):
        for query in ({"limit": 200}, {"limit": 1}, {"limit": 200, "state": "SIGNED"}):
            found = await everything(world["XA"].as_(seat), "/v1/requests", **query)
            assert {one["agency"] for one in found} <= {agency}, query
    found = await everything(stranger, "/v1/requests", limit=200)
    assert own["id"] in {one["id"] for one in found}


async def test_cursor_of_another_agency_opens_nothing(world: World, stranger: Caller) -> None:
    """A cursor from another agency's list continues one's own list and shows nothing of the other."""
    for _ in range(2):
        await filed(world, document(RequestType.TECHNICAL_ADVICE))
    page = expect(await world["XA"].as_("agency_officer").get("/v1/requests", limit=1), 200)
    assert page["next"] is not None
    found = expect(await stranger.get("/v1/requests", cursor=page["next"], limit=200), 200)["data"]
    assert {one["agency"] for one in found} <= {"customs-investigation"}


async def test_feed_holds_ones_own(world: World, journey: Journey, stranger: Caller) -> None:
    """The feed names another agency's request, its reference or its exchange in no event, from whatever place."""
    own = await everything(world["XA"].as_("agency_officer"), "/v1/events", limit=200)
    assert {journey.request_id, journey.exchange_id} <= {event["subject"]["id"] for event in own}
    begun = await everything(stranger, "/v1/events", limit=200)
    resumed = await everything(stranger, "/v1/events", limit=200, after=own[0]["id"])
    hidden = (journey.request_id, journey.exchange_id)
    assert not [event for event in begun + resumed if any(secret in str(event) for secret in hidden)]
    subjects = {event["subject"]["id"] for event in begun}
    visible = {one["id"] for one in await everything(stranger, "/v1/requests", limit=200)}
    assert subjects <= visible | {one["exchange_id"] for one in await everything(stranger, "/v1/requests", limit=200)}


async def test_key_of_another_agency_is_unused(world: World, stranger: Caller, ledger: Ledger) -> None:
    """A key that another agency's officer has used is one's own to use: nothing is replayed, nothing refused."""
    key = str(uuid4())
    first = await world["XA"].as_("agency_officer").post("/v1/requests", document(RequestType.PRESERVATION), key=key)
    second = await stranger.post("/v1/requests", document(RequestType.TECHNICAL_ADVICE), key=key)
    assert expect(first, 201)["id"] != expect(second, 201)["id"]
    assert "idempotency-replayed" not in second.headers
    assert second.json()["agency"] == "customs-investigation"


async def test_exchanges_are_the_desks(world: World, journey: Journey, ledger: Ledger) -> None:
    """Routes of exchanges and holds answer an agency 403, alike for its own, for another's and for none."""
    await ledger.calm()
    before = await ledger.counts("XA")
    (hold,) = expect(await journey.ours().get(journey.exchange), 200)["holds"]
    for seat in ("agency_officer", "agency_viewer", "agency_officer_2"):
        caller = world["XA"].as_(seat)
        for there, nowhere in (
            (journey.exchange, f"/v1/exchanges/{NOWHERE}"),
            (f"{journey.exchange}/timeline", f"/v1/exchanges/{NOWHERE}/timeline"),
            (f"/v1/holds/{hold['id']}", f"/v1/holds/{NOWHERE}"),
        ):
            answers = [await caller.get(path) for path in (there, nowhere)]
            assert form(answers[0]) == form(answers[1])
            assert_problem(answers[0], 403, "role_not_allowed")
        for path in ("/v1/exchanges", "/v1/holds"):
            assert_problem(await caller.get(path), 403, "role_not_allowed")
        audits = [await caller.get(f"/v1/exchanges/{key}/audit") for key in (journey.exchange_id, NOWHERE)]
        assert form(audits[0]) == form(audits[1])
        for path in (journey.exchange, f"/v1/holds/{hold['id']}"):
            assert_problem(await caller.act(path, "withdraw", generation=4), 403, "role_not_allowed")
    after = await ledger.counts("XA")
    assert {name: after[name] - before[name] for name in ("act", "outbox", "timeline", "event")} == dict.fromkeys(
        ("act", "outbox", "timeline", "event"), 0
    )


async def test_viewer_reads_and_does_nothing(world: World, journey: Journey, ledger: Ledger) -> None:
    """A viewer reads the agency's requests, timelines and feed, is offered no act, and may neither file nor act."""
    viewer = world["XA"].as_("agency_viewer")
    officer = world["XA"].as_("agency_officer")
    shown = expect(await viewer.get(journey.request), 200)
    assert shown["allowed_actions"] == []
    whole = expect(await officer.get(journey.request), 200)
    assert {**shown, "allowed_actions": None} == {**whole, "allowed_actions": None}
    lines = [expect(await one.get(f"{journey.request}/timeline"), 200) for one in (viewer, officer)]
    assert lines[0] == lines[1]
    feeds = [await everything(one, "/v1/events", limit=200) for one in (viewer, officer)]
    assert [event["subject"] for event in feeds[0]] == [event["subject"] for event in feeds[1]]
    await ledger.calm()
    before = await ledger.counts("XA")
    assert_problem(await viewer.post("/v1/requests", document(RequestType.PRESERVATION)), 403, "role_not_allowed")
    for action in IntakeAction:
        answer = await viewer.act(journey.request, action, text="A viewer asks.")
        assert_problem(answer, 403, "role_not_allowed")
    assert await ledger.counts("XA") == before


async def test_agency_sees_no_desk_work(world: World, journey: Journey) -> None:
    """The agency's part of an exchange and its timeline hold nothing of the desk: no acts under way, no marks."""
    part = expect(await world["XA"].as_("agency_officer").get(journey.request), 200)["exchange"]
    assert part.keys().isdisjoint({"under_way", "flags", "allowed_actions", "details", "document", "direction"})
    assert [hold["allowed_actions"] for hold in part["holds"]] == [[]]
    await journey.wish("supplement", text=f"{CANARY} as the desk wrote it to the other state.")
    for rest in ("", "/timeline"):
        answer = await world["XA"].as_("agency_officer").get(f"{journey.request}{rest}")
        assert f"{CANARY} as the desk" not in answer.text


async def test_roles_without_cases_see_no_content(world: World, journey: Journey) -> None:
    """Whatever a monitor, registrar or administrator reads, no answer holds the facts or the reference of a case."""
    (hold,) = expect(await journey.ours().get(journey.exchange), 200)["holds"]
    request = expect(await journey.ours().get(journey.request), 200)
    ids = {"request_id": journey.request_id, "exchange_id": journey.exchange_id, "hold_id": hold["id"]}
    ids |= dict.fromkeys(("attachment_id", "call_id", "case_id", "provider_id", "shift_id", "person_id"), hold["id"])
    paths = [
        path.format(**ids, type="PRESERVATION", code="XT", name="outbox-age")
        for path, methods in create_app(world["XA"].runtime).openapi()["paths"].items()
        if "get" in methods
    ]
    assert len(paths) > 20
    for seat in ("monitor", "registrar", "administrator"):
        caller = world["XA"].as_(seat)
        for path in paths:
            answer = await caller.get(path)
            assert CANARY not in answer.text, (seat, path)
            for secret in (request["reference"], journey.request_id, hold["id"]):
                assert secret not in answer.text.replace(path, ""), (seat, path)
        for path in (journey.request, journey.exchange, f"/v1/holds/{hold['id']}", "/v1/requests", "/v1/exchanges"):
            assert_problem(await caller.get(path), 403, "role_not_allowed")
        feed = await everything(caller, "/v1/events", limit=200)
        assert {event["subject"]["kind"] for event in feed}.isdisjoint({"request", "exchange"})


async def test_auditor_sees_no_document(world: World, journey: Journey) -> None:
    """An auditor reads the log and who did what, but no request, exchange or hold, and no document through the log."""
    auditor = world["XA"].as_("auditor")
    (hold,) = expect(await journey.ours().get(journey.exchange), 200)["holds"]
    for path in (
        "/v1/requests",
        "/v1/exchanges",
        "/v1/holds",
        journey.request,
        f"{journey.request}/timeline",
        journey.exchange,
        f"{journey.exchange}/timeline",
        f"/v1/holds/{hold['id']}",
    ):
        assert_problem(await auditor.get(path), 403, "role_not_allowed")
    assert_problem(await auditor.act(journey.request, "withdraw"), 403, "role_not_allowed")
    trail = await auditor.get(f"{journey.exchange}/audit", limit=200)
    assert len(expect(trail, 200)["data"]) > 3
    assert FACTS not in trail.text


async def test_control_the_desk_sees_it(world: World, journey: Journey) -> None:
    """Control: the words looked for above are in what the agency and the desk read."""
    await taken(world, (await filed(world, document(RequestType.PRESERVATION)))["id"], ("duty_officer", "open"))
    for seat in ("agency_officer", "duty_officer"):
        assert CANARY in (await world["XA"].as_(seat).get(journey.request)).text
    assert CANARY in (await journey.theirs().get(journey.exchange)).text
