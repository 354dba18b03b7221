"""Receipts end messages, bring back what was lost, and are believed only about texts that we signed for that peer."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.bus.memory import MemoryBus
from app.db import outbox, receipts
from app.db.engine import begin
from app.domain.codes import Fate, Lane, MessageType
from app.services.inbound import Applied
from app.services.send import Outgoing, move_lane
from tests.services.test_receive_evidence import facts
from tests.support.bus import consuming, short_pauses, until
from tests.support.peer import new_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from app.bus.memory import MemoryBroker
    from app.db.engine import Session
    from app.services.inbound import Received
    from app.services.node import Node
    from tests.support.peer import Peer
    from tests.support.station import Station

LEFT = "SELECT receipt_status, receipt_reason, left_by FROM outbox WHERE type <> 'receipt/1' ORDER BY id"


@pytest.fixture
async def broker(station: Station, aurelia: Peer) -> AsyncIterator[MemoryBroker]:
    """The node's broker, with XA listening in silence on both lanes."""
    bus = MemoryBus(clock=station.clock, pauses=short_pauses())
    ours, theirs = bus.connect("XT"), bus.connect("XA")
    async with consuming(theirs, Lane.URGENT, aurelia.hear), consuming(theirs, Lane.ROUTINE, aurelia.hear):
        yield ours


async def send(station: Station, broker: MemoryBroker, count: int = 1, **changes: Any) -> str:  # noqa: ANN401 - any member
    """Queue acts in one thread towards XA and publish them; returns the thread."""
    thread = new_id()
    plain: dict[str, Any] = {"peer": "XA", "type": MessageType.EXCHANGE_ACTION, "body": {}, "thread": thread}
    for _ in range(count):
        await station.put(Outgoing(**{**plain, **changes}))
    await station.relay(broker)
    return thread


async def test_a_receipt_ends_a_message(station: Station, aurelia: Peer, broker: MemoryBroker) -> None:
    """A receipt for the signed text ends the row, dates its copy and is one fact; a second one changes nothing."""
    await send(station, broker)
    receipt = aurelia.receipt_for(*aurelia.heard)
    station.clock.now += timedelta(seconds=2)
    for said in (receipt, aurelia.receipt_for(*aurelia.heard)):
        await station.take(aurelia.close(said))
        assert await station.rows(LEFT) == [("stored", None, "receipt")]
    assert await station.rows("SELECT copy, receipted_at FROM publication") == [(1, station.clock())]
    assert (await facts(station)).count("receipt.received") == 1


async def test_nobody_receipts_a_receipt(station: Station, aurelia: Peer, broker: MemoryBroker) -> None:
    """A receipt that arrives causes no message."""
    await send(station, broker)
    await station.take(aurelia.close(aurelia.receipt_for(*aurelia.heard)))
    assert await station.rows("SELECT count(*) FROM outbox WHERE type = 'receipt/1'") == [(0,)]


STATUSES: dict[str, tuple[list[str], tuple[str, str | None]]] = {
    "held counts as delivered": (["held"], ("held", None)),
    "stored after held": (["held", "stored"], ("stored", None)),
    "held that was overtaken by stored": (["stored", "held"], ("stored", None)),
    "quarantined after stored": (["stored", "quarantined"], ("quarantined", "why")),
    "stored after quarantined": (["quarantined", "stored"], ("stored", None)),
}


@pytest.mark.parametrize("case", STATUSES)
async def test_status(station: Station, aurelia: Peer, broker: MemoryBroker, case: str) -> None:
    """The latest word of the peer stands, but that `held` never takes back another."""
    statuses, (status, reason) = STATUSES[case]
    await send(station, broker)
    for said in statuses:
        changes = {"reason": "why"} if said == "quarantined" else {}
        await station.take(aurelia.close(aurelia.receipt_for(*aurelia.heard, status=said, **changes)))
    assert await station.rows(LEFT) == [(status, reason, "receipt")]


