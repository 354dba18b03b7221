"""Give a person a bearer token."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.audit.facts import Fact, FactType
from app.db import people, tokens
from app.errors import Refused, Unknown
from app.services.node import SYSTEM
from app.services.record import record

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from app.db.engine import Session
    from app.services.node import Node

ID_BYTES = 8
SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class CreatedToken:
    """The one moment at which the secret is known; printing the value does not show it."""

    id: str
    expires_at: datetime
    secret: str = field(repr=False)


async def create_token(
    session: Session, node: Node, person_id: UUID, *, expires_at: datetime, now: datetime
) -> CreatedToken:
    """A new token for that person, valid until `expires_at`. `secret` is the whole token, `cp_<id>_<secret>`.

    Tokens are made at the command line, by whoever operates the node; the log says so and names the token's id.

    Raises:
        Unknown: nobody has that id.
        Refused: the token would be over before it began.
    """
    person = await people.find_person(session, person_id)
    if person is None:
        raise Unknown("person_unknown", "There is no such person at this contact point.")
    if expires_at <= now:
        raise Refused("token_already_over", "A token must end after it begins.")
    token_id = node.random(ID_BYTES).hex()
    secret = base64.urlsafe_b64encode(node.random(SECRET_BYTES)).rstrip(b"=").decode("ascii")
    new = tokens.NewToken(
        id=token_id,
        person_id=person_id,
        secret_hash=hashlib.sha256(secret.encode("ascii")).digest(),
        expires_at=expires_at,
    )
    await tokens.add_token(session, new, now=now)
    granted = {"token": token_id, "pseudonym": person.pseudonym, "until": expires_at.isoformat()}
    fact = Fact(FactType.USER_TOKEN_CREATED, contents={"token": granted})
    await record(session, node, fact, actor=SYSTEM, now=now)
    return CreatedToken(id=token_id, expires_at=expires_at, secret=f"cp_{token_id}_{secret}")
