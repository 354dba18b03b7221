"""One node without its loops and its gateway: XT on a database of its own, on a bus that XA and XS are on too."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import text
from structlog.testing import LogCapture

from app.audit.facts import Fact, FactType
from app.bus.broker import Delivery
from app.bus.memory import MemoryBus
from app.db.engine import begin, reading
from app.domain.codes import Lane
from app.errors import Unavailable
from app.keystore import NodeKeys
from app.metrics import Metrics
from app.migrate import head_revision
from app.runtime import Runtime
from app.services.node import SYSTEM
from app.services.prove import newest_checkpoint
from app.services.record import record_all
from app.services.sequence import LogWriter
from app.services.trust import Trust
from tests.audit.samples import KEY, OTHER_KEY
from tests.envelope.parties import AURELIA, KITANO, SAHRAN
from tests.support.bus import eventually, short_pauses
from tests.support.peer import Clock, Peer
from tests.support.postgres import SEQUENCER
from tests.support.station import open_station

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.peer import Said
    from tests.support.postgres import Database, PostgresServer
    from tests.support.station import Station

CHANGED = Fact(FactType.CASE_CHANGED, contents={"to": "TRIAGE"})


@dataclass(frozen=True)
class Workplace:
    """The node XT, its foreign peers, and what its operator and an outage do to it."""

    runtime: Runtime
    station: Station
    bus: MemoryBus
    clock: Clock
    aurelia: Peer
    sahran: Peer
    database: Database
    server: PostgresServer
    log: LogCapture

    def lines(self, *events: str) -> list[dict[str, Any]]:
        """What the node has written to its log about these events."""
        return [dict(line) for line in self.log.entries if line["event"] in events]

    async def note(self, count: int = 1) -> None:
        """Put facts on record, which then wait for the sequencer."""
        async with begin(self.runtime.chores) as session:
            await record_all(session, self.runtime.node, [CHANGED] * count, actor=SYSTEM, now=self.clock())

    async def published(self) -> int:
        """The size of the newest checkpoint that may leave the node; 0 before there is one."""
        async with reading(self.runtime.chores) as session:
            try:
                return int((await newest_checkpoint(session, self.runtime.log_writer.origin)).splitlines()[1])
            except Unavailable:
                return 0

    async def count(self, table: str) -> int:
        """How many rows a table has."""
        ((number,),) = await self.station.rows(f"SELECT count(*) FROM {table}")
        return int(number)

    async def break_in(self, *statements: str) -> None:
        """What a superuser does who switched the triggers off."""
        async with self.station.owner.begin() as connection:
            for statement in ("SET LOCAL session_replication_role = replica", *statements):
                await connection.execute(text(statement))

    @asynccontextmanager
    async def outage(self) -> AsyncIterator[None]:
        """For the time of the block the database answers nobody; connections that were open are broken."""
        name = self.database.name
        await self.server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        await self.server.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        try:
            yield
        finally:
            await self.server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")

    async def beaten(self, *loops: str) -> None:
        """Wait until these loops have come round once more from now on."""
        self.runtime.beats.clear()
        await eventually(lambda: self.runtime.beats.keys() >= set(loops), what=f"not all of {loops} came round")


def delivery(raw: bytes, *, lane: Lane = Lane.URGENT, **members: Any) -> Delivery:  # noqa: ANN401 - members of a delivery
    """An arrival at XT as the broker hands it over."""
    return Delivery(raw, f"XT.XA.{lane}", "XA", lane, **members)


def closed(peer: Peer, *said: Said) -> list[Delivery]:
    """What a peer said, as it arrives."""
    return [delivery(peer.close(one)) for one in said]


@asynccontextmanager
async def open_workplace(database: Database, server: PostgresServer, folder: Path) -> AsyncIterator[Workplace]:
    """The node with an effect that can be counted, its log not opened."""
    clock, log = Clock(), LogCapture()
    bus = MemoryBus(clock=clock, pauses=short_pauses())
    urls = (database.url, database.owner_url)
    async with open_station(KITANO, AURELIA, SAHRAN, urls=urls, clock=clock) as station:
        for code in ("XA", "XS"):
            bus.connect(code)
        broker = bus.connect("XT")
        runtime = Runtime(
            trust=Trust(station.node, KITANO.keyring),
            directory_file=folder / "directory.json",
            keys=NodeKeys(KITANO.keyring, KEY, OTHER_KEY),
            log_writer=LogWriter(station.node.log_origin, KEY, SEQUENCER),
            anchor=folder / "anchor",
            engine=station.engine,
            lanes=dict.fromkeys(Lane, station.engine),
            chores=station.engine,
            broker=broker,
            metrics=Metrics("XT"),
            log=structlog.wrap_logger(None, [log], structlog.make_filtering_bound_logger("debug")),
            clock=clock,
            head_revision=head_revision(),
            feed_key=bytes(64),
        )
        try:
            yield Workplace(
                runtime=runtime,
                station=station,
                bus=bus,
                clock=clock,
                aurelia=Peer(AURELIA, KITANO, clock),
                sahran=Peer(SAHRAN, KITANO, clock),
                database=database,
                server=server,
                log=log,
            )
        finally:
            await broker.aclose()
