"""Another road than the one asked for: the agency is told which, and a copy may go to the state that has the data."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.domain.codes import GateOutcome, RequestType
from app.domain.documents import NORMALISED
from app.domain.instruments import state_of, usable
from app.domain.intake import DraftOrigin
from app.errors import FieldError, Refused
from app.services.draft_request import Draft, draft_request

if TYPE_CHECKING:
    from app.db.requests import RequestRecord
    from app.domain.intake_acts import Redirect
    from app.services.node import Acting

MEANWHILE = "Have the data preserved meanwhile, by a request of their own."


async def redirect(acting: Acting, record: RequestRecord, act: Redirect) -> RequestRecord:
    """The request with its outcome: the code, the text, whom to ask, and what is still possible here.

    Where the officer names no contact, the first one that the law files have for that code is named.
    """
    outcome: dict[str, Any] = act.model_dump(mode="json", exclude_none=True, exclude={"generation"})
    own, asked = state_of(acting.node.code), state_of(record.requested)
    target = acting.node.law.turn_to(GateOutcome(act.code), own=own, asked=asked)
    contact = act.contact or (None if target is None else target.address.line)
    if contact is not None:
        outcome["contact"] = contact
    if outcome["code"] == GateOutcome.MLA and record.type is not RequestType.PRESERVATION:
        outcome["alternatives"] = _meanwhile(acting, record)
    if act.new_requested is not None:
        copy = await copy_for(acting, record, act.new_requested)
        outcome["new_request"] = copy.reference
    return replace(record, outcome=outcome)


async def copy_for(acting: Acting, record: RequestRecord, code: str) -> RequestRecord:
    """The same request to another contact point, as a draft in INTAKE: nothing is forwarded, people decide anew.

    Raises Refused unless `code` is a contact point of another state, and another one than was asked.
    """
    if code == record.requested or state_of(code) == state_of(acting.node.code):
        raise _refused("wrong_state", "Name the contact point of another state than was asked.")
    if acting.node.directory.point(code) is None:
        raise _refused("unknown_contact_point", "The directory knows no contact point of this code.")
    document = {name: value for name, value in record.document.items() if name != NORMALISED}
    draft = Draft(source=record, requested=code, document=document, origin=DraftOrigin.WRONG_STATE)
    return await draft_request(acting.session, acting.node, draft, actor=acting.actor, now=acting.now)


def _meanwhile(acting: Acting, record: RequestRecord) -> list[dict[str, Any]]:
    """Preservation, where an instrument carries it: what the letter of request will ask for must still be there."""
    preserving = usable(
        acting.node.code, record.requested, on=acting.now.date(), type=RequestType.PRESERVATION, law=acting.node.law
    )
    return [
        {
            "text": MEANWHILE,
            "type": RequestType.PRESERVATION.value,
            "instrument": basis.instrument.value,
            "articles": list(basis.articles),
        }
        for basis in preserving[:1]
    ]


def _refused(code: str, detail: str) -> Refused:
    errors = (FieldError("/new_requested", code, detail),)
    return Refused("invalid_act", "The act breaks the rules listed.", errors=errors)
