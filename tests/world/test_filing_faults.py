"""Filing over HTTP: every fault of a document is named by pointer and code, repeats nothing, and leaves nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from app.domain.codes import RequestType
from app.domain.request_types import REQUEST_KINDS
from tests.routers.clients import assert_problem
from tests.world.documents import CANARY, WALKED, document, objects, places, put, required, times, without

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.world import World
    from tests.world.ledger import Ledger

PRESERVATION = document(RequestType.PRESERVATION, facts_summary=f"{CANARY}. " + "An unknown person signed in. " * 3)
FACTS = "/facts_summary"
YEARS = "/offences/0/max_penalty_years"
"""The one number of a document that may be a fraction."""


class Fault(NamedTuple):
    """What is put where, and the error that must be among those named; `code` of the whole where it is another."""

    pointer: str
    value: object
    named: str
    whole: str = "invalid_document"


async def refused(world: World, body: object, *, code: str = "invalid_document") -> set[tuple[str, str]]:
    """The pointers and codes of the errors for a document that must be refused; none repeats the canary."""
    answer = await world["XA"].as_("agency_officer").post("/v1/requests", body)
    problem = assert_problem(answer, 422, code)
    assert CANARY not in answer.text
    assert CANARY not in str(answer.headers)
    assert problem["errors"]
    return {(error["pointer"], error["code"]) for error in problem["errors"]}


@pytest.fixture(autouse=True)
async def nothing_stored(world: World, ledger: Ledger) -> AsyncIterator[None]:
    """Every test of this module leaves the database as it was; `test_filing` shows that counting would notice."""
    await ledger.calm()
    before = await ledger.counts("XA")
    yield
    assert await ledger.counts("XA") == before


@pytest.mark.parametrize("type_", WALKED)
async def test_each_missing_member_is_named(world: World, type_: RequestType) -> None:
    """Each member that the model requires, at every level, is named by its pointer when it alone is missing."""
    whole = document(type_)
    pointers = required(type_)
    assert len(pointers) > 25
    for pointer in pointers:
        body = without(put(whole, FACTS, PRESERVATION["facts_summary"]), pointer)
        assert (pointer, "C-MISSING") in await refused(world, body), pointer


async def test_all_missing_members_are_named_at_once(world: World) -> None:
    """A document with nothing but its type is answered with everything it lacks, so that one answer is enough."""
    named = await refused(world, {"type": "PRESERVATION"})
    top = {pointer for pointer in required(RequestType.PRESERVATION) if pointer.count("/") == 1} - {"/type"}
    assert {pointer for pointer, code in named if code == "C-MISSING"} == top


@pytest.mark.parametrize("type_", WALKED)
async def test_each_unknown_member_is_named(world: World, type_: RequestType) -> None:
    """A member that no model knows is refused in every object of the document."""
    for pointer in objects(document(type_)):
        body = put(document(type_), f"{pointer}/surplus", CANARY)
        assert (f"{pointer}/surplus", "unknown_field") in await refused(world, body), pointer


@pytest.mark.parametrize("type_", WALKED)
async def test_each_wrong_type_is_named(world: World, type_: RequestType) -> None:
    """A list for a text, a number or a truth, and a text for a list or an object, is refused where it stands."""
    for pointer, value in places(document(type_)):
        wrong: object = CANARY if isinstance(value, dict | list) else [CANARY]
        named = await refused(world, put(document(type_), pointer, wrong))
        assert any(where == pointer for where, _ in named), (pointer, named)


async def test_no_conversion(world: World) -> None:
    """A truth or number in quotes, a number for a text, a fraction for a whole number: nothing is converted."""
    for pointer, value in places(without(PRESERVATION, YEARS)):
        for wrong in _near(value):
            named = await refused(world, put(PRESERVATION, pointer, wrong))
            assert any(where == pointer for where, _ in named), (pointer, wrong, named)


def _near(value: object) -> tuple[object, ...]:
    """What a careless client would send instead."""
    if isinstance(value, bool):
        return (str(value).lower(), int(value))
    if isinstance(value, int):
        return (str(value), value + 0.5)
    return (7,) if isinstance(value, str) else ()


TIMES: dict[str, tuple[object, str]] = {
    "without an offset": ("2026-11-21T23:14:05", "C-TZ"),
    "a day only": ("2026-11-21", "bad_time"),
    "a day that does not exist": ("2026-02-30T10:00:00Z", "bad_time"),
    "a month that does not exist": ("2026-13-01T10:00:00Z", "bad_time"),
    "an hour that does not exist": ("2026-11-21T25:00:00Z", "bad_time"),
    "a second that does not exist": ("2026-11-21T23:59:61Z", "bad_time"),
    "an offset that no place has": ("2026-11-21T23:14:05+19:00", "bad_time"),
    "a year of five digits": ("12026-11-21T23:14:05Z", "bad_time"),
    "seconds since 1970": (1795298400, "wrong_type"),
    "seconds since 1970 in quotes": ("1795298400", "bad_time"),
    "in words": (CANARY, "bad_time"),
}


@pytest.mark.parametrize("what", TIMES)
async def test_no_time_is_guessed(world: World, what: str) -> None:
    """A time that names no instant is refused wherever a document has a time."""
    value, code = TIMES[what]
    pointers = times(PRESERVATION)
    assert len(pointers) == 5
    for pointer in pointers:
        assert (pointer, code) in await refused(world, put(PRESERVATION, pointer, value)), pointer


FAULTS = {
    "asks the own state": Fault("/requested", "XA", "domestic_matter", "domestic_matter"),
    "asks another office of the own state": Fault("/requested", "XA-POLICE", "domestic_matter", "domestic_matter"),
    "asks a state without contact point": Fault("/requested", "XZ", "unknown_contact_point", "unknown_contact_point"),
    "asks in lower case": Fault("/requested", "xt", "bad_format"),
    "asks by name": Fault("/requested", CANARY, "bad_format"),
    "a type that is none": Fault("/type", CANARY, "not_in_list"),
    "a tier that is none": Fault("/urgency/tier", CANARY, "not_in_list"),
    "an address that nobody can have": Fault("/targets/0/identifier/value", "10.0.0.1", "ip_not_global"),
    "an address shared by many, without port": Fault(
        "/targets/0/observations", [{"at": "2026-11-21T23:14:05+01:00"}], "C-PORT"
    ),
    "data of tomorrow": Fault("/targets/0/interval/end", "2026-11-23T10:00:00Z", "future_interval"),
    "less than sixty days": Fault("/requested_period_days", 59, "out_of_range"),
    "no target": Fault("/targets", [], "C-MISSING"),
    "a hundred and one targets": Fault("/targets", PRESERVATION["targets"] * 101, "too_many"),
    "a text too long": Fault("/facts_summary", CANARY * 400, "too_long"),
    "a text too short": Fault("/facts_summary", CANARY, "C-VAGUE"),
    "a mark that turns the reading direction": Fault("/facts_summary", f"{CANARY} \u202e" * 9, "bad_characters"),
    "an emergency without one": Fault("/urgency/tier", "EMERGENCY", "C-EMERGENCYFACTS"),
    "no intention to follow up": Fault("/mla_intent/intends", value=False, named="C-MLAINTENT"),
}


@pytest.mark.parametrize("what", FAULTS)
async def test_broken_rule_is_named(world: World, what: str) -> None:
    """A document that breaks one rule is refused under the code of that rule."""
    case = FAULTS[what]
    named = await refused(world, put(PRESERVATION, case.pointer, case.value), code=case.whole)
    assert case.named in {code for _, code in named}, named


UNFILEABLE = {str(kind.type) for kind in REQUEST_KINDS.values() if not kind.fileable}


def test_acts_and_test_calls_are_not_requests() -> None:
    """What the closed list calls an act or a test call is not fileable."""
    assert {"TRAFFIC_PATH_DISCLOSURE", "PING", "DRILL"} == UNFILEABLE


@pytest.mark.parametrize("name", sorted(UNFILEABLE))
async def test_what_cannot_be_filed(world: World, name: str) -> None:
    """A type that is no request is refused by its own code, at /type."""
    body: dict[str, Any] = put(PRESERVATION, "/type", name)
    assert await refused(world, body, code="not_a_request") == {("/type", "not_a_request")}
