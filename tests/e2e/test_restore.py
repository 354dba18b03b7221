"""The restore drill (experiment 31): one of three nodes gets a dump of its database back while the others worked on."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

import pytest

from app.domain.codes import Tier
from tests.cli.shell import typed
from tests.support import driving
from tests.support.history import difference, is_quiet, lines_of
from tests.support.postgres import SUPERUSER, find_binaries
from tests.support.processes import run, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.e2e.ground import Ground, Network
    from tests.support.processes import Site

CODES = ("XA", "XT", "XS")
EQUIVOCATED = "SELECT count(*) FROM quarantine WHERE reason = 'equivocation' AND iss = 'XT'"
UNPUBLISHED = "SELECT (SELECT count(*) FROM audit_pending) + (SELECT sum(size - published_size) FROM audit_tree)"

SWALLOW_RETURNS = """
CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER swallow BEFORE INSERT ON outbox FOR EACH ROW WHEN (NEW.type = 'resync.copy/1')
    EXECUTE FUNCTION swallow();
"""
"""Switches the peers' proof off: nobody gives a text back."""


@pytest.fixture
async def three(ground: Ground, tmp_path: Path) -> AsyncIterator[Network]:
    """XA, XT and XS, each with a database and people."""
    async with ground.network(tmp_path / "network", CODES, living=CODES) as built:
        for site in built.sites.values():
            site.start()
        for site in built.sites.values():
            await site.ready()
        yield built


async def dump(ground: Ground, site: Site, file: Path) -> None:
    """Back the database up as an operator does, while the node works."""
    database = f"counterpart_{site.code.lower()}"
    done = await run(
        find_binaries() / "pg_dump", "-Fc", "-h", ground.postgres.folder, "-U", SUPERUSER, "-f", file, database
    )
    assert done.code == 0, done.err


async def restore(ground: Ground, site: Site, file: Path) -> None:
    """Put the database back; the node does not run."""
    await ground.postgres.execute(f"DROP DATABASE counterpart_{site.code.lower()} WITH (FORCE)")
    program = (find_binaries() / "pg_restore", "-h", ground.postgres.folder, "-U", SUPERUSER)
    done = await run(*program, "--create", "-d", "postgres", file)
    assert done.code == 0, done.err


async def acknowledged(xa: Site, site: Site, exchange: str) -> None:
    """The exchange has arrived at `site`, which acknowledged it, and XA shows so."""
    await driving.delivered(xa, exchange)
    await driving.act(site, exchange, "acknowledge")
    await until(lambda: _is_at(xa, exchange, "ACKNOWLEDGED"), what="XA shows the acknowledgement")


async def _is_at(site: Site, exchange: str, state: str) -> bool:
    return await driving.state_at(site.as_("duty_officer"), exchange) == state


async def worked_on(three: Network, backup: Path) -> list[str]:
    """XT is dumped, and then works on with XA, which works with XS as well; returns the exchanges with XT."""
    xa, xt, xs = (three[code] for code in CODES)
    before = [
        (await driving.send(xa, driving.preservation(f"AU-BEFORE-{at}", tier=tier))).exchange
        for at, tier in enumerate((Tier.URGENT, Tier.ROUTINE))
    ]
    await asyncio.gather(*(acknowledged(xa, xt, exchange) for exchange in before))
    await until(lambda: is_quiet(xa, xt), what="nothing is under way before the dump")
    await dump(three.ground, xt, backup)
    after = (await driving.send(xa, driving.preservation("AU-AFTER", tier=Tier.URGENT))).exchange
    with_xs = (await driving.send(xa, driving.preservation("AU-OTHER", requested="XS"))).exchange
    await driving.act(xt, before[0], "accept", "start", "preserve", generation=2)
    await asyncio.gather(acknowledged(xa, xt, after), acknowledged(xa, xs, with_xs))
    desk, path = xa.as_("duty_officer"), f"/v1/exchanges/{before[1]}"
    driving.accepted(await desk.act(path, "supplement", text="The address was used again on Saturday."), 202)
    await until(lambda: is_quiet(xa, xt, xs), what="nothing is under way after the dump")
    await until(lambda: _is_published(xt), what="XT's log is published")
    return [*before, after]


