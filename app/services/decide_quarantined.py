"""Officers decide on what is kept aside: one retries, rejects or discards it, two have to void or to admit it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from app.audit.facts import Fact, FactType
from app.db import decisions, inbox, quarantine, threads
from app.db.decisions import NewDecision
from app.db.inbox import Ending
from app.db.tables_delivery import InboxState, QuarantineState
from app.db.tables_evidence import QuarantineAct
from app.db.threads import ThreadKey
from app.domain.codes import Role
from app.envelope.format import MESSAGE_ID
from app.envelope.reasons import Reason
from app.errors import Conflict, Forbidden, Refused, Unknown
from app.services.admit_text import admit_text
from app.services.announce import Event, announce
from app.services.inbound import audit_thread, read_kept
from app.services.quarantine import digest_of_text, release_texts
from app.services.record import record
from app.services.retry_quarantined import AWAITS_DIRECTORY, is_ready, retry_kept
from app.services.second_text import AWAITING_DIRECTORY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.audit.facts import JSON
    from app.db.engine import ReadSession
    from app.db.inbox import Stored
    from app.db.quarantine import Kept
    from app.services.inbound import Effects
    from app.services.node import Acting

OFFICERS = frozenset({Role.DUTY_OFFICER, Role.SUPERVISOR})
NEEDS_TWO = frozenset({QuarantineAct.VOID, QuarantineAct.ADMIT})

PROPOSAL_STANDS = timedelta(hours=24)
"""How long a second officer may agree; after that it is proposed anew, for much may have changed."""

MAX_REASONS = 2_000
"""Characters of an officer's reasons."""

ENDS: Mapping[QuarantineAct, QuarantineState] = {
    QuarantineAct.REJECT: QuarantineState.REJECTED,
    QuarantineAct.VOID: QuarantineState.VOIDED,
}
"""Acts that let a proven text end without effect: its number is consumed, its thread is answered and goes on."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What one officer wants to be done with one row of the quarantine, and why."""

    quarantine_id: int
    act: QuarantineAct
    reasons: str


@dataclass(frozen=True, slots=True)
class Decided:
    """`done` is False while a second officer has to say the same."""

    done: bool
    state: QuarantineState


async def decide_quarantined(acting: Acting, wish: Wish, *, effects: Effects) -> Decided:
    """Do it, or note that the first of two officers wants it; each leaves a fact with the reasons.

    Raises `Forbidden`: `role_not_allowed`, and `four_eyes` for the officer who proposed it; `Unknown`; `Conflict`:
    `already_decided`, `action_not_allowed` with the act that would be right, and what `admit_text` raises; `Refused`
    without reasons. After `reject`, `void`, `retry` and `admit` the sweep takes the thread on.
    """
    person_id = _check_officer(acting, wish)
    session = acting.session
    await decisions.take_turn(session, wish.quarantine_id)
    kept = await quarantine.load(session, wish.quarantine_id)
    if kept is None:
        raise Unknown("not_found", "There is no such thing in quarantine.")
    if kept.state is not QuarantineState.OPEN:
        raise Conflict("already_decided", f"That was dealt with before: it is {kept.state}.")
    waiting = await _lock_waiting(acting, kept)
    _check_act(wish.act, kept, waiting)
    if wish.act in NEEDS_TWO and not await _is_second(acting, wish, person_id):
        await decisions.add_decision(session, _new(wish, person_id, decided=False), now=acting.now)
        await _tell(acting, wish, kept, step="proposed")
        return Decided(done=False, state=kept.state)
    if wish.act not in NEEDS_TWO:
        await decisions.add_decision(session, _new(wish, person_id, decided=True), now=acting.now)
    await _do(acting, wish.act, kept, waiting=waiting, effects=effects)
    await _tell(acting, wish, kept, step="decided")
    after = await quarantine.load(session, wish.quarantine_id)
    return Decided(done=True, state=kept.state if after is None else after.state)


def _check_officer(acting: Acting, wish: Wish) -> UUID:
    if acting.actor.role not in OFFICERS or acting.actor.person_id is None:
        raise Forbidden("role_not_allowed", "Only a duty officer or a supervisor decides on what is in quarantine.")
    if not wish.reasons.strip() or len(wish.reasons) > MAX_REASONS:
        raise Refused("reasons_missing", f"Say why, in up to {MAX_REASONS} characters.")
    return acting.actor.person_id


def _new(wish: Wish, person_id: UUID, *, decided: bool) -> NewDecision:
    return NewDecision(wish.quarantine_id, wish.act, wish.reasons, person_id, decided)


async def _lock_waiting(acting: Acting, kept: Kept) -> Stored | None:
    """Lock the thread; return the row of the inbox that stops it because of this text, if one does."""
    suspect = kept.suspect
    if not suspect.authenticated or suspect.iss is None or suspect.jti is None:
        return None
    if suspect.thread is not None:
        await threads.lock(acting.session, [ThreadKey(suspect.thread, suspect.iss)])
    found = await _find(acting.session, suspect.iss, suspect.jti)
    stops = found is not None and found.state is InboxState.QUARANTINED
    return found if found is not None and stops and digest_of_text(found.inner_hash) == suspect.digest else None