async def test_a_receipt_for_another_text_is_an_alarm(station: Station, aurelia: Peer, broker: MemoryBroker) -> None:
    """A receipt that names a hash we never signed ends nothing and is kept as an open case."""
    await send(station, broker)
    await station.take(aurelia.close(aurelia.receipt_for(*aurelia.heard, inner_hash="A" * 43)))
    assert await station.unreceipted() == 1
    found = await station.rows("SELECT reason, authenticated, iss, jti, state FROM quarantine")
    assert found == [("receipt_for_unknown_text", True, "XA", aurelia.heard[0].claims.jti, "open")]
    assert "receipt.received" in await facts(station)


async def test_a_receipt_for_an_unknown_message_is_an_alarm(
    station: Station, aurelia: Peer, broker: MemoryBroker
) -> None:
    """A receipt for a `jti` that this node never gave is kept as an open case; the rest of the list counts."""
    await send(station, broker)
    (heard,) = aurelia.heard
    strange = aurelia.receipt_for(heard, jti=new_id())
    entries = [*strange.claims.body["receipts"], *aurelia.receipt_for(heard).claims.body["receipts"]]
    await station.take(aurelia.close(aurelia.say("receipt/1", {"receipts": entries})))
    assert await station.rows("SELECT reason FROM quarantine") == [("receipt_for_unknown_text",)]
    assert await station.rows(LEFT) == [("stored", None, "receipt"), (None, None, None)]


async def test_an_unknown_message_is_asked_for_once(station: Station, aurelia: Peer, broker: MemoryBroker) -> None:
    """The text of which only a receipt is known is wanted back from that peer, however often it is receipted."""
    await send(station, broker)
    strange = aurelia.receipt_for(*aurelia.heard, jti=(jti := new_id()))
    for _ in range(2):
        await station.take(aurelia.close(strange), aurelia.close(aurelia.say("receipt/1", strange.claims.body)))
    ((peer, body),) = await station.rows("SELECT peer, body FROM outbox WHERE type = 'resync/1'")
    assert (peer, json.loads(body)["want"]) == ("XA", [jti])


async def test_a_third_state_cannot_receipt(
    station: Station, aurelia: Peer, sahran: Peer, broker: MemoryBroker
) -> None:
    """A receipt from XS for what was sent to XA ends nothing, though jti and hash are right."""
    await send(station, broker)
    await station.take(sahran.close(sahran.receipt_for(*aurelia.heard)))
    assert await station.unreceipted() == 1
    assert await station.rows("SELECT iss FROM quarantine") == [("XS",)]


async def test_a_replaced_text_may_be_receipted(station: Station, aurelia: Peer, broker: MemoryBroker) -> None:
    """A receipt for a text that a newer signature of ours has replaced ends the message."""
    await send(station, broker)
    await station.change(
        """INSERT INTO signed_text (jti, inner_hash, kid, jws, signed_at)
           SELECT jti, jws_hash, jws_kid, jws, signed_at FROM outbox"""
    )
    await station.change("UPDATE outbox SET jws_hash = 'newer', resigned = 1")
    await station.take(aurelia.close(aurelia.receipt_for(*aurelia.heard)))
    assert await station.unreceipted() == 0


async def test_missing_is_sent_again_at_once(station: Station, aurelia: Peer, broker: MemoryBroker) -> None:
    """`missing` publishes all that is unreceipted of that thread on urgent at once, and nothing of another thread."""
    thread = await send(station, broker, 3, lane=Lane.ROUTINE)
    other = await send(station, broker)
    third = next(opened for opened in aurelia.heard if opened.claims.thread == thread and opened.claims.seq == 3)
    aurelia.heard.clear()
    await station.take(aurelia.close(aurelia.receipt_for(third, status="held", missing=[1, 2])))
    await station.relay(broker, Lane.URGENT)
    assert sorted((opened.claims.seq, opened.copy) for opened in aurelia.messages()) == [(1, 2), (2, 2)]
    assert other not in {opened.claims.thread for opened in aurelia.heard}


async def test_missing_is_no_storm(station: Station, aurelia: Peer, broker: MemoryBroker) -> None:
    """Thirty receipts that all miss a message which left this second bring no further copy before it is late."""
    await send(station, broker, 2, lane=Lane.URGENT)
    second = next(opened for opened in aurelia.heard if opened.claims.seq == 2)
    aurelia.heard.clear()
    for _ in range(30):
        await station.take(aurelia.close(aurelia.receipt_for(second, status="held", missing=[1])))
        await station.relay(broker)
    assert aurelia.messages() == []
    station.clock.now += timedelta(seconds=5)
    await station.relay(broker)
    assert [opened.claims.seq for opened in aurelia.messages()] == [1]


