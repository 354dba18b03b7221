"""Of the scripted day: evidence, a suspect under a condition, and a letter of request that begins its way."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from app.demo.client import StepFailed
from app.demo.day import Matter
from app.demo.deeds import agency_reads, all_foreign, asked_and_answered, delivered, foreign, forward, wish

if TYPE_CHECKING:
    from app.demo.day import Day, Step

EVIDENCE = Matter("evidence_collection", "XS")
SUSPECT = Matter("locate_suspect", "XT")
LETTER = Matter("mla_initiation", "XT")
FOUND = "The machine was rented by a company of Port-Clair; copies go to your central authority."
WHERE = "The person was at the hotel until this morning and has a train ticket for tomorrow."
OFFICE = "International Assistance Section, file 2026-1187; a prosecutor is assigned."
CONDITION = "Only for the investigation named in the request."


async def _collected(day: Day) -> str:
    await all_foreign(day, EVIDENCE, "acknowledge", "accept", "start")
    seen = await foreign(day, EVIDENCE, "answer", text=FOUND)
    await agency_reads(day, EVIDENCE, "ANSWERED")
    return seen


async def _under_condition(day: Day) -> str:
    await foreign(day, SUSPECT, "acknowledge")
    return await foreign(day, SUSPECT, "propose_conditions", kind="NO_OTHER_USE", text=CONDITION)


async def _located(day: Day) -> str:
    await foreign(day, SUSPECT, "start")
    await foreign(day, SUSPECT, "answer", text=WHERE)
    seen = await day.who("XA", "duty_officer").get(day.exchange(SUSPECT))
    if [one["text"] for one in seen["details"]["accepted_conditions"]] != [CONDITION]:
        raise StepFailed("the condition is not shown with the answer")
    return "ANSWERED, bound by the condition"


def assisting() -> list[Step]:
    """What art. 35(1)(c) and 35(2)(b) name, each answered."""
    return [
        ("An agency of XA asks XS for evidence; the desk forwards it", partial(forward, matter=EVIDENCE)),
        ("It is delivered to XS", partial(delivered, matter=EVIDENCE)),
        ("XS collects it, and the agency reads the answer", _collected),
        ("An agency of XA asks XT to locate a suspect; the desk forwards it", partial(forward, matter=SUSPECT)),
        ("It is delivered to XT", partial(delivered, matter=SUSPECT)),
        ("XT would tell on one condition", _under_condition),
        (
            "A supervisor of XA accepts the condition",
            lambda day: wish(day, SUSPECT, "accept_condition", role="supervisor"),
        ),
        ("XT tells where the suspect is", _located),
        *asked_and_answered(LETTER, "to begin mutual assistance", OFFICE),
    ]
