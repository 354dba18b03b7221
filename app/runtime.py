"""What one contact point has open while it runs: built from settings, closed on exit. A process may hold several."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from asyncpg import PostgresError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from app.bus.connection import Access
from app.bus.measured import MeasuredBroker
from app.bus.rabbit import RabbitBroker
from app.bus.supervise import Pauses
from app.crashing import Crash
from app.db.engine import begin, make_engine, reading
from app.db.node_secret import FEED_POSITIONS, settle_secret
from app.domain.codes import Lane
from app.errors import SettingsUnusable, Unavailable
from app.forms.press import Press
from app.keystore import check_published, load_keys, read_clocks_file, read_directory_file, read_law_folder
from app.logs import node_log
from app.metrics import Metrics
from app.migrate import current_revision, head_revision, roles_of
from app.notify.means import Means, read_mail_server
from app.services.adopt_directory import adopt_directory
from app.services.adopt_law import adopt_law
from app.services.node import Node
from app.services.sequence import LogWriter
from app.services.tell_refusals import RefusedTokens
from app.services.trust import Trust
from app.settings import Profile, Settings, TestCalls

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncEngine

    from app.bus.broker import Broker
    from app.db.engine import ReadSession
    from app.domain.directory import Directory
    from app.keystore import NodeKeys
    from app.logs import Log

CHORES_POOL_SIZE = 4
"""Database connections of the loops that belong to no lane: sequencer, timers, clearing."""

USUAL_STREAMS = 8
RETRY_STREAM_SECONDS = 5
"""After which a person who had too many streams may try again."""

REFUSALS_KEY_BYTES = 32

FEED_KEY_BYTES = 64
"""Of AES-256-SIV: two keys of 256 bits."""

TOO_STRONG = text(
    "SELECT r.rolsuper OR d.datdba = r.oid"
    " OR EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    "            WHERE n.nspname = 'public' AND c.relowner = r.oid)"
    " FROM pg_roles r, pg_database d WHERE r.rolname = current_user AND d.datname = current_database()"
)


class Wake:
    """A hint that something was committed. Whoever misses it loses only time: every waiter also looks by itself.

    Take `bell()` before looking for work, and wait on it when there was none: what is committed in between rings it.
    """

    def __init__(self) -> None:
        self._bell = asyncio.Event()
        self.news = asyncio.Event()
        """Set by each commit of this process; cleared by whoever passes it on to the node's other processes."""

    def bell(self) -> asyncio.Event:
        """The event that the next `ring` or `hear` sets; any number may wait on it."""
        return self._bell

    def ring(self) -> None:
        """This process committed: wake everybody who waits here, and let the other processes be told."""
        self.news.set()
        self.hear()

    def hear(self) -> None:
        """Another process of this node committed: wake everybody who waits here."""
        rung, self._bell = self._bell, asyncio.Event()
        rung.set()


