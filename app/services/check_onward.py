"""What was received from another state goes on to a third one only if its giver has said so (CETS 224 art. 14(10))."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from app.db import exchanges, files
from app.domain.codes import Direction
from app.domain.exchange.onward import is_granted
from app.domain.exchange.receiving import received_item
from app.domain.exchange_codes import Side
from app.domain.marking_bodies import filed_marking
from app.domain.markings import Destination, may_leave, more_open
from app.errors import Conflict, FieldError, Refused

if TYPE_CHECKING:
    from app.db.exchanges import ExchangeRecord
    from app.db.requests import RequestRecord
    from app.domain.markings import Marking
    from app.services.node import Acting

NOT_GRANTED = "onward_transfer_not_granted"


async def check_onward_transfer(acting: Acting, record: RequestRecord) -> None:
    """Hold a request that passes on what came in another exchange against the grant and the marking of its giver.

    Raises:
        Conflict: `onward_transfer_not_granted`, naming the giver.
        Refused: `C-MARKING` where the request is marked more openly than what it passes on; `not_found` where
            `derived_from` names no exchange of this contact point.
    """
    source = await _source(acting, record)
    if source is None:
        return
    value, side = source.value, side_of(source)
    brought = await markings_received(acting, source)
    item = received_item(value, side, files=brought, granted=is_granted(value, record.requested, receiver=side))
    if record.requested == source.peer or item.own:
        return
    if may_leave(item, to=Destination.OTHER_STATE) is not None:
        detail = "Ask the contact point that gave the information to grant its onward transfer."
        raise Conflict(NOT_GRANTED, detail, giver=source.peer, derived_from=str(value.id))
    told = (record.approval or {}).get("marking")
    marking = None if told is None else filed_marking(told)
    opener = ("tlp",) if marking is None else more_open(marking, than=item.marking)
    if opener:
        detail = "What is made of received information bears its marking; only its originator may downgrade."
        faults = tuple(FieldError(f"/document/marking/{part}", "C-MARKING", detail) for part in opener)
        raise Refused("C-MARKING", detail, errors=faults)


async def _source(acting: Acting, record: RequestRecord) -> ExchangeRecord | None:
    """The exchange from which the request passes something on."""
    named = record.document.get("derived_from")
    if named is None:
        return None
    found = await exchanges.load(acting.session, UUID(str(named)))
    if found is None:
        detail = "This names no exchange of this contact point."
        raise Refused("not_found", detail, errors=(FieldError("/document/derived_from", "not_found", detail),))
    return found


async def markings_received(acting: Acting, record: ExchangeRecord) -> list[Marking]:
    """The markings of the files that the other side of an exchange has brought."""
    received = await files.of_exchange(acting.session, record.value.id, direction=Direction.INCOMING)
    return [file.marking for file in received if file.marking is not None]


def side_of(record: ExchangeRecord) -> Side:
    """On which side of the exchange this node stands."""
    return Side.REQUESTED if record.direction is Direction.INCOMING else Side.REQUESTING
