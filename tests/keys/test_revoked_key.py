"""What a revoked key has signed: judged by when it was signed and when it came, never by what is learned later."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import pytest

from app.db.engine import begin, reading
from app.db.quarantine import pages
from app.services.accepted_meanwhile import accepted_meanwhile
from app.services.admit_text import admit_text
from tests.envelope.parties import AURELIA, NOW
from tests.keys.rotation import SECOND, again, record
from tests.support.peer import new_id

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.directories import Accepted
    from tests.keys.rotation import Rotation
    from tests.support.peer import Clock

MINUTE = timedelta(minutes=1)
REVOKED_AT = NOW + 30 * MINUTE
BEFORE, AFTER = REVOKED_AT - MINUTE, REVOKED_AT + MINUTE
LATER = AFTER + 60 * MINUTE


class Case(NamedTuple):
    """When a text was signed, when it came, whether its receiver knew of the revocation by then; and what follows."""

    signed: datetime
    came: datetime
    known: bool
    taken: bool
    listed: bool


CASES = {
    "signed and received before, known beforehand": Case(BEFORE, BEFORE, known=True, taken=True, listed=False),
    "signed and received before, known later": Case(BEFORE, BEFORE, known=False, taken=True, listed=False),
    "signed before, received after, known": Case(BEFORE, AFTER, known=True, taken=False, listed=False),
    "signed before, received after, known later": Case(BEFORE, AFTER, known=False, taken=True, listed=True),
    "signed after by a fast clock, received before, known": Case(AFTER, BEFORE, known=True, taken=False, listed=False),
    "signed after by a fast clock, known later": Case(AFTER, BEFORE, known=False, taken=True, listed=True),
    "signed and received after, known": Case(AFTER, AFTER, known=True, taken=False, listed=False),
    "signed and received after, known later": Case(AFTER, AFTER, known=False, taken=True, listed=True),
}


async def listing(rotation: Rotation) -> list[Accepted]:
    """What the desk is shown."""
    async with reading(rotation.station.engine) as session:
        return await accepted_meanwhile(session, rotation.station.node.directory)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_signed_and_received(rotation: Rotation, clock: Clock, case: Case) -> None:
    """What is taken is receipted and stays taken, whatever is learned later; what came too late for that is listed."""
    station, thread = rotation.station, new_id()
    said = rotation.first.say_next(thread, iat=int(case.signed.timestamp()))
    clock.now = case.came
    if case.known:
        rotation.revoke_first(REVOKED_AT)
    await station.take(rotation.first.close(said))
    clock.now = LATER
    rotation.revoke_first(REVOKED_AT)
    await rotation.look_again()
    assert await station.effects_of(thread) == ([1] if case.taken else [])
    assert await rotation.receipts() == ([(said.hash, "stored", None)] if case.taken else [])
    assert await rotation.quarantined() == ([] if case.taken else [("key_revoked", False)])
    assert [(one.kid, one.thread) for one in await listing(rotation)] == (
        [(AURELIA.signing.kid, thread)] if case.listed else []
    )


def test_judged_by_now_nothing_stands() -> None:
    """(Control) Whether the key is valid *now* would turn every verdict of the past, also on what came in time."""
    now_valid = record(AURELIA.signing, revoked_at=REVOKED_AT).is_valid_at(LATER)
    wrong = {name for name, case in CASES.items() if case.taken != now_valid}
    assert {name for name, case in CASES.items() if case.taken} == wrong


def test_judged_by_its_own_date_a_thief_need_only_lie() -> None:
    """(Control) Whether the key was valid at `iat` alone would let in what a thief dates back."""
    key = record(AURELIA.signing, revoked_at=REVOKED_AT)
    let_in = {name for name, case in CASES.items() if case.known and key.is_valid_at(case.signed) and not case.taken}
    assert let_in == {"signed before, received after, known"}


async def test_backdated(rotation: Rotation, clock: Clock) -> None:
    """A revocation that is moved back lists what came since then, and takes nothing back."""
    station, thread = rotation.station, new_id()
    early, late = rotation.first.say_next(thread), rotation.first.say_next(thread)
    await station.take(rotation.first.close(early))
    clock.now = BEFORE
    await station.take(rotation.first.close(late))
    rotation.revoke_first(REVOKED_AT)
    assert await listing(rotation) == []
    rotation.revoke_first(NOW + MINUTE)
    shown = await listing(rotation)
    assert [(one.received_at, one.revoked_at, one.state) for one in shown] == [(BEFORE, NOW + MINUTE, "applied")]
    assert await station.effects_of(thread) == [1, 2]


async def test_what_was_signed_again_is_not_listed(rotation: Rotation, clock: Clock) -> None:
    """The sender's word under a key that is still believed settles the doubt, applied or waiting."""
    station, applied, waiting = rotation.station, new_id(), new_id()
    rotation.first.say_next(waiting)
    said = [rotation.first.say_next(applied), rotation.first.say_next(waiting)]
    clock.now = AFTER
    await station.take(*map(rotation.first.close, said))
    rotation.revoke_first(REVOKED_AT)
    assert [one.thread for one in await listing(rotation)] == sorted([applied, waiting])
    await station.take(*(rotation.first.close(again(one, rotation.second)) for one in said))
    assert await listing(rotation) == []


async def test_the_second_key_is_judged_by_when_its_text_came(rotation: Rotation, clock: Clock) -> None:
    """If the next key is revoked too, what it signed again is listed by its own arrival, not by the message's."""
    station, thread = rotation.station, new_id()
    rotation.first.say_next(thread)
    act = rotation.first.say_next(thread)
    await station.take(rotation.first.close(act))
    rotation.revoke_first(NOW + MINUTE)
    clock.now = AFTER
    await station.take(rotation.first.close(again(act, rotation.second)))
    first = record(AURELIA.signing, revoked_at=NOW + MINUTE)
    rotation.believe(first, record(SECOND, revoked_at=AFTER + MINUTE))
    assert await listing(rotation) == []
    rotation.believe(first, record(SECOND, revoked_at=REVOKED_AT))
    assert [(one.kid, one.received_at) for one in await listing(rotation)] == [(SECOND.kid, AFTER)]


async def test_what_officers_admitted_is_not_listed(rotation: Rotation, clock: Clock) -> None:
    """Two officers knew what they let in."""
    station, thread = rotation.station, new_id()
    said = rotation.first.say_next(thread)
    rotation.revoke_first(REVOKED_AT)
    clock.now = AFTER
    await station.take(rotation.first.close(said))
    async with begin(station.engine) as session:
        (kept,) = await pages(session, limit=10)
        await admit_text(session, station.node, kept, effects=station.effects, now=clock())
    assert await listing(rotation) == []


async def test_heartbeats_are_not_listed(rotation: Rotation, clock: Clock) -> None:
    """Each is followed by another one within minutes."""
    clock.now = AFTER
    await rotation.station.take(rotation.first.close(rotation.first.say("heartbeat/1", {"at": "x"})))
    rotation.revoke_first(REVOKED_AT)
    assert await listing(rotation) == []