class Readers:
    """Who holds an answer open to be told of events, and how often: each costs a query every half second."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: Counter[UUID | None] = Counter()

    @contextmanager
    def seat(self, person_id: UUID | None) -> Iterator[None]:
        """A place for one answer while it is open. Raises Unavailable `too_many_streams` when the person has all."""
        if self._open[person_id] >= self._most:
            raise Unavailable(
                "too_many_streams",
                f"You have {self._most} streams or waiting polls of events open: close one, or ask without waiting.",
                retry_after=RETRY_STREAM_SECONDS,
            )
        self._open[person_id] += 1
        try:
            yield
        finally:
            self._open[person_id] -= 1
            self._open += Counter()  # whoever has none left is forgotten


@dataclass(frozen=True, slots=True)
class Runtime:
    """One contact point at work.

    `engine` is the gateway's, `lanes` are the two lanes', `chores` is everybody else's: none waits for another's
    connections. `trust` follows `directory_file` while the node runs. `clock` is read once per command. `stopping` is
    set when the process begins to stop: streams and loops end. `beats` says when each loop last came round; empty where
    this process runs no loops. `crash` is where this process is to die, in rehearsals of recovery; nowhere in
    production. `calls_monthly`: whether it plans test calls by itself. `refused` are tokens that were refused here.
    """

    trust: Trust
    directory_file: Path
    keys: NodeKeys
    log_writer: LogWriter
    anchor: Path
    engine: AsyncEngine
    lanes: Mapping[Lane, AsyncEngine]
    chores: AsyncEngine
    broker: Broker
    metrics: Metrics
    log: Log
    clock: Callable[[], datetime]
    head_revision: str
    feed_key: bytes = field(repr=False)
    means: Means = field(default_factory=Means)
    press: Press = field(default_factory=lambda: Press(()))
    crash: Crash = field(default_factory=Crash)
    calls_monthly: bool = False
    wake: Wake = field(default_factory=Wake)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    beats: dict[str, datetime] = field(default_factory=dict)
    readers: Readers = field(default_factory=lambda: Readers(USUAL_STREAMS))
    refused: RefusedTokens = field(default_factory=lambda: RefusedTokens(secrets.token_bytes(REFUSALS_KEY_BYTES)))

    @property
    def node(self) -> Node:
        """This contact point with the directory it believes now."""
        return self.trust.node

    def beat(self, loop: str) -> None:
        """Say that this loop came round."""
        self.beats[loop] = self.clock()


@asynccontextmanager
async def open_runtime(
    settings: Settings, *, clock: Callable[[], datetime], broker: Broker | None = None
) -> AsyncIterator[Runtime]:
    """Open everything a node needs, and close it again.

    `broker` is handed over where the bus lives in this process (it is then closed by whoever made it); otherwise it is
    the RabbitMQ of the settings, which may be away: a node works on without it.

    Raises:
        SettingsUnusable: keys, directory or database are not as they must be, in one sentence.
    """
    keys = load_keys(settings.keys_dir, refuse_open=settings.profile is Profile.PRODUCTION)
    read = await asyncio.to_thread(read_directory_file, settings.directory)
    check_published(keys, read.directory, code=settings.code)
    node = await _read_node(settings, read.directory)
    means = means_of(settings)
    async with AsyncExitStack() as opened:
        engine = _engine(settings, opened, "gateway", settings.http_pool_size)
        feed_key = await _settle_database(engine, settings, clock())
        await _adopt(engine, node, read.digest, clock())
        metrics = Metrics(settings.code)
        runtime = Runtime(
            trust=Trust(node, keys.keyring),
            directory_file=settings.directory,
            keys=keys,
            log_writer=LogWriter(settings.origin, keys.log_key, roles_of(settings.code).sequencer),
            anchor=settings.anchor,
            engine=engine,
            lanes={lane: _engine(settings, opened, str(lane), settings.lane_pool_size) for lane in Lane},
            chores=_engine(settings, opened, "chores", CHORES_POOL_SIZE),
            broker=MeasuredBroker(broker or _connect(settings, opened, clock), metrics),
            metrics=metrics,
            log=node_log(settings.code),
            clock=clock,
            head_revision=await asyncio.to_thread(head_revision),
            feed_key=feed_key,
            means=means,
            press=Press(settings.font_folders),
            crash=Crash(settings.crash_at),
            calls_monthly=settings.test_calls is TestCalls.MONTHLY,
            readers=Readers(settings.streams_per_person),
        )
        try:
            yield runtime
        finally:
            runtime.stopping.set()
            runtime.wake.ring()


async def _read_node(settings: Settings, directory: Directory) -> Node:
    law = await asyncio.to_thread(read_law_folder, settings.law)
    clocks = await asyncio.to_thread(read_clocks_file, settings.clocks)
    node = Node(settings.code, directory, settings.origin, random=os.urandom, law=law, clocks=clocks)
    return replace(node, single_officer_shift=settings.single_officer_shift)


def means_of(settings: Settings) -> Means:
    """What this node can tell people with. Raises SettingsUnusable for a mail server that cannot be used."""
    plain = settings.profile is Profile.DEMO
    address = None if settings.smtp_url is None else settings.smtp_url.get_secret_value()
    mail = None if address is None else read_mail_server(address, sender=settings.mail_from, plain=plain)
    return Means(mail=mail, link=settings.public_url, plain=plain)


def _engine(settings: Settings, opened: AsyncExitStack, name: str, pool_size: int) -> AsyncEngine:
    engine = make_engine(
        settings.database_url.get_secret_value(), pool_size=pool_size, name=f"counterpart {settings.code} {name}"
    )
    opened.push_async_callback(engine.dispose)
    return engine


def _connect(settings: Settings, opened: AsyncExitStack, clock: Callable[[], datetime]) -> Broker:
    if settings.memory_bus or settings.queue_suffix is None:
        raise SettingsUnusable(
            "bus_not_given", "COUNTERPART_AMQP_URL is memory:, which is for nodes that share one process (the demo)."
        )
    access = Access(
        settings.code, settings.amqp_url.get_secret_value(), suffix=settings.queue_suffix.get_secret_value()
    )
    rabbit = RabbitBroker(access, clock=clock, pauses=Pauses(secrets.SystemRandom().random))
    rabbit.start()
    opened.push_async_callback(rabbit.aclose)
    return rabbit


async def _settle_database(engine: AsyncEngine, settings: Settings, now: datetime) -> bytes:
    """Refuse a database that is away, empty, or open to us as its owner; return the secret that it keeps for us."""
    try:
        async with reading(engine) as session:
            if await current_revision(session) is None:
                raise SettingsUnusable(
                    "database_not_migrated",
                    "The database of COUNTERPART_DATABASE_URL is empty: run counterpart migrate.",
                )
            if settings.profile is Profile.PRODUCTION:
                await _refuse_strong_role(session)
        async with begin(engine) as session:
            proposed = secrets.token_bytes(FEED_KEY_BYTES)
            return await settle_secret(session, FEED_POSITIONS, proposed=proposed, now=now)
    except (OSError, DBAPIError, PostgresError) as fault:
        raise SettingsUnusable(
            "database_unreachable",
            f"The database of COUNTERPART_DATABASE_URL cannot be used: {type(fault).__name__}.",
        ) from None


async def _adopt(engine: AsyncEngine, node: Node, digest: str, now: datetime) -> None:
    try:
        async with begin(engine) as session:
            await adopt_directory(session, node, digest, now=now)
            await adopt_law(session, node, now=now)
    except ProgrammingError:
        raise SettingsUnusable(
            "database_not_migrated",
            "The database of COUNTERPART_DATABASE_URL has not the tables of this release: run counterpart migrate.",
        ) from None


async def _refuse_strong_role(session: ReadSession) -> None:
    """An owner or superuser could rewrite the audit log; then that it is append-only would be a word only."""
    if await session.scalar(TOO_STRONG):
        raise SettingsUnusable(
            "role_too_strong",
            "The role in COUNTERPART_DATABASE_URL is a superuser or owns the database: use the application's role.",
        )
