"""Rows of a node at which things are stuck, as they look after a bad night; for the tests of monitoring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sqlalchemy import insert

from app.db.engine import begin
from app.db.tables_delivery import inbox, outbox, publication, quarantine, thread
from app.db.tables_passage import pulse

if TYPE_CHECKING:
    from datetime import datetime

    from app.runtime import Runtime


async def put_out(runtime: Runtime, since: datetime, **values: Any) -> None:  # noqa: ANN401 - columns of any type
    """A message to XT on urgent, queued then."""
    row: dict[str, Any] = {
        "jti": uuid4(),
        "peer": "XT",
        "type": "exchange.open/1",
        "thread": str(uuid4()),
        "seq": 1,
        "body": b"{}",
        "lane": "urgent",
        "created_at": since,
        "next_at": since,
        **values,
    }
    async with begin(runtime.engine) as session:
        await session.execute(insert(outbox).values(**row))


async def publish(runtime: Runtime, began: datetime, confirmed: datetime | None) -> None:
    """One attempt for every message of the outbox."""
    async with begin(runtime.engine) as session:
        for row in (await session.execute(outbox.select())).all():
            await session.execute(
                insert(publication).values(
                    outbox_id=row.id, copy=1, peer=row.peer, lane=row.lane, began_at=began, confirmed_at=confirmed
                )
            )


async def come_in(runtime: Runtime, at: datetime, **values: Any) -> None:  # noqa: ANN401 - columns of any type
    """A message of XT, applied when it came unless `values` say otherwise."""
    state = values.get("state", "applied")
    row: dict[str, Any] = {
        "iss": "XT",
        "jti": uuid4(),
        "type": "exchange.action/1",
        "kid": "k",
        "inner_hash": "h",
        "jws": "a.b.c",
        "lane": "urgent",
        "copy": 1,
        "received_at": at,
        "state": "applied",
        "applied_at": None if state in {"held", "quarantined"} else at,
        **values,
    }
    async with begin(runtime.engine) as session:
        await session.execute(insert(inbox).values(**row))


async def open_thread(runtime: Runtime, at: datetime, *, consumed: int = 0, exchange: bool = True) -> str:
    """A thread with XT of which so many numbers were consumed."""
    id_ = uuid4()
    async with begin(runtime.engine) as session:
        await session.execute(
            insert(thread).values(
                peer="XT",
                id=str(id_) if exchange else f"att:{id_}",
                exchange_id=id_ if exchange else None,
                opened_by="XT",
                lane="urgent",
                next_out=1,
                consumed_in=consumed,
                created_at=at,
            )
        )
    return str(id_) if exchange else f"att:{id_}"


async def keep_aside(runtime: Runtime, at: datetime, reason: str, **values: Any) -> None:  # noqa: ANN401 - columns of any type
    """Something in quarantine, said to be from XT."""
    row: dict[str, Any] = {
        "digest": uuid4().hex,
        "raw": b"?",
        "reason": reason,
        "authenticated": False,
        "iss": "XT",
        "lane": "urgent",
        "first_seen": at,
        "last_seen": at,
        **values,
    }
    async with begin(runtime.engine) as session:
        await session.execute(insert(quarantine).values(**row))


async def feel_pulse(runtime: Runtime, peer: str, at: datetime, **values: Any) -> None:  # noqa: ANN401 - columns of any type
    """Both lanes of a peer, heard and answered at that moment."""
    row: dict[str, Any] = {
        "peer": peer,
        "sent_at": at,
        "answered_at": at,
        "heard_at": at,
        "said_at": at,
        "round_trip_ms": 240,
        "skew_ms": 31,
        "software": "counterpart 0.1.0",
        **values,
    }
    async with begin(runtime.engine) as session:
        for lane in ("urgent", "routine"):
            await session.execute(insert(pulse).values(**row, lane=lane))
