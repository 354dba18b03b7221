"""Of the scripted day: information that nobody asked for; its condition first, then what it says."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from app.demo.client import StepFailed
from app.demo.day import Matter
from app.demo.deeds import delivered, foreign, forward, wish

if TYPE_CHECKING:
    from app.demo.day import Day, Step

MATTER = Matter("spontaneous_information", "XT")


async def _offered(day: Day) -> str:
    seen = await delivered(day, MATTER)
    there = await day.who("XT", "duty_officer").get(day.exchange(MATTER))
    content = day.documents[MATTER.name]["information"]["text"]
    if "information" in there["document"] or content in str(there):
        raise StepFailed("XT reads the information before it has accepted the condition")
    if there["details"]["condition"] is None:
        raise StepFailed("XT is told no condition")
    return f"{seen}: a teaser and a condition"


async def _accepted(day: Day) -> str:
    await foreign(day, MATTER, "acknowledge")
    return await foreign(day, MATTER, "accept_information")


async def _told(day: Day) -> str:
    seen = await wish(day, MATTER, "send_content")
    answers = (await day.who("XT", "duty_officer").get(day.exchange(MATTER)))["details"]["answers"]
    kept = day.documents[MATTER.name]["information"]
    if [(one["text"], one["source"], one["information"]) for one in answers] != [
        (kept["text"], kept["source"], kept["evaluation"])
    ]:
        raise StepFailed("XT does not read the information with its evaluation")
    return seen


def offering() -> list[Step]:
    """Art. 26: conditions first, content only after."""
    return [
        ("An agency of XA offers XT information under a condition", partial(forward, matter=MATTER)),
        ("XT is told what it is about, and not the information", _offered),
        ("XT accepts the condition", _accepted),
        ("XA sends the information", _told),
    ]
