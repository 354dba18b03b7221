"""Whom the duty roster names at an instant, as addresses; and when the contacts of the directory stand in for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.db import rosters
from app.domain.deadlines import Audience
from app.domain.roster import second_contact

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from app.db.engine import ReadSession


@dataclass(frozen=True, slots=True)
class Called:
    """Addresses of the second officer and the supervisor of the shift.

    `default`: the first escalation contact of the own directory entry is called as well, or instead.
    """

    second: str | None
    supervisor: str | None
    default: bool

    def address(self, audience: Audience) -> str | None:
        """Where the roster reaches that audience."""
        return {Audience.SECOND_CONTACT: self.second, Audience.SUPERVISOR: self.supervisor}.get(audience)


NOBODY_CALLED = Called(None, None, default=True)


async def find_called(session: ReadSession, audiences: Iterable[Audience], *, at: datetime) -> Called:
    """Whom the roster names at `at`. Nobody is looked up who is not to be told.

    The directory's contact stands in where the roster has a gap, or nobody with a valid training; and where the second
    officer left no address, since an address that nobody has reaches nobody.
    """
    if not {Audience.SECOND_CONTACT, Audience.SUPERVISOR}.intersection(audiences):
        return NOBODY_CALLED
    second = second_contact(await rosters.load_roster(session, now=at), at)
    if second.shift is None:
        return NOBODY_CALLED
    known = await rosters.records_of(session, {second.shift.secondary, second.shift.supervisor})
    mail = {person: one.record.mail for person, one in known.items()}
    reached = mail.get(second.shift.secondary)
    return Called(reached, mail.get(second.shift.supervisor), default=second.default or reached is None)
