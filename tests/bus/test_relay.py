"""From the outbox to the broker: one text per message, a copy per publication, and no end but the receipt."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event

from app.bus.attempts import BACK_OFF
from app.bus.broker import NotTaken, OutcomeUnknown, Unroutable
from app.bus.lookout import LONGEST_REST
from app.bus.memory import MemoryBus
from app.bus.relay import Relay, relay_once
from app.db import outbox, receipts
from app.db.engine import begin
from app.db.outbox import SignedText
from app.db.tables_delivery import Trouble
from app.domain.codes import Lane, MessageType
from app.errors import StorageInconsistent
from app.services.send import Outgoing
from tests.envelope.parties import AURELIA, KITANO, NOW, SAHRAN
from tests.support.bus import consuming, short_pauses
from tests.support.courier import Courier
from tests.support.peer import Clock, Peer, make_directory, new_id
from tests.support.station import Station, open_station

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from app.bus.broker import Broker, Delivery
    from tests.support.postgres import Database


@pytest.fixture
def aurelia() -> Peer:
    """XA, to whom the node writes; its clock is the node's."""
    return Peer(AURELIA, KITANO, Clock())


@pytest.fixture
async def station(database: Database, aurelia: Peer) -> AsyncIterator[Station]:
    """The node XT, which has a key of XA and none of XS."""
    urls = (database.url, database.owner_url)
    async with open_station(KITANO, AURELIA, urls=urls, clock=aurelia.clock) as opened:
        yield opened


@asynccontextmanager
async def memory(aurelia: Peer) -> AsyncIterator[tuple[MemoryBus, Broker]]:
    """A bus on which XA listens in silence, and the node's view of it."""
    bus = MemoryBus(clock=aurelia.clock, pauses=short_pauses())
    ours, theirs = bus.connect("XT"), bus.connect("XA")
    async with consuming(theirs, Lane.URGENT, aurelia.hear), consuming(theirs, Lane.ROUTINE, aurelia.hear):
        yield bus, ours


def act(**changes: Any) -> Outgoing:  # noqa: ANN401 - any member
    """An act for XA in a new thread."""
    plain = {"peer": "XA", "type": MessageType.EXCHANGE_ACTION, "body": {"words": "北"}, "thread": new_id()}
    return Outgoing(**{**plain, **changes})


STATE = "SELECT copy, tries, trouble, left_by FROM outbox ORDER BY id"


async def test_what_is_sealed_is_what_was_queued(station: Station, aurelia: Peer) -> None:
    """The peer opens exactly the type, thread, number, expiry and body that the act queued, as copy 1."""
    outgoing = act(type=MessageType.EXCHANGE_OPEN, lane=Lane.URGENT, exp=NOW + timedelta(hours=1))
    jti = await station.put(outgoing)
    async with memory(aurelia) as (_, broker):
        rounds = await station.relay(broker)
    assert [round_.confirmed for round_ in rounds] == [1, 0]
    (heard,) = aurelia.heard
    claims = heard.claims
    assert (claims.jti, claims.type, claims.thread, claims.seq, claims.prev) == (
        str(jti), "exchange.open/1", outgoing.thread, 1, None
    )  # fmt: skip
    assert (claims.iat, claims.exp, claims.body) == (NOW.timestamp(), NOW.timestamp() + 3600, {"words": "北"})
    assert heard.copy == 1


async def test_a_confirmation_ends_nothing(station: Station, aurelia: Peer) -> None:
    """A confirmed message stays in the outbox without a time of its own; what is sent again is the same text."""
    await station.put(act())
    async with memory(aurelia) as (_, broker):
        for wait in (timedelta(0), timedelta(seconds=4), timedelta(seconds=2), timedelta(seconds=15)):
            aurelia.clock.now += wait
            await station.relay(broker)
            assert await station.rows("SELECT next_at, left_at FROM outbox") == [(None, None)]
    assert [opened.copy for opened in aurelia.heard] == [1, 2, 3], "two probes, since nobody answers"
    assert len({opened.jws for opened in aurelia.heard}) == 1
    assert await station.rows(STATE) == [(3, 3, None, None)]
    assert await station.rows("SELECT count(*) FROM publication WHERE confirmed_at IS NOT NULL") == [(3,)]
    assert await station.rows("SELECT confirmed_at, published_lane FROM outbox") == [(aurelia.clock(), "routine")]


