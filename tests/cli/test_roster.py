"""The roster at the machine: who is on duty, and an exit code that a timer can read."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from app.cli.frame import writing
from app.db import rosters
from app.db.rosters import ShiftRecord
from app.domain.roster import Mode, Shift
from app.services.identifiers import new_id
from app.serving import wall_clock
from tests.cli.shell import typed
from tests.cli.test_people import add_person

if TYPE_CHECKING:
    from tests.cli.conftest import Office

HOUR = timedelta(hours=1)


async def test_whoever_looks_learns_who_is_there_and_what_is_wrong(office: Office) -> None:
    """Without a roster a warning; with one that runs out tonight the exit code says so; names are shown, and rules."""
    config = ("--config", office.config)
    unkept = await typed("roster", "check", *config, "--json")
    assert (unkept.code, unkept.row["rule"]) == (0, "roster_not_kept")
    assert (await typed("roster", "show", *config)).out == "Nobody is on duty.\n"
    anna, ben = [UUID(await add_person(office, name, "--role", "duty_officer")) for name in ("Anna", "Ben")]
    sue = UUID(await add_person(office, "Sue", "--role", "supervisor"))
    now = wall_clock()
    shift = Shift(new_id(), now - HOUR, now + HOUR, "UTC", Mode.STAFFED, anna, ben, sue)
    async with writing(office.config) as (session, _node):
        assert await rosters.add_shifts(session, [ShiftRecord(shift, 1, now - HOUR, sue)])
    on_duty = (await typed("roster", "show", *config, "--json")).row
    assert (on_duty["primary"], on_duty["secondary"], on_duty["supervisor"]) == ("Anna", "Ben", "Sue")
    wrong = await typed("roster", "check", *config, "--json")
    assert wrong.code == 1
    assert {(row["rule"], row["severity"]) for row in json.loads(wrong.out)} >= {("roster_gap", "error")}
