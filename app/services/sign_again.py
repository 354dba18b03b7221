"""Our signing key was revoked: what has no receipt yet gets a further text under the next key (ruling 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.audit.facts import Fact, FactType
from app.db import resigning
from app.domain.directory import KeyUse
from app.services.inbound import audit_thread
from app.services.node import SYSTEM
from app.services.record import record_all

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import Session
    from app.db.outbox import SignedText
    from app.db.resigning import Outworn
    from app.domain.directory import Directory
    from app.services.node import Node
    from app.services.seal import Sealing

BATCH = 100
"""Messages of one transaction; one signature takes about a tenth of a millisecond."""


async def sign_again(session: Session, node: Node, sealing: Sealing, *, now: datetime) -> int:
    """Sign up to `BATCH` unreceipted messages again whose text is under a revoked key of ours; returns how many.

    To be repeated until it is 0: after each change of the directory, and now and then, since a relay may have signed
    with the old key at that very moment, and a peer may ask again for what it was once said to have. The new text has
    the same name, place, type, end and body; a receipt counts for either.
    """
    revoked = revoked_kids(sealing.directory, node.code, now)
    if not revoked or sealing.signing_key is None:
        return 0
    old = await resigning.outworn(session, revoked, limit=BATCH)
    signed = [(one, sealing.sign(one.letter, now)) for one in old]
    replaced = await resigning.replace_texts(session, signed, now=now)
    await record_all(session, node, [_fact(old, new) for old, new in replaced], actor=SYSTEM, now=now)
    return len(replaced)


def revoked_kids(directory: Directory, code: str, now: datetime) -> list[str]:
    """Name the signing keys of `code` that are revoked by now."""
    point = directory.point(code)
    return [
        key.kid
        for key in (point.keys if point is not None else ())
        if key.use is KeyUse.SIG and key.revoked_at is not None and key.revoked_at <= now
    ]


def _fact(old: Outworn, new: SignedText) -> Fact:
    letter = old.letter
    message = {"type": letter.type, "seq": letter.seq, "kid": new.kid, "inner_hash": new.inner_hash}
    return Fact(
        FactType.ENVELOPE_SIGNED_AGAIN,
        thread=audit_thread(letter.thread),
        jti=str(letter.jti),
        peer=letter.peer,
        contents={"message": message, "first": {"kid": old.text.kid, "inner_hash": old.text.inner_hash}, "it": "ours"},
    )