MALFORMED: dict[str, dict[str, Any]] = {
    "no list": {},
    "an empty list": {"receipts": []},
    "an entry without a hash": {"receipts": [{"jti": new_id(), "copy": 1, "status": "stored"}]},
    "a status nobody knows": {"status": "eaten"},
    "a copy of zero": {"copy": 0},
}


@pytest.mark.parametrize("case", MALFORMED)
async def test_a_malformed_receipt_ends_nothing(
    station: Station, aurelia: Peer, broker: MemoryBroker, case: str
) -> None:
    """A receipt that is not what it should be is refused as a whole, and breaks nothing."""
    await send(station, broker)
    body = MALFORMED[case]
    if body and "receipts" not in body:
        body = aurelia.receipt_for(*aurelia.heard, **body).claims.body
    await station.take(aurelia.close(aurelia.say("receipt/1", body)))
    assert await station.rows("SELECT state, code FROM inbox") == [("refused", "malformed")]
    assert await station.unreceipted() == 1


async def test_one_batch_may_say_several_things(station: Station, aurelia: Peer, broker: MemoryBroker) -> None:
    """Of the receipts of one batch for one message the last word counts, and each new word is a fact."""
    await send(station, broker, 2)
    first, second = aurelia.heard
    said = [aurelia.receipt_for(first, second, status="held"), aurelia.receipt_for(first)]
    said.append(aurelia.receipt_for(first, second, status="held"))
    await station.take(*(aurelia.close(one) for one in said))
    assert sorted(await station.rows(LEFT)) == [("held", None, "receipt"), ("stored", None, "receipt")]
    assert (await facts(station)).count("receipt.received") == 3
    assert await station.rows("SELECT DISTINCT state FROM inbox") == [("applied",)]


async def test_a_malformed_one_among_others(station: Station, aurelia: Peer, broker: MemoryBroker) -> None:
    """A receipt that cannot be read is refused alone; the others of its batch count."""
    await send(station, broker)
    strange = aurelia.say("receipt/1", {"receipts": []})
    await station.take(aurelia.close(strange), aurelia.close(aurelia.receipt_for(*aurelia.heard)))
    assert await station.rows("SELECT state FROM inbox ORDER BY state") == [("applied",), ("refused",)]
    assert await station.unreceipted() == 0


async def test_a_first_receipt_is_news_of_its_way(station: Station, aurelia: Peer, broker: MemoryBroker) -> None:
    """The first receipt of a copy says since when its way is heard of; a repeated one says nothing new."""
    await send(station, broker)
    began = station.clock()
    for seconds in (2, 60):
        station.clock.now += timedelta(seconds=seconds)
        await station.take(aurelia.close(aurelia.receipt_for(*aurelia.heard)))
    found = await station.rows("SELECT peer, lane, fresh_began_at, heard_at FROM passage")
    assert found == [("XA", "routine", began, began + timedelta(seconds=2))]


async def test_a_receipt_for_a_copy_never_made(station: Station, aurelia: Peer, broker: MemoryBroker) -> None:
    """A receipt ends the message whatever copy it names, but a copy that was never made is no evidence."""
    await send(station, broker)
    await station.take(aurelia.close(aurelia.receipt_for(*aurelia.heard, copy=77)))
    assert await station.unreceipted() == 0
    assert await station.rows("SELECT heard_at FROM passage") == [(None,)]


async def test_receipts_crosswise_do_not_block(station: Station, aurelia: Peer, broker: MemoryBroker) -> None:
    """Two batches whose receipts name the same messages in opposite orders both come through, at the same time."""
    await send(station, broker, 2)
    ahead, back = ([aurelia.close(aurelia.receipt_for(one)) for one in aurelia.heard] for _ in range(2))
    batches = [ahead, back[::-1]]
    async with begin(station.engine) as holding:
        # Both are made to wait for the same row, so that they are under way at the same time.
        await outbox.lock(holding, [1])
        taking = [asyncio.create_task(station.take(*batch)) for batch in batches]
        await until_waiting(station, 2)
    await asyncio.gather(*taking)
    assert await station.unreceipted() == 0


