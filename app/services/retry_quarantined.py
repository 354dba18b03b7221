"""After a new release or a new directory: what was not understood or not trusted may be now."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from app.db import inbox, reopening, threads
from app.db.tables_delivery import InboxState, QuarantineState
from app.envelope.format import MAX_SKEW_SECONDS
from app.envelope.open import Opened, verify_text
from app.envelope.reasons import Reason, Rejected
from app.services.admit_text import Forgiving
from app.services.inbound import Arrived, objection_to, read_kept
from app.services.keep import keep
from app.services.quarantine import CRASHED, release_texts
from app.services.second_text import AWAITING_DIRECTORY, is_revoked

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import ReadSession, Session
    from app.db.quarantine import Kept
    from app.domain.directory import Directory
    from app.services.inbound import Due, Effects
    from app.services.node import Node

LIMIT = 1_000
"""Messages looked at in one call, those waiting longest first."""

PAGE = 20
"""Texts that one call judges by the directory: each may have a quarter of a megabyte."""

AWAITS_DIRECTORY = frozenset({Reason.UNKNOWN_SENDER_KEY.value, AWAITING_DIRECTORY})
"""Reasons that only another directory takes away."""


async def retry_quarantined(session: Session, *, effects: Effects, crashed: bool, now: datetime) -> int:
    """Give what would no longer be quarantined its turn again; returns how many.

    They are not applied here: the sweep that follows does that, each in a transaction of its own. `crashed` includes
    those whose effect raised, to be said after a new release only.
    """
    rows = [
        row
        for row in await inbox.oldest_in(session, InboxState.QUARANTINED, limit=LIMIT)
        if is_ready(read_kept(row), effects, crashed=crashed, now=now)
    ]
    await threads.lock(session, {row.thread_key for row in rows if row.thread_key is not None})
    await release_texts(session, rows)
    return len(rows)


async def retry_with_directory(
    session: Session, node: Node, *, effects: Effects, after: int = 0, now: datetime
) -> int | None:
    """Judge by the present directory what has been waiting for one; to be called after each change and at start.

    Takes one page behind the row `after`; returns the last row it looked at, None when there was none. A text whose key
    was not known is judged as of the moment it first came (ruling 21), and what is let in is receipted as ever.
    """
    page = await reopening.waiting(session, AWAITS_DIRECTORY, after=after, limit=PAGE)
    for kept in page:
        await retry_kept(session, node, kept, effects=effects, now=now)
    return page[-1].id if page else None


async def retry_kept(session: Session, node: Node, kept: Kept, *, effects: Effects, now: datetime) -> bool:
    """Do it for one row of the quarantine that waits for a directory; returns whether its text is stored now."""
    suspect = kept.suspect
    if kept.state is not QuarantineState.OPEN or suspect.reason not in AWAITS_DIRECTORY or suspect.iss is None:
        return False
    was_proven = suspect.reason == AWAITING_DIRECTORY
    outcome = _open_again(node, kept, Forgiving(node.directory) if was_proven else node.directory)
    if isinstance(outcome, Rejected) and (not outcome.authenticated or outcome.claims is None):
        await _note_verdict(session, kept, outcome)
        return False
    if was_proven and isinstance(outcome, Opened) and not await _is_explained(session, node, outcome):
        return False
    arrived = Arrived(suspect.raw, suspect.lane, outcome, kept.first_seen)
    result = await keep(session, node, [arrived], effects=effects, now=now)
    if result.tally.too_far_ahead:
        return False
    if not was_proven:
        await reopening.release(session, suspect.digest)
    return True


def is_ready(due: Due, effects: Effects, *, crashed: bool, now: datetime) -> bool:
    """Tell whether a text that is quarantined now would be no longer; `crashed`: also one whose effect raised."""
    match due.row.code:
        case Reason.FROM_THE_FUTURE.value:
            return due.claims.iat <= now.timestamp() + MAX_SKEW_SECONDS
        case Reason.UNKNOWN_VERSION.value:
            return False
        case code if code == CRASHED:
            return crashed
        case _:
            return objection_to(due.claims, effects) is None


def _open_again(node: Node, kept: Kept, directory: Directory | Forgiving) -> Opened | Rejected:
    """Verify the text as on the day it came. Of its envelope nothing is left but the text and who it said it was from.

    The number of its copy is not kept; a receipt says 1, which proves least.
    """
    text, iss = kept.suspect.raw.decode("ascii", errors="replace"), kept.suspect.iss or ""
    try:
        found = verify_text(text, iss=iss, aud=node.code, directory=directory, received_at=kept.first_seen)
    except Rejected as rejected:
        rejected.seen = replace(rejected.seen, iss=iss, copy=1, jws=text)
        return rejected
    return Opened(found.claims, found.jws, found.inner_hash, found.kid, 1)


async def _is_explained(session: ReadSession, node: Node, second: Opened) -> bool:
    """Whether the directory shows by now why there is a second text: one of the two keys is revoked."""
    claims = second.claims
    first = await inbox.find(session, [(claims.iss, UUID(claims.jti))])
    return any(is_revoked(node.directory, claims.iss, kid) for kid in (second.kid, *(row.kid for row in first)))


async def _note_verdict(session: Session, kept: Kept, rejected: Rejected) -> None:
    """Show what it is there for now, if that is something else: a key that was revoked by then may be admitted."""
    claims = rejected.claims
    verdict = replace(
        kept.suspect,
        reason=rejected.reason.value,
        authenticated=rejected.authenticated,
        jti=claims.jti if claims else None,
        thread=claims.thread if claims else None,
        seq=claims.seq if claims else None,
    )
    if verdict != kept.suspect:
        await reopening.judge_again(session, verdict)