@pytest.mark.parametrize("waits", [False, True])
async def test_an_idle_relay_looks_at_one_thing(station: Station, *, waits: bool) -> None:
    """With an empty outbox a round is one statement, with something in it a whole look; and nothing is found later."""
    relay = Relay(station.engine, Courier(), station.sealing, station.clock, lambda: 0.5)
    said: list[str] = []
    event.listen(station.engine.sync_engine, "before_cursor_execute", lambda *told: said.append(told[2]))
    if waits:
        await station.put(act(peer="XS"))
    assert (await relay_once(relay, Lane.ROUTINE)).claimed == waits
    await relay_once(relay, Lane.ROUTINE)
    said.clear()
    assert (await relay_once(relay, Lane.ROUTINE)).claimed == 0
    assert (len(said) > 1) is waits
    await station.put(act())
    assert (await relay_once(relay, Lane.ROUTINE)).claimed == 1, "what is put leaves with the next round"


async def test_what_an_idle_relay_knows_does_not_grow_old(station: Station) -> None:
    """Every few seconds it looks at everything all the same."""
    relay = Relay(station.engine, Courier(), station.sealing, station.clock, lambda: 0.5)
    said: list[str] = []
    event.listen(station.engine.sync_engine, "before_cursor_execute", lambda *told: said.append(told[2]))
    looks = []
    for wait in (timedelta(), LONGEST_REST / 2, LONGEST_REST):
        station.clock.now += wait
        said.clear()
        await relay_once(relay, Lane.ROUTINE)
        looks.append("FROM passage" in "".join(said))
    assert looks == [True, False, True]


async def test_a_copy_is_counted_before_it_leaves(station: Station, aurelia: Peer) -> None:
    """When a publication begins, its row is committed: text, copy, lane and time of beginning."""
    seen: list[list[tuple[Any, ...]]] = []

    async def look() -> None:
        seen.append(await station.rows("SELECT copy, lane, began_at, confirmed_at FROM publication"))
        seen.append(await station.rows("SELECT jws IS NOT NULL FROM outbox"))

    await station.put(act())
    await station.relay(Courier(before=look))
    assert seen == [[(1, "routine", NOW, None)], [(True,)]]


FAULTS: dict[str, tuple[Exception, Trouble]] = {
    "nobody of that name": (Unroutable("no queue"), Trouble.UNROUTABLE),
    "not taken": (NotTaken("full"), Trouble.NOT_TAKEN),
    "no answer": (OutcomeUnknown("cut"), Trouble.OUTCOME_UNKNOWN),
}


@pytest.mark.parametrize("case", FAULTS)
async def test_faults_of_the_broker(station: Station, aurelia: Peer, case: str) -> None:
    """A publication that fails is noted on row and attempt, and the message goes out when the fault is gone."""
    fault, trouble = FAULTS[case]
    broker = Courier(fault)
    await station.put(act())
    (_, round_) = await station.relay(broker)
    assert round_.troubles == (trouble,)
    assert await station.rows("SELECT trouble, confirmed_at FROM publication") == [(trouble.value, None)]
    assert await station.rows(STATE) == [(1, 1, trouble.value, None)]
    broker.fault = None
    await station.relay(broker)
    assert broker.bodies == []
    aurelia.clock.now += BACK_OFF[0]
    await station.relay(broker)
    assert len(broker.bodies) == 1
    assert await station.rows(STATE) == [(2, 2, None, None)]


