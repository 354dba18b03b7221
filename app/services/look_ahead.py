"""Whether the requesting side has already said that it wants out, in a message whose turn has not come yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.db import inbox
from app.db.tables_delivery import InboxState
from app.domain.codes import MessageType
from app.domain.message_reading import read_body
from app.domain.messages import ActionBody
from app.domain.requesting_acts import Stop, Withdraw
from app.errors import Malformed
from app.services.inbound import read_kept

if TYPE_CHECKING:
    from uuid import UUID

    from app.db.engine import ReadSession
    from app.db.threads import ThreadKey
    from app.services.inbound import Due


@dataclass(frozen=True, slots=True)
class Ahead:
    """What the messages behind the present one say.

    `withdraw` follows it without a gap, `act_id` names it; `waits`: a `withdraw` or `stop` is there, but behind a gap.
    """

    withdraw: Withdraw | None = None
    act_id: UUID | None = None
    waits: bool = False


async def look_ahead(session: ReadSession, key: ThreadKey, *, seq: int) -> Ahead:
    """Read what is stored above `seq` in this thread; the caller holds its lock. Nothing is consumed by looking."""
    line = (await inbox.waiting_in(session, {key: seq}))[key]
    if not line:
        return Ahead()
    stored = {row.key: row for row in await inbox.find(session, [one.key for one in line])}
    in_turn, waits = True, False
    for number, one in enumerate(line, start=seq + 1):
        row = stored[one.key]
        # A held message with a code is one that officers have ended without effect.
        counts = one.state is InboxState.HELD and row.code is None
        in_turn = in_turn and one.seq == number and one.state is InboxState.HELD
        act = wants_out(read_kept(row)) if counts else None
        if isinstance(act, Withdraw) and in_turn:
            return Ahead(act, one.key[1])
        waits = waits or act is not None
    return Ahead(waits=waits)


def wants_out(due: Due) -> Withdraw | Stop | None:
    """The act, if this message is a `withdraw` or a `stop`."""
    if due.row.type != MessageType.EXCHANGE_ACTION:
        return None
    try:
        act = read_body(ActionBody, due.claims.body).body.act
    except Malformed:
        return None
    return act if isinstance(act, Withdraw | Stop) else None
