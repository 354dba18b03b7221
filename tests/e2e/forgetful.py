"""A receiver that keeps no inbox: the variant by which a test shows what deduplication is for.

It consumes a node's queues with the node's own keys and the project's own bus and envelope, and counts each opening in
a table `effect` of the node's database. Usage: `python -m tests.e2e.forgetful CONFIG [crash]`; with `crash` it dies
after its first commit, before the broker is told; without, SIGTERM ends it.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import text

from app.bus.connection import Access
from app.bus.rabbit import RabbitBroker
from app.bus.supervise import Pauses
from app.crashing import KILLED
from app.db.engine import begin, make_engine
from app.domain.codes import Lane, MessageType
from app.envelope.open import open_envelope
from app.keystore import load_keys, read_directory
from app.settings import load_settings
from tests.e2e.ground import wall_clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.bus.broker import Delivery
    from app.settings import Settings

TABLE = "CREATE TABLE effect (thread text, copy integer); GRANT ALL ON effect TO PUBLIC"


async def receive_all(settings: Settings, *, crash: bool) -> None:
    """Count openings on both lanes until SIGTERM."""
    keys, directory = load_keys(settings.keys_dir), read_directory(settings.directory)
    engine = make_engine(settings.database_url.get_secret_value(), pool_size=2, name="forgetful")
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)

    async def handle(batch: Sequence[Delivery]) -> None:
        for delivery in batch:
            opened = open_envelope(
                delivery.body, me=settings.code, keyring=keys.keyring, directory=directory, now=wall_clock()
            )
            if opened.claims.type == MessageType.EXCHANGE_OPEN:
                effect = {"thread": opened.claims.thread, "copy": opened.copy}
                async with begin(engine) as session:
                    await session.execute(text("INSERT INTO effect VALUES (:thread, :copy)"), effect)
                if crash:
                    os._exit(KILLED)

    suffix = settings.queue_suffix
    access = Access(
        settings.code, settings.amqp_url.get_secret_value(), "" if suffix is None else suffix.get_secret_value()
    )
    broker = RabbitBroker(access, clock=wall_clock, pauses=Pauses(random.random))
    try:
        await asyncio.gather(*(broker.consume(lane, handle, stopping) for lane in Lane))
    finally:
        await broker.aclose()
        await engine.dispose()


if __name__ == "__main__":
    asyncio.run(receive_all(load_settings(Path(sys.argv[1])), crash=sys.argv[2:] == ["crash"]))
