"""The node under test as its workers run it, with an effect that can be counted: one row per message applied."""

from __future__ import annotations

import secrets
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from app.bus.relay import DEADLINE_S, Relay, relay_once
from app.db.engine import begin, make_engine, reading
from app.domain.codes import Fate, Lane, MessageType
from app.domain.instruments import packaged_law
from app.envelope.open import open_envelope
from app.envelope.reasons import Rejected
from app.services.inbound import Applied, Arrived, Effects
from app.services.keep import keep
from app.services.node import Node
from app.services.quarantine import quarantine_crashed
from app.services.receive import receive
from app.services.seal import Sealing
from app.services.send import Outgoing, put
from app.services.settle import find_unsettled, settle
from tests.support.peer import make_directory

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncEngine

    from app.bus.broker import Delivery
    from app.bus.relay import Courier, Round
    from app.db.engine import Session
    from app.db.threads import ThreadKey
    from app.services.inbound import Received
    from app.services.receive import Taken
    from tests.envelope.parties import Party
    from tests.support.peer import Clock

EFFECT_TABLE = """CREATE TABLE effect (
    id bigint GENERATED ALWAYS AS IDENTITY, peer text, thread text, seq integer, jti uuid, type text)"""
WIPED = (
    "effect, outbox, publication, signed_text, inbox, thread, quarantine, quarantine_decision, passage,"
    " replaced_text, returned_text"
)
COUNTED = (MessageType.EXCHANGE_OPEN, MessageType.EXCHANGE_ACTION, MessageType.EXCHANGE_STATE, MessageType.TEST_CALL)


class Fault(Exception):
    """What the effect of a poisonous message raises."""


async def count_effect(session: Session, _node: Node, received: Received, _now: datetime) -> Applied:
    """Leave one row in the transaction of the receiver; a body with `poison` raises after having done so."""
    row = {"peer": received.peer, "thread": received.thread, "seq": received.seq, "jti": received.jti}
    statement = "INSERT INTO effect (peer, thread, seq, jti, type) VALUES (:peer, :thread, :seq, :jti, :type)"
    await session.execute(text(statement), {**row, "type": received.type.value})
    if received.body.get("poison"):
        raise Fault
    return Applied(Fate.STALE, "late") if received.body.get("stale") else Applied(Fate.APPLIED)


def counting_effects(*types: MessageType) -> Effects:
    """Effects that count, for these types or for all that a test needs."""
    return Effects(dict.fromkeys(types or COUNTED, count_effect))


