"""A file leaves the system for one kind of recipient: held against its marking, the conditions, the grants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.db import exchanges
from app.domain.codes import Direction
from app.domain.exchange.onward import is_granted
from app.domain.exchange.receiving import received_file
from app.domain.markings import Destination, may_leave
from app.errors import Conflict
from app.services.check_onward import side_of

if TYPE_CHECKING:
    from app.db.engine import ReadSession
    from app.services.find_file import CaseFile
    from app.services.node import Node


async def check_release(
    session: ReadSession, node: Node, file: CaseFile, *, to: Destination, code: str | None = None
) -> None:
    """Raise Conflict `use_not_permitted`, whose `reason` says why, if the file may not go there.

    `code` names the contact point or the state of OTHER_STATE. What we have brought ourselves goes anywhere.
    """
    record = None if file.exchange_id is None else await exchanges.load(session, file.exchange_id)
    if record is None or file.direction is Direction.OUTGOING:
        return
    side = side_of(record)
    named = code if to is Destination.OTHER_STATE else node.code
    granted = named is not None and is_granted(record.value, named, receiver=side)
    reason = may_leave(received_file(record.value, side, file.marking, granted=granted), to=to)
    if reason is not None:
        detail = "Marking or condition does not allow it: ask the giver for an onward transfer."
        raise Conflict("use_not_permitted", detail, reason=reason)
