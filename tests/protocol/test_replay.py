"""The conversation of docs/vectors is what the real node does: played to XT's services on a real database."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.bus.relay import Relay, relay_once
from app.db import exchanges, threads
from app.db.engine import begin, reading
from app.db.threads import ThreadKey
from app.domain.acts import EXCHANGE_ACT
from app.domain.codes import Lane, Role
from app.domain.directory import Directory, load_directory
from app.domain.hold_acts import HOLD_ACT
from app.domain.instruments import packaged_law
from app.envelope.keys import Keyring, make_keyring, read_decryption_key, read_signing_key
from app.envelope.open import open_envelope
from app.services.act_on_exchange import act_on_exchange, act_on_hold_here
from app.services.effects import EFFECTS
from app.services.inbound import Arrived
from app.services.node import Acting, Actor, Node
from app.services.receive import receive
from app.services.recovery.answer import answer_list, find_answerable
from app.services.retry_quarantined import retry_with_directory
from app.services.seal import Sealing
from app.services.wanted import Wanted

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

JSON = dict[str, Any]
COMPARED = ("exchange.state/1", "resync.copy/1", "resync/1")
VECTORS = Path(__file__).parents[2] / "docs" / "vectors"
OFFICER = Actor(UUID(int=7), "officer:7", Role.DUTY_OFFICER)
QUEUED = "SELECT id, type, body FROM outbox WHERE id > :after ORDER BY id"
DUE_AGAIN = "SELECT seq FROM outbox WHERE type = 'exchange.state/1' AND jws IS NOT NULL AND next_at IS NOT NULL"


def vector(name: str) -> Any:  # noqa: ANN401 - a JSON document
    """A file of the vectors."""
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


def directory(version: int) -> Directory:
    """One of the two directories."""
    return load_directory(json.dumps(vector(f"directory-{version}.json")))


def keyring() -> Keyring:
    """XT's own keys."""
    keys = vector("keys.json")["keys"]
    return make_keyring(read_signing_key(keys["XT-sig-2026a"]), [read_decryption_key(keys["XT-enc-2026a"])])


class Silent:
    """A courier that confirms everything and delivers nothing: the vectors say what arrives."""

    async def publish(self, _lane: Lane, _to: str, _body: bytes) -> None:
        """Confirm."""


@dataclass
class Kitano:
    """XT's services on a database, without a broker: what it queues is compared, not sent."""

    engine: AsyncEngine
    node: Node
    keys: Keyring
    after: int = 0
    again: list[int] = field(default_factory=list)

    async def queued(self, now: datetime) -> list[tuple[str, JSON]]:
        """Type and body of what was queued since the last look; it is signed and published."""
        async with reading(self.engine) as session:
            rows = (await session.execute(text(QUEUED), {"after": self.after})).all()
        sealing = Sealing("XT", self.keys.signing, self.node.directory)
        relay = Relay(self.engine, Silent(), sealing, lambda: now, lambda: 0.5)
        for lane in Lane:
            await relay_once(relay, lane)
        self.after = max([self.after, *(row[0] for row in rows)])
        return [(row[1], json.loads(row[2])) for row in rows]

    async def take(self, step: JSON) -> list[tuple[str, JSON]]:
        """One envelope arrives; what is queued for it."""
        now, raw = moment(step), step["envelope"].encode()
        opened = open_envelope(raw, me="XT", keyring=self.keys, directory=self.node.directory, now=now)
        async with begin(self.engine) as session:
            arrived = Arrived(raw, Lane(step["lane"]), opened)
            await receive(session, self.node, [arrived], effects=EFFECTS, now=now)
        return await self.queued(now)

    async def act(self, step: JSON) -> list[tuple[str, JSON]]:
        """The duty officer acts; what is queued for it."""
        now, told, thread = moment(step), dict(step["act"]), step["claims"]["thread"]
        hold = told.pop("hold_id", None)
        async with begin(self.engine) as session:
            await threads.lock(session, [ThreadKey(thread, "XA")])
            record = await exchanges.load(session, UUID(thread), for_update=True)
            assert record is not None
            acting = Acting(session, self.node, OFFICER, now)
            raw = json.dumps(told)
            if hold is None:
                wanted = Wanted(told["action"], told["generation"], lambda: EXCHANGE_ACT.validate_json(raw))
                await act_on_exchange(acting, record, wanted)
            else:
                on_hold = Wanted(told["action"], told["generation"], lambda: HOLD_ACT.validate_json(raw))
                await act_on_hold_here(acting, record, hold_id=UUID(hold), wanted=on_hold)
        return await self.queued(now)

    async def learn(self, version: int, now: datetime) -> list[tuple[str, JSON]]:
        """A new directory; what is queued when all that waited for one was looked at again."""
        self.node = replace(self.node, directory=directory(version))
        after: int | None = 0
        while after is not None:
            async with begin(self.engine) as session:
                after = await retry_with_directory(session, self.node, effects=EFFECTS, after=after, now=now)
        return await self.queued(now)

    async def answer(self, now: datetime) -> list[tuple[str, JSON]]:
        """Whatever resync can be answered now is; what is queued for it, and which states are due again."""
        async with begin(self.engine) as session:
            for key in await find_answerable(session, now=now):
                await answer_list(session, self.node, key, now=now)
        async with reading(self.engine) as session:
            self.again += [row[0] for row in (await session.execute(text(DUE_AGAIN))).all()]
        return await self.queued(now)

    async def fates(self) -> dict[str, str]:
        """Message and fate of everything of XA's that has ended."""
        async with reading(self.engine) as session:
            rows = (await session.execute(text("SELECT jti, state FROM inbox WHERE iss = 'XA'"))).all()
        return {str(row[0]): row[1] for row in rows}


