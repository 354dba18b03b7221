"""What a revoked key signed may be admitted by two officers, if its number is free and nothing else is wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from app.db.engine import begin
from app.db.quarantine import pages
from app.errors import Conflict
from app.services.admit_text import admit_text
from tests.envelope.parties import AURELIA, NOW
from tests.keys.rotation import SECOND, again, record
from tests.support.peer import new_id

if TYPE_CHECKING:
    from app.db.quarantine import Kept
    from tests.keys.rotation import Rotation
    from tests.support.peer import Clock, Said

HOUR = timedelta(hours=1)


async def late(rotation: Rotation, said: Said) -> Kept:
    """Let it come after its key was revoked, and return what the quarantine keeps of it."""
    rotation.revoke_first(NOW)
    await rotation.station.take(rotation.first.close(said))
    async with begin(rotation.station.engine) as session:
        return (await pages(session, limit=10))[-1]


async def admit(rotation: Rotation, kept: Kept) -> None:
    """Both officers agree."""
    async with begin(rotation.station.engine) as session:
        station = rotation.station
        await admit_text(session, station.node, kept, effects=station.effects, now=station.clock())


async def test_it_has_its_effect_in_its_turn(rotation: Rotation, clock: Clock) -> None:
    """It is held until the sweep gives it its effect, and receipted; what waited behind it follows."""
    station, thread = rotation.station, new_id()
    opening, act = rotation.first.say_next(thread), rotation.first.say_next(thread)
    await station.take(rotation.first.close(act))
    kept = await late(rotation, opening)
    assert await rotation.receipts() == [(act.hash, "held", None)]
    clock.now += HOUR
    await admit(rotation, kept)
    assert await station.effects_of(thread) == []
    await station.sweep()
    assert await station.effects_of(thread) == [1, 2]
    assert (await rotation.receipts())[1:] == [(opening.hash, "stored", None)]
    assert await rotation.quarantined() == []
    received = await station.rows("SELECT received_at FROM inbox WHERE seq = 1")
    assert received == [(NOW,)], "it came when it came, not when it was admitted"


async def test_its_message_came_again_under_another_key(rotation: Rotation) -> None:
    """If its sender has signed it again meanwhile, there is nothing left to admit."""
    said = rotation.first.say_next(new_id())
    kept = await late(rotation, said)
    await rotation.station.take(rotation.first.close(again(said, rotation.second)))
    with pytest.raises(Conflict) as refused:
        await admit(rotation, kept)
    assert refused.value.code == "seq_taken"


async def test_its_number_is_taken(rotation: Rotation) -> None:
    """A number that another message has, waiting or ended, is not given twice; that other one stands."""
    station, thread = rotation.station, new_id()
    kept = await late(rotation, rotation.first.say_next(thread))
    usurper = rotation.second.say("exchange.open/1", thread=thread, seq=1)
    await station.take(rotation.first.close(usurper))
    with pytest.raises(Conflict) as refused:
        await admit(rotation, kept)
    assert refused.value.code == "seq_taken"
    assert await station.rows("SELECT inner_hash FROM inbox") == [(usurper.hash,)]


async def test_admitted_twice_is_admitted_once(rotation: Rotation) -> None:
    """The second of two admissions of one row is refused."""
    kept = await late(rotation, rotation.first.say_next(new_id()))
    await admit(rotation, kept)
    with pytest.raises(Conflict) as refused:
        await admit(rotation, kept)
    assert refused.value.code == "seq_taken"
    assert await rotation.station.rows("SELECT state FROM quarantine") == [("admitted",)]


async def test_only_a_revoked_key_is_forgiven(rotation: Rotation) -> None:
    """A key that was out of its window, a changed text, another addressee or another reason cannot be admitted."""
    kept = await late(rotation, rotation.first.say_next(new_id()))
    header, payload, signature = kept.suspect.raw.decode().split(".")
    forged = f"{header}.{payload}.{signature[:-4]}AAAA".encode()
    stolen = replace(rotation.first, to=AURELIA)
    others = {
        "another reason": replace(kept, suspect=replace(kept.suspect, reason="bad_signature")),
        "a broken signature": replace(kept, suspect=replace(kept.suspect, raw=forged)),
        "bytes": replace(kept, suspect=replace(kept.suspect, raw=b"\xff\x00")),
        "nobody's": replace(kept, suspect=replace(kept.suspect, iss=None)),
        "for another": replace(
            kept, suspect=replace(kept.suspect, raw=stolen.say("test-call/1", aud="XS").jws.encode())
        ),
        "another's word": replace(kept, suspect=replace(kept.suspect, iss="XS")),
    }
    for what, other in others.items():
        with pytest.raises(Conflict) as refused:
            await admit(rotation, other)
        assert refused.value.code == "not_admissible", what
    rotation.believe(record(AURELIA.signing, revoked_at=NOW, exp=NOW - HOUR), record(SECOND))
    with pytest.raises(Conflict) as refused:
        await admit(rotation, kept)
    assert refused.value.code == "not_admissible"
    assert await rotation.station.rows("SELECT count(*) FROM inbox") == [(0,)]


async def test_far_ahead_it_waits_for_those_before_it(rotation: Rotation) -> None:
    """What would not be kept had it come properly is not admitted either, and stays in quarantine."""
    kept = await late(rotation, rotation.first.say("exchange.action/1", thread=new_id(), seq=5_000))
    with pytest.raises(Conflict) as refused:
        await admit(rotation, kept)
    assert refused.value.code == "not_admissible"
    assert await rotation.quarantined() == [("key_revoked", False)]


async def test_what_is_not_understood_is_quarantined_for_that(rotation: Rotation) -> None:
    """An admitted text of an unknown type is stored and stops its thread, as if it had come properly."""
    thread = new_id()
    kept = await late(rotation, rotation.first.say("exchange.dance/1", thread=thread, seq=1))
    await admit(rotation, kept)
    assert await rotation.quarantined() == [("unknown_type", True)]
    assert await rotation.station.fates_of(thread) == [(1, "quarantined", "unknown_type")]
