"""Lists that peers send: answered once and seldom, believed no further than agreed, and never stored without bound."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from app.db.engine import begin
from app.domain.codes import Lane, MessageType
from app.domain.delivery_messages import MAX_LOOSE
from app.domain.resync import MAX_BELIEVED
from app.errors import Refused
from app.services.recovery.answer import BETWEEN_ANSWERS, BETWEEN_WANTS
from app.services.recovery.ask import ASK_AGAIN
from app.services.recovery.finish import GIVE_UP
from app.services.recovery.take_list import MAX_UNFINISHED
from app.services.recovery.want import ask_for_texts
from app.services.send import MAX_COPIED_BODY_BYTES, Outgoing
from tests.recovery.steps import RESYNC, answer, ask_of, closed, fates, listing, lost, part, returned, step, tell
from tests.support.peer import new_id

if TYPE_CHECKING:
    from tests.support.peer import Clock, Peer
    from tests.support.station import Station

ANSWERS = "SELECT count(*) FROM outbox WHERE type = 'resync/1' AND convert_from(body, 'UTF8') LIKE '%\"answer\"%'"
COPIES = "SELECT lane FROM outbox WHERE type = 'resync.copy/1' ORDER BY id"
AGAIN = "SELECT seq FROM outbox WHERE thread = :thread AND left_at IS NULL ORDER BY seq"
NUMBERS = "SELECT next_out FROM thread WHERE id = :thread"


async def a_thread(station: Station, aurelia: Peer, *, theirs: int, ours: int) -> str:
    """An exchange that XA opened, with so many messages of either side, all receipted."""
    thread = new_id()
    await station.take(*(aurelia.close(aurelia.say_next(thread, "void/1")) for _ in range(theirs)))
    for _ in range(ours):
        await station.put(Outgoing("XA", MessageType.EXCHANGE_STATE, {}, thread=thread, lane=Lane.URGENT))
    await station.change(
        "UPDATE outbox SET jws = 'text', jws_kid = 'kid', jws_hash = jti::text, receipt_status = 'stored',"
        " receipted_at = now(), left_at = now(), left_by = 'receipt' WHERE thread = :thread",
        thread=thread,
    )
    return thread


async def begun(station: Station, aurelia: Peer, kitano: Peer) -> None:
    """The node has lost its memory and knows it; the first steps have asked XA."""
    await station.take(returned(aurelia, kitano.say("void/1", {}, thread=new_id(), seq=1)))
    assert await step(station, "XA")


async def test_an_ask_is_answered_with_what_it_lacks(station: Station, aurelia: Peer) -> None:
    """The asker's texts above its numbers come back in order, ours that it lacks are queued again, then the list."""
    thread = await a_thread(station, aurelia, theirs=4, ours=3)
    await tell(station, aurelia, "ask", listing(thread, out=2, in_=1))
    assert await answer(station) == 1
    assert len(await station.rows(COPIES)) == 2
    assert await station.rows(AGAIN, thread=thread) == [(2,), (3,)]
    assert await station.rows(ANSWERS) == [(2,)]
    order = [type_ for (type_,) in await station.rows("SELECT type FROM outbox WHERE type LIKE 'resync%' ORDER BY id")]
    assert order == ["resync.copy/1"] * 2 + ["resync/1"] * 2


async def test_what_an_ask_does_not_list_is_lacking(station: Station, aurelia: Peer) -> None:
    """A node that was restored from nothing gets everything back."""
    thread = await a_thread(station, aurelia, theirs=3, ours=2)
    await tell(station, aurelia, "ask")
    await answer(station)
    assert len(await station.rows(COPIES)) == 3
    assert await station.rows(AGAIN, thread=thread) == [(1,), (2,)]


async def test_an_ask_on_one_lane_is_not_answered(station: Station, aurelia: Peer) -> None:
    """Until both lanes are through, something of the asker may be under way; then it is answered, once."""
    name = new_id()
    for lane in Lane:
        assert await answer(station) == 0
        body = part("ask", lane, id=name)
        await station.take(aurelia.close(aurelia.say(RESYNC, body)), lane=lane)
    assert await answer(station) == 1
    await tell(station, aurelia, "ask", id=name)
    assert await answer(station) == 0
    assert (await fates(station, RESYNC))[-2:] == [("stale", None)] * 2


async def test_whoever_is_restored_every_minute_is_answered_every_ten(
    station: Station, aurelia: Peer, clock: Clock
) -> None:
    """Of twenty asks in twenty minutes two are answered; the last one is not forgotten."""
    answered = 0
    for _ in range(20):
        await tell(station, aurelia, "ask")
        answered += await answer(station)
        clock.now += timedelta(minutes=1)
    assert answered == 20 * timedelta(minutes=1) // BETWEEN_ANSWERS
    clock.now += BETWEEN_ANSWERS
    assert await answer(station) == 1
    assert await answer(station) == 0


async def test_unfinished_lists_are_bounded(station: Station, aurelia: Peer) -> None:
    """A peer that begins lists and completes none has a few kept, the latest ones."""
    names = [new_id() for _ in range(3 * MAX_UNFINISHED)]
    for name in names:
        body = part("ask", Lane.URGENT, id=name, parts=9_000)
        await station.take(aurelia.close(aurelia.say(RESYNC, body)))
    kept = [name for (name,) in await station.rows("SELECT resync_id::text FROM resync_part")]
    assert sorted(kept) == sorted(names[-MAX_UNFINISHED:])


