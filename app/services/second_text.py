"""A second text under one message id, or in one place of a thread: signed again, or a contradiction (ruling 10).

A node whose signing key was revoked signs what has no receipt yet again, under another key, with the same members. That
is taken as soon as our directory, too, shows the earlier key revoked. Whatever else comes second convicts its sender.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from app.audit.facts import Fact, FactType
from app.db import inbox, quarantine, reopening, replaced_texts
from app.db.inbox import WAITING
from app.db.quarantine import Suspect
from app.db.replaced_texts import BesideText
from app.db.tables_delivery import InboxState
from app.envelope.canonical import canonical
from app.services.inbound import audit_thread, claims_of
from app.services.node import SYSTEM
from app.services.quarantine import CRASHED, digest_of_text, quarantine_equivocation, quarantine_text
from app.services.record import record
from app.services.return_text import return_text

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import Session
    from app.db.inbox import Stored
    from app.domain.directory import Directory
    from app.envelope.claims import Claims
    from app.services.inbound import Proven
    from app.services.node import Node

AWAITING_DIRECTORY = "awaiting_directory"
"""Why a text waits: its sender has signed the message again, and our directory does not show why yet."""


class Second(StrEnum):
    """What a second text is.

    `replaces`: the first one's key is revoked, and nothing came of it yet. `confirms`: the message has ended, or it is
    the older of the two that came later. `awaits`: no key of the two is revoked in our directory, so far.
    """

    REPLACES = "replaces"
    CONFIRMS = "confirms"
    AWAITS = "awaits"
    CONTRADICTS = "contradicts"


@dataclass(frozen=True, slots=True)
class Taken:
    """What it is, and the row of the message as it stands now."""

    is_: Second
    row: Stored


def judge_second(first: Stored, second: Proven, directory: Directory) -> Second:
    """Decide what a text is that is not the one of `first`, though it has its name or its place."""
    if first.key != second.key or first.kid == second.kid or not says_the_same(claims_of(first.jws), second.claims):
        return Second.CONTRADICTS
    if is_revoked(directory, first.iss, first.kid):
        return Second.REPLACES if first.state in WAITING else Second.CONFIRMS
    return Second.CONFIRMS if is_revoked(directory, first.iss, second.kid) else Second.AWAITS


def says_the_same(one: Claims, other: Claims) -> bool:
    """Compare what signing again leaves as it is; `iat`, `log` and the version of the directory are new."""
    return _unchanging(one) == _unchanging(other)


def is_revoked(directory: Directory, code: str, kid: str) -> bool:
    """Tell whether the directory shows this signing key revoked, from whatever moment on."""
    key = directory.signing_key(code, kid)
    return key is not None and key.revoked_at is not None


async def take_second_text(session: Session, node: Node, second: Proven, *, first: Stored, now: datetime) -> Taken:
    """Store a second text as what it is. The caller has locked the thread and the row `first`.

    Nothing is said here of one that awaits a directory, and nothing may be: its sender would take it for delivered.
    """
    is_, row = judge_second(first, second, node.directory), first
    if is_ is Second.CONTRADICTS:
        await quarantine_equivocation(session, node, second, now=now)
        await return_text(session, node, first, lane=second.lane, now=now)
        return Taken(is_, row)
    if is_ is Second.AWAITS:
        await _let_wait(session, node, second, now=now)
        return Taken(is_, row)
    # It may have awaited this directory in quarantine.
    await reopening.release(session, digest_of_text(second.inner_hash))
    if is_ is Second.REPLACES:
        row = await _replace(session, node, first, second=second, now=now)
    else:
        came = second.received_at or now
        await replaced_texts.add(session, _beside(second, came))
    await record(session, node, _fact(second, first, is_), actor=SYSTEM, now=now)
    return Taken(is_, row)


async def _replace(session: Session, node: Node, first: Stored, *, second: Proven, now: datetime) -> Stored:
    """Put the second text in the place of the first, which stays as evidence.

    `received_at` stays: it is when the message first came. The message stands as it would had it come like this; but
    one whose effect raised stays stopped, for the effect would be the same, and what officers decided stays decided.
    """
    first_text = BesideText(
        first.iss, first.jti, first.inner_hash, first.kid, first.jws, first.received_at, second.received_at or now
    )
    await replaced_texts.add(session, first_text)
    row = replace(first, kid=second.kid, inner_hash=second.inner_hash, jws=second.jws)
    is_decided = first.state is InboxState.HELD and first.code is not None
    if not is_decided and first.code != CRASHED:
        state = InboxState.HELD if second.objection is None else InboxState.QUARANTINED
        row = replace(row, state=state, code=second.objection)
    await inbox.replace_text(session, row)
    await reopening.release(session, digest_of_text(first.inner_hash))
    if row.state is InboxState.QUARANTINED and row.code is not None:
        await quarantine_text(session, node, row, reason=row.code, now=now)
        await reopening.reopen(session, digest_of_text(row.inner_hash), row.code)
    return row


async def _let_wait(session: Session, node: Node, second: Proven, *, now: datetime) -> None:
    claims = second.claims
    suspect = Suspect(
        digest_of_text(second.inner_hash),
        second.jws.encode("ascii"),
        AWAITING_DIRECTORY,
        authenticated=True,
        lane=second.lane,
        iss=claims.iss,
        jti=claims.jti,
        thread=claims.thread,
        seq=claims.seq,
    )
    if await quarantine.add(session, suspect, now=now):
        message = {"type": claims.type, "inner_hash": second.inner_hash, "reason": AWAITING_DIRECTORY}
        fact = Fact(
            FactType.ENVELOPE_QUARANTINED,
            thread=audit_thread(claims.thread),
            jti=claims.jti,
            peer=claims.iss,
            contents={"message": message},
        )
        await record(session, node, fact, actor=SYSTEM, now=now)


def _beside(text: Proven, came: datetime) -> BesideText:
    iss, jti = text.key
    return BesideText(iss, jti, text.inner_hash, text.kid, text.jws, came, came)


def _fact(second: Proven, first: Stored, is_: Second) -> Fact:
    """Both texts by name: either of them may be shown to somebody one day."""
    claims = second.claims
    message = {"type": claims.type, "seq": claims.seq, "kid": second.kid, "inner_hash": second.inner_hash}
    return Fact(
        FactType.ENVELOPE_SIGNED_AGAIN,
        thread=audit_thread(claims.thread),
        jti=claims.jti,
        peer=claims.iss,
        contents={"message": message, "first": {"kid": first.kid, "inner_hash": first.inner_hash}, "it": is_.value},
    )


def _unchanging(claims: Claims) -> bytes:
    members = (claims.thread, claims.seq, claims.prev, claims.type, claims.exp, claims.body)
    return canonical(list(members))