async def _is_published(site: Site) -> bool:
    return await site.count(UNPUBLISHED) == 0


async def alike(xa: Site, other: Site) -> str:
    """What XA and the node at which its requests arrived show differently."""
    ours = await lines_of(xa.as_("duty_officer"), direction="outgoing", peer=other.code)
    theirs = await lines_of(other.as_("duty_officer"), direction="incoming", peer="XA")
    return difference(ours, theirs)


async def test_a_node_with_an_old_database_comes_back_to_its_word(three: Network, tmp_path: Path) -> None:
    """It notices, says nothing new, learns from both peers what it had said, and ends equal with each of them."""
    xa, xt, xs = (three[code] for code in CODES)
    exchanges = await worked_on(three, tmp_path / "xt.dump")
    states = {exchange: await driving.state_at(xa.as_("duty_officer"), exchange) for exchange in exchanges}
    await xt.process.kill9()
    await restore(three.ground, xt, tmp_path / "xt.dump")

    xt.start()
    await xt.ready("degraded")
    refused = await xt.as_("duty_officer").act(f"/v1/exchanges/{exchanges[1]}", "accept")
    assert (refused.status_code, refused.json()["code"]) == (503, "recovering")
    shown = (await typed("recovery", "show", "--json", "--config", xt.config)).row
    assert (shown["state"], shown["proof"]) == ("waits for a new log epoch", "anchor")
    await xt.process.kill9()

    xt.start(log_epoch="2")
    await xt.ready()
    await until(lambda: is_quiet(xa, xt, xs), what="nothing is under way after the restore")
    assert await alike(xa, xt) == ""
    assert await alike(xa, xs) == ""
    for exchange in exchanges:
        assert await driving.state_at(xt.as_("duty_officer"), exchange) == states[exchange]
    assert await xt.rows("SELECT * FROM lost_item") == []
    assert await xa.count(EQUIVOCATED) == 0
    assert await xt.rows("SELECT epoch, origin FROM audit_tree ORDER BY epoch") == [
        (1, "counterpart/xt"),
        (2, "counterpart/xt.2"),
    ]
    await driving.act(xt, exchanges[2], "accept", generation=2)
    await until(lambda: _is_at(xa, exchanges[2], "ACCEPTED"), what="the exchange goes on")


async def test_without_anchor_and_proof_numbers_are_used_again(three: Network, tmp_path: Path) -> None:
    """(Control) With the anchor put back, too, and nothing returned, it contradicts itself, and its peer says so."""
    xa, xt = three["XA"], three["XT"]
    await xt.process.stop()
    anchor = xt.settings.anchor
    shutil.copy(anchor, tmp_path / "anchor")
    await dump(three.ground, xt, tmp_path / "xt.dump")
    xt.start()
    await xt.ready()
    exchange = (await driving.send(xa, driving.preservation("AU-AGAIN"))).exchange
    await acknowledged(xa, xt, exchange)
    await until(lambda: is_quiet(xa, xt), what="nothing is under way")
    await xt.process.stop()
    await restore(three.ground, xt, tmp_path / "xt.dump")
    shutil.copy(tmp_path / "anchor", anchor)
    await xa.execute(SWALLOW_RETURNS)
    # XA sends the opening again only when it is asked to; an operator does so who wonders why XT does not know it.
    await xa.execute("UPDATE outbox SET left_at = NULL, left_by = NULL, next_at = now() WHERE type = 'exchange.open/1'")
    xt.start()
    await xt.ready()
    await until(lambda: _says_equivocation(xa), what="XA flags that XT contradicts itself")
    assert await xt.rows("SELECT * FROM recovery") == []


async def _says_equivocation(site: Site) -> bool:
    return await site.count(EQUIVOCATED) > 0
