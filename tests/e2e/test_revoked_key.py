"""A signing key is revoked while the other node is away and its queue is full of what that key signed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tests.e2e.ground import wall_clock
from tests.keys.rotation import revoke_in
from tests.support.driving import delivered, preservation, preserve, send
from tests.support.history import deliveries_at, wrong_effects
from tests.support.processes import until

if TYPE_CHECKING:
    from tests.e2e.ground import Network
    from tests.support.processes import Site

OLD, NEW = "2026a", "2026b"
WAITING = "SELECT count(*) FROM outbox WHERE left_at IS NULL AND thread IS NOT NULL AND copy > 0 AND jws_kid LIKE $1"


async def waits(site: Site, letter: str, count: int) -> bool:
    """Whether that many messages without receipt have been published under a key of that name."""
    return await site.count(WAITING, f"%{letter[-1]}") == count


async def test_a_key_is_revoked_while_xt_is_away(network: Network) -> None:
    """What XT finds in its queue it does not believe; all of it comes again under the standby key, and happens once."""
    xa, xt = network["XA"], network["XT"]
    for site in (xa, xt):
        site.start()
        await site.ready()
    known = await send(xa, preservation("K-1"))
    await delivered(xa, known.exchange)
    await xt.process.kill9()
    later = [await send(xa, preservation(f"K-{number}")) for number in (2, 3)]
    await until(partial(waits, xa, OLD, 2), what="they are in XT's queue under the old key")
    kid = (await xa.rows("SELECT DISTINCT jws_kid FROM outbox"))[0][0]
    revoke_in(xa.config.with_name("directory.json"), kid, since=wall_clock())
    await until(partial(waits, xa, NEW, 2), what="they are signed again")
    xt.start()
    await xt.ready()
    for one in later:
        await delivered(xa, one.exchange)
    exchanges = [known.exchange, *(one.exchange for one in later)]
    assert wrong_effects(exchanges, await deliveries_at(xt, exchanges)) == ""
    assert await xt.rows("SELECT DISTINCT reason FROM quarantine") == [("key_revoked",)]
    assert await xa.rows("SELECT reason FROM quarantine") == []
    shown = await preserve(xt, later[0].exchange)
    assert shown["state"] == "PRESERVED"
