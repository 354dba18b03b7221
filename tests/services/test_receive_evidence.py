"""What contradicts or proves nothing is kept as evidence and changes nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.db.quarantine import MAX_UNAUTHENTICATED
from app.domain.codes import Lane
from tests.envelope.parties import SAHRAN
from tests.services.test_receive_refusals import receipted
from tests.support.peer import impostor, new_id

if TYPE_CHECKING:
    from tests.support.peer import Peer
    from tests.support.station import Station

FACTS = "SELECT convert_from(leaf, 'UTF8')::jsonb ->> 'type' FROM audit_pending ORDER BY id"


async def facts(station: Station) -> list[str]:
    """Types of all facts, in order."""
    return [type_ for (type_,) in await station.rows(FACTS)]


async def test_a_second_text_under_one_jti(station: Station, aurelia: Peer) -> None:
    """A second text under a known `jti` has no effect, is kept and receipted as equivocation; the first one stands."""
    thread = new_id()
    first = aurelia.say_next(thread)
    second = aurelia.say(first.claims.type, {"other": 1}, thread=thread, seq=1, jti=first.claims.jti)
    await station.take(aurelia.close(first))
    await station.take(aurelia.close(second))
    assert await station.effects_of(thread) == [1]
    assert await station.rows("SELECT inner_hash FROM inbox") == [(first.hash,)]
    kept = await station.rows("SELECT reason, convert_from(raw, 'UTF8'), authenticated FROM quarantine")
    assert kept == [("equivocation", second.jws, True)]
    assert (await receipted(station))[-1] == ("XA", "quarantined", "equivocation")
    assert "envelope.equivocated" in await facts(station)


async def test_a_second_text_in_one_place(station: Station, aurelia: Peer) -> None:
    """Another `jti` under a taken number of a thread is equivocation, and the thread goes on."""
    thread = new_id()
    first = aurelia.say_next(thread)
    await station.take(aurelia.close(first))
    usurper = aurelia.say("exchange.action/1", thread=thread, seq=1)
    after = aurelia.say_next(thread)
    await station.take(aurelia.close(usurper), aurelia.close(after))
    assert await station.effects_of(thread) == [1, 2]
    assert [status for _, status, _ in await receipted(station)] == ["stored", "quarantined", "stored"]


async def test_equivocation_within_one_batch(station: Station, aurelia: Peer) -> None:
    """Of two texts for one place that come together the earlier is taken and the later kept as evidence."""
    thread = new_id()
    first = aurelia.say_next(thread)
    second = aurelia.say(first.claims.type, {"other": 1}, thread=thread, seq=1, jti=first.claims.jti)
    await station.take(aurelia.close(first), aurelia.close(second))
    assert await station.rows("SELECT inner_hash FROM inbox") == [(first.hash,)]
    assert await station.effects_of(thread) == [1]


async def test_repeated_equivocation_is_one_case(station: Station, aurelia: Peer) -> None:
    """The same second text again is counted, receipted again, and leaves no further fact."""
    thread = new_id()
    first = aurelia.say_next(thread)
    second = aurelia.say(first.claims.type, {"other": 1}, thread=thread, seq=1, jti=first.claims.jti)
    await station.take(aurelia.close(first))
    for copy in (1, 2, 3):
        await station.take(aurelia.close(second, copy=copy))
    assert await station.rows("SELECT times FROM quarantine") == [(3,)]
    assert (await facts(station)).count("envelope.equivocated") == 1
    assert len(await receipted(station)) == 4


async def test_the_unproven_is_kept_and_not_answered(station: Station, aurelia: Peer) -> None:
    """A text signed by another's key consumes nothing, gets no receipt, and leaves one fact however often it comes."""
    thread = new_id()
    false = impostor(aurelia)
    forged = false.say_next(thread)
    await station.take(false.close(forged), false.close(forged, copy=2))
    assert await station.rows("SELECT count(*) FROM inbox") == [(0,)]
    assert await station.rows("SELECT count(*) FROM outbox") == [(0,)]
    assert await station.rows("SELECT reason, authenticated, iss, times FROM quarantine") == [
        ("bad_signature", False, "XA", 2)
    ]
    assert await facts(station) == ["envelope.rejected"]
    genuine = aurelia.say_next(thread)
    await station.take(aurelia.close(genuine))
    assert await station.effects_of(thread) == [1], "the forged number 1 took nothing from the genuine one"


async def test_what_was_said_to_another_is_not_said_to_us(station: Station, aurelia: Peer) -> None:
    """A genuine text for XS that is passed on to us has no effect and gets no receipt."""
    thread = new_id()
    for_sahran = replace(aurelia, to=SAHRAN).say("exchange.open/1", thread=thread, seq=1)
    await station.take(aurelia.close(for_sahran))
    assert await station.effects_of(thread) == []
    assert await receipted(station) == []


async def test_bytes_that_are_no_envelope(station: Station) -> None:
    """Noise is kept once and counted; a good message in the same batch is not its victim."""
    await station.take(b"noise", b"", b"noise", b"\xff\x00")
    found = await station.rows("SELECT raw, times FROM quarantine ORDER BY id")
    assert found == [(b"noise", 2), (b"", 1), (b"\xff\x00", 1)]


async def test_noise_does_not_fill_the_disk(station: Station) -> None:
    """Beyond a bound the bytes of unproven origin are counted and no longer kept."""
    for start in range(0, MAX_UNAUTHENTICATED + 50, 350):
        await station.take(*(b"noise %d" % number for number in range(start, start + 350)))
    ((kept, counted),) = await station.rows("SELECT count(*) FILTER (WHERE raw <> ''), sum(times) FROM quarantine")
    assert kept == MAX_UNAUTHENTICATED
    assert counted == 1_050


async def test_a_batch_of_every_kind(station: Station, aurelia: Peer, sahran: Peer) -> None:
    """Noise, a forgery, an unknown type, a foreign act and a good message in one batch each get what is theirs."""
    thread, broken = new_id(), new_id()
    good = aurelia.say_next(thread)
    batch = [
        b"noise",
        impostor(aurelia).close(impostor(aurelia).say_next(new_id())),
        aurelia.close(aurelia.say("exchange.sing/1", thread=broken, seq=1)),
        aurelia.close(good),
        sahran.close(sahran.say_next(thread)),
        aurelia.close(good, copy=2),
    ]
    taken = await station.take(*batch, lane=Lane.ROUTINE)
    assert (taken.tally.unproven, taken.tally.new, taken.tally.duplicates) == (2, 3, 1)
    assert await station.effects_of(thread) == [1]
    lanes = await station.rows("SELECT peer, lane FROM outbox ORDER BY peer")
    assert lanes == [("XA", "routine"), ("XS", "routine")], "one list per peer, on the lane of what it receipts"
