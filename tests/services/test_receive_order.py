"""Each message has its effect once, in the order of its thread, however it arrives."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from app.envelope.open import Opened
from app.services.keep import MAX_AHEAD
from tests.support.peer import new_id

if TYPE_CHECKING:
    from tests.support.peer import Peer
    from tests.support.station import Station


async def test_one_message_has_its_effect(station: Station, aurelia: Peer) -> None:
    """A message that opens its thread is applied, stored with its text, and leaves one fact."""
    thread = new_id()
    said = aurelia.say_next(thread)
    taken = await station.take(aurelia.close(said))
    assert taken.tally.new == 1
    assert await station.effects_of(thread) == [1]
    assert await station.rows("SELECT iss, jws, inner_hash, state FROM inbox") == [
        ("XA", said.jws, said.hash, "applied")
    ]
    assert len(await station.rows("SELECT 1 FROM audit_pending")) == 2, "one for the message, one for its receipt"


async def test_a_duplicate_has_no_effect(station: Station, aurelia: Peer) -> None:
    """Ten copies of one message, in one batch and in further ones, have one effect and are counted."""
    thread = new_id()
    said = aurelia.say_next(thread)
    copies = [aurelia.close(said, copy=copy) for copy in range(1, 11)]
    await station.take(*copies[:4])
    for raw in copies[4:]:
        await station.take(raw)
    assert await station.effects_of(thread) == [1]
    assert await station.rows("SELECT duplicates FROM inbox") == [(9,)]


async def test_without_dedupe_the_effect_doubles(station: Station, aurelia: Peer) -> None:
    """(Control) A receiver that applies whatever opens has one effect per copy."""
    thread = new_id()
    said = aurelia.say_next(thread)
    for copy in (1, 2):
        arrived = station.arrive(aurelia.close(said, copy=copy))
        assert isinstance(arrived.outcome, Opened)
        await station.change(
            "INSERT INTO effect (thread, seq) VALUES (:thread, 1)", thread=arrived.outcome.claims.thread
        )
    assert await station.effects_of(thread) == [1, 1]


async def test_order_of_a_reordered_batch(station: Station, aurelia: Peer) -> None:
    """Twenty messages that arrive in one shuffled batch have their effects in the order of their numbers."""
    thread = new_id()
    raws = [aurelia.close(aurelia.say_next(thread)) for _ in range(20)]
    random.Random(7).shuffle(raws)
    await station.take(*raws)
    assert await station.effects_of(thread) == list(range(1, 21))


async def test_without_numbers_the_order_is_that_of_arrival(station: Station, aurelia: Peer) -> None:
    """(Control) A receiver that applies on arrival takes them out of order."""
    thread = new_id()
    said = [aurelia.say_next(thread) for _ in range(20)]
    random.Random(7).shuffle(said)
    for one in said:
        await station.change(
            "INSERT INTO effect (thread, seq) VALUES (:thread, :seq)", thread=thread, seq=one.claims.seq
        )
    assert await station.effects_of(thread) != list(range(1, 21))


async def test_a_gap_holds_what_follows(station: Station, aurelia: Peer) -> None:
    """Behind a missing number nothing is applied; when it comes, all that waited is, in order, at once."""
    thread = new_id()
    first, second, third, fourth = (aurelia.close(aurelia.say_next(thread)) for _ in range(4))
    await station.take(first)
    await station.take(fourth)
    await station.take(third)
    assert await station.effects_of(thread) == [1]
    assert await station.fates_of(thread) == [(1, "applied", None), (3, "held", None), (4, "held", None)]
    await station.take(second)
    assert await station.effects_of(thread) == [1, 2, 3, 4]


async def test_a_gap_in_one_thread_delays_no_other(station: Station, aurelia: Peer) -> None:
    """Messages of other threads pass one that waits."""
    stuck, free = new_id(), new_id()
    aurelia.say_next(stuck)
    await station.take(aurelia.close(aurelia.say_next(stuck)), aurelia.close(aurelia.say_next(free)))
    assert await station.effects_of(stuck) == []
    assert await station.effects_of(free) == [1]


async def test_both_sides_count_on_their_own(station: Station, aurelia: Peer, sahran: Peer) -> None:
    """Numbers belong to a sender and a thread: two peers may use the same ones in threads of their own."""
    mine, yours = new_id(), new_id()
    await station.take(aurelia.close(aurelia.say_next(mine)), sahran.close(sahran.say_next(yours)))
    assert await station.effects_of(mine) == await station.effects_of(yours) == [1]


async def test_too_far_ahead_is_left_with_its_sender(station: Station, aurelia: Peer) -> None:
    """What is more than the window ahead is neither stored nor receipted; at the edge of the window it is held."""
    thread = new_id()
    await station.take(aurelia.close(aurelia.say_next(thread)))
    beyond = aurelia.say("exchange.action/1", thread=thread, seq=MAX_AHEAD + 2)
    edge = aurelia.say("exchange.action/1", thread=thread, seq=MAX_AHEAD + 1)
    taken = await station.take(aurelia.close(beyond), aurelia.close(edge))
    assert (taken.tally.too_far_ahead, taken.tally.new) == (1, 1)
    assert [seq for seq, _, _ in await station.fates_of(thread)] == [1, MAX_AHEAD + 1]


async def test_a_number_beyond_the_database_is_no_fault(station: Station, aurelia: Peer) -> None:
    """The largest number the wire allows is left alone like any other that is too far ahead."""
    thread = new_id()
    taken = await station.take(aurelia.close(aurelia.say("exchange.open/1", thread=thread, seq=2**53 - 1)))
    assert taken.tally.too_far_ahead == 1


async def test_fates_are_kept(station: Station, aurelia: Peer) -> None:
    """What an effect says of a message is stored with it, and the next number has its turn."""
    thread = new_id()
    bodies: list[dict[str, object]] = [{}, {"stale": True}, {}]
    await station.take(*(aurelia.close(aurelia.say_next(thread, body=body)) for body in bodies))
    assert await station.fates_of(thread) == [(1, "applied", None), (2, "stale", "late"), (3, "applied", None)]


async def test_a_thread_is_answered_once_per_batch(station: Station, aurelia: Peer) -> None:
    """However many messages of a thread a batch holds, its answer is asked for once, and for duplicates not at all."""
    thread, other = new_id(), new_id()
    raws = [aurelia.close(aurelia.say_next(thread)) for _ in range(5)]
    await station.take(*raws, aurelia.close(aurelia.say_next(other)))
    await station.take(*raws)
    assert sorted(key.id for key in station.answered) == sorted([thread, other])
