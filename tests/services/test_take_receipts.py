"""Receipts end messages, bring back what was lost, and are believed only about texts that we signed for that peer."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from app.bus.memory import MemoryBus
from app.domain.codes import Lane, MessageType
from app.services.send import Outgoing
from tests.services.test_receive_evidence import facts
from tests.support.bus import consuming, short_pauses
from tests.support.peer import new_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from app.bus.memory import MemoryBroker
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
    assert await station.unreceipted() == 0


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
