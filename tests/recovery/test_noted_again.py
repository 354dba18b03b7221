"""A call about an exchange of which the restored node has only its own words: its opening has not come back yet."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from app.db import exchanges
from app.db.engine import begin, reading
from app.domain.codes import Fate, RequestType, Role, State
from app.domain.contact_points import ContactPoint
from app.domain.directory import Directory
from app.domain.exchange.opening import open_exchange
from app.domain.messages import ActionBody, FateBody, StateBody, write_body
from app.domain.requesting_acts import Withdraw
from app.domain.snapshot import take_snapshot
from app.errors import Conflict
from app.keystore.directory import example_profile
from app.services.act_on_exchange import act_on_exchange
from app.services.node import Acting, Actor
from app.services.note_exchange import NotedCall, note_exchange
from app.services.wanted import Wanted
from tests.domain.exchange.build import body, opening, walk
from tests.recovery.steps import ask_of, closed, listing, returned, step, tell
from tests.support.bus import until
from tests.support.peer import new_id

if TYPE_CHECKING:
    from app.db.exchanges import ExchangeRecord
    from app.domain.exchange.values import Exchange
    from tests.support.peer import Clock, Peer, Said
    from tests.support.station import Station

OFFICER = Actor(UUID(int=7), "person:7", Role.DUTY_OFFICER)


def before_the_loss(aurelia: Peer, kitano: Peer) -> tuple[Said, Exchange, list[Said]]:
    """An opening that XA said; the exchange it became, acknowledged; and what XT said of it, which it then forgot."""
    thread = new_id()
    opened = aurelia.say("exchange.open/1", write_body(opening()), thread=thread, seq=1)
    arrived = open_exchange(UUID(thread), opening(), now=kitano.clock())
    known = walk(arrived, "acknowledge")
    answers = (FateBody(jti=UUID(opened.claims.jti), fate=Fate.APPLIED),)
    said = [
        kitano.say(
            "exchange.state/1",
            write_body(StateBody(snapshot=take_snapshot(one), answers=answers, consumed=1)),
            thread=thread,
            seq=seq,
        )
        for seq, one in enumerate((arrived, known), start=1)
    ]
    return opened, known, said


async def recovered(station: Station, aurelia: Peer, said: list[Said]) -> None:
    """XA gives the texts back and opens again; its own opening is still under way."""
    await station.take(*(returned(aurelia, one) for one in said))
    assert await step(station, "XA")
    thread = listing(str(said[0].claims.thread), in_=len(said))
    await tell(station, aurelia, "answer", thread, id=await ask_of(station, "XA"))
    assert await step(station, "XA")
    assert await closed(station) == ["XS"]


def call_about(thread: str, requesting: str = "XA") -> NotedCall:
    """What the officer understood on the telephone."""
    type_ = RequestType.TECHNICAL_ADVICE
    return NotedCall(exchange_id=UUID(thread), requesting=requesting, type=type_, noted="By telephone.")


async def note(station: Station, thread: str, *, requesting: str = "XA") -> ExchangeRecord:
    """The desk notes a call about it."""
    call = call_about(thread, requesting)
    async with begin(station.engine) as session:
        return await note_exchange(session, station.node, call, actor=OFFICER, now=station.clock())


@pytest.fixture
async def desk(station: Station) -> Station:
    """The node with all that the directory says of a contact point: its officers need the law of its country."""
    points = station.node.directory.contact_points
    whole = tuple(ContactPoint(**dict(example_profile(one.code)), keys=one.keys) for one in points)
    directory = Directory.model_construct(version=1, issued_at=station.clock(), contact_points=whole)
    station.node = replace(station.node, directory=directory)
    return station


async def act(station: Station, action: str, exchange_id: UUID) -> None:
    """The desk works on it."""
    async with begin(station.engine) as session:
        record = await exchanges.load(session, exchange_id, for_update=True)
        assert record is not None
        generation = record.value.generation
        acting = Acting(session, station.node, OFFICER, station.clock())
        await act_on_exchange(acting, record, Wanted(action, generation, lambda: body(action, generation)))


async def stored(station: Station, exchange_id: UUID) -> ExchangeRecord:
    """How the node has it."""
    async with reading(station.engine) as session:
        record = await exchanges.load(session, exchange_id)
    assert record is not None
    return record


async def test_a_call_goes_on_from_what_was_signed(desk: Station, aurelia: Peer, kitano: Peer) -> None:
    """Noted after the restore, it is what we had said; worked on, it stays so, and the opening takes the mark away.

    Whether the peer has receipted what was said since decides nothing.
    """
    opened, known, said = before_the_loss(aurelia, kitano)
    await recovered(desk, aurelia, said)
    noted = (await note(desk, str(known.id))).value
    assert (noted.state, noted.generation, noted.flags) == (State.ACKNOWLEDGED, 3, ("noted",))
    assert (noted.type, noted.request_reference) == (known.type, known.request_reference)
    await act(desk, "accept", known.id)

    await desk.take(aurelia.close(opened))
    again = await stored(desk, known.id)
    assert (again.value.state, again.value.generation, again.value.flags) == (State.ACCEPTED, 5, ())
    assert again.document == opening().document
    assert [one.text for one in again.value.progress] == ["By telephone."]
    assert await desk.fates_of(str(known.id)) == [(1, "applied", None)]


async def test_no_other_code_is_noted_for_it(desk: Station, aurelia: Peer, kitano: Peer) -> None:
    """What we had said to one contact point, a call in another's name does not take: it is there already."""
    opened, known, said = before_the_loss(aurelia, kitano)
    await recovered(desk, aurelia, said)
    with pytest.raises(Conflict) as refused:
        await note(desk, str(known.id), requesting="XS")
    assert refused.value.code == "exchange_exists"
    await desk.take(aurelia.close(opened))
    again = await stored(desk, known.id)
    assert (again.value.requesting, again.value.state, again.value.flags) == ("XA", State.ACKNOWLEDGED, ())
    assert again.document == opening().document


