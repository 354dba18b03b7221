"""Commands on the duty roster: who is on duty, what is wrong with the coming 28 days. Shifts are entered over HTTP."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.frame import AsJson, Config, at_node, say, show
from app.db import people, rosters
from app.db.engine import reading
from app.domain.moments import write_instant
from app.domain.roster import HORIZON, Severity, find_faults, on_duty
from app.services.roster.standing import load_standing_roster
from app.serving import wall_clock

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import ReadSession
    from app.domain.roster import Finding

roster = typer.Typer(help="Who is on duty at this contact point.", no_args_is_help=True)

BROKEN = 1
"""Exit code of `check` when a rule is broken now or within 48 hours."""


@roster.command("show")
def show_roster(
    everything: Annotated[bool, typer.Option("--all", help="All shifts of the coming 28 days.")] = False,  # noqa: FBT002 - a flag of the command line
    config: Config = None,
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Show whose shift it is, or all shifts to come; names, and no private numbers."""

    async def run() -> list[dict[str, Any]]:
        now = wall_clock()
        async with at_node(config) as at, reading(at.engine) as session:
            return await _shifts(session, now, everything=everything)

    rows = asyncio.run(run())
    if as_json or rows:
        show(rows, as_json=as_json)
    else:
        say("Nobody is on duty.")


@roster.command("check")
def check_roster(config: Config = None, as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Look for gaps, missing training and the like. Exit code 1 when something is wrong now or within 48 hours."""

    async def run() -> list[Finding]:
        now = wall_clock()
        async with at_node(config) as at, reading(at.engine) as session:
            return find_faults(await load_standing_roster(session, at.node, now=now), now)

    found = asyncio.run(run())
    rows = [
        {
            "rule": one.rule.value,
            "severity": one.severity.value,
            "from": write_instant(one.starts_at),
            "to": write_instant(one.ends_at),
            "shift": None if one.shift is None else str(one.shift),
        }
        for one in found
    ]
    if as_json or rows:
        show(rows, as_json=as_json)
    else:
        say(f"Somebody trained is on duty throughout the coming {HORIZON.days} days.")
    if any(one.severity is Severity.ERROR for one in found):
        raise typer.Exit(BROKEN)


async def _shifts(session: ReadSession, now: datetime, *, everything: bool) -> list[dict[str, Any]]:
    shifts = [one.shift for one in await rosters.shifts_between(session, now, now + HORIZON)]
    if not everything:
        shifts = [shift for shift in shifts if shift == on_duty(shifts, now)]
    ids = {person for shift in shifts for person in (*shift.officers, shift.supervisor)}
    names = await people.find_people(session, ids)
    return [
        {
            "from": write_instant(shift.starts_at),
            "to": write_instant(shift.ends_at),
            "mode": shift.mode.value,
            "primary": names[shift.primary].name,
            "secondary": names[shift.secondary].name,
            "supervisor": names[shift.supervisor].name,
            "shift": str(shift.id),
        }
        for shift in shifts
    ]
