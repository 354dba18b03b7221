"""What was accepted under a key before it was known that the key had been revoked by then (ruling 21)."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

from app.db import directories
from app.db.directories import Revocation
from app.domain.directory import KeyUse
from app.envelope.format import MAX_SKEW_SECONDS
from app.services.inbound import claims_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from app.db.directories import Accepted
    from app.db.engine import ReadSession
    from app.domain.directory import Directory

MAX_SKEW = timedelta(seconds=MAX_SKEW_SECONDS)
"""So far ahead of its arrival a text may be dated."""


async def accepted_meanwhile(
    session: ReadSession, directory: Directory, *, under: Collection[Revocation] | None = None
) -> list[Accepted]:
    """List the texts that stand here although this directory would not let them in any more, by time of arrival.

    All of them, or those of the revoked keys in `under`. The verdict at receipt is final, and nothing is undone: people
    decide what follows. Left out is what two officers admitted, and what its sender has signed again under another key.
    """
    revoked = revocations(directory)
    distrusted: defaultdict[str, set[str]] = defaultdict(set)
    for one in revoked:
        distrusted[one.code].add(one.kid)
    found: list[Accepted] = []
    for one in revoked if under is None else under:
        since, others = one.revoked_at - MAX_SKEW, distrusted[one.code]
        found += await directories.accepted(session, one, not_before=since, distrusted=others)
    return sorted(filter(_is_too_late, found), key=lambda text: (text.received_at, text.iss, text.jti))


def revocations(directory: Directory) -> list[Revocation]:
    """Every signing key that this directory shows as revoked."""
    return [
        Revocation(point.code, key.kid, key.revoked_at)
        for point in directory.contact_points
        for key in point.keys
        if key.use is KeyUse.SIG and key.revoked_at is not None
    ]


def _is_too_late(text: Accepted) -> bool:
    """As an envelope is judged that arrives: by when it came, and by when it says it was signed."""
    if text.jws is None:
        return True
    return claims_of(text.jws).issued_at >= text.revoked_at
