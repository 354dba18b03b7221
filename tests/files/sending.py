"""Files on their way in tests: sent by either side as its node would, and looked at through the interface."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.db import exchanges, threads
from app.db.engine import begin
from app.db.threads import ThreadKey
from app.domain.codes import MessageType
from app.domain.messages import ActionBody, write_body
from app.domain.moments import to_milliseconds
from app.domain.requesting_acts import Supplement
from app.services.send import Outgoing, put
from app.services.send_file import Addressed, NewFile, send_file
from app.services.send_state import send_state
from tests.support.world import seen
from tests.world.journey import expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.db.engine import Session
    from app.db.exchanges import ExchangeRecord
    from app.domain.delivery_messages import FileBody
    from tests.support.world import LivingNode
    from tests.world.journey import Journey

PDF = "application/pdf"


async def prepare(journey: Journey, content: bytes, *, name: str = "order.pdf", at: str = "XA") -> FileBody:
    """Hand a file over without naming it: its chunks leave, and no message says what they are."""
    node = journey.world[at]
    async with begin(node.runtime.engine) as session:
        record = await _record(session, journey)
        now = node.runtime.clock()
        told = await send_file(session, node.runtime.node, addressed(record), NewFile(name, PDF, content), now=now)
    node.runtime.wake.ring()
    return told


async def name(journey: Journey, *told: FileBody) -> UUID:
    """A supplement of the requesting side that names these files; the message's id."""
    node = journey.world["XA"]
    async with begin(node.runtime.engine) as session:
        jti = await _supplement(session, node, await _record(session, journey), told)
    node.runtime.wake.ring()
    return jti


async def attach(journey: Journey, content: bytes, *, name: str = "order.pdf") -> FileBody:
    """A file of the requesting side, handed over and named by a supplement in one transaction."""
    node = journey.world["XA"]
    async with begin(node.runtime.engine) as session:
        record = await _record(session, journey)
        now = node.runtime.clock()
        told = await send_file(session, node.runtime.node, addressed(record), NewFile(name, PDF, content), now=now)
        await _supplement(session, node, record, (told,))
    node.runtime.wake.ring()
    return told


async def answer_with(journey: Journey, content: bytes) -> FileBody:
    """A file of the requested side, named by the next state that it sends."""
    node = journey.world["XT"]
    async with begin(node.runtime.engine) as session:
        await threads.lock(session, [ThreadKey(journey.exchange_id, "XA")])
        record = await _record(session, journey)
        now = node.runtime.clock()
        told = await send_file(
            session, node.runtime.node, addressed(record), NewFile("answer.pdf", PDF, content), now=now
        )
        await send_state(session, node.runtime.node, record, attachments=[told], now=now)
    node.runtime.wake.ring()
    return told


def addressed(record: ExchangeRecord) -> Addressed:
    """Where the files of an exchange go."""
    return Addressed(record.peer, record.value.id)


async def _record(session: Session, journey: Journey) -> ExchangeRecord:
    record = await exchanges.load(session, UUID(journey.exchange_id))
    assert record is not None
    return record


async def _supplement(session: Session, node: LivingNode, record: ExchangeRecord, told: tuple[FileBody, ...]) -> UUID:
    now = node.runtime.clock()
    act = Supplement(action="supplement", generation=record.value.generation, text="See the attachment.")
    body = ActionBody(act=act, at=to_milliseconds(now), attachments=told)
    letter = Outgoing(
        peer=record.peer, type=MessageType.EXCHANGE_ACTION, body=write_body(body), thread=str(record.value.id)
    )
    return await put(session, node.runtime.node, letter, now=now)


async def shown(journey: Journey, told: FileBody, *, at: str = "XT") -> dict[str, Any] | None:
    """The file as the desk of one side is shown it; None while it is not."""
    caller = journey.theirs() if at == "XT" else journey.ours()
    exchange = expect(await caller.get(journey.exchange), 200)
    return next((one for one in exchange["attachments"] if one["id"] == str(told.file_id)), None)


async def until(
    journey: Journey, told: FileBody, holds: Callable[[dict[str, Any]], bool], *, at: str = "XT", seconds: float = 60
) -> dict[str, Any]:
    """The file once it is so."""
    look = partial(shown, journey, told, at=at)
    found = await seen(look, lambda one: one is not None and holds(one), seconds=seconds)
    assert found is not None
    return found


def is_complete(one: dict[str, Any]) -> bool:
    """Whether it is there and what was signed."""
    return bool(one["state"] == "complete")


def is_wrong(one: dict[str, Any]) -> bool:
    """Whether it is not what was signed."""
    return bool(one["state"] == "wrong")
