"""Who speaks, told from a bearer token."""

from __future__ import annotations

import hashlib
import hmac
import re
from enum import StrEnum
from typing import TYPE_CHECKING

from app.db import tokens
from app.errors import NotAuthenticated
from app.services.node import Actor

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import ReadSession

TOKEN = re.compile(r"cp_(?P<id>[0-9a-f]{16})_(?P<secret>[A-Za-z0-9_-]{43})", re.ASCII)
"""A token as text: `cp_`, its public id, and 256 secret bits."""

NO_HASH = bytes(32)


class Why(StrEnum):
    """Why a token was refused. For our own record: whoever showed it learns only that it is not valid."""

    MALFORMED = "malformed"
    UNKNOWN = "unknown"
    WRONG_SECRET = "wrong_secret"  # noqa: S105 - a reason
    REVOKED = "revoked"
    EXPIRED = "expired"


class TokenRefused(NotAuthenticated):
    """A bearer token that is not valid here. `token_id` is the public id of one that we gave out, else None."""

    def __init__(self, why: Why, token_id: str | None = None) -> None:
        super().__init__("token_not_valid", "This bearer token is not valid at this contact point.")
        self.why = why
        self.token_id = token_id


async def authenticate(session: ReadSession, credential: str, *, now: datetime) -> Actor:
    """The person that `credential` speaks for.

    Raises:
        TokenRefused: `token_not_valid`, the same for a token that is malformed, unknown, wrong, revoked or over, so
            that nobody learns which of their guesses was near.
    """
    parts = TOKEN.fullmatch(credential)
    found = await tokens.find_token(session, parts["id"]) if parts else None
    offered = hashlib.sha256(parts["secret"].encode("ascii") if parts else b"").digest()
    if not hmac.compare_digest(offered, found.secret_hash if found else NO_HASH):
        why = Why.MALFORMED if parts is None else Why.UNKNOWN if found is None else Why.WRONG_SECRET
        raise TokenRefused(why, None if found is None else found.id)
    if found is None:
        raise TokenRefused(Why.UNKNOWN)
    if found.revoked_at is not None or found.expires_at <= now:
        raise TokenRefused(Why.REVOKED if found.revoked_at is not None else Why.EXPIRED, found.id)
    person = found.person
    return Actor(person_id=person.id, pseudonym=person.pseudonym, role=person.role, agency_id=person.agency_id)
