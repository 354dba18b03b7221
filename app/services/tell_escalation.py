"""A deadline reached a level: on record, in the timeline, in the feed. The feed's readers notify whoever is named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.audit.facts import JSON, Fact, FactType
from app.db import rosters, timeline
from app.db.exchanges import ExchangeRecord
from app.db.timeline import Entry
from app.domain.calling import how_to_call
from app.domain.deadlines import BY_TELEPHONE, Audience, Level, Subject, Whose
from app.domain.moments import write_instant
from app.domain.roster import second_contact
from app.services.announce import Event, announce
from app.services.node import SYSTEM
from app.services.record import record
from app.services.tell import MAX_ID_LENGTH

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from app.db.engine import ReadSession, Session
    from app.db.requests import RequestRecord
    from app.domain.deadlines import Deadline
    from app.services.node import Node

OVERDUE = "overdue"
SECOND_CONTACT = "second_contact"
REGISTRAR = "registrar"
ESCALATION = "escalation"

_WORDS: Mapping[Level, str] = {Level.HALF: SECOND_CONTACT, Level.DUE: OVERDUE, Level.DOUBLE: REGISTRAR}


@dataclass(frozen=True, slots=True)
class Escalated:
    """Which deadline reached which level, and who has to be told."""

    deadline: Deadline
    level: Level
    audience: tuple[Audience, ...]


async def tell_escalation(
    session: Session, node: Node, of: RequestRecord | ExchangeRecord, *, escalated: Escalated, now: datetime
) -> None:
    """Tell it, in the caller's transaction. Nothing of it is for the agency: it is how the desks work."""
    one, word = escalated.deadline, _WORDS[escalated.level]
    members: dict[str, str | int | None] = {
        "step": one.step,
        "level": int(escalated.level),
        "tier": one.tier,
        "whose": one.whose,
        "due_at": write_instant(one.due_at),
        "state": of.value.state if isinstance(of, ExchangeRecord) else of.state,
    }
    second = await _second(session, escalated, now)
    detail: dict[str, Any] = {**members, "told": [str(who) for who in escalated.audience], **_call(node, of, one)}
    reached: JSON = {"step": one.step, "level": int(escalated.level), "due_at": members["due_at"], **second}
    fact = Fact(FactType.CASE_ESCALATED, thread=str(one.subject), contents={"escalation": reached})
    await record(session, node, fact, actor=SYSTEM, now=now)
    entry = Entry(
        subject_id=one.subject,
        at=now,
        party=node.code,
        actor=SYSTEM.pseudonym,
        event=word,
        detail=detail | second,
        for_agency=False,
    )
    await timeline.append(session, entry)
    reference = of.value.request_reference if isinstance(of, ExchangeRecord) else of.reference
    told = {"audience": ",".join(escalated.audience), "reference": reference[:MAX_ID_LENGTH]}
    event = Event(
        kind=f"{one.kind}.{word}" if escalated.level is Level.DUE else f"{ESCALATION}.{word}",
        subject_kind=one.kind,
        subject_id=str(one.subject),
        agency_id=None,
        data={**members, **told},
    )
    await announce(session, event, now=now)


async def _second(session: ReadSession, escalated: Escalated, now: datetime) -> dict[str, str]:
    """Whose shift the second contact is of, or which rule of the roster makes it the directory's; never a name."""
    if Audience.SECOND_CONTACT not in escalated.audience:
        return {}
    second = second_contact(await rosters.load_roster(session, now=now), now)
    shift = {} if second.shift is None else {"shift": str(second.shift.id)}
    return shift if second.because is None else {**shift, "directory_contact": second.because.value}


def _call(node: Node, of: RequestRecord | ExchangeRecord, one: Deadline) -> dict[str, str]:
    """Whom to telephone, and where the whole script is, when the other side has not taken what is with it."""
    if not isinstance(of, ExchangeRecord) or one.whose is not Whose.THEIRS or one.step not in BY_TELEPHONE:
        return {}
    sheet = f"/v1/{Subject.EXCHANGE.value}s/{one.subject}/fallback-sheet"
    return {"telephone": how_to_call(node.directory, of.peer), "sheet": sheet}
