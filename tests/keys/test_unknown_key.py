"""A text under a key that our directory does not know yet is judged again under the next one, as of when it came."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.envelope.parties import AURELIA, NOW
from tests.keys.rotation import SECOND, THIRD, again, record
from tests.support.peer import impostor, new_id

if TYPE_CHECKING:
    from tests.keys.rotation import Rotation
    from tests.support.peer import Clock

HOUR = timedelta(hours=1)


async def unknown(rotation: Rotation) -> str:
    """Let the opening of a thread come under a key that is not published yet; returns the thread."""
    thread = new_id()
    rotation.believe(record(AURELIA.signing))
    await rotation.station.take(rotation.first.close(rotation.second.say_next(thread)))
    assert await rotation.quarantined() == [("unknown_sender_key", False)]
    return thread


async def test_the_next_directory_lets_it_in(rotation: Rotation, clock: Clock) -> None:
    """When the key is published it has its effect and its receipt, and counts as received when it first came."""
    thread = await unknown(rotation)
    await rotation.look_again()
    assert await rotation.receipts() == []
    clock.now += HOUR
    rotation.believe(record(AURELIA.signing), record(SECOND))
    await rotation.look_again()
    assert await rotation.station.effects_of(thread) == [1]
    assert [entry[1] for entry in await rotation.receipts()] == ["stored"]
    assert await rotation.station.rows("SELECT received_at FROM inbox") == [(NOW,)]
    assert await rotation.quarantined() == []


async def test_it_is_judged_as_of_when_it_came(rotation: Rotation, clock: Clock) -> None:
    """If the key is revoked between its arrival and the directory, the text stands: it came before."""
    thread = await unknown(rotation)
    clock.now += 2 * HOUR
    rotation.believe(record(AURELIA.signing), record(SECOND, revoked_at=NOW + HOUR))
    await rotation.look_again()
    assert await rotation.station.effects_of(thread) == [1]


def test_judged_by_now_it_would_be_refused() -> None:
    """(Control) At the moment of looking again that key is valid no more."""
    key = record(SECOND, revoked_at=NOW + HOUR)
    assert key.is_valid_at(NOW)
    assert not key.is_valid_at(NOW + 2 * HOUR)


async def test_a_key_that_was_revoked_by_then(rotation: Rotation) -> None:
    """A key that is published as revoked before the text came makes it a case for two officers."""
    thread = await unknown(rotation)
    rotation.believe(record(AURELIA.signing), record(SECOND, revoked_at=NOW - HOUR))
    await rotation.look_again()
    assert await rotation.quarantined() == [("key_revoked", False)]
    assert await rotation.station.rows("SELECT thread, seq FROM quarantine") == [(thread, 1)]
    assert await rotation.receipts() == []


async def test_a_key_that_was_not_valid_yet(rotation: Rotation) -> None:
    """A key whose window began after the text was signed lets nothing in, now or later."""
    thread = await unknown(rotation)
    rotation.believe(record(AURELIA.signing), record(SECOND, nbf=NOW + HOUR))
    await rotation.look_again()
    rotation.believe(record(AURELIA.signing), record(SECOND))
    await rotation.look_again()
    assert await rotation.quarantined() == [("key_not_valid", False)]
    assert await rotation.station.effects_of(thread) == []


async def test_an_impostor_gains_nothing(rotation: Rotation) -> None:
    """A text that only claims the name of the new key is seen through when the key is published."""
    rotation.believe(record(AURELIA.signing))
    forged = impostor(rotation.second).say("test-call/1")
    await rotation.station.take(rotation.first.close(forged))
    rotation.believe(record(AURELIA.signing), record(SECOND))
    await rotation.look_again()
    assert await rotation.quarantined() == [("bad_signature", False)]
    assert await rotation.receipts() == []


async def test_what_is_not_understood_stops_its_thread_then(rotation: Rotation) -> None:
    """Once its sender is proven, a text of an unknown type is quarantined as such, receipted, and has its number."""
    rotation.believe(record(AURELIA.signing))
    thread = new_id()
    said = rotation.second.say("exchange.dance/1", thread=thread, seq=1)
    await rotation.station.take(rotation.first.close(said))
    rotation.believe(record(AURELIA.signing), record(SECOND))
    await rotation.look_again()
    assert await rotation.quarantined() == [("unknown_type", True)]
    assert await rotation.receipts() == [(said.hash, "quarantined", "unknown_type")]


async def test_a_clock_that_was_ahead(rotation: Rotation, clock: Clock) -> None:
    """A text from the future under an unknown key waits first for the key and then for its time."""
    rotation.believe(record(AURELIA.signing))
    said = rotation.second.say_next(new_id(), iat=int((NOW + HOUR).timestamp()))
    await rotation.station.take(rotation.first.close(said))
    rotation.believe(record(AURELIA.signing), record(SECOND))
    await rotation.look_again()
    assert await rotation.quarantined() == [("from_the_future", True)]
    assert await rotation.receipts() == [(said.hash, "quarantined", "from_the_future")]


async def test_it_is_itself_a_second_text(rotation: Rotation) -> None:
    """A message signed again under a key unknown here waits for the key, then for the revocation of the first."""
    station, thread = rotation.station, new_id()
    rotation.believe(record(AURELIA.signing))
    said = rotation.first.say_next(thread)
    await station.take(rotation.first.close(said))
    second = again(said, rotation.second)
    await station.take(rotation.first.close(second))
    rotation.believe(record(AURELIA.signing), record(SECOND))
    await rotation.look_again()
    assert await rotation.quarantined() == [("awaiting_directory", True)]
    rotation.believe(record(AURELIA.signing, revoked_at=NOW + HOUR), record(SECOND))
    await rotation.look_again()
    assert await rotation.quarantined() == []
    assert (await rotation.receipts())[-1] == (second.hash, "stored", None)
    assert await station.effects_of(thread) == [1]


async def test_many_are_looked_at_page_by_page(rotation: Rotation) -> None:
    """However many wait, each is looked at, and those that stay do not hide those that are let in."""
    station = rotation.station
    rotation.believe(record(AURELIA.signing))
    for number in range(25):
        peer = rotation.third if number < 22 else rotation.second
        await station.take(rotation.first.close(peer.say("test-call/1")))
    rotation.believe(record(AURELIA.signing), record(SECOND))
    await rotation.look_again()
    assert len(await rotation.quarantined()) == 22
    rotation.believe(record(AURELIA.signing), record(SECOND), record(THIRD))
    await rotation.look_again()
    assert await rotation.quarantined() == []
    assert await station.rows("SELECT count(*) FROM effect") == [(25,)]
