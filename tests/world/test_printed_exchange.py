"""An exchange on paper at both contact points, and the letter to the provider at the one that was asked."""

from __future__ import annotations

from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from pypdf import PdfReader

from app.domain.codes import RequestType
from tests.forms.printed import Reading, text_of
from tests.routers.clients import assert_problem
from tests.support.world import seen
from tests.world.documents import CANARY, document
from tests.world.journey import PRESERVING, expect, preservation

if TYPE_CHECKING:
    from tests.support.world import World
    from tests.world.journey import Journey

FACTS = f"{CANARY}: an unknown person signed in to the gateway and copied the records of patients."


@pytest.fixture(scope="module")
async def journey(world: World) -> Journey:
    """A preservation with a hold; its facts, its offence and its investigator hold the canary."""
    made = document(RequestType.PRESERVATION)
    offences = [made["offences"][0] | {"conduct_description": FACTS}]
    investigating = made["investigating_authority"] | {"person_in_charge": CANARY}
    return await preservation(
        world, *PRESERVING, facts_summary=FACTS, offences=offences, investigating_authority=investigating
    )


async def test_both_sides_print_the_same(journey: Journey) -> None:
    """But for who prints it and when, the form of both contact points is the same, hold and references included."""
    shown = await journey.settled()
    pages = []
    for caller in (journey.ours(), journey.theirs()):
        answer = await caller.get(f"{journey.exchange}/document", lang="en,ja")
        assert answer.status_code == 200, answer.text
        pages.append(Reading(answer.text))
    ours, theirs = (reading.all("main")[0].text for reading in pages)
    assert ours == theirs
    (hold,) = shown["holds"]
    end = hold["expires_at"][:19].replace("T", " ")
    for expected in (shown["b_reference"], hold["id"], f"{end} UTC", "+09:00", "Preserved", "保全済み", FACTS):
        assert expected in ours, expected


async def test_languages_begin_with_ones_own(journey: Journey) -> None:
    """Each contact point prints for itself first, then for the other."""
    for caller, languages in ((journey.ours(), "fr, ja"), (journey.theirs(), "ja, fr")):
        answer = await caller.get(f"{journey.exchange}/document")
        assert answer.headers["content-language"] == languages


async def test_provider_reads_what_it_needs(journey: Journey) -> None:
    """The letter has identifiers, categories, interval and the end; nothing of the case; and it is on record."""
    before = await exported(journey)
    answer = await journey.theirs().get(f"{journey.exchange}/provider-letter", lang="ja,en")
    assert answer.status_code == 200, answer.text
    text = Reading(answer.text).all("html")[0].text
    for expected in ("203.0.113.77", "Kitano Broadband KK", "Traffic data", "通信記録", "Keep until"):
        assert expected in text, expected
    for hidden in (CANARY, "Aurelia", "Aurélie", "XA-", "hospital", "patients"):
        assert hidden not in answer.text, hidden
    printed = await journey.theirs().get(f"{journey.exchange}/provider-letter", format="pdf")
    assert "203.0.113.77" in text_of(PdfReader(BytesIO(printed.content)))
    await seen(partial(exported, journey), lambda found: found == before + 2)


async def exported(journey: Journey) -> int:
    """How often the log of the requested side says that something of the case was taken out."""
    trail = await journey.theirs("auditor").get(f"{journey.exchange}/audit", limit=200)
    return sum(one["type"] == "case.exported" for one in expect(trail, 200)["data"])


async def test_letter_is_the_requested_sides_alone(journey: Journey) -> None:
    """The side that asked has no provider to write to, nor is there a second one; agencies have no exchange at all."""
    path = f"{journey.exchange}/provider-letter"
    assert_problem(await journey.ours().get(path), 422, "letter_not_possible")
    assert_problem(await journey.theirs().get(path, provider=2), 404, "not_found")
    assert_problem(await journey.ours("agency_officer").get(path), 403, "role_not_allowed")
