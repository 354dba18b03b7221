"""Both texts of a message arrive at the same moment, on both lanes and in several processes."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from app.domain.codes import Lane
from tests.envelope.parties import NOW
from tests.keys.rotation import again
from tests.support.peer import new_id

if TYPE_CHECKING:
    from tests.keys.rotation import Rotation
    from tests.support.peer import Said

ROUNDS = 12


async def at_once(rotation: Rotation, *texts: Said) -> None:
    """Let them all come at the same time, each in a transaction of its own, while the sweep is at work."""
    station = rotation.station
    lanes = (Lane.URGENT, Lane.ROUTINE)
    taking = [
        station.take(rotation.first.close(text, copy=copy), lane=lanes[copy % 2])
        for copy, text in enumerate(texts, start=1)
    ]
    await asyncio.gather(*taking, station.sweep())
    await station.sweep()


async def test_in_a_thread(rotation: Rotation) -> None:
    """In a thread each message has its effect once and in order, and one text of it stands, the other beside it."""
    station = rotation.station
    rotation.revoke_first(NOW + timedelta(hours=1))
    for _ in range(ROUNDS):
        thread = new_id()
        opening, act = rotation.first.say_next(thread), rotation.first.say_next(thread)
        texts = (act, again(act, rotation.second), opening, again(opening, rotation.second))
        await at_once(rotation, *texts, *texts)
        assert await station.effects_of(thread) == [1, 2]
        stand = {name for (name,) in await station.rows("SELECT inner_hash FROM inbox WHERE thread = :t", t=thread)}
        assert stand | await rotation.beside() >= {text.hash for text in texts}
    assert await rotation.quarantined() == []
    assert {status for _, status, _ in await rotation.receipts()} <= {"held", "stored"}


async def test_without_thread(rotation: Rotation) -> None:
    """Without a thread nothing but the row itself orders them: one effect all the same."""
    station = rotation.station
    rotation.revoke_first(NOW + timedelta(hours=1))
    for done in range(ROUNDS):
        said = rotation.first.say("test-call/1")
        second = again(said, rotation.second)
        await at_once(rotation, said, second, said, second)
        assert await station.rows("SELECT count(*) FROM effect") == [(done + 1,)]
    assert await rotation.quarantined() == []


async def test_while_the_directory_changes(rotation: Rotation) -> None:
    """A copy that comes while the waiting text is let in is one message with it, receipted and no longer waiting."""
    station = rotation.station
    for _ in range(ROUNDS):
        thread = new_id()
        rotation.believe_all()
        said = rotation.first.say_next(thread)
        second = again(said, rotation.second)
        await station.take(rotation.first.close(said))
        await station.take(rotation.first.close(second))
        rotation.revoke_first(NOW + timedelta(hours=1))
        await asyncio.gather(
            rotation.look_again(), station.take(rotation.first.close(second, copy=2)), rotation.look_again()
        )
        assert await station.effects_of(thread) == [1]
        assert await rotation.quarantined() == []
        assert (await rotation.receipts())[-1][:2] == (second.hash, "stored")
