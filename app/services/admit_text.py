"""Let in, by the word of two officers, what a revoked key signed: its sender has confirmed it by voice (ruling 21)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from app.db import inbox, quarantine, threads
from app.db.tables_delivery import QuarantineState
from app.db.threads import ThreadKey
from app.envelope.open import Opened, verify_text
from app.envelope.reasons import Reason, Rejected
from app.errors import Conflict
from app.services.inbound import Arrived
from app.services.keep import keep

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import Session
    from app.db.quarantine import Kept
    from app.domain.directory import Directory, KeyRecord
    from app.envelope.claims import Claims
    from app.services.inbound import Effects
    from app.services.node import Node


@dataclass(frozen=True, slots=True)
class Forgiving:
    """A directory as it would be had no key been revoked; every other date counts.

    For texts that two officers let in, and for those that were let in before their key was revoked.
    """

    directory: Directory

    def signing_key(self, iss: str, kid: str) -> KeyRecord | None:
        """Return the record as if it had not been revoked."""
        record = self.directory.signing_key(iss, kid)
        return None if record is None else record.model_copy(update={"revoked_at": None})


async def admit_text(session: Session, node: Node, kept: Kept, *, effects: Effects, now: datetime) -> None:
    """Store the text as held, receipt it, and end its quarantine as `admitted`; the sweep gives it its turn.

    Everything but the revocation is judged as ever, at the moment it first came. The caller sees to it that two
    officers agreed, and lets a fault end its transaction. Raises `Conflict`: `not_admissible` when it is not here for a
    revoked key alone; `seq_taken` when its message or its number has come otherwise meanwhile.
    """
    arrived, claims = _verify(node, kept)
    await _refuse_taken(session, claims)
    result = await keep(session, node, [arrived], effects=effects, now=now)
    if result.tally.new != 1:
        raise Conflict("not_admissible", "It is too far ahead of its thread, or another text took its place just now.")
    await quarantine.close(session, [kept.suspect.digest], QuarantineState.ADMITTED)


def _verify(node: Node, kept: Kept) -> tuple[Arrived, Claims]:
    suspect = kept.suspect
    if kept.state is not QuarantineState.OPEN or suspect.reason != Reason.KEY_REVOKED or suspect.iss is None:
        raise Conflict("not_admissible", "Only what waits because its key is revoked can be admitted.")
    try:
        verified = verify_text(
            suspect.raw.decode("ascii"),
            iss=suspect.iss,
            aud=node.code,
            directory=Forgiving(node.directory),
            received_at=kept.first_seen,
        )
    except (Rejected, UnicodeDecodeError) as fault:
        raise Conflict("not_admissible", "There is more wrong with this text than that its key is revoked.") from fault
    opened = Opened(verified.claims, verified.jws, verified.inner_hash, verified.kid, 1)
    return Arrived(suspect.raw, suspect.lane, opened, kept.first_seen), verified.claims


async def _refuse_taken(session: Session, claims: Claims) -> None:
    key = (claims.iss, UUID(claims.jti))
    places = []
    if claims.thread is not None and claims.seq is not None:
        thread_key = ThreadKey(claims.thread, claims.iss)
        locked = await threads.lock(session, [thread_key])
        if thread_key in locked and claims.seq <= locked[thread_key].consumed_in:
            raise Conflict("seq_taken", "Another text has its number.")
        places = [(thread_key, claims.seq)]
    if await inbox.find(session, [key], places):
        raise Conflict("seq_taken", "This message, or another one with its number, is here already.")
