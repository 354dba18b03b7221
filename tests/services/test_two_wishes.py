"""Two wishes of one kind are under way in an exchange: the end of the one is not taken for the end of the other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from app.db import acts, exchanges
from app.db.acts import ActRecord
from app.db.engine import begin
from app.db.exchanges import ExchangeRecord
from app.domain.codes import Direction, Fate, Lane, MessageType, RequestType, State, Tier
from app.domain.messages import FateBody, StateBody, write_body
from app.domain.snapshot import take_snapshot
from app.services.effects import EFFECTS
from app.services.send import Outgoing, move_lane
from tests.domain.exchange.build import in_state, wish
from tests.support.peer import new_id

if TYPE_CHECKING:
    from app.domain.exchange.values import Exchange
    from tests.support.peer import Peer
    from tests.support.station import Station

PERSON = UUID("019aab1c-0000-7000-8000-0000000000a1")
A_PERSON = (
    "INSERT INTO person (id, pseudonym, name, role, created_at) VALUES (:id, 'P-1', 'K. Ito', 'duty_officer', now())"
)
LANES = "SELECT jti, lane FROM outbox WHERE thread = :thread AND type = 'exchange.action/1' ORDER BY seq"
NEXT_LANE = "SELECT lane FROM thread WHERE id = :thread"


async def asked_of_aurelia(station: Station) -> Exchange:
    """A routine question of XT to XA, acknowledged there."""
    value = in_state(State.ACKNOWLEDGED, RequestType.TECHNICAL_ADVICE, Tier.ROUTINE)
    value = replace(value, id=UUID(new_id()), requesting="XT", requested="XA")
    await station.put(Outgoing("XA", MessageType.EXCHANGE_OPEN, {}, thread=str(value.id), lane=Lane.ROUTINE))
    record = ExchangeRecord(value, Direction.OUTGOING, None, {}, (), False, None, None, station.clock())  # noqa: FBT003 - a record
    async with begin(station.engine) as session:
        await exchanges.add(session, record, now=station.clock())
    await station.change(A_PERSON, id=PERSON)
    return value


async def raised(station: Station, value: Exchange, tier: Tier) -> UUID:
    """One raise of XT under way; the id of the act."""
    said = wish("raise_tier", value, tier=tier)
    async with begin(station.engine) as session:
        await move_lane(session, value.id, Lane.URGENT, now=station.clock())
    jti = await station.put(Outgoing("XA", MessageType.EXCHANGE_ACTION, write_body(said), thread=str(value.id)))
    act = ActRecord(jti, value.id, None, "raise_tier", {"tier": tier, "reasons": "."}, PERSON, station.clock())
    async with begin(station.engine) as session:
        await acts.add(session, act)
    return jti


async def told(station: Station, aurelia: Peer, value: Exchange, *stale: UUID) -> None:
    """XA says how the exchange stands, and that these acts of XT came too late."""
    answers = tuple(FateBody(jti=jti, fate=Fate.STALE) for jti in stale)
    body = StateBody(snapshot=take_snapshot(value), answers=answers, consumed=1 + len(stale))
    said = aurelia.say_next(str(value.id), body=write_body(body), type="exchange.state/1")
    await station.take(aurelia.close(said))
    assert (await station.fates_of(str(value.id)))[-1][1:] == ("applied", None)


async def test_a_raise_under_way_keeps_the_urgent_lane(station: Station, aurelia: Peer) -> None:
    """While a second raise is under way nothing slows down because the first one ended; with the last one it does."""
    station.effects = EFFECTS
    value = await asked_of_aurelia(station)
    first, second = await raised(station, value, Tier.URGENT), await raised(station, value, Tier.EMERGENCY)
    ended = replace(value, state=State.NOT_EXECUTABLE, generation=8)
    await told(station, aurelia, ended, first)
    assert await station.rows(LANES, thread=str(value.id)) == [(first, "urgent"), (second, "urgent")]
    assert await station.rows(NEXT_LANE, thread=str(value.id)) == [("urgent",)]
    await told(station, aurelia, replace(ended, generation=9), first, second)
    assert await station.rows(NEXT_LANE, thread=str(value.id)) == [("routine",)]
