"""Refused bearer tokens are put on record: soon, but never more often than a stranger could fill a log with."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING

from app.audit.facts import Fact, FactType
from app.envelope.format import encode_part
from app.services.node import SYSTEM
from app.services.record import record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from app.audit.facts import JSON
    from app.db.engine import Session
    from app.services.authenticate import TokenRefused
    from app.services.node import Node

INTERVAL = timedelta(minutes=5)
"""Between two facts of one process. The first refusal after a quiet time is told at once."""

MOST_KINDS = 20
"""Of source, reason and token that one fact tells apart; the others are a number."""

MARK_BYTES = 9
"""Of the keyed hash by which two refusals of one unknown token are seen to be of one."""

LONGEST_SOURCE = 45
"""Characters of an address in text."""


@dataclass(frozen=True, slots=True)
class Refusals:
    """What one fact tells: how many tokens were refused from `since` on, and of which kinds."""

    since: datetime
    until: datetime
    count: int
    kinds: tuple[Mapping[str, JSON], ...]


@dataclass(slots=True)
class RefusedTokens:
    """What this process has refused and not told yet. Its memory is bounded, whatever comes.

    `key` is drawn when the process starts and known to nobody: a mark made with it can be compared with other marks of
    this process, and a token can neither be read nor guessed from it.
    """

    key: bytes = field(repr=False)
    _told_at: datetime | None = None
    _since: datetime | None = None
    _count: int = 0
    _kinds: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def note(self, credential: str, refused: TokenRefused, *, source: str | None, now: datetime) -> None:
        """Count one refusal."""
        kind = (_network(source), str(refused.why), refused.token_id or self._mark(credential))
        if kind in self._kinds or len(self._kinds) < MOST_KINDS:
            self._kinds[kind] = self._kinds.get(kind, 0) + 1
        self._count += 1
        self._since = self._since or now

    def take(self, now: datetime, *, at_once: bool = False) -> Refusals | None:
        """What is to be told now, once; None while there is nothing, or while the last time is not long ago."""
        waits = self._told_at is not None and now - self._told_at < INTERVAL
        if self._since is None or (waits and not at_once):
            return None
        kinds: list[Mapping[str, JSON]] = [
            {"source": source, "reason": why, "token": token, "count": count}
            for (source, why, token), count in self._kinds.items()
        ]
        taken = Refusals(self._since, now, self._count, tuple(kinds))
        self._told_at, self._since, self._count, self._kinds = now, None, 0, {}
        return taken

    def _mark(self, credential: str) -> str:
        return f"~{encode_part(hmac.digest(self.key, credential.encode(), hashlib.sha256)[:MARK_BYTES])}"


async def tell_refusals(session: Session, node: Node, refusals: Refusals, *, now: datetime) -> None:
    """Put them on record as one fact. Sources and tokens are no part of the leaf: it commits to them."""
    told: dict[str, JSON] = {
        "since": refusals.since.isoformat(),
        "until": refusals.until.isoformat(),
        "count": refusals.count,
        "kinds": refusals.kinds,
    }
    await record(session, node, Fact(FactType.ACCESS_REFUSED, contents={"refusals": told}), actor=SYSTEM, now=now)


def _network(source: str | None) -> str:
    """Where it came from: the address; of IPv6 its network, since anybody has 2⁶⁴ addresses in one."""
    try:
        address = ip_address(source or "")
    except ValueError:
        return (source or "")[:LONGEST_SOURCE]
    return str(IPv6Address(int(address) >> 64 << 64)) + "/64" if address.version == 6 else str(address)  # noqa: PLR2004 - of IP
