"""A command sent twice under one key takes effect once, and is answered alike.

The answer is kept in the transaction of its command. So there are two cases only: both are there, and the repetition
gets the kept answer; or neither is, and the repetition is the first to act. That also holds when the outcome of a
commit is unknown.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta

from fastapi import Response

from app.db import idempotency
from app.errors import Conflict, Malformed, Refused, Unknown
from app.routers.answers import JSON, NO_STORE, Answer, json_bytes
from app.routers.deps import Command

KEPT_FOR = timedelta(days=7)
KEY = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)
RETRY_AFTER_SECONDS = 1

Make = Callable[[], Awaitable[Answer]]


async def once(command: Command, make: Make) -> Response:
    """Run `make` unless it was run before under this key; the answer is the same either way.

    What `make` raises is not kept: after an error the key may be used again, with another body too.

    Raises:
        Malformed: no `Idempotency-Key`, or one that is not 1 to 255 visible ASCII characters.
        Conflict: the same command is at work in another transaction.
        Refused: the key was used for another command.
    """
    claim = _claim(command)
    if not await idempotency.try_claim(command.session, claim):
        raise Conflict(
            "idempotency_in_progress",
            "A command with this Idempotency-Key is still at work.",
            retry_after=RETRY_AFTER_SECONDS,
        )
    kept = await idempotency.kept_answer(command.session, claim, now=command.now)
    if kept is not None:
        return _replayed(command, claim, kept)
    answer = await make()
    kept = idempotency.KeptAnswer(
        fingerprint=claim.fingerprint,
        status=answer.status,
        headers=dict(answer.headers),
        body=json_bytes(answer.content),
    )
    await idempotency.keep_answer(command.session, claim, kept, expires_at=command.now + KEPT_FOR)
    return _as_response(kept, {})


def _claim(command: Command) -> idempotency.Claim:
    request = command.request
    if not request.scope["path"].isprintable():
        raise Unknown("not_found", "There is no such thing, or it is not yours.")
    key = request.headers.get("idempotency-key")
    if key is None:
        raise Malformed("idempotency_key_required", "This needs an Idempotency-Key header: a new one per command.")
    if KEY.fullmatch(key) is None:
        raise Malformed("idempotency_key_malformed", "An Idempotency-Key has 1 to 255 visible ASCII characters.")
    if command.actor.person_id is None:
        raise Malformed("idempotency_key_required", "Only a person can act under a key.")
    route = f"{request.method} {request.scope['path']}"
    parts = (route.encode(), request.scope["query_string"], command.body.raw)
    fingerprint = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).digest()
    return idempotency.Claim(command.actor.person_id, route, key, fingerprint)


def _replayed(command: Command, claim: idempotency.Claim, kept: idempotency.KeptAnswer) -> Response:
    if kept.fingerprint != claim.fingerprint:
        raise Refused("idempotency_key_reused", "This Idempotency-Key was used for another command.")
    command.runtime.metrics.idempotent_replays.inc()
    return _as_response(kept, {"Idempotency-Replayed": "true"})


def _as_response(kept: idempotency.KeptAnswer, more: dict[str, str]) -> Response:
    return Response(kept.body, kept.status, headers={**NO_STORE, **kept.headers, **more}, media_type=JSON)
