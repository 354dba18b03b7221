"""Our own outbox in a recovery, ours or a peer's: what goes again, by which lane, and what never does."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from app.db.engine import begin
from app.domain.codes import Lane, MessageType
from app.services.send import Outgoing, move_lane
from tests.recovery.steps import answer, closed, returned, tell
from tests.support.peer import new_id

if TYPE_CHECKING:
    from tests.support.peer import Peer
    from tests.support.station import Station

LEAVE = (
    "UPDATE outbox SET jws = 'text', jws_kid = 'kid', jws_hash = jti::text, receipt_status = 'stored',"
    " receipted_at = now(), next_at = NULL, left_at = now(), left_by = 'receipt' WHERE thread = :thread"
)
SIGN = "UPDATE outbox SET jws = 'text', jws_kid = 'kid', jws_hash = jti::text WHERE jti = :jti"
LANE = "SELECT lane, left_at IS NULL FROM outbox WHERE thread = :thread"
STAYS = "SELECT left_by IS NULL AND left_at IS NULL FROM outbox WHERE jti = :jti"
LEFT_BY = "SELECT left_by FROM outbox WHERE jti = :jti"
SUPERSEDED = [("superseded",)]
AGAIN = "SELECT jti, peer, lane, left_at IS NULL FROM outbox WHERE type = 'incident/1' AND jti <> :before"


async def test_what_goes_again_takes_the_present_lane(station: Station, aurelia: Peer) -> None:
    """A text that left on the routine lane goes again on the urgent one if its exchange was raised meanwhile."""
    raised, routine = new_id(), new_id()
    for thread in (raised, routine):
        await station.put(Outgoing("XA", MessageType.EXCHANGE_STATE, {}, thread=thread))
        await station.change(LEAVE, thread=thread)
    async with begin(station.engine) as session:
        await move_lane(session, UUID(raised), Lane.URGENT, now=station.clock())
    assert await station.rows(LANE, thread=raised) == [("routine", False)]
    await tell(station, aurelia, "ask")
    assert await answer(station) == 1
    assert await station.rows(LANE, thread=raised) == [("urgent", True)]
    assert await station.rows(LANE, thread=routine) == [("routine", True)]


async def test_unsigned_messages_without_a_thread_are_given_up(station: Station, aurelia: Peer, kitano: Peer) -> None:
    """They may have been signed after the backup; what has its text here, or a place in a thread, stays."""
    await station.take(aurelia.close(aurelia.say("heartbeat/1", {"at": "2026-11-22T09:30:00.000Z"})))
    ((receipt,),) = await station.rows("SELECT jti FROM outbox WHERE type = 'receipt/1'")
    unsigned = await station.put(Outgoing("XS", MessageType.TEST_CALL, {}))
    signed = await station.put(Outgoing("XA", MessageType.TEST_CALL, {}))
    await station.change(SIGN, jti=signed)
    numbered = await station.put(Outgoing("XA", MessageType.EXCHANGE_STATE, {}, thread=new_id()))
    for jti in (receipt, unsigned, signed, numbered):
        assert await station.rows(STAYS, jti=jti) == [(True,)]
    await station.take(returned(aurelia, kitano.say("void/1", {}, thread=new_id(), seq=1)))
    assert await closed(station) == ["XA", "XS"]
    for jti in (receipt, unsigned):
        assert await station.rows(LEFT_BY, jti=jti) == SUPERSEDED
    for jti in (signed, numbered):
        assert await station.rows(STAYS, jti=jti) == [(True,)]


async def test_incident_is_told_under_a_new_name(station: Station, aurelia: Peer, kitano: Peer) -> None:
    """Nobody asks for a report that we may not have sent: it is given up like the others, and said once more."""
    report = {"incident_id": new_id(), "what": "A disk was lost."}
    unsigned = await station.put(Outgoing("XS", MessageType.INCIDENT, report, lane=Lane.URGENT))
    await station.take(returned(aurelia, kitano.say("void/1", {}, thread=new_id(), seq=1)))
    assert await station.rows(LEFT_BY, jti=unsigned) == SUPERSEDED
    ((jti, peer, lane, waits),) = await station.rows(AGAIN, before=unsigned)
    assert (peer, lane, waits) == ("XS", "urgent", True)
    same = "SELECT count(DISTINCT body) FROM outbox WHERE jti IN (:one, :other)"
    assert await station.rows(same, one=unsigned, other=jti) == [(1,)]
