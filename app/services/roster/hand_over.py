"""One shift hands over to the next: whoever goes leaves notes, whoever comes confirms the list of what is open."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import rfc8785

from app.audit.facts import JSON, Fact, FactType
from app.db import rosters
from app.db.handover_lists import Pressing, pressing
from app.db.rosters import HandoverRecord
from app.db.tables_roster import HandoverEntry
from app.domain.moments import write_instant
from app.domain.roster import HANDOVER_OPEN
from app.envelope.format import encode_part
from app.errors import Conflict, Forbidden
from app.services.identifiers import new_id
from app.services.record import record

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from app.db.engine import ReadSession
    from app.domain.roster import Shift
    from app.services.node import Acting, Actor


@dataclass(frozen=True, slots=True)
class Handover:
    """The handover to one shift. Once confirmed, `listed` is what was confirmed, else what is open at this moment.

    `digest` names the list: whoever confirms says by it which one they have read.
    """

    listed: list[dict[str, Any]]
    digest: str
    notes: list[HandoverRecord]
    confirmation: HandoverRecord | None


async def read_handover(session: ReadSession, shift: Shift, *, now: datetime) -> Handover:
    """How the handover to this shift stands. Who was replaced since they confirmed has taken over nothing."""
    entries = await rosters.handover_of(session, shift.id)
    notes = [one for one in entries if one.entry is HandoverEntry.NOTE]
    taken = [one for one in entries if one.entry is HandoverEntry.CONFIRMATION and one.person_id in shift.officers]
    confirmation = taken[-1] if taken else None
    if confirmation is not None:
        return Handover(confirmation.listed, digest_of(confirmation.listed), notes, confirmation)
    listed = [_as_json(one) for one in await pressing(session, now=now)]
    return Handover(listed, digest_of(listed), notes, None)


async def note_handover(acting: Acting, shift: Shift, text: str) -> HandoverRecord:
    """Leave a note for whoever leads this shift. Raises Conflict once the shift is over."""
    if shift.ends_at <= acting.now:
        raise Conflict("action_not_allowed", "This shift is over.")
    return await _add(acting, shift, HandoverEntry.NOTE, text=text, listed=[])


async def confirm_handover(acting: Acting, shift: Shift, *, digest: str, text: str | None) -> HandoverRecord:
    """Take over what is listed, from half an hour before the shift until its end.

    Raises Forbidden as `refuse_others`. Conflict `action_not_allowed`: too early, too late, or done;
    `stale_generation`: a case has come or gone since the list was read.
    """
    refuse_others(acting.actor, shift)
    if not shift.starts_at - HANDOVER_OPEN <= acting.now < shift.ends_at:
        raise Conflict("action_not_allowed", "A shift is taken over from half an hour before it begins to its end.")
    standing = await read_handover(acting.session, shift, now=acting.now)
    if standing.confirmation is not None:
        raise Conflict("action_not_allowed", "This shift has been taken over.")
    if digest != standing.digest:
        raise Conflict("stale_generation", "What is open has changed since you read the list.")
    return await _add(acting, shift, HandoverEntry.CONFIRMATION, text=text, listed=standing.listed)


def refuse_others(actor: Actor, shift: Shift) -> None:
    """Raise Forbidden `not_your_shift` for anybody but the two officers of the shift."""
    if actor.person_id not in shift.officers:
        raise Forbidden("not_your_shift", "Only the officers of a shift take it over.")


def can_confirm(actor: Actor, shift: Shift, *, now: datetime) -> bool:
    """Whether this person may take the shift over at this moment, if nobody has."""
    return actor.person_id in shift.officers and shift.starts_at - HANDOVER_OPEN <= now < shift.ends_at


def digest_of(listed: Iterable[dict[str, Any]]) -> str:
    """The list's name: which cases are on it, not how each stands, since that changes by the minute."""
    named = sorted([one["kind"], one["id"]] for one in listed)
    return encode_part(hashlib.sha256(rfc8785.dumps(named)).digest())


async def _add(
    acting: Acting, shift: Shift, entry: HandoverEntry, *, text: str | None, listed: list[dict[str, Any]]
) -> HandoverRecord:
    if acting.actor.person_id is None:
        raise Forbidden("role_not_allowed", "Only a person can hand over.")
    made = HandoverRecord(new_id(), shift.id, entry, acting.now, acting.actor.person_id, text, listed)
    if not await rosters.add_handover(acting.session, made):
        raise Conflict("action_not_allowed", "This shift has been taken over.")
    said: JSON = {
        "act": entry.value,
        "shift": str(shift.id),
        "listed": [[one["kind"], one["id"]] for one in listed],
        "digest": digest_of(listed),
        "text": text,
    }
    fact = Fact(FactType.DUTY_HANDED_OVER, contents={"handover": said})
    await record(acting.session, acting.node, fact, actor=acting.actor, now=acting.now)
    return made


def _as_json(one: Pressing) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "id": str(one.id),
        "exchange_id": None if one.exchange_id is None else str(one.exchange_id),
        "reference": one.reference,
        "type": one.type.value,
        "direction": None if one.direction is None else one.direction.value,
        "peer": one.peer,
        "tier": one.tier.value,
        "state": one.state,
        "ends_at": None if one.ends_at is None else write_instant(one.ends_at),
    }
