"""Take a bearer token back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.audit.facts import Fact, FactType
from app.db import tokens
from app.errors import Unknown
from app.services.node import SYSTEM
from app.services.record import record

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import Session
    from app.services.node import Node


async def revoke_token(session: Session, node: Node, token_id: str, *, now: datetime) -> None:
    """From the commit on nobody is let in with it; requests that were let in before are finished.

    Raises:
        Unknown: there is no such token, or it was revoked already.
    """
    if not await tokens.revoke_token(session, token_id, now=now):
        raise Unknown("token_unknown", "There is no such token, or it was revoked already.")
    fact = Fact(FactType.USER_TOKEN_REVOKED, contents={"token": {"token": token_id}})
    await record(session, node, fact, actor=SYSTEM, now=now)
