"""Scenario 33: printed in two languages during an outage, told by telephone, and one exchange in the end."""

from __future__ import annotations

import re
from io import BytesIO
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pypdf import PdfReader

from app.forms.composing import digest_of
from tests.forms.printed import Reading, text_of
from tests.world.journey import expect, sent
from tests.world.test_crossing import silence
from tests.world.test_time_passes import fresh

if TYPE_CHECKING:
    from tests.support.world import Caller, World
    from tests.world.journey import Journey

ALOUD = re.compile(r"((?:[0-9a-f]{4} ){8})/ (\d\d)")
"""The exchange's id as it is read out: eight groups and two check digits."""


async def paper(caller: Caller, path: str, *languages: str) -> PdfReader:
    """The form as PDF, in these languages."""
    answer = await caller.get(f"{path}/document", format="pdf", lang=",".join(languages))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    return PdfReader(BytesIO(answer.content))


async def on_screen(caller: Caller, path: str, **query: str) -> Reading:
    """The form as a page."""
    answer = await caller.get(f"{path}/document", **query)
    assert answer.status_code == 200, answer.text
    return Reading(answer.text)


def heading_numbers(reading: Reading) -> list[str]:
    """The numbers before the headings, in their order."""
    return [
        one.text
        for one in reading.all("bdi", class_="number")
        if one.ancestors[-2].tag in {"h2", "h3"} or one.ancestors[-3].tag in {"h2", "h3"}
    ]


async def test_printed_form_becomes_the_same_exchange(scenario_world: World) -> None:
    """The sheet alone is enough: what it says is noted abroad, and the signed request attaches to it later."""
    world = scenario_world
    with silence(world, "XT"):
        journey = await sent(world, fresh(world))
        english = await on_screen(journey.ours(), journey.exchange, lang="en")
        both = await on_screen(journey.ours(), journey.exchange, lang="en,ja")
        assert len(heading_numbers(english)) > 25
        assert heading_numbers(both)[::2] == heading_numbers(both)[1::2] == heading_numbers(english)
        sheet = text_of(await paper(journey.ours(), journey.exchange, "en", "ja"))
        exchange_id, check = read_by_telephone(sheet)
        assert str(exchange_id) == journey.exchange_id
        noted = await note(journey, exchange_id, check)
        assert (noted["state"], noted["flags"]) == ("DELIVERED", ["noted"])
        blank = await on_screen(journey.theirs(), journey.exchange, lang="ja")
        assert "口頭で受付済み" in blank.all("div", class_="notice")[0].text
        await journey.do("acknowledge")
    settled = await journey.settled()
    assert settled["state"] == "ACKNOWLEDGED"
    assert settled["id"] == journey.exchange_id
    assert await count(journey, settled["request_reference"]) == {"XA": 1, "XT": 1}
    digest = digest_of(settled["document"])
    for caller in (journey.ours(), journey.theirs()):
        form = text_of(await paper(caller, journey.exchange, "en", "ja"))
        assert digest in form
        assert settled["request_reference"] in form
        assert settled["b_reference"] in form
    assert digest in text_of(await paper(journey.ours("agency_officer"), journey.request, "fr"))
    assert digest in sheet, "what was read out is what arrived"


def read_by_telephone(sheet: str) -> tuple[UUID, str]:
    """What the officer abroad writes down from what is read out of section 2."""
    found = ALOUD.search(sheet)
    assert found is not None, sheet[:500]
    return UUID(found.group(1).replace(" ", "")), found.group(2)


async def note(journey: Journey, exchange_id: UUID, check: str) -> dict[str, Any]:
    """The call as the officer abroad notes it."""
    call = {
        "exchange_id": str(exchange_id),
        "check": check,
        "requesting": "XA",
        "type": "PRESERVATION",
        "noted": "Form by fax, sections read out; called back on the number of the directory.",
    }
    wrong = call | {"check": f"{(int(check) + 1) % 97:02}"}
    assert (await journey.theirs().post("/v1/exchanges", wrong)).status_code == 422
    return expect(await journey.theirs().post("/v1/exchanges", call), 201)


async def count(journey: Journey, reference: str) -> dict[str, int]:
    """How many exchanges of that reference each side has."""
    counted = {}
    for code, caller in (("XA", journey.ours()), ("XT", journey.theirs())):
        listed = expect(await caller.get("/v1/exchanges", limit=100), 200)["data"]
        counted[code] = sum(one["request_reference"] == reference for one in listed)
    return counted
