"""A person of the agency or of the desk does something with a domestic request (machine M1)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from app.db import requests
from app.domain.approval import decide_approval, least_marking, propose_approval
from app.domain.codes import Tier
from app.domain.deadlines import triage_due
from app.domain.instruments import usable
from app.domain.intake import Intake, IntakeAction, advance, check_generation, check_mover
from app.domain.intake_acts import Approve, IntakeAct, Merge, Redirect, Resubmit, Retarget, read_act
from app.errors import FieldError, Refused
from app.services.ask_extension import ask_extension, asks_extension
from app.services.check_signing import check_before_signing
from app.services.dispatch import dispatch
from app.services.file_markings import markings_of_files
from app.services.file_request import check_filing, with_caution
from app.services.look_into_request import look_into_request
from app.services.mark_request import mark_request
from app.services.merge_request import merge_request
from app.services.reroute_request import copy_for, redirect
from app.services.tell import Happening, tell

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime
    from uuid import UUID

    from app.db.requests import RequestRecord
    from app.domain.documents import AcceptedDocument
    from app.services.node import Acting, Actor, Node

HIDDEN = frozenset({"action", "generation", "document", "into"})
"""Members of an act that are no detail of the timeline; that of a merger would name another agency's request."""


@dataclass(frozen=True, slots=True)
class _Deed:
    """One act in hand: whose, and the request before it."""

    acting: Acting
    record: RequestRecord

    @property
    def node(self) -> Node:
        return self.acting.node

    @property
    def now(self) -> datetime:
        return self.acting.now


def intake_of(record: RequestRecord, node: Node) -> Intake:
    """The request as far as the machine is concerned."""
    return Intake(
        id=record.id,
        state=record.state,
        generation=record.generation,
        approved_by=record.approved_by,
        declined_by=record.declined_by,
        signed_by=record.signed_by,
        withdrawal_wished_at=record.withdrawal_wished_at,
        review_due_at=record.review_due_at,
        reviewed_by=record.reviewed_by,
        alone=node.single_officer_shift and record.tier is Tier.EMERGENCY,
    )


async def act_on_request(acting: Acting, record: RequestRecord, raw: Mapping[str, Any]) -> RequestRecord:
    """Do the act in `raw` to a request whose row is locked; everything it causes is in this transaction.

    Raises, in this order: Forbidden; Conflict `stale_generation`, then `action_not_allowed`; Refused for an act that
    there is not, and for what the act says.
    """
    person, role = _mover(acting.actor)
    intake = intake_of(record, acting.node)
    named = raw.get("action")
    if isinstance(named, str) and named in set(IntakeAction):
        check_mover(intake, IntakeAction(named), actor_id=person, role=role)
    check_generation(intake, _generation_of(raw))
    action = _action_of(raw)
    after = advance(intake, action, actor_id=person, role=role, now=acting.now)
    act = read_act(raw)
    effect = _EFFECTS.get(action, _keep)
    changed = await effect(_Deed(acting, record), act)
    changed = replace(
        changed,
        state=after.state,
        generation=after.generation,
        approved_by=after.approved_by,
        declined_by=after.declined_by,
        signed_by=after.signed_by,
        withdrawal_wished_at=after.withdrawal_wished_at,
        review_due_at=after.review_due_at,
        reviewed_by=after.reviewed_by,
        updated_at=acting.now,
    )
    await requests.save(acting.session, changed, read_generation=record.generation)
    await tell(acting.session, acting.node, _happening(changed, act), actor=acting.actor, now=acting.now)
    return changed


def _action_of(raw: Mapping[str, Any]) -> IntakeAction:
    named = raw.get("action")
    if not isinstance(named, str) or named not in set(IntakeAction):
        fault = FieldError("/action", "not_in_list", f"One of: {', '.join(IntakeAction)}.")
        raise Refused("invalid_act", "There is no such act.", errors=(fault,))
    return IntakeAction(named)


def _generation_of(raw: Mapping[str, Any]) -> int | None:
    """The generation as far as it can be read; what is wrong with it is said after what is wrong with the moment."""
    generation = raw.get("generation")
    return generation if isinstance(generation, int) and not isinstance(generation, bool) else None


def _mover(actor: Actor) -> tuple[UUID, Any]:
    if actor.person_id is None or actor.role is None:
        raise Refused("invalid_act", "Only a person acts on a request.")
    return actor.person_id, actor.role


def _happening(record: RequestRecord, act: IntakeAct) -> Happening:
    said = act.model_dump(mode="json", exclude_none=True, exclude=set(HIDDEN))
    return Happening(
        kind="request",
        subject=record.id,
        event=str(act.action),
        state=record.state,
        generation=record.generation,
        agency_id=record.agency_id,
        detail=said,
        ids={"reference": record.reference} | ({"exchange_id": str(record.exchange_id)} if record.exchange_id else {}),
    )