FALSE_LISTS: dict[str, tuple[dict[str, object], str]] = {
    "sent on another lane than it says": ({"lane": "routine"}, "wrong_lane"),
    "a part beyond the last": ({"part": 3, "parts": 2}, "malformed"),
    "a want in parts": ({"kind": "want", "parts": 2}, "malformed"),
}


@pytest.mark.parametrize("case", FALSE_LISTS)
async def test_a_list_that_contradicts_itself_is_refused(station: Station, aurelia: Peer, case: str) -> None:
    """It consumes nothing and is not kept."""
    members, code = FALSE_LISTS[case]
    body = part("ask", Lane.URGENT) | members
    await station.take(aurelia.close(aurelia.say(RESYNC, body)))
    assert await fates(station, RESYNC) == [("refused", code)]
    assert await station.rows("SELECT * FROM resync_part") == []


async def test_an_answer_that_nobody_asked_for_is_stale(station: Station, aurelia: Peer, kitano: Peer) -> None:
    """Neither an open peer nor one that answers under another name has a list of it kept."""
    await tell(station, aurelia, "answer")
    await begun(station, aurelia, kitano)
    await tell(station, aurelia, "answer")
    assert [state for state, _ in await fates(station, RESYNC)] == ["stale"] * 4
    assert not await step(station, "XA")
    assert await closed(station) == ["XA", "XS"]


async def test_absurd_numbers_waste_no_more_than_agreed(
    station: Station, aurelia: Peer, kitano: Peer, clock: Clock
) -> None:
    """A peer that says it has two thousand million texts of ours and returns one makes us skip a thousand numbers."""
    thread = new_id()
    await station.take(returned(aurelia, kitano.say("void/1", {}, thread=thread, seq=2)))
    await step(station, "XA")
    await tell(station, aurelia, "answer", listing(thread, in_=2**31 - 1), id=await ask_of(station, "XA"))
    assert not await step(station, "XA")
    assert await closed(station) == ["XA", "XS"]
    clock.now += GIVE_UP
    assert await step(station, "XA")
    assert await closed(station) == ["XS"]
    assert await station.rows(NUMBERS, thread=thread) == [(2 + MAX_BELIEVED + 1,)]
    assert {what for _, _, what in await lost(station)} == {"kept_back"}
    assert len(await lost(station)) == MAX_BELIEVED + 1


async def test_a_peer_that_kept_nothing_back_is_open_at_once(station: Station, aurelia: Peer, kitano: Peer) -> None:
    """(Control) With every number it names returned, there is nothing to wait for."""
    thread = new_id()
    said = [kitano.say("void/1", {}, thread=thread, seq=seq) for seq in (1, 2)]
    await station.take(*(returned(aurelia, one) for one in said))
    await step(station, "XA")
    await tell(station, aurelia, "answer", listing(thread, in_=2), id=await ask_of(station, "XA"))
    assert await step(station, "XA")
    assert await closed(station) == ["XS"]
    assert await station.rows(NUMBERS, thread=thread) == [(3,)]
    assert await lost(station) == []


async def test_a_peer_that_is_there_but_stuck_is_asked_anew(
    station: Station, aurelia: Peer, kitano: Peer, clock: Clock
) -> None:
    """After a while under another name, with what has come back by then; a silent one keeps its first ask."""
    await begun(station, aurelia, kitano)
    assert await step(station, "XS")
    first, silent = await ask_of(station, "XA"), await ask_of(station, "XS")
    clock.now += ASK_AGAIN
    await station.take(aurelia.close(aurelia.say("heartbeat/1", {"at": "2026-11-22T09:45:00.000Z"})))
    assert await step(station, "XA")
    await step(station, "XS")
    assert await ask_of(station, "XA") != first
    assert await ask_of(station, "XS") == silent
    await tell(station, aurelia, "answer", id=first)
    assert not await step(station, "XA")


async def test_a_text_that_is_wanted_by_name_comes_back(station: Station, aurelia: Peer, clock: Clock) -> None:
    """Wants are answered at most once a minute, with texts that have a place in a thread."""
    thread = new_id()
    said = [aurelia.say_next(thread, "void/1") for _ in range(3)]
    await station.take(*(aurelia.close(one) for one in said))
    for one in said[:2]:
        body = part("want", Lane.URGENT, want=[one.claims.jti])
        await station.take(aurelia.close(aurelia.say(RESYNC, body)))
        await answer(station)
    assert len(await station.rows(COPIES)) == 1
    clock.now += BETWEEN_WANTS
    await answer(station)
    assert len(await station.rows(COPIES)) == 2


async def test_texts_are_wanted_in_lists_of_bounded_length(station: Station) -> None:
    """However many receipts name texts that we do not know, each list asks for as many as one may."""
    async with begin(station.engine) as session:
        await ask_for_texts(session, station.node, "XA", {uuid4() for _ in range(MAX_LOOSE + 1)}, now=station.clock())
    assert await station.rows("SELECT count(*) FROM outbox WHERE type = 'resync/1'") == [(2,)]


async def test_what_could_not_be_given_back_is_not_sent(station: Station) -> None:
    """A message of an exchange is refused when it would not fit into the copy that a peer may have to return."""
    thread = new_id()
    fits, exceeds = ({"text": "x" * (MAX_COPIED_BODY_BYTES + more)} for more in (-11, -10))
    await station.put(Outgoing("XA", MessageType.EXCHANGE_STATE, fits, thread=thread))
    with pytest.raises(Refused, match="message_too_large"):
        await station.put(Outgoing("XA", MessageType.EXCHANGE_STATE, exceeds, thread=thread))
