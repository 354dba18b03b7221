"""A file that another contact point once sent goes on only with its giver's leave, and under its giver's marking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.db import exchanges, files
from app.domain.codes import Direction
from app.domain.exchange.onward import is_granted
from app.domain.exchange.receiving import received_file
from app.domain.exchange_codes import Side
from app.domain.markings import Destination, combined, may_leave
from app.errors import Conflict

if TYPE_CHECKING:
    from app.db.exchanges import ExchangeRecord
    from app.db.files import NamedFile
    from app.domain.markings import Item, Marking
    from app.services.node import Acting

NOT_GRANTED = "onward_transfer_not_granted"


async def check_passed_on(acting: Acting, sha256: str, *, to: str) -> Marking | None:
    """Hold a file that is about to leave against every copy of it that came from a third contact point.

    It is known by its content, whatever it is called and whichever request names it. Returns the strictest marking
    that it came with; None if nobody else's. Raises Conflict `onward_transfer_not_granted`, naming the giver, unless
    one of the exchanges in which that giver sent it has a grant for this contact point or its state.
    """
    by_giver: dict[str, list[tuple[NamedFile, Item, ExchangeRecord]]] = {}
    for file in await files.received_like(acting.session, sha256, from_others_than=to):
        record = await exchanges.load(acting.session, file.exchange_id)
        if record is not None:
            side = Side.REQUESTED if record.direction is Direction.INCOMING else Side.REQUESTING
            granted = is_granted(record.value, to, receiver=side)
            item = received_file(record.value, side, file.marking, granted=granted)
            by_giver.setdefault(file.peer, []).append((file, item, record))
    markings: list[Marking] = []
    for giver, copies in by_giver.items():
        free = [item for _, item, _ in copies if may_leave(item, to=Destination.OTHER_STATE) is None]
        if not free:
            file, _, record = copies[0]
            detail = "Ask the contact point that sent this file to grant its onward transfer."
            raise Conflict(NOT_GRANTED, detail, giver=giver, derived_from=str(record.value.id), attachment=str(file.id))
        markings += [item.marking for item in free]
    return combined(markings[0], *markings[1:]) if markings else None