async def _find(session: ReadSession, iss: str, jti: str) -> Stored | None:
    if re.fullmatch(MESSAGE_ID, jti) is None:
        return None
    found = await inbox.find(session, [(iss, UUID(jti))])
    return found[0] if found else None


def _check_act(act: QuarantineAct, kept: Kept, waiting: Stored | None) -> None:
    """Refuse what does not fit, and say what would."""
    suspect = kept.suspect
    if act in ENDS and waiting is None:
        raise _unfit("No thread waits for this one: discard it, or admit it if its key is revoked.")
    if act is QuarantineAct.DISCARD and waiting is not None:
        raise _unfit("Its sender is proven and its thread waits for it: retry, reject or void it.")
    if act is QuarantineAct.DISCARD and suspect.reason == AWAITING_DIRECTORY:
        raise _unfit("It is signed again by its sender and waits for a newer directory: bring that.")
    if act is QuarantineAct.ADMIT and suspect.reason != Reason.KEY_REVOKED:
        raise _unfit("Only what waits because its key is revoked can be admitted.")
    if act is QuarantineAct.RETRY and waiting is None and suspect.reason not in AWAITS_DIRECTORY:
        raise _unfit("There is nothing to retry: what is genuine is sent again by itself until it is receipted.")


def _unfit(detail: str) -> Conflict:
    return Conflict("action_not_allowed", detail)


async def _is_second(acting: Acting, wish: Wish, person_id: UUID) -> bool:
    """Whether another officer proposed the same lately: then this one has now agreed."""
    standing = [
        one
        for one in await decisions.decisions_on(acting.session, wish.quarantine_id)
        if one.act is wish.act and one.decided_at is None and acting.now - one.proposed_at < PROPOSAL_STANDS
    ]
    if not standing:
        return False
    if standing[-1].proposed_by == person_id:
        raise Forbidden("four_eyes", "You proposed this yourself: another officer has to say the same.")
    await decisions.confirm(acting.session, standing[-1].id, person_id, now=acting.now)
    return True


async def _do(acting: Acting, act: QuarantineAct, kept: Kept, *, waiting: Stored | None, effects: Effects) -> None:
    session, now = acting.session, acting.now
    if act is QuarantineAct.ADMIT:
        await admit_text(session, acting.node, kept, effects=effects, now=now)
    elif act is QuarantineAct.RETRY:
        await _retry(acting, kept, waiting, effects)
    elif act is QuarantineAct.DISCARD:
        await _close(acting, kept, QuarantineState.DISCARDED)
    elif waiting is not None:
        await _close(acting, kept, ENDS[act])
        await _end(acting, waiting, ENDS[act])


async def _close(acting: Acting, kept: Kept, state: QuarantineState) -> None:
    if not await quarantine.close_open(acting.session, kept.id, state):
        raise Conflict("already_decided", "That was dealt with just now; look again.")


async def _end(acting: Acting, waiting: Stored, state: QuarantineState) -> None:
    """In a thread it ends when its turn comes, with a fate that is told; outside of threads it ends at once."""
    if waiting.thread is not None:
        ended = await decisions.hold_decided(acting.session, waiting.key, state)
    else:
        fate = InboxState.VOID if state is QuarantineState.VOIDED else InboxState.REFUSED
        await inbox.end(acting.session, [Ending(waiting.key, fate, state.value)], now=acting.now)
        ended = True
    if not ended:
        raise Conflict("already_decided", "It took its turn just now; look again.")


async def _retry(acting: Acting, kept: Kept, waiting: Stored | None, effects: Effects) -> None:
    session, now = acting.session, acting.now
    if waiting is None:
        if not await retry_kept(session, acting.node, kept, effects=effects, now=now):
            raise _unfit("Our directory says the same as before: bring a newer one first.")
    elif is_ready(read_kept(waiting), effects, crashed=True, now=now):
        await release_texts(session, [waiting])
    else:
        raise _unfit("This release understands it no better than before: install a newer one, or reject it.")


async def _tell(acting: Acting, wish: Wish, kept: Kept, *, step: str) -> None:
    """A fact for the log, and an event for the desk: the second officer has to learn of it."""
    suspect = kept.suspect
    proven = suspect.authenticated
    named = proven and suspect.jti is not None and re.fullmatch(MESSAGE_ID, suspect.jti) is not None
    action: JSON = {"act": f"quarantine.{wish.act}", "step": step, "quarantine": kept.id, "digest": suspect.digest}
    fact = Fact(
        FactType.OPERATOR_ACTION,
        thread=audit_thread(suspect.thread) if proven else None,
        jti=suspect.jti if named else None,
        peer=suspect.iss if proven else None,
        contents={"action": action, "reasons": wish.reasons},
    )
    await record(acting.session, acting.node, fact, actor=acting.actor, now=acting.now)
    event = Event(
        kind=f"quarantine.{step}",
        subject_kind="quarantine",
        subject_id=str(kept.id),
        agency_id=None,
        data={"act": wish.act.value, "reason": suspect.reason, "peer": suspect.iss if proven else None},
    )
    await announce(acting.session, event, now=acting.now)
