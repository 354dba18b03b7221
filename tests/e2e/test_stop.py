"""How a node ends: in order when it is told to, and in one sentence when it cannot begin."""

from __future__ import annotations

import asyncio
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from app.migrate import roles_of
from tests.support.ports import LOOPBACK
from tests.support.processes import NodeProcess, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from tests.e2e.ground import Network

GRACE_SECONDS = 5
UNUSABLE = 2
EMPTY_DATABASE = "counterpart_empty"


async def test_a_stop_ends_what_is_under_way_and_then_the_node(network: Network) -> None:
    """After SIGTERM a waiting client is answered, the process ends with 0 within its grace, nothing of it is left."""
    xt = network["XT"]
    xt.start(graceful_seconds=str(GRACE_SECONDS))
    await xt.ready()
    headers = {"Authorization": f"Bearer {xt.tokens['duty_officer']}", "Prefer": "wait=30"}
    waiting = asyncio.create_task(xt.http.get("/v1/events", params={"after": "latest"}, headers=headers))

    async def held() -> bool:
        return (
            len(await xt.rows("SELECT 1 FROM pg_stat_activity WHERE application_name = 'counterpart XT gateway'")) > 0
        )

    await until(held, what="the gateway works")
    begun = time.monotonic()
    assert await xt.process.stop() == 0, xt.process.tail()
    assert time.monotonic() - begun < GRACE_SECONDS + 1
    answer = await waiting
    assert (answer.status_code, answer.json()["data"]) == (200, [])
    assert xt.process.leaves_nothing()
    assert "Traceback" not in xt.process.tail()
    left = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'counterpart XT %'"

    async def gone() -> bool:
        return await xt.count(left) == 0

    await until(gone, what="its database connections end", seconds=5)


@dataclass(frozen=True, slots=True)
class Refusal:
    """How a start ended that could not succeed."""

    code: int
    said: str
    leaves_nothing: bool
    seconds: float


SENTENCES = {
    "a port in use": "Port {port} on 127.0.0.1 is in use by another program; choose another one.",
    "a missing setting": "COUNTERPART_CODE is not set.",
    "a database without schema": "The database of COUNTERPART_DATABASE_URL is empty: run counterpart migrate.",
    "a database that is away": "The database of COUNTERPART_DATABASE_URL cannot be used: {fault}.",
    "keys of another contact point": "The directory does not publish our key {kid} for XT.",
    "a folder without keys": "{folder} holds no key for sig.",
    "a broker's user of another": "The user in AMQP_URL must be this contact point's code, XT.",
}


@pytest.fixture(scope="module")
async def taken_port() -> AsyncIterator[int]:
    """A port on which somebody listens."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture(scope="module")
async def refusals(
    network: Network, taken_port: int, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Mapping[str, Refusal]]:
    """Every start of the table, all at once."""
    folder, settings = tmp_path_factory.mktemp("refused"), network["XT"].settings
    role, database = roles_of("XT").application, settings.database_url.get_secret_value()
    await network.ground.postgres.execute(f"CREATE DATABASE {EMPTY_DATABASE}")
    changed: dict[str, dict[str, str]] = {
        "a port in use": {"http_port": str(taken_port)},
        "a missing setting": {},
        "a database without schema": {"database_url": database.replace("/counterpart_xt?", f"/{EMPTY_DATABASE}?")},
        "a database that is away": {"database_url": f"postgresql://{role}:x@{LOOPBACK}:1/counterpart_xt"},
        "keys of another contact point": {"keys_dir": str(network.settings["XS"].keys_dir)},
        "a folder without keys": {"keys_dir": str(folder)},
        "a broker's user of another": {"amqp_url": network.settings["XS"].amqp_url.get_secret_value()},
    }
    try:
        yield dict(
            await asyncio.gather(
                *(
                    _refused(network, name, folder / f"{at}.log", given)
                    for at, (name, given) in enumerate(changed.items())
                )
            )
        )
    finally:
        await network.ground.postgres.execute(f"DROP DATABASE {EMPTY_DATABASE} WITH (FORCE)")


async def _refused(network: Network, name: str, log: Path, given: Mapping[str, str]) -> tuple[str, Refusal]:
    config = ["--config", str(network["XT"].config)] if given else []
    process, begun = NodeProcess(log, born=True), time.monotonic()
    process.start("serve", *config, settings={"http_port": "0", **given} if given else {})
    try:
        code = await process.ended()
        return name, Refusal(code, process.tail(), process.leaves_nothing(), time.monotonic() - begun)
    finally:
        process.discard()


@pytest.mark.parametrize("case", SENTENCES)
def test_what_cannot_begin_says_so_in_one_sentence(refusals: Mapping[str, Refusal], case: str) -> None:
    """A node that cannot begin names the reason in one sentence, ends with 2, and leaves no process behind."""
    refusal, (before, _, after) = refusals[case], _around(SENTENCES[case])
    assert refusal.code == UNUSABLE, refusal.said
    assert refusal.said.count("\n") == 1
    assert refusal.said.startswith(before)
    assert refusal.said.endswith(f"{after}\n")
    assert refusal.leaves_nothing


def _around(sentence: str) -> tuple[str, str, str]:
    """What stands before and after the part of a sentence that differs from machine to machine."""
    before, brace, rest = sentence.partition("{")
    return before, brace, rest.partition("}")[2] if brace else sentence
