"""Of the scripted day: a preservation, what is found while it is executed, and more time for it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from app.demo.client import StepFailed
from app.demo.day import Matter
from app.demo.deeds import DESK_ROAD, act, agency_reads, delivered, desk, file, foreign

if TYPE_CHECKING:
    from app.demo.day import Day, Step

MINIMUM_DAYS = 60
"""Art. 29(7) of the Budapest Convention."""

MATTER = Matter("preservation", "XT")
EXTENSION = Matter("preservation_extension", "XT")
HOP = {"address": "198.51.100.20", "country": "XS"}


async def _traffic_path(day: Day) -> str:
    path = day.exchange(MATTER)
    told = {"provider": "Marsa Hosting", "country": "XS", "path": [HOP]}
    await foreign(day, MATTER, "disclose_traffic_path", **told)
    seen = (await day.who("XA", "duty_officer").get(path))["details"]["traffic_paths"]
    if [one.get("country") for one in seen] != ["XS"]:
        raise StepFailed("XA does not see through which state the data went")
    return "a provider in XS took part; XA can ask there"


async def _hold_of(day: Day, node: str) -> Any:  # noqa: ANN401 - a JSON document
    holds = (await day.who(node, "duty_officer").get(day.exchange(MATTER)))["holds"]
    if len(holds) != 1:
        raise StepFailed(f"{node} shows {len(holds)} holds")
    return holds[0]


async def _same_hold(day: Day) -> str:
    ours, theirs = await _hold_of(day, "XA"), await _hold_of(day, "XT")
    facts = ("id", "state", "preserved_at", "days_granted", "expires_at", "generation")
    if [ours[fact] for fact in facts] != [theirs[fact] for fact in facts]:
        raise StepFailed("the two sides show different holds")
    start, end = (datetime.fromisoformat(ours[fact]) for fact in ("preserved_at", "expires_at"))
    if end - start < timedelta(days=MINIMUM_DAYS):
        raise StepFailed(f"the hold ends after {(end - start).days} days")
    day.found["hold"], day.found["hold.end"] = ours["id"], ours["expires_at"]
    return f"held until {ours['expires_at']}, the same at XA and XT"


async def _ask_for_more(day: Day) -> str:
    await file(day, EXTENSION, previous_reference=day.found[f"{MATTER.name}.reference"])
    for action in DESK_ROAD:
        await desk(day, EXTENSION, action)
    if day.found[f"{EXTENSION.name}.exchange"] != day.found[f"{MATTER.name}.exchange"]:
        raise StepFailed("the extension opened an exchange of its own")
    await day.who("XT", "duty_officer").awaited(
        f"/v1/holds/{day.found['hold']}",
        lambda seen: seen["extension_wish"] is not None,
        seconds=day.patience,
        what="XT learns of the wish",
    )
    return "asked for in the exchange of the preservation"


async def _grant(day: Day) -> str:
    path = f"/v1/holds/{day.found['hold']}"
    there = day.who("XT", "duty_officer")
    before = await there.get(path)
    await act(there, path, "grant_extension", generation=before["generation"])
    seen = await day.who("XA", "duty_officer").awaited(
        path, lambda hold: hold["expires_at"] != day.found["hold.end"], seconds=day.patience, what="XA learns of it"
    )
    if datetime.fromisoformat(seen["expires_at"]) <= datetime.fromisoformat(day.found["hold.end"]):
        raise StepFailed("the hold became shorter")
    return f"held until {seen['expires_at']}"


def preserving() -> list[Step]:
    """From filing to the extension; the first steps one act each, so that a beginner can follow."""
    return [
        ("An agency of XA files an urgent preservation", lambda day: file(day, MATTER)),
        ("XA's duty officer opens it", lambda day: desk(day, MATTER, "open")),
        ("XA's duty officer approves it", lambda day: desk(day, MATTER, "approve")),
        ("A second person at XA signs it", lambda day: desk(day, MATTER, "sign")),
        ("It is delivered to XT", lambda day: delivered(day, MATTER)),
        ("A person at XT acknowledges it", lambda day: foreign(day, MATTER, "acknowledge")),
        ("XT accepts", lambda day: foreign(day, MATTER, "accept")),
        ("XT starts execution", lambda day: foreign(day, MATTER, "start")),
        ("XT finds a provider in a third state on the path, and says so", _traffic_path),
        ("XT reports the data preserved", lambda day: foreign(day, MATTER, "preserve")),
        ("Both sides show one hold of at least 60 days", _same_hold),
        ("The agency reads the outcome", lambda day: agency_reads(day, MATTER, "PRESERVED")),
        ("The agency asks for more time; the desk forwards it", _ask_for_more),
        ("XT grants more time", _grant),
    ]
