"""Received information is disclosed to an authority at home: allowed by marking and conditions, or by a grant; kept."""

# ruff: noqa: TC003 - pydantic reads the annotations at run time

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

from pydantic import Field

from app.db import disclosures
from app.db.disclosures import Disclosure
from app.domain.exchange.onward import has_received
from app.domain.exchange.receiving import received_item
from app.domain.exchange_codes import Decision
from app.domain.marking_bodies import write_marking
from app.domain.markings import Destination, may_leave
from app.domain.wire import Closed, Line, ShortText
from app.errors import Conflict, FieldError, Forbidden, Refused
from app.services.check_onward import markings_received, side_of
from app.services.identifiers import new_id
from app.services.tell import Happening, tell

if TYPE_CHECKING:
    from app.db.exchanges import ExchangeRecord
    from app.domain.exchange.onward_values import OnwardTransfer
    from app.services.node import Acting


class Sharing(Closed):
    """To whom received information is given at home, and for what.

    `other_use`: not for the investigation for which it was given. `transfer_id` names the grant on which it rests.
    """

    recipient: Literal[Destination.AGENCY, Destination.DOMESTIC_AUTHORITY, Destination.COURT]
    authority: Line
    purpose: ShortText
    other_use: bool = False
    transfer_id: Annotated[UUID | None, Field(description="A granted onward transfer to one's own code.")] = None


async def share_at_home(acting: Acting, record: ExchangeRecord, said: Sharing) -> Disclosure:
    """Keep the disclosure and return it; nothing is told abroad (CETS 224 art. 14(9)).

    Raises:
        Conflict: `action_not_allowed` where nothing was received; `use_not_permitted`, whose `reason` says which
            marking or condition stands against it: ask the giver for an onward transfer to one's own code.
        Refused: `grant_unknown` where `transfer_id` names no grant for use at home.
    """
    if acting.actor.person_id is None:
        raise Forbidden("role_not_allowed", "Only a person discloses information.")
    value, side = record.value, side_of(record)
    brought = await markings_received(acting, record)
    if not brought and not has_received(value, side):
        raise Conflict("action_not_allowed", "Nothing was received here.", reason="nothing_given")
    grant = None if said.transfer_id is None else _grant(acting, record, said.transfer_id)
    item = received_item(value, side, files=brought, granted=grant is not None)
    obstacle = may_leave(item, to=said.recipient, other_use=said.other_use)
    if obstacle is not None:
        detail = "Marking or condition does not allow it: ask the giver for an onward transfer to your own code."
        raise Conflict("use_not_permitted", detail, reason=obstacle)
    kept = Disclosure(
        id=new_id(),
        exchange_id=value.id,
        at=acting.now,
        person_id=acting.actor.person_id,
        recipient=said.recipient,
        authority=said.authority,
        purpose=said.purpose,
        other_use=said.other_use,
        transfer_id=said.transfer_id,
        marking=write_marking(item.marking).model_dump(mode="json", exclude_none=True),
    )
    await disclosures.add(acting.session, kept)
    await tell(acting.session, acting.node, _happening(record, kept), actor=acting.actor, now=acting.now)
    return kept


def _grant(acting: Acting, record: ExchangeRecord, transfer_id: UUID) -> OnwardTransfer:
    """The grant of that id, if it is ours and for use at home."""
    ours, at_home = side_of(record), acting.node.code
    granted = (one for one in record.value.onward_transfers if one.decision is Decision.GRANTED and one.side is ours)
    found = next((one for one in granted if one.id == transfer_id and one.to == at_home), None)
    if found is None:
        fault = FieldError("/transfer_id", "grant_unknown", "Name a granted onward transfer to your own code.")
        raise Refused(fault.code, fault.detail, errors=(fault,))
    return found


def _happening(record: ExchangeRecord, kept: Disclosure) -> Happening:
    return Happening(
        kind="exchange",
        subject=record.value.id,
        event="shared_at_home",
        state=record.value.state,
        generation=record.value.generation,
        detail={
            "recipient": kept.recipient,
            "authority": kept.authority,
            "purpose": kept.purpose,
            "other_use": kept.other_use,
        },
        for_agency=False,
        ids={"disclosure_id": str(kept.id), "reference": record.value.request_reference},
    )
