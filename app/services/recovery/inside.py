"""What a `resync.copy/1` carries, looked at before anything of it is believed: only to lock the right thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.db.threads import ThreadKey
from app.domain.codes import MessageType
from app.envelope.canonical import parse_json
from app.envelope.format import MAX_CLAIMS_BYTES, decode_part
from app.errors import Malformed
from app.services.inbound import audit_thread

if TYPE_CHECKING:
    from app.envelope.claims import Claims

PARTS = 3


def thread_of_copy(claims: Claims) -> ThreadKey | None:
    """The thread of the text inside, with the peer that returns it; None for other messages and unreadable texts."""
    text = claims.body.get("text")
    if claims.type != MessageType.RESYNC_COPY or not isinstance(text, str) or text.count(".") != PARTS - 1:
        return None
    try:
        inner = parse_json(decode_part(text.split(".")[1]), max_bytes=MAX_CLAIMS_BYTES)
    except (Malformed, ValueError):
        return None
    thread = inner.get("thread") if isinstance(inner, dict) else None
    is_thread = isinstance(thread, str) and audit_thread(thread) == thread
    return ThreadKey(str(thread), claims.iss) if is_thread else None
