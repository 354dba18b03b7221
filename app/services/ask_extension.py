"""A signed request for extension is no new exchange: it becomes an act on the hold it speaks of (ruling 18)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.db import exchanges, requests, threads
from app.db.threads import ThreadKey
from app.domain.codes import RequestType
from app.domain.documents.matter import RequestStatus
from app.domain.hold_acts import HOLD_ACT
from app.domain.holds import is_open
from app.domain.references import check_reference
from app.errors import FieldError, Refused
from app.services.wanted import Wanted
from app.services.wish import wish_on_hold

if TYPE_CHECKING:
    from uuid import UUID

    from app.db.exchanges import ExchangeRecord
    from app.db.requests import RequestRecord
    from app.services.node import Acting

ACTION = "request_extension"


def asks_extension(record: RequestRecord) -> bool:
    """Whether it asks for more time for data that are held already: by its type, or a preservation by its status."""
    by_status = record.document.get("request_status") == RequestStatus.EXTENSION
    return record.type is RequestType.PRESERVATION_EXTENSION or (record.type is RequestType.PRESERVATION and by_status)


async def ask_extension(acting: Acting, record: RequestRecord) -> UUID:
    """Send `request_extension` for every open hold of the earlier request; returns the exchange they belong to.

    Raises Refused `C-MISSING` when the reference names no request of this agency with data still held (V-6).
    """
    earlier = await _earlier(acting, record)
    held = [] if earlier is None else [hold for hold in earlier.value.holds if is_open(hold, acting.now)]
    if earlier is None or not held:
        detail = "This must name an earlier request of the agency for which data are still held."
        fault = FieldError("/previous_reference", "C-MISSING", detail)
        raise Refused("C-MISSING", "The extension has nothing to extend.", errors=(fault,))
    act = {"action": ACTION, "generation": earlier.value.generation}
    if record.document.get("requested_period_days") is not None:
        act["days"] = record.document["requested_period_days"]
    necessity = record.document.get("necessity")
    if isinstance(necessity, dict) and "text" in necessity:
        act["text"] = necessity["text"]
    wanted = Wanted(ACTION, earlier.value.generation, lambda: HOLD_ACT.validate_python(act))
    for hold in held:
        await wish_on_hold(acting, earlier, hold_id=hold.id, wanted=wanted)
    return earlier.value.id


async def _earlier(acting: Acting, record: RequestRecord) -> ExchangeRecord | None:
    """The exchange of the request named, if that is of the same agency and went to the same contact point."""
    reference = check_reference(str(record.document.get("previous_reference", "")))
    if reference is None:
        return None
    named = await requests.load(acting.session, reference, agency_id=record.agency_id)
    if named is None or named.exchange_id is None or named.requested != record.requested:
        return None
    await threads.lock(acting.session, [ThreadKey(str(named.exchange_id), named.requested)])
    return await exchanges.load(acting.session, named.exchange_id, for_update=True)