async def test_a_peer_without_key_waits_visibly(station: Station, aurelia: Peer) -> None:
    """What cannot be closed for its peer is neither signed nor published, shows why, and delays no other."""
    await station.put(act(peer="XS"))
    await station.put(act())
    async with memory(aurelia) as (_, broker):
        await station.relay(broker)
    assert await station.rows(STATE) == [(0, 1, "unknown_peer", None), (1, 1, None, None)]
    assert await station.rows("SELECT count(*) FROM outbox WHERE jws IS NOT NULL") == [(1,)]
    without_keys = make_directory(KITANO, AURELIA, SAHRAN).model_copy(update={"version": 2})
    assert station.sealing.obstacle("XS", NOW) is Trouble.UNKNOWN_PEER
    assert type(station.sealing)("XT", KITANO.signing, without_keys).obstacle("XS", NOW) is None
    late = NOW + timedelta(days=3_000)
    assert type(station.sealing)("XT", KITANO.signing, without_keys).obstacle("XS", late) is Trouble.NO_KEY


async def test_a_receipt_leaves_when_confirmed(station: Station, aurelia: Peer) -> None:
    """A `receipt/1` leaves the outbox with the broker's confirmation; refused by the broker it is tried again."""
    await station.put(Outgoing("XA", MessageType.RECEIPT, {"receipts": []}, lane=Lane.URGENT))
    await station.relay(Courier(NotTaken("full")))
    assert await station.rows(STATE) == [(1, 1, "not_taken", None)]
    aurelia.clock.now += BACK_OFF[0]
    async with memory(aurelia) as (_, broker):
        await station.relay(broker)
    assert await station.rows(STATE) == [(2, 2, None, "confirm")]


async def test_a_heartbeat_is_never_sent_again(station: Station, aurelia: Peer) -> None:
    """A heartbeat leaves the outbox after its first attempt, confirmed or not."""
    await station.put(Outgoing("XA", MessageType.HEARTBEAT, {}))
    await station.relay(Courier(OutcomeUnknown("cut")))
    assert await station.rows(STATE) == [(1, 1, "outcome_unknown", "replaced")]


async def test_two_relays_share_the_work(station: Station, aurelia: Peer) -> None:
    """Four relays at once publish each of a hundred messages once."""
    for _ in range(100):
        await station.put(act())
    broker = Courier()
    await asyncio.gather(*(station.relay(broker, Lane.ROUTINE) for _ in range(4)))
    assert len(broker.bodies) == 100
    assert await station.rows("SELECT DISTINCT copy FROM outbox") == [(1,)]


async def test_no_more_than_a_window_at_once(station: Station, aurelia: Peer) -> None:
    """However much is due, one relay has at most fifty publications under way, and says that there is more."""
    for _ in range(60):
        await station.put(act())
    broker = Courier()
    (round_,) = await station.relay(broker, Lane.ROUTINE)
    assert round_.claimed == round_.confirmed == broker.most_under_way == 50


async def test_one_text_although_two_sign(station: Station) -> None:
    """Of two relays that both signed a row, as after a lease ran out, the second publishes the first one's text."""
    await station.put(act())
    async with begin(station.engine) as session:
        (letter,) = await outbox.claim(session, Lane.ROUTINE, limit=1, now=NOW, lease_until=NOW)

    async def sign_as(name: str) -> tuple[str, int]:
        async with begin(station.engine) as session:
            draft = (letter, SignedText(f"text of {name}", "kid", f"hash of {name}"))
            (begun,) = await outbox.begin_copies(session, [draft], now=NOW)
            return begun.jws, begun.copy

    results = await asyncio.gather(*(sign_as(name) for name in "abcdef"))
    assert len({jws for jws, _ in results}) == 1
    assert sorted(copy for _, copy in results) == [1, 2, 3, 4, 5, 6]


async def test_without_the_guard_two_texts_leave(station: Station) -> None:
    """(Control) A signature that is stored without looking gives one jti two texts."""
    await station.put(act())
    texts = set()
    for name in "ab":
        await station.change("UPDATE outbox SET jws = :text, jws_kid = 'k', jws_hash = 'h'", text=name)
        texts.add((await station.rows("SELECT jws FROM outbox"))[0][0])
    assert len(texts) == 2


async def test_the_lanes_are_apart(station: Station, aurelia: Peer) -> None:
    """A round of one lane touches nothing of the other."""
    await station.put(act(lane=Lane.URGENT))
    await station.put(act(lane=Lane.ROUTINE))
    broker = Courier()
    await station.relay(broker, Lane.URGENT)
    assert [copy for copy, *_ in await station.rows(STATE)] == [1, 0]


