"""Two contact points on one broker, set up by the commands of the README and used through HTTP."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.e2e.ground import OPERATOR, OPERATOR_PASSWORD
from tests.support import driving
from tests.support.history import is_quiet
from tests.support.ports import LOOPBACK, free_ports, listens
from tests.support.processes import PROGRAM, REPOSITORY, Site, counterpart, run, until
from tests.support.proxy import Proxy
from tests.support.world import seen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from tests.e2e.ground import Ground
    from tests.support.processes import Finished

BLOCK = re.compile(r"^```\n(counterpart rehearsal new .*?)^```$", re.MULTILINE | re.DOTALL)

HOLD_FACTS = ("id", "state", "preserved_at", "days_granted", "expires_at", "generation")


def two_ports() -> int:
    """The first of two neighbouring ports that are free."""
    while True:
        first = free_ports(1)[0]
        if first < 65_535 and not listens(first + 1):
            return first


def tokens_in(table: str) -> Mapping[str, str]:
    """Who sits where, from what `rehearsal start` prints for people."""
    rows = [line.split() for line in table.splitlines()[1:] if line.strip()]
    return {seat: token for seat, token in rows}  # noqa: C416 - says what a row is, and refuses any other


def commands() -> list[list[str]]:
    """The words of the six commands, as the README shows them."""
    found = BLOCK.search((REPOSITORY / "README.md").read_text())
    assert found is not None, "the README shows no two nodes against one broker"
    lines = [shlex.split(line) for line in found[1].splitlines()]
    assert [line[:3] if line[1] == "rehearsal" else line[:2] for line in lines] == [
        ["counterpart", "rehearsal", "new"],
        ["rabbitmqctl", "import_definitions"],
        *[["counterpart", "rehearsal", "start"]] * 2,
        *[["counterpart", "serve"]] * 2,
    ]
    return lines


def replaced(words: list[str], **options: str) -> list[str]:
    """The same command with other values behind these options; each must be there."""
    words = list(words)
    for name, value in options.items():
        words[words.index(f"--{name}") + 1] = value
    return words


@asynccontextmanager
async def six_commands(ground: Ground, folder: Path, postgres_port: int) -> AsyncIterator[tuple[Site, Site]]:
    """Type them one after the other, only with other addresses and ports; the last two stay running."""
    postgres = f"postgresql://{OPERATOR}:{OPERATOR_PASSWORD}@{LOOPBACK}:{postgres_port}/"
    new, load, *starts = commands()
    new = replaced(new, postgres=postgres, amqp=f"amqp://{LOOPBACK}:{ground.rabbit.port}")
    well(await run(*PROGRAM, *new[1:], "--port", str(two_ports()), cwd=folder))
    well(await run(ground.rabbit.control, *load[1:], cwd=folder, env=ground.rabbit.control_environment))
    sites = []
    try:
        for start in starts[:2]:
            config = folder / start[-1]
            people = tokens_in(well(await run(*PROGRAM, *start[1:], cwd=folder)))
            sites.append(Site(config.stem, config, people))
        for site, serve in zip(sites, starts[2:], strict=True):
            site.process.start(*serve[1:], cwd=folder)
        for site in sites:
            await site.ready()
        yield sites[0], sites[1]
    finally:
        for site in sites:
            await site.close()


def well(done: Finished) -> str:
    """What a command printed that had to end well."""
    assert done.code == 0, done.err
    return done.out


@pytest.mark.timeout(300)
async def test_six_commands_and_one_preserved_request(ground: Ground, tmp_path: Path) -> None:
    """What the README types gives two nodes between which a preservation and an advice run their whole course."""
    try:
        async with Proxy(ground.postgres.socket) as postgres, six_commands(ground, tmp_path, postgres.port) as (xa, xt):
            await preserved(xa, xt)
            await answered(xa, xt)
            await until(lambda: is_quiet(xa, xt), what="something is still under way")
            await verified(xa, xt)
    finally:
        await ground.drop_databases(("XA", "XT"))


async def preserved(xa: Site, xt: Site) -> None:
    """Filed, opened, approved, signed; delivered, acknowledged, accepted, started, preserved; one hold at both."""
    request = await driving.file(xa, driving.preservation("AU-CYB-2026-00417"))
    await driving.approve(xa, request)
    exchange = await driving.sign(xa, request)
    await driving.delivered(xa, exchange)
    here, there, path = xa.as_("duty_officer"), xt.as_("duty_officer"), f"/v1/exchanges/{exchange}"
    arrived = driving.accepted(await there.get(path))
    assert (arrived["direction"], arrived["state"], arrived["generation"]) == ("incoming", "DELIVERED", 1)
    for action, state in (
        ("acknowledge", "ACKNOWLEDGED"),
        ("accept", "ACCEPTED"),
        ("start", "IN_EXECUTION"),
        ("preserve", "PRESERVED"),
    ):
        done = driving.accepted(await there.act(path, action))
        assert done["state"] == state
        await seen(
            lambda: here.get(path),
            lambda shown, done=done: (
                (shown.json()["state"], shown.json()["generation"]) == (done["state"], done["generation"])
            ),  # type: ignore[misc] # the loop's own value
            seconds=driving.PATIENCE_SECONDS,
        )
    ours, theirs = [driving.accepted(await desk.get(path))["holds"] for desk in (here, there)]
    assert [{fact: hold[fact] for fact in HOLD_FACTS} for hold in ours] == [
        {fact: hold[fact] for fact in HOLD_FACTS} for hold in theirs
    ]
    (hold,) = ours
    begun, ends = (datetime.fromisoformat(hold[fact]) for fact in ("preserved_at", "expires_at"))
    assert ends - begun >= timedelta(days=60)
    agency = driving.accepted(await xa.as_("agency_officer").get(f"/v1/requests/{request}"))
    assert agency["exchange"]["state"] == "PRESERVED"


async def answered(xa: Site, xt: Site) -> None:
    """A question is answered, and the answer is read by the agency that asked."""
    asked = await driving.send(xa, driving.advice("AU-CYB-2026-00420"))
    await driving.delivered(xa, asked.exchange)
    text = "Twelve months; the public prosecutor orders it."
    await driving.answer(xt, asked.exchange, text)
    agency = xa.as_("agency_officer")
    shown = await seen(
        lambda: agency.get(f"/v1/requests/{asked.request}"),
        lambda answer: answer.json()["exchange"]["state"] == "ANSWERED",
        seconds=driving.PATIENCE_SECONDS,
    )
    assert text in json.dumps(shown.json()["exchange"]["answers"])


async def verified(xa: Site, xt: Site) -> None:
    """`counterpart audit verify` beside the running nodes ends with 0, in words and as JSON."""
    words, document = await asyncio.gather(
        counterpart("audit", "verify", "--config", xa.config),
        counterpart("audit", "verify", "--config", xt.config, "--json"),
    )
    assert (words.code, document.code) == (0, 0), words.err + document.err
    assert words.out.startswith("Valid: counterpart/xa, ")
    (report,) = json.loads(document.out)
    assert (report["verdict"], report["origin"], report["problem"]) == ("VALID", "counterpart/xt", None)
    assert int(report["leaves"]) > 20
