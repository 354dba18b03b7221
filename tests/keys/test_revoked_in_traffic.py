"""A signing key is revoked while two whole nodes are at work: nothing is lost, nothing happens twice."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from app.domain.codes import RequestType
from tests.keys.rotation import revoke_in
from tests.support.world import living_world, seen
from tests.world.documents import document
from tests.world.journey import preservation, sent
from tests.world.ledger import open_ledger

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from tests.support.postgres import PostgresServer
    from tests.support.world import World
    from tests.world.ledger import Ledger

OLD, NEW = "XA-sig-2026a", "XA-sig-2026b"
SIGNED = "SELECT count(*) FROM outbox WHERE left_at IS NULL AND jws_kid = $1"
DELIVERED = "SELECT subject_id::text AS id, count(*) AS times FROM timeline WHERE event = 'delivered' GROUP BY 1"
REASONS = "SELECT DISTINCT reason FROM quarantine"
RECEIPT_LOST = """UPDATE outbox SET left_at = NULL, left_by = NULL, receipted_at = NULL, receipt_status = NULL,
    next_at = '2100-01-01Z' WHERE type IN ('exchange.open/1', 'exchange.action/1')"""


async def revoke(world: World) -> datetime:
    """Publish that XA's signing key is revoked as of now, and wait until everybody works with that directory.

    Until then XT rightly takes what is under the old key, and lets what is under the new one wait for its directory:
    its verdict is that of the moment of receipt. Whoever calls this keeps XT off the bus meanwhile.
    """
    now = world.clock()
    revoke_in(world["XA"].runtime.directory_file, OLD, since=now)

    async def versions() -> set[int]:
        return {node.runtime.node.directory.version for node in world.nodes.values()}

    await seen(versions, lambda known: known == {2})
    return now


async def signed_again(world: World, ledger: Ledger, count: int) -> None:
    """Wait until `count` unreceipted messages of XA are under the new key, and none under the old one."""
    await seen(partial(ledger.value, "XA", SIGNED, OLD), lambda left: left == 0)
    await seen(partial(ledger.value, "XA", SIGNED, NEW), lambda done: done >= count)


async def test_what_is_under_way_goes_out_again(postgres: PostgresServer, tmp_path: Path) -> None:
    """What XT could not take before the revocation it takes under the standby key; every case is there once."""
    async with living_world(postgres, tmp_path, ("XA", "XT")) as world, open_ledger(world) as ledger:
        known = await preservation(world, "acknowledge")
        world.bus.pause("XT")
        journeys = [await sent(world, document(RequestType.PRESERVATION)) for _ in range(3)]
        await known.wish_only("withdraw")
        await seen(partial(ledger.value, "XA", SIGNED, OLD), lambda waiting: waiting >= 4)
        revoked_at = await revoke(world)
        await signed_again(world, ledger, 4)
        world.bus.resume("XT")
        world.clock.advance(timedelta(minutes=2))
        for journey in (known, *journeys):
            await journey.settled()
        await ledger.calm()
        arrived = {row["id"]: row["times"] for row in await ledger.rows("XT", DELIVERED)}
        assert arrived == {journey.exchange_id: 1 for journey in (known, *journeys)}
        assert (await known.settled())["state"] == "WITHDRAWN"
        query = "SELECT DISTINCT kid FROM inbox WHERE iss = 'XA' AND received_at >= $1"
        assert await ledger.rows("XT", query, revoked_at) == [{"kid": NEW}]
        assert {row["reason"] for row in await ledger.rows("XT", REASONS)} <= {"key_revoked"}
        assert await ledger.rows("XA", REASONS) == []


async def test_what_had_arrived_does_not_happen_again(postgres: PostgresServer, tmp_path: Path) -> None:
    """If only the receipts were lost, XT finds everything signed again to be a duplicate, and says so once more."""
    async with living_world(postgres, tmp_path, ("XA", "XT")) as world, open_ledger(world) as ledger:
        known = await preservation(world, "acknowledge", "accept")
        await known.wish("withdraw")
        await ledger.calm()
        before = await ledger.counts("XT", ("timeline", "exchange", "hold", "act"))
        world.bus.pause("XT")
        await ledger.rows("XA", RECEIPT_LOST)
        await revoke(world)
        world.bus.resume("XT")
        world.clock.advance(timedelta(minutes=2))
        await ledger.calm()
        assert await ledger.counts("XT", ("timeline", "exchange", "hold", "act")) == before
        again = await ledger.rows("XA", "SELECT jws_kid, resigned, receipt_status FROM outbox WHERE resigned > 0")
        assert again == [{"jws_kid": NEW, "resigned": 1, "receipt_status": "stored"}] * 2
        assert await ledger.value("XT", "SELECT count(*) FROM replaced_text") == 2
        assert await ledger.rows("XT", REASONS) == []