async def _keep(deed: _Deed, _act: IntakeAct) -> RequestRecord:
    return deed.record


async def _open(deed: _Deed, _act: IntakeAct) -> RequestRecord:
    return replace(deed.record, triage_due_at=_triage_due(deed, deed.record.tier))


def _triage_due(deed: _Deed, tier: Tier) -> datetime:
    point = deed.node.directory.point(deed.node.code)
    zone = ZoneInfo(point.time_zone if point else "UTC")
    return triage_due(tier, start=deed.now, zone=zone, clocks=deed.node.clocks)


async def _set_outcome(deed: _Deed, act: IntakeAct) -> RequestRecord:
    said = act.model_dump(mode="json", exclude_none=True, exclude={"generation"})
    return replace(deed.record, outcome=said)


async def _resubmit(deed: _Deed, act: IntakeAct) -> RequestRecord:
    if not isinstance(act, Resubmit):
        return deed.record
    accepted = await with_caution(deed.acting.session, _check_completed(deed, act.document))
    if accepted.type is not deed.record.type:
        fault = FieldError("/document/type", "type_changed", "A completed document keeps its type; file a new request.")
        raise Refused("invalid_document", "The document breaks the rules listed.", errors=(fault,))
    completed = replace(
        deed.record,
        requested=accepted.requested,
        tier=accepted.tier,
        own_reference=accepted.own_reference,
        is_test=accepted.is_test,
        document=dict(accepted.document),
        warnings=[warning.as_json() for warning in accepted.warnings],
        triage_due_at=_triage_due(deed, accepted.tier),
        outcome=None,
    )
    await mark_request(deed.acting.session, deed.node, completed, now=deed.now)
    return completed


def _check_completed(deed: _Deed, document: Mapping[str, Any]) -> AcceptedDocument:
    """As when it is filed; what is wrong is pointed at where it stands in the act."""
    try:
        return check_filing(deed.node, document, now=deed.now)
    except Refused as refused:
        refused.errors = tuple(replace(fault, pointer=f"/document{fault.pointer}") for fault in refused.errors)
        raise


async def _approve(deed: _Deed, act: IntakeAct) -> RequestRecord:
    if not isinstance(act, Approve):
        return deed.record
    record = deed.record
    node = deed.node
    bases = usable(node.code, record.requested, on=deed.now.date(), type=record.type, law=node.law)
    answers, _ = await look_into_request(deed.acting.session, node, record, now=deed.now)
    files = [*await markings_of_files(deed.acting.session, record), *least_marking(record.document)]
    proposed = propose_approval(record.document, bases, answers, files=files)
    decided = decide_approval(act, proposed, bases=bases, files=files)
    return replace(record, approval=decided.as_json(), outcome=None)


async def _reopen(deed: _Deed, _act: IntakeAct) -> RequestRecord:
    return replace(deed.record, approval=None, outcome=None)


async def _redirect(deed: _Deed, act: IntakeAct) -> RequestRecord:
    return await redirect(deed.acting, deed.record, act) if isinstance(act, Redirect) else deed.record


async def _merge(deed: _Deed, act: IntakeAct) -> RequestRecord:
    return await merge_request(deed.acting, deed.record, act) if isinstance(act, Merge) else deed.record


async def _retarget(deed: _Deed, act: IntakeAct) -> RequestRecord:
    if isinstance(act, Retarget):
        await copy_for(deed.acting, deed.record, act.new_requested)
    return deed.record


async def _sign(deed: _Deed, _act: IntakeAct) -> RequestRecord:
    await check_before_signing(deed.acting, deed.record)
    leave = ask_extension if asks_extension(deed.record) else dispatch
    return replace(deed.record, exchange_id=await leave(deed.acting, deed.record))


_EFFECTS: Mapping[IntakeAction, Callable[[_Deed, IntakeAct], Awaitable[RequestRecord]]] = {
    IntakeAction.OPEN: _open,
    IntakeAction.RETURN: _set_outcome,
    IntakeAction.RESUBMIT: _resubmit,
    IntakeAction.REDIRECT: _redirect,
    IntakeAction.MERGE: _merge,
    IntakeAction.RETARGET: _retarget,
    IntakeAction.DECLINE: _set_outcome,
    IntakeAction.APPROVE: _approve,
    IntakeAction.REOPEN: _reopen,
    IntakeAction.SIGN: _sign,
}
"""Acts without an entry change nothing but what the machine changes."""