async def test_noted_before_the_loss_was_noticed(desk: Station, aurelia: Peer, kitano: Peer, clock: Clock) -> None:
    """It becomes what we had signed when that comes back, and the opening gives it its document all the same."""
    opened, known, said = before_the_loss(aurelia, kitano)
    clock.now += timedelta(minutes=1)
    await note(desk, str(known.id))
    await act(desk, "acknowledge", known.id)
    await recovered(desk, aurelia, said)
    between = await stored(desk, known.id)
    assert (between.value.state, between.value.type, between.document) == (State.ACKNOWLEDGED, known.type, {})

    await desk.take(aurelia.close(opened))
    again = await stored(desk, known.id)
    assert (again.value.state, again.value.flags) == (State.ACKNOWLEDGED, ())
    assert again.document == opening().document
    assert again.value.asked == known.asked


async def test_noted_for_two_codes_at_one_moment(station: Station) -> None:
    """Two officers note one id, each for another caller: one of them is told that it is there, and nothing breaks."""
    thread = new_id()
    async with begin(station.engine) as first:
        await note_exchange(first, station.node, call_about(thread), actor=OFFICER, now=station.clock())
        other = asyncio.create_task(note(station, thread, requesting="XS"))
        await until(partial(waiting, station))
    with pytest.raises(Conflict) as refused:
        await other
    assert refused.value.code == "exchange_exists"
    assert await station.rows("SELECT requesting FROM exchange") == [("XA",)]


async def waiting(station: Station) -> bool:
    """Whether somebody waits for a lock."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    return await station.rows(query) == [(1,)]


async def test_a_withdrawal_that_waits_is_seen_by_who_notes_the_call(desk: Station, aurelia: Peer) -> None:
    """It came before the call, behind an opening that is lost: the desk must not execute what is withdrawn."""
    thread = new_id()
    act_of = ActionBody(act=Withdraw(action="withdraw", generation=1, reasons="Solved."), at=desk.clock())
    await desk.take(aurelia.close(aurelia.say("exchange.action/1", write_body(act_of), thread=thread, seq=2)))
    noted = await note(desk, thread)
    assert noted.value.private.withdrawal_waiting
