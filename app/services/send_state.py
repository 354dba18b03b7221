"""The requested node says how an exchange stands: the whole of it, and what became of the other side's messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.db import inbox, threads
from app.db.threads import ThreadKey
from app.domain.codes import MessageType
from app.domain.messages import FateBody, StateBody, write_body
from app.domain.snapshot import take_snapshot
from app.domain.tiers import lane_of
from app.services.send import Outgoing, put

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from app.db.engine import Session
    from app.db.exchanges import ExchangeRecord
    from app.domain.delivery_messages import FileBody
    from app.services.node import Node

MAX_FATES = 300
"""Fates in one answer, the newest. A snapshot and these fit into an envelope; older ones were told many answers ago."""


async def send_state(
    session: Session, node: Node, record: ExchangeRecord, *, attachments: Sequence[FileBody] = (), now: datetime
) -> None:
    """Queue one `exchange.state/1` (ruling 14). A later one replaces an earlier one wholly, so none is ever patched.

    Only `attachments`, the files that this state names first, add up over all states. The caller holds the lock of the
    thread row: `consumed` and the fates belong to the same moment as the snapshot.
    """
    value = record.value
    key = ThreadKey(str(value.id), value.requesting)
    thread = await threads.load(session, key)
    fates = await inbox.fates(session, key)
    body = StateBody(
        snapshot=take_snapshot(value),
        answers=tuple(FateBody(jti=one.jti, fate=one.fate, code=one.code) for one in fates[-MAX_FATES:]),
        consumed=0 if thread is None else thread.consumed_in,
        attachments=tuple(attachments) or None,
    )
    letter = Outgoing(
        peer=value.requesting,
        type=MessageType.EXCHANGE_STATE,
        body=write_body(body),
        thread=str(value.id),
        lane=lane_of(value.tier),
    )
    await put(session, node, letter, now=now)