@dataclass
class Station:
    """One node: a database, keys, a directory, effects. `answered` notes the threads it was asked to answer."""

    party: Party
    engine: AsyncEngine
    owner: AsyncEngine
    node: Node
    sealing: Sealing
    clock: Clock
    effects: Effects
    answered: list[ThreadKey] = field(default_factory=list)

    @property
    def code(self) -> str:
        """Its code."""
        return self.party.code

    async def put(self, outgoing: Outgoing) -> UUID:
        """Queue a message in a transaction of its own."""
        async with begin(self.engine) as session:
            return await put(session, self.node, outgoing, now=self.clock())

    def arrive(self, raw: bytes, lane: Lane = Lane.URGENT) -> Arrived:
        """Open a delivery as the worker does."""
        try:
            opened = open_envelope(
                raw, me=self.code, keyring=self.party.keyring, directory=self.node.directory, now=self.clock()
            )
        except Rejected as rejected:
            return Arrived(raw, lane, rejected)
        return Arrived(raw, lane, opened)

    async def take(self, *raws: bytes, lane: Lane = Lane.URGENT) -> Taken:
        """Receive a batch in one transaction."""
        batch = [self.arrive(raw, lane) for raw in raws]
        async with begin(self.engine) as session:
            return await receive(session, self.node, batch, effects=self._effects(), now=self.clock())

    async def take_singly(self, *raws: bytes, lane: Lane = Lane.URGENT) -> None:
        """What the worker does after `take` raised: store the batch, then settle message by message."""
        batch = [self.arrive(raw, lane) for raw in raws]
        async with begin(self.engine) as session:
            kept = await keep(session, self.node, batch, effects=self._effects(), now=self.clock())
        for due in kept.due:
            try:
                async with begin(self.engine) as session:
                    await settle(session, self.node, [due], effects=self._effects(), now=self.clock())
            except Fault:
                async with begin(self.engine) as session:
                    await quarantine_crashed(session, self.node, due, now=self.clock())

    async def sweep(self) -> int:
        """Settle what a crash or a release from quarantine left, until nothing is left; returns how many."""
        settled = 0
        while True:
            async with begin(self.engine) as session:
                due = await find_unsettled(session)
                if not due:
                    return settled
                settled += len(await settle(session, self.node, due, effects=self._effects(), now=self.clock()))

    async def handle(self, batch: Sequence[Delivery]) -> None:
        """Take deliveries of the broker: the whole of the consumer that a worker gives to the bus."""
        raws = [delivery.body for delivery in batch]
        try:
            await self.take(*raws, lane=batch[0].lane)
        except Fault:
            await self.take_singly(*raws, lane=batch[0].lane)

    async def relay(self, broker: Courier, *lanes: Lane, deadline_s: float = DEADLINE_S) -> list[Round]:
        """One round of the relay on each of these lanes, or on both."""
        relay = Relay(self.engine, broker, self.sealing, self.clock, lambda: 0.5, deadline_s)
        return [await relay_once(relay, lane) for lane in lanes or tuple(Lane)]

    async def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401 - parameters of any SQL
        """Look into the database."""
        async with reading(self.engine) as session:
            return [tuple(row) for row in await session.execute(text(query), values)]

    async def change(self, statement: str, **values: Any) -> None:  # noqa: ANN401 - parameters of any SQL
        """Change rows behind the node's back."""
        async with self.owner.begin() as connection:
            await connection.execute(text(statement), values)

    async def wipe(self) -> None:
        """Begin again with empty tables; only the audit log remembers."""
        await self.change(f"TRUNCATE {WIPED}")

    async def effects_of(self, thread: str) -> list[int]:
        """The numbers whose effects happened in a thread, in the order in which they did."""
        found = await self.rows("SELECT seq FROM effect WHERE thread = :thread ORDER BY id", thread=thread)
        return [seq for (seq,) in found]

    async def fates_of(self, thread: str) -> list[tuple[int, str, str | None]]:
        """Number, state and code of everything stored of a thread."""
        query = "SELECT seq, state, code FROM inbox WHERE thread = :thread ORDER BY seq"
        return [(seq, state, code) for seq, state, code in await self.rows(query, thread=thread)]

    async def unreceipted(self) -> int:
        """How many messages are still in the outbox."""
        ((count,),) = await self.rows("SELECT count(*) FROM outbox WHERE left_at IS NULL")
        return int(count)

    def _effects(self) -> Effects:
        async def note(_session: Session, _node: Node, key: ThreadKey, _now: datetime) -> None:
            self.answered.append(key)

        return replace(self.effects, answer=note)


@asynccontextmanager
async def open_station(
    party: Party, *others: Party, urls: tuple[str, str], clock: Clock, effects: Effects | None = None
) -> AsyncIterator[Station]:
    """A node of `party` that knows `others`. `urls` are those of the application and of the owner of its database."""
    engine = make_engine(urls[0], pool_size=6, name=f"station {party.code}")
    owner = create_async_engine(urls[1])
    directory = make_directory(party, *others)
    node = Node(party.code, directory, f"log.{party.code.lower()}.example/2026", secrets.token_bytes, packaged_law())
    sealing = Sealing(party.code, party.signing, directory)
    try:
        async with owner.begin() as connection:
            await connection.execute(text(EFFECT_TABLE))
            await connection.execute(text("GRANT ALL ON effect TO PUBLIC"))
        yield Station(party, engine, owner, node, sealing, clock, effects or counting_effects())
        assert engine.pool.checkedout() == 0, "a connection was left checked out"  # type: ignore[attr-defined]
    finally:
        await engine.dispose()
        await owner.dispose()