async def test_taken_one_by_one_they_block_each_other(station: Station, aurelia: Peer, broker: MemoryBroker) -> None:
    """(Control) Transactions that lock what each receipt names as it comes wait for each other for ever."""
    await send(station, broker, 2)
    jtis = [UUID(opened.claims.jti) for opened in aurelia.heard]
    both_begun = asyncio.Barrier(2)

    async def take(order: list[UUID]) -> None:
        async with begin(station.engine) as session:
            await receipts.lock_sent(session, order[:1], gaps=())
            await both_begun.wait()
            await receipts.lock_sent(session, order[1:], gaps=())

    results = await asyncio.gather(take(jtis), take(jtis[::-1]), return_exceptions=True)
    (fault,) = (result for result in results if result is not None)
    assert isinstance(fault, DBAPIError)
    assert "deadlock" in str(fault)


async def hurry(session: Session, _node: Node, received: Received, now: datetime) -> Applied:
    """What a state of a higher tier does to its exchange."""
    await move_lane(session, UUID(received.thread), Lane.URGENT, now=now)
    return Applied(Fate.APPLIED)


ORDERED = {"all at once": True, "(Control) as they are needed": False}


@pytest.mark.parametrize("is_ordered", ORDERED.values(), ids=ORDERED)
async def test_an_effect_and_a_receipt_do_not_block_a_relay(
    station: Station, aurelia: Peer, broker: MemoryBroker, *, is_ordered: bool
) -> None:
    """A batch hurries a later row and receipts an earlier one, while a relay settles both in the order of their ids."""
    await send(station, broker)
    exchange = UUID(await send(station, broker))
    ((first,), (second,)) = await station.rows("SELECT id FROM outbox WHERE type <> 'receipt/1' ORDER BY id")
    batch = [aurelia.say("exchange.state/1", thread=str(exchange), seq=1), aurelia.receipt_for(aurelia.heard[0])]
    station.effects = replace(station.effects, apply={MessageType.EXCHANGE_STATE: hurry})

    async def take() -> None:
        if is_ordered:
            await station.take(*map(aurelia.close, batch))
            return
        async with begin(station.engine) as session:
            await move_lane(session, exchange, Lane.URGENT, now=station.clock())
            await receipts.lock_sent(session, {UUID(aurelia.heard[0].claims.jti)}, gaps=())

    async with begin(station.engine) as relay:
        await outbox.lock(relay, [first])
        taking = asyncio.create_task(take())
        await until_waiting(station, 1)
        settled = await asyncio.gather(outbox.lock(relay, [second]), return_exceptions=True)
    taken = await asyncio.gather(taking, return_exceptions=True)
    faults = [str(result) for result in (*settled, *taken) if result is not None]
    assert ["deadlock" in fault for fault in faults] == [True] * (not is_ordered)


async def test_gaps_are_locked_with_the_rest(station: Station, aurelia: Peer, broker: MemoryBroker) -> None:
    """What `missing` will make due is locked together with what is receipted, in one order."""
    thread = await send(station, broker, 3)
    third = next(opened for opened in aurelia.heard if opened.claims.seq == 3)
    jti = UUID(third.claims.jti)
    async with begin(station.engine) as session:
        assert list(await receipts.lock_sent(session, [jti], gaps=[jti])) == [jti]
        query = text("SELECT seq FROM outbox WHERE thread = :thread FOR UPDATE SKIP LOCKED")
        async with station.owner.begin() as other:
            assert list(await other.execute(query, {"thread": thread})) == []


async def until_waiting(station: Station, number: int) -> None:
    """Wait until so many transactions wait for a lock."""
    waiting = "wait_event_type = 'Lock' AND datname = current_database()"

    async def they_wait() -> bool:
        return bool((await station.rows(f"SELECT count(*) FROM pg_stat_activity WHERE {waiting}"))[0][0] >= number)

    await until(they_wait)
