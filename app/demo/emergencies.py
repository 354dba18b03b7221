"""Of the scripted day: a child in danger. What is asked by voice first, and what no instrument carries."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from app.demo.client import StepFailed
from app.demo.day import Matter
from app.demo.deeds import agency_reads, all_foreign, delivered, foreign, forward, no_basis

if TYPE_CHECKING:
    from app.demo.day import Day, Step

ELSEWHERE = Matter("emergency_elsewhere", "XT")
DISCLOSURE = Matter("emergency_disclosure", "XS")
NOTICE = Matter("emergency_mla_notice", "XS")
DATA = "The account signed in from 203.0.113.201 at 09:31; the line belongs to a flat in Port-Clair."
COPY = "The letter has come; the search is ordered, and an advance copy follows by this network."


async def _by_voice_first(day: Day) -> str:
    seen = await delivered(day, DISCLOSURE)
    there = await day.who("XS", "duty_officer").get(day.exchange(DISCLOSURE))
    if "ORAL_FIRST" not in there["flags"]:
        raise StepFailed("XS is not shown that the request was made by voice")
    return f"{seen}: made by voice, to be confirmed within 24 hours"


async def _disclosed(day: Day) -> str:
    await all_foreign(day, DISCLOSURE, "acknowledge", "accept", "start")
    seen = await foreign(day, DISCLOSURE, "answer", text=DATA)
    await agency_reads(day, DISCLOSURE, "ANSWERED")
    return seen


async def _regularised(day: Day) -> str:
    seen = await foreign(day, DISCLOSURE, "regularise", text="The signed request is here.")
    ours = await day.who("XA", "duty_officer").get(day.exchange(DISCLOSURE))
    if "ORAL_FIRST" in ours["flags"]:
        raise StepFailed("the writing is there, and is still asked for")
    return seen


async def _announced(day: Day) -> str:
    await foreign(day, NOTICE, "acknowledge")
    seen = await foreign(day, NOTICE, "answer", text=COPY)
    await agency_reads(day, NOTICE, "ANSWERED")
    return seen


def emergencies() -> list[Step]:
    """CETS 224 arts. 9 and 10, between two states to which they apply; and to one to which they do not."""
    return [
        ("To XT no instrument carries an emergency disclosure", partial(no_basis, matter=ELSEWHERE)),
        ("To XS one does; what was asked by voice is sent in writing", partial(forward, matter=DISCLOSURE)),
        ("It is delivered to XS", _by_voice_first),
        ("XS discloses at once, and the agency reads it", _disclosed),
        ("XS finds the request regularised", _regularised),
        ("An agency of XA gives notice of an emergency letter", partial(forward, matter=NOTICE)),
        ("It is delivered to XS", partial(delivered, matter=NOTICE)),
        ("XS answers the notice, and the agency reads it", _announced),
    ]