async def test_a_tier_raised_during_a_publication(station: Station) -> None:
    """What is made due while a publication of it is under way stays due when that publication ends."""
    await station.put(act())

    async def raise_tier() -> None:
        await station.change("UPDATE outbox SET lane = 'urgent', next_at = :now", now=NOW)

    await station.relay(Courier(before=raise_tier), Lane.ROUTINE)
    broker = Courier()
    (round_,) = await station.relay(broker, Lane.URGENT)
    assert round_.confirmed == 1


async def test_a_broker_that_never_answers(station: Station) -> None:
    """A publication ends at its deadline with an unknown outcome, whatever the broker does."""
    await station.put(act())
    silent = Courier(before=asyncio.Event().wait)
    (round_,) = await station.relay(silent, Lane.ROUTINE, deadline_s=0.05)
    assert round_.troubles == (Trouble.OUTCOME_UNKNOWN,)


async def test_what_cannot_be_sealed_delays_nobody(station: Station) -> None:
    """A row that our own envelope refuses waits and shows it; the next one goes out."""
    await station.put(act())
    await station.put(act())
    await station.change("UPDATE outbox SET body = '[1]' WHERE id = 1")
    (round_,) = await station.relay(Courier(), Lane.ROUTINE)
    assert (round_.confirmed, round_.troubles) == (1, (Trouble.UNSEALABLE,))


async def test_a_text_that_cannot_be_closed(station: Station) -> None:
    """A stored text too long for an envelope is an attempt that failed, and stays visible."""
    await station.put(act())
    text = "x" * 500_000
    await station.change("UPDATE outbox SET jws = :text, jws_kid = 'k', jws_hash = 'h'", text=text)
    (round_,) = await station.relay(Courier(), Lane.ROUTINE)
    assert round_.troubles == (Trouble.UNSEALABLE,)
    assert await station.rows("SELECT trouble FROM publication") == [("unsealable",)]


def test_nothing_is_closed_without_a_key(station: Station) -> None:
    """Whoever closes a text for a peer without key, not having asked for obstacles, gets an error and no bytes."""
    with pytest.raises(StorageInconsistent):
        station.sealing.close("text", "XS", copy=1, now=NOW)


async def test_a_receipt_may_overtake_the_confirmation(station: Station, aurelia: Peer) -> None:
    """A message that was receipted while its publication still waited for the broker stays receipted."""

    async def answer(batch: Sequence[Delivery]) -> None:
        await aurelia.hear(batch)
        await station.take(aurelia.close(aurelia.receipt_for(*aurelia.heard)))

    await station.put(act(lane=Lane.URGENT))
    bus = MemoryBus(clock=aurelia.clock, pauses=short_pauses())
    ours, theirs = bus.connect("XT"), bus.connect("XA")
    async with consuming(theirs, Lane.URGENT, answer):
        (round_,) = await station.relay(ours, Lane.URGENT)
    assert round_.confirmed == 1
    assert await station.rows(STATE) == [(1, 1, None, "receipt")]
    assert await station.rows("SELECT confirmed_at, receipted_at FROM publication") == [(NOW, NOW)]


async def test_when_the_broker_is_back(station: Station, aurelia: Peer) -> None:
    """What the broker did not take is due at once when it is back, on the lane and to the peer that are named."""
    await station.put(act(lane=Lane.URGENT))
    await station.put(act(lane=Lane.ROUTINE))
    await station.relay(Courier(NotTaken("cut off")))
    made_due = []
    for which in ({"peer": "XS"}, {"lane": Lane.URGENT}, {}, {}):
        async with begin(station.engine) as session:
            made_due.append(await receipts.hasten_troubled(session, **which, now=NOW))
    assert made_due == [0, 1, 1, 0]
    rounds = await station.relay(Courier())
    assert [round_.confirmed for round_ in rounds] == [1, 1]
    async with begin(station.engine) as session:
        assert await receipts.hasten_troubled(session, now=NOW) == 0, "what was confirmed waits for its receipt"
