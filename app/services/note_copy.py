"""The same request on another road: noted with its reference there; a person says which exchange it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from app.audit.facts import Fact, FactType
from app.db import channel_copies, exchanges, fingerprints, requests
from app.db.channel_copies import CopyRecord
from app.db.node_secret import TARGET_FINGERPRINTS, settle_secret
from app.domain.codes import Direction
from app.domain.fingerprints import marks_of, sought_in
from app.errors import Conflict, FieldError, Forbidden, Refused, Unknown
from app.services.identifiers import new_id
from app.services.mark_exchange import KEY_BYTES
from app.services.record import record
from app.services.tell import Happening, tell

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from app.db.exchanges import ExchangeRecord
    from app.domain.directory_codes import OtherChannel
    from app.services.node import Acting


@dataclass(frozen=True, slots=True)
class NewCopy:
    """What the paper says: from or to whom, on which road, under which reference there, about what."""

    peer: str
    direction: Direction
    channel: OtherChannel
    reference: str
    at: datetime
    note: str | None
    targets: list[dict[str, Any]]


async def note_copy(acting: Acting, new: NewCopy) -> CopyRecord:
    """Note it; nothing is merged and no exchange begins.

    Raises Refused `contact_point_unknown`, Conflict `reference_known` for one that was noted already.
    """
    if acting.actor.person_id is None:
        raise Forbidden("role_not_allowed", "Only a person notes what came on another road.")
    if new.peer == acting.node.code or acting.node.directory.point(new.peer) is None:
        wrong = FieldError("/peer", "contact_point_unknown", "No other contact point has that code.")
        raise Refused("contact_point_unknown", "A contact point is not there.", errors=(wrong,))
    noted = CopyRecord(
        id=new_id(),
        peer=new.peer,
        direction=new.direction,
        channel=new.channel,
        reference=new.reference,
        at=new.at,
        note=new.note,
        targets=new.targets,
        noted_at=acting.now,
        noted_by=acting.actor.person_id,
    )
    if not await channel_copies.add(acting.session, noted):
        raise Conflict("reference_known", "This reference was noted on that road already.")
    said = {"channel": noted.channel, "reference": noted.reference, "direction": noted.direction}
    fact = Fact(FactType.OPERATOR_ACTION, peer=noted.peer, contents={"copy": said})
    await record(acting.session, acting.node, fact, actor=acting.actor, now=acting.now)
    return noted


async def candidates(acting: Acting, copy: CopyRecord) -> list[UUID]:
    """Exchanges with the same contact point that are about the same data, newest first: a hint, never an answer."""
    sought = sought_in({"targets": copy.targets})
    if not sought:
        return []
    proposed = acting.node.random(KEY_BYTES)
    key = await settle_secret(acting.session, TARGET_FINGERPRINTS, proposed=proposed, now=acting.now)
    marks = marks_of(sought, key)
    if copy.direction is Direction.INCOMING:
        found = list(await fingerprints.who_else(acting.session, "exchange", marks, but=copy.id))
    else:
        asked = await fingerprints.who_else(acting.session, "request", marks, but=copy.id)
        mine = await requests.load_many(acting.session, list(asked)) if asked else []
        found = [one.exchange_id for one in mine if one.exchange_id is not None]
    records = await exchanges.load_many(acting.session, found)
    same = [one for one in records.values() if one.peer == copy.peer and one.direction is copy.direction]
    return sorted((one.value.id for one in same), reverse=True)


async def unlinked_copy(acting: Acting, copy_id: UUID) -> CopyRecord:
    """A copy, locked. Raises Unknown; Conflict `action_not_allowed` if somebody said before which exchange it is."""
    copy = await channel_copies.load(acting.session, copy_id, for_update=True)
    if copy is None:
        raise Unknown("not_found", "There is no such thing, or it is not yours.")
    if copy.exchange_id is not None:
        raise Conflict("action_not_allowed", "It has been linked.")
    return copy


async def link_copy(acting: Acting, copy: CopyRecord, exchange_id: UUID) -> CopyRecord:
    """A person says that a locked copy is this exchange; both keep their references.

    Raises Refused `other_parties` where the exchange is with somebody else, or goes the other way.
    """
    shared = await exchanges.load(acting.session, exchange_id)
    if shared is None or shared.peer != copy.peer or shared.direction is not copy.direction:
        wrong = FieldError("/exchange_id", "other_parties", "Name an exchange of the same two sides, the same way.")
        raise Refused("other_parties", "This copy cannot be that exchange.", errors=(wrong,))
    linked = replace(copy, exchange_id=exchange_id, linked_at=acting.now, linked_by=acting.actor.person_id)
    await channel_copies.link(acting.session, linked)
    await tell(acting.session, acting.node, _linked(shared, linked), actor=acting.actor, now=acting.now)
    return linked


def _linked(shared: ExchangeRecord, copy: CopyRecord) -> Happening:
    return Happening(
        kind="exchange",
        subject=shared.value.id,
        event="copy_linked",
        state=shared.value.state,
        generation=shared.value.generation,
        detail={"channel": copy.channel, "reference": copy.reference, "at": copy.at.isoformat()},
        for_agency=False,
        ids={"reference": shared.value.request_reference},
    )