def moment(step: JSON) -> datetime:
    """When it was."""
    return datetime.fromisoformat(step["at"])


@pytest.fixture
def kitano(engine: AsyncEngine) -> Kitano:
    """XT with directory 41 and an empty database."""
    node = Node("XT", directory(41), "log.xt.example/2026", secrets.token_bytes, packaged_law())
    return Kitano(engine, node, keyring())


async def test_the_real_node_says_what_the_conversation_says(kitano: Kitano) -> None:
    """Played to the real receiver, each message of XA gets the receipt, fate, state and texts of the vectors."""
    steps = vector("conversation.json")["steps"]
    said: list[tuple[str, JSON]] = []
    for step in steps:
        queued = await play(kitano, step)
        said += [one for one in queued if one[0] in COMPARED]
        entries = [entry for type_, body in queued if type_ == "receipt/1" for entry in body["receipts"]]
        assert entries == expected_receipts(step, steps), step["about"]
    for type_ in COMPARED:
        wanted = [step["claims"]["body"] for step in steps if is_first(step) and step["type"] == type_]
        assert [body for queued, body in said if queued == type_] == wanted
    forgotten = next(step for step in steps if step["about"] == "A state that XA will forget.")
    assert kitano.again == [forgotten["claims"]["seq"]]
    ended = await kitano.fates()
    for step in steps:
        if step.get("from") == "XA" and "fate" in step.get("then", {}):
            assert ended[step["claims"]["jti"]] == step["then"]["fate"], step["about"]


async def play(kitano: Kitano, step: JSON) -> list[tuple[str, JSON]]:
    """What XT queues at one step."""
    if "event" in step:
        return await kitano.learn(42, moment(step)) if step["event"] == {"code": "XT"} else []
    if step["from"] == "XT":
        return await kitano.act(step) if "act" in step else []
    if step["type"] == "receipt/1" or not step["arrives"]:
        return []
    return await kitano.take(step) + await kitano.answer(moment(step))


def is_first(step: JSON) -> bool:
    """A message of XT on its first publication."""
    return bool(step.get("from") == "XT" and step["copy"] == 1)


def expected_receipts(step: JSON, steps: list[JSON]) -> list[JSON]:
    """The entries that XT queues at this step: at once, or with the directory for which a text waited."""
    if step.get("event") == {"code": "XT"}:
        return [one["then"]["receipt"] for one in steps if one.get("then", {}).get("waits")]
    receipt = step.get("then", {}).get("receipt")
    return [receipt] if step.get("from") == "XA" and receipt is not None and not step["then"].get("waits") else []
