"""Who is told second: the officer behind the one on duty; the directory's contact where the roster has nobody."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from app.db import rosters
from app.db.engine import begin
from app.db.people import Person, add_person
from app.db.rosters import KnownRecord, ShiftRecord
from app.domain.codes import Role
from app.domain.roster import DutyRecord, Mode, Shift, Training
from app.services.identifiers import new_id
from tests.notify.test_collect import MAIL, targets

if TYPE_CHECKING:
    from uuid import UUID

    from tests.notify.conftest import Desk

HOUR = timedelta(hours=1)
TRAINED = (
    Training(
        course="First responder",
        provider="Academy",
        level="basic",
        completed_on=date(2020, 1, 1),
        expires_on=date(2199, 1, 1),
    ),
)
BEN, SUE = "ben@desk.xt.example", "sue@desk.xt.example"


async def enrol(desk: Desk, name: str, role: Role, known: DutyRecord) -> UUID:
    """A person of the desk with what is known of them."""
    person = Person(new_id(), f"p:{name}", name, role, None)
    async with begin(desk.engine) as session:
        await add_person(session, person, now=desk.now)
        await rosters.add_record(session, person.id, KnownRecord(known, 1), by=person.id, now=desk.now)
    return person.id


async def keep_roster(desk: Desk, *, begins: timedelta = -HOUR, trained: bool = True, mail: str | None = BEN) -> None:
    """A shift of two hours that begins so long after now, Anna leading, Ben behind her, Sue on call."""
    training = TRAINED if trained else ()
    anna = await enrol(desk, "anna", Role.DUTY_OFFICER, DutyRecord(mail="anna@desk.xt.example", training=training))
    ben = await enrol(desk, "ben", Role.DUTY_OFFICER, DutyRecord(mail=mail))
    sue = await enrol(desk, "sue", Role.SUPERVISOR, DutyRecord(mail=SUE))
    start = desk.now + begins
    shift = Shift(new_id(), start, start + 2 * HOUR, "Asia/Tokyo", Mode.STAFFED, anna, ben, sue)
    async with begin(desk.engine) as session:
        assert await rosters.add_shifts(session, [ShiftRecord(shift, 1, desk.now - 3 * HOUR, sue)])


async def second_contacts(desk: Desk) -> list[str]:
    """Who is told when half of a term is over."""
    desk.teller = replace(desk.teller, means=MAIL)
    await desk.announce("escalation.second_contact", audience="second_contact", level=50)
    return await targets(desk)


def by_default(desk: Desk) -> str:
    """The first escalation contact of the directory."""
    assert desk.teller.point is not None
    return desk.teller.point.escalation[0].email


async def test_the_second_of_the_shift_is_told(desk: Desk) -> None:
    """The one behind whoever is on duty, alone: not the directory's contact, not the officer themselves."""
    await keep_roster(desk)
    assert await second_contacts(desk) == [BEN]


FAILING: dict[str, tuple[dict[str, object], list[str]]] = {
    "nobody is on duty yet": ({"begins": HOUR}, []),
    "nobody is on duty any more": ({"begins": -2 * HOUR}, []),
    "nobody on the shift is trained: both are told": ({"trained": False}, [BEN]),
    "the second left no address": ({"mail": None}, []),
}


@pytest.mark.parametrize("case", FAILING)
async def test_the_directory_s_contact_stands_in(desk: Desk, case: str) -> None:
    """A gap, nobody trained, nobody to be reached: what must be told is told, as without a roster."""
    how, rostered = FAILING[case]
    await keep_roster(desk, **how)  # type: ignore[arg-type]
    assert await second_contacts(desk) == sorted([by_default(desk), *rostered])


async def test_the_supervisor_on_call_hears_of_a_failing_roster(desk: Desk) -> None:
    """A warning goes to them, an error to the escalation contacts as well; the words name the rule and no person."""
    desk.teller = replace(desk.teller, means=MAIL)
    await keep_roster(desk)
    data = {
        "rule": "roster_gap",
        "count": 1,
        "starts_at": "2026-11-24T08:00:00.000Z",
        "ends_at": "2026-11-25T08:00:00.000Z",
    }
    await desk.announce("roster.warning", **data)
    assert await targets(desk) == [SUE]
    ((title, words),) = await desk.rows("SELECT title, body FROM notification")
    assert "roster_gap" in words
    assert "2026-11-24T08:00:00.000Z" in words
    assert "anna" not in title + words
    await desk.announce("roster.error", **data)
    assert by_default(desk) in await targets(desk)
