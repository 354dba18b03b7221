"""A foreign contact point of the operator's tests: it signs with the keys of XT, and its texts arrive at XA's node."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import uuid_utils

from app.bus.broker import Delivery
from app.bus.memory import MemoryBus
from app.db.engine import begin, reading
from app.domain.codes import Lane
from app.envelope.claims import Claims
from app.envelope.seal import encrypt, sign
from app.keystore import load_keys, read_directory
from app.receiving import Intake
from app.runtime import open_runtime
from app.services.effects import EFFECTS
from app.services.send import Outgoing, put
from app.services.settle import find_unsettled
from app.serving import wall_clock
from app.settings import load_settings
from tests.cli.shell import typed
from tests.support.bus import short_pauses

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from app.runtime import Runtime
    from tests.cli.conftest import Office


@asynccontextmanager
async def at_work(office: Office) -> AsyncIterator[Runtime]:
    """XA's node, open, without its loops."""
    bus = MemoryBus(clock=wall_clock, pauses=short_pauses())
    async with open_runtime(load_settings(office.config), clock=wall_clock, broker=bus.connect("XA")) as runtime:
        yield runtime


def close(published: Path, type_: str, *, forged: bool = False, **claims: Any) -> bytes:  # noqa: ANN401 - any claim
    """An envelope from XT to XA; `forged`: signed with another key under the name of XT's."""
    directory = read_directory(published / "directory.json")
    signing = load_keys(published / "XT" / "keys", refuse_open=False).keyring.signing
    if forged:
        signing = replace(load_keys(published / "XA" / "keys", refuse_open=False).keyring.signing, kid=signing.kid)
    now = wall_clock()
    plain: dict[str, Any] = {
        "iss": "XT",
        "aud": "XA",
        "jti": str(uuid_utils.uuid7()),
        "iat": int(now.timestamp()),
        "type": type_,
        "body": {},
        "dir_version": 1,
    }
    recipient = directory.encryption_key("XA", now)
    assert recipient is not None
    text = sign(Claims(**{**plain, **claims}), signing)
    return encrypt(text, iss="XT", aud="XA", copy=1, recipient=recipient)


async def arrive(office: Office, *envelopes: bytes) -> None:
    """Let XA's node take them."""
    async with at_work(office) as runtime:
        intake = Intake(runtime, runtime.lanes[Lane.URGENT], EFFECTS)
        await intake.handle([Delivery(raw, "XA.XT.urgent", "XT", Lane.URGENT) for raw in envelopes])


async def sweep(office: Office) -> None:
    """What the node's sweep does within seconds."""
    async with at_work(office) as runtime:
        intake = Intake(runtime, runtime.chores, EFFECTS)
        while True:
            async with reading(runtime.chores) as session:
                due = await find_unsettled(session)
            if not due:
                return
            for one in due:
                await intake.settle_one(one, wall_clock())


async def queue(office: Office, *messages: Outgoing) -> None:
    """Let XA's node have something to send."""
    async with at_work(office) as runtime, begin(runtime.engine) as session:
        for message in messages:
            await put(session, runtime.node, message, now=wall_clock())


async def token_of(office: Office, name: str, role: str) -> Path:
    """Enrol somebody by the commands, and put their token into a file."""
    config = ("--config", office.config, "--json")
    person = (await typed("people", "add", name, "--role", role, *config)).row["id"]
    made = (await typed("tokens", "create", person, *config)).row["token"]
    path = office.folder / f"{name}.token"
    path.write_text(made + "\n")
    return path
