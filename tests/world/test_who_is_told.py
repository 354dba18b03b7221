"""The visibility table of domain.md 6.11, row by row over HTTP: what each person on either side finds on any page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from app.domain.codes import RequestType
from tests.world.documents import document, put
from tests.world.journey import Journey, expect, filed, preservation, taken

if TYPE_CHECKING:
    from tests.support.world import World

OWN = ("agency_officer", "agency_viewer")
DESK = ("duty_officer", "supervisor")
WITHOUT = ("monitor", "registrar", "administrator")
SEATS = (
    *(("XA", seat) for seat in (*OWN, *DESK, "agency_officer_2", *WITHOUT)),
    *(("XT", seat) for seat in ("agency_officer", *DESK, *WITHOUT)),
)
AT_HOME = {("XA", seat) for seat in (*OWN, *DESK)}
DESKS = {(code, seat) for code in ("XA", "XT") for seat in DESK}
EVERYBODY = AT_HOME | DESKS

WORDS = {
    "what triage said": ("Zwetschgenmus-1", AT_HOME),
    "the facts": ("Zwetschgenmus-2", EVERYBODY),
    "who investigates": ("Zwetschgenmus-3", EVERYBODY),
    "what the other state does about it": ("Zwetschgenmus-4", DESKS),
    "the traffic path": ("Zwetschgenmus-5", EVERYBODY),
    "the reasons of a refusal": ("Zwetschgenmus-6", EVERYBODY),
    "what became of a target": ("Zwetschgenmus-7", EVERYBODY),
    "another state in the case": ("OP-ZWETSCHGE", AT_HOME),
}
"""Row of the table → the word that stands for it, and who finds it."""


@dataclass(frozen=True, slots=True)
class Told:
    """What each person reads on all pages together, and the hold."""

    pages: dict[tuple[str, str], str]
    hold: dict[str, Any]


def word(row: str) -> str:
    """The word of a row, as part of a sentence that is long enough for every member."""
    return f"{WORDS[row][0]} stands here for something that only some may read."


async def decided(world: World, raw: dict[str, Any]) -> Journey:
    """A request of a case, returned once with a reason, then sent to XT."""
    case = {"reference": WORDS["another state in the case"][0], "title": "Plums", "requested": ["XT", "XS"]}
    bare = {name: value for name, value in raw.items() if name != "requested"}
    made = expect(await world["XA"].as_("agency_officer").post("/v1/cases", case | {"document": bare}), 201)
    (request,) = [one for one in made["states"] if one["requested"] == "XT"]
    path = f"/v1/requests/{request['reference']}"
    desk = world["XA"].as_("duty_officer")
    expect(await desk.act(path, "open"), 200)
    expect(await desk.act(path, "return", codes=["C-VAGUE"], text=word("what triage said")), 200)
    mended = expect(await world["XA"].as_("agency_officer").act(path, "resubmit", document=raw), 200)
    signed = await taken(world, mended["id"], ("duty_officer", "approve"), ("supervisor", "sign"))
    journey = Journey(world, signed["id"], signed["exchange_id"], "XT")
    await journey.settled()
    return journey


@pytest.fixture(scope="module")
async def told(world: World) -> Told:
    """A preservation that was carried out and a request that was refused, read by everybody."""
    raw = document(RequestType.PRESERVATION, facts_summary=word("the facts"))
    raw["targets"] = [*raw["targets"], *raw["targets"]]
    kept = await decided(world, put(raw, "/investigating_authority/person_in_charge", word("who investigates")))
    await kept.do("acknowledge", "accept", "start")
    await kept.do("report_progress", text=word("what the other state does about it"))
    await kept.do("disclose_traffic_path", provider=word("the traffic path"), country="XS")
    lost = {"target": 1, "outcome": "N-EXPIRED", "text": word("what became of a target")}
    await kept.do("preserve", results=[{"target": 0, "outcome": "HELD"}, lost])
    refused = await preservation(world, "acknowledge", "accept")
    await refused.do("refuse", code="R-POL", reasons=word("the reasons of a refusal"), considered_partial=True)
    await refused.do("confirm_refusal", seat="supervisor")
    (hold,) = (await kept.settled())["holds"]
    await refused.settled()
    paths = ["/v1/cases", "/v1/events", f"/v1/holds/{hold['id']}"]
    for one in (kept, refused):
        paths += [f"{root}{rest}" for root in (one.request, one.exchange) for rest in ("", "/timeline")]
    return Told({(code, seat): await read(world, code, seat, paths=paths) for code, seat in SEATS}, hold)


async def read(world: World, code: str, seat: str, *, paths: list[str]) -> str:
    """All that this person finds there, but for the way that was asked."""
    caller = world[code].as_(seat)
    return "\n".join([(await caller.get(path)).text.replace(path, "") for path in paths])


@pytest.mark.parametrize("row", WORDS)
def test_row_of_the_table(told: Told, row: str) -> None:
    """Those whom the row names find it; nobody else does, on no page, on neither side."""
    wanted, readers = WORDS[row]
    assert {person for person, pages in told.pages.items() if wanted in pages} == readers


def test_end_of_the_hold_is_known_to_all_who_have_the_case(told: Told) -> None:
    """Row hold expiry: the same moment for the agency and both desks; for others there is no hold."""
    found = {person for person, pages in told.pages.items() if told.hold["id"] in pages}
    assert found == EVERYBODY
    assert all(told.hold["expires_at"] in told.pages[person] for person in EVERYBODY)


async def test_reasons_of_a_notice_are_relayed(world: World) -> None:
    """Row 29(6): while the notice is open its reasons are read by both desks and, relayed, by the agency alone."""
    journey = await preservation(world, "acknowledge")
    reason = "Zwetschgenmus-8 would be told to the customer by the provider."
    await journey.do("notify_risk", codes=["W-CONF"], text=reason)
    await journey.settled()
    paths = [journey.request, journey.exchange]
    found = {(code, seat) for code, seat in SEATS if reason in await read(world, code, seat, paths=paths)}
    assert found == EVERYBODY


async def test_control_everybody_has_a_page_of_their_own(world: World) -> None:
    """The negative control: what is filed by the other agency is found by it, so its pages were really read."""
    facts = "Zwetschgenmus-9 stands here for the facts of another agency, which it reads itself."
    made = await filed(world, document(RequestType.TECHNICAL_ADVICE, facts_summary=facts), seat="agency_officer_2")
    for seat, finds in (("agency_officer_2", True), ("duty_officer", True), ("agency_officer", False)):
        assert (facts in await read(world, "XA", seat, paths=[f"/v1/requests/{made['id']}"])) is finds
