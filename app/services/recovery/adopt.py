"""A text of our own comes back: verified as anybody's would be, it is our word again.

It arrives because we were restored and asked, because we asked for it by name, or because another text of ours took its
place. A text that we do not remember is the proof that our memory is older than our word.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from app.db import own_texts, recoveries, threads
from app.db.own_texts import OwnText
from app.db.recoveries import LostItem
from app.db.threads import NewThread, ThreadKey
from app.domain.codes import Fate
from app.domain.delivery_messages import ResyncCopyBody
from app.domain.message_reading import read_body
from app.domain.resync import Lost, Proof
from app.envelope.canonical import canonical
from app.envelope.open import verify_text
from app.envelope.reasons import Reason, Rejected
from app.services.inbound import Applied, audit_thread
from app.services.recovery.begin import Evidence, begin_recovery
from app.services.recovery.remember import end_superseded, remember_effect
from app.services.send import ATTACHMENT_THREAD

if TYPE_CHECKING:
    from app.audit.facts import JSON
    from app.db.engine import Session
    from app.db.recoveries import Recovery
    from app.envelope.claims import Claims
    from app.envelope.open import Verified
    from app.services.inbound import Received
    from app.services.node import Node

MAX_SEQ = 2**31 - 1


@dataclass(frozen=True, slots=True)
class _Situation:
    """The recovery that an unknown text belongs to; late: the peer should have returned it before it was done."""

    recovery: Recovery
    is_late: bool


async def take_copy(session: Session, node: Node, received: Received, now: datetime) -> Applied:
    """Adopt the text in a `resync.copy/1`. Stale: known already, or without a place in a thread that could matter.

    Only a text under our own signature, for just this peer, under a key valid for it, has any effect.
    """
    body = read_body(ResyncCopyBody, received.body).body
    try:
        verified = verify_text(
            body.text,
            iss=node.code,
            aud=received.peer,
            directory=node.directory,
            received_at=received.received_at,
        )
    except Rejected as rejected:
        await _list_revoked(session, node, received.peer, rejected, now=now)
        return Applied(Fate.REFUSED, rejected.reason.value)
    place = _place_of(verified.claims)
    if place is None:
        return Applied(Fate.STALE)
    return await _adopt(session, node, _own_text(verified, place), now=now)


async def _adopt(session: Session, node: Node, text: OwnText, *, now: datetime) -> Applied:
    key = ThreadKey(text.thread, text.peer)
    await threads.ensure(session, [NewThread(key, UUID(text.thread), None, None)], now=now)
    thread = (await threads.lock(session, [key]))[key]
    named, placed = await own_texts.find(session, text.peer, text.jti, (text.thread, text.seq))
    if await own_texts.is_known(session, text.jti, text.jws_hash):
        if named is not None:
            await own_texts.take_as_receipted(session, named, now=now)
        return Applied(Fate.STALE)
    situation = await _situation(session, node, text, now=now)
    if placed is not None:
        await own_texts.supersede(session, placed, now=now)
        await end_superseded(session, node, placed, situation.recovery, now=now)
    if named is not None:
        await own_texts.give_text(session, named, text, now=now)
    else:
        await own_texts.add(session, text, exchange_id=UUID(text.thread), lane=thread.lane, now=now)
    await remember_effect(session, node, text, situation.recovery, now=now)
    if situation.is_late:
        await own_texts.raise_counter(session, key, above=text.seq)
        await recoveries.add_lost(session, _listed(situation.recovery, text, Lost.RETURNED_LATE, now))
    return Applied(Fate.APPLIED)


async def _situation(session: Session, node: Node, text: OwnText, *, now: datetime) -> _Situation:
    """Find the recovery under way with this peer, or begin one: that we do not know our own text is the proof.

    No proof is what was signed before the latest recovery began: that we had lost it is known since. So a peer that
    keeps texts back and returns them one by one cannot stop us again and again.
    """
    newest = await recoveries.newest(session)
    is_closed = await recoveries.find_closed(session, text.peer) is not None
    if newest is not None and (is_closed or text.signed_at < newest.began_at):
        return _Situation(newest, is_late=not is_closed)
    proof: dict[str, JSON] = {
        "peer": text.peer,
        "thread": text.thread,
        "seq": text.seq,
        "jti": str(text.jti),
        "inner_hash": text.jws_hash,
    }
    evidence = Evidence(Proof.TEXT, proof, since=text.signed_at)
    return _Situation(await begin_recovery(session, node, evidence, now=now), is_late=False)


async def _list_revoked(session: Session, node: Node, peer: str, rejected: Rejected, *, now: datetime) -> None:
    """What our own revoked key signed may be somebody else's word: two officers decide, the text is in the inbox."""
    closed = await recoveries.find_closed(session, peer)
    claims = rejected.claims
    if closed is None or claims is None or rejected.reason is not Reason.KEY_REVOKED:
        return
    place = _place_of(claims)
    if place is not None and (claims.iss, claims.aud) == (node.code, peer):
        item = LostItem(closed.recovery_id, peer, place[0], place[1], Lost.KEY_REVOKED, now)
        await recoveries.add_lost(session, item)


def _place_of(claims: Claims) -> tuple[str, int] | None:
    """The place in the thread of an exchange; None for texts without one, and for chunks of files."""
    thread, seq = claims.thread, claims.seq
    if thread is None or seq is None or seq > MAX_SEQ or audit_thread(thread) != thread:
        return None
    return None if thread.startswith(ATTACHMENT_THREAD) else (thread, seq)


def _listed(recovery: Recovery, text: OwnText, what: Lost, now: datetime) -> LostItem:
    return LostItem(recovery.id, text.peer, text.thread, text.seq, what, now)


def _own_text(verified: Verified, place: tuple[str, int]) -> OwnText:
    claims = verified.claims
    return OwnText(
        jti=UUID(claims.jti),
        peer=claims.aud,
        thread=place[0],
        seq=place[1],
        prev=None if claims.prev is None else UUID(claims.prev),
        type=claims.type,
        body=canonical(claims.body),
        exp=None if claims.exp is None else datetime.fromtimestamp(claims.exp, UTC),
        jws=verified.jws,
        kid=verified.kid,
        jws_hash=verified.inner_hash,
        signed_at=claims.issued_at,
    )
