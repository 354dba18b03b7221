"""Queuing is part of the act: it has a place in its thread, or it has not happened."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from app.db.engine import begin
from app.domain.codes import Lane, MessageType
from app.errors import Refused, StorageInconsistent
from app.services.send import Outgoing, move_lane, put
from tests.support.peer import new_id

if TYPE_CHECKING:
    from tests.support.station import Station

OUTBOX = "SELECT seq, prev, jti, lane FROM outbox WHERE peer = 'XA' ORDER BY id"


def act(thread: str, **changes: Any) -> Outgoing:  # noqa: ANN401 - any member
    """An act for XA in a thread."""
    return Outgoing(**{"peer": "XA", "type": MessageType.EXCHANGE_ACTION, "body": {}, "thread": thread, **changes})


async def test_numbers_and_predecessors(station: Station) -> None:
    """Messages of a thread are numbered from 1 without gaps, and each names the one before it."""
    thread = new_id()
    jtis = [await station.put(act(thread)) for _ in range(3)]
    found = [(seq, prev, jti) for seq, prev, jti, _ in await station.rows(OUTBOX)]
    assert found == [(1, None, jtis[0]), (2, jtis[0], jtis[1]), (3, jtis[1], jtis[2])]


async def test_acts_at_once_get_numbers_of_their_own(station: Station) -> None:
    """Twelve acts in one thread at the same moment get the numbers 1 to 12, chained."""
    thread = new_id()
    await asyncio.gather(*(station.put(act(thread)) for _ in range(12)))
    found = sorted((seq, prev, jti) for seq, prev, jti, _ in await station.rows(OUTBOX))
    assert [seq for seq, _, _ in found] == list(range(1, 13))
    assert [prev for _, prev, _ in found[1:]] == [jti for _, _, jti in found[:-1]]


async def test_an_act_that_fails_takes_no_number(station: Station) -> None:
    """A rolled back act leaves no message, no fact and no gap."""
    thread = new_id()

    async def fail() -> None:
        async with begin(station.engine) as session:
            await put(session, station.node, act(thread), now=station.clock())
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    await station.put(act(thread))
    assert [seq for seq, *_ in await station.rows(OUTBOX)] == [1]
    assert await station.rows("SELECT count(*) FROM audit_pending") == [(1,)]


async def test_the_opener_owns_the_thread(station: Station) -> None:
    """The first message of an exchange marks its thread as opened by us, with the exchange's id."""
    thread = new_id()
    await station.put(act(thread, type=MessageType.EXCHANGE_OPEN, lane=Lane.URGENT))
    found = await station.rows("SELECT peer, id, exchange_id, opened_by, lane, next_out FROM thread")
    assert found == [("XA", thread, UUID(thread), "XT", "urgent", 2)]


async def test_a_thread_keeps_its_lane(station: Station) -> None:
    """What is queued without a lane takes that of its thread; a lane that is given becomes the thread's."""
    thread = new_id()
    for lane in (None, Lane.URGENT, None):
        await station.put(act(thread, lane=lane))
    assert [lane for *_, lane in await station.rows(OUTBOX)] == ["routine", "urgent", "urgent"]


async def test_raising_the_tier_moves_what_waits(station: Station) -> None:
    """A raised tier makes all that is unreceipted of the exchange due at once on urgent, its attachments too."""
    thread, other = new_id(), new_id()
    chunk = act(f"att:{new_id()}", type=MessageType.ATTACHMENT_CHUNK, exchange_id=UUID(thread))
    for outgoing in (act(thread), chunk, act(other)):
        await station.put(outgoing)
    await station.change("UPDATE outbox SET next_at = next_at + interval '1 hour'")
    async with begin(station.engine) as session:
        await move_lane(session, UUID(thread), Lane.URGENT, now=station.clock())
        await put(session, station.node, act(thread), now=station.clock())
    found = await station.rows("SELECT lane, next_at FROM outbox ORDER BY id")
    now, later = found[3][1], found[2][1]
    assert found == [("urgent", now), ("urgent", now), ("routine", later), ("urgent", now)]
    assert now < later


async def test_lowering_the_tier_moves_the_next_copy(station: Station) -> None:
    """A lowered tier sends what waits, and what follows, on the routine lane."""
    thread = new_id()
    await station.put(act(thread, lane=Lane.URGENT))
    async with begin(station.engine) as session:
        await move_lane(session, UUID(thread), Lane.ROUTINE, now=station.clock())
    await station.put(act(thread))
    assert [lane for *_, lane in await station.rows(OUTBOX)] == ["routine", "routine"]


IMPOSSIBLE: dict[str, tuple[dict[str, Any], type[Exception]]] = {
    "an act without thread": ({"thread": None}, StorageInconsistent),
    "a receipt in a thread": ({"type": MessageType.RECEIPT}, StorageInconsistent),
    "an act that expires": ({"exp": "now"}, StorageInconsistent),
    "a body that no envelope can carry": ({"body": {"text": "x" * 300_000}}, Refused),
}


@pytest.mark.parametrize("case", IMPOSSIBLE)
async def test_what_cannot_be_sent_is_not_queued(station: Station, case: str) -> None:
    """A message that the receiver would have to refuse raises where it is queued."""
    changes, error = IMPOSSIBLE[case]
    if "exp" in changes:
        changes = {"exp": station.clock()}
    with pytest.raises(error):
        await station.put(replace(act(new_id()), **changes))
    assert await station.rows(OUTBOX) == []
