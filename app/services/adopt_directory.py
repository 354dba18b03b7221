"""Take a version of the directory into use: never an older one, and never another one under a known number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.audit.facts import Fact, FactType
from app.db import directories
from app.db.directories import SeenVersion
from app.domain.moments import write_instant
from app.errors import SettingsUnusable
from app.services.accepted_meanwhile import accepted_meanwhile, revocations
from app.services.announce import Event, announce
from app.services.node import SYSTEM
from app.services.record import record

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.directories import Revocation
    from app.db.engine import Session
    from app.services.node import Node


async def adopt_directory(session: Session, node: Node, digest: str, *, now: datetime) -> bool:
    """Remember that this node works with `node.directory` from now on; returns whether that is news to it.

    `digest` names the bytes of its file. What it says of revoked keys is noted, and the desk is told once of each
    revocation that came too late for something. Raises `SettingsUnusable`: `directory_older` for a version before one
    that this node has worked with; `directory_differs` for another file under a number that it knows.
    """
    version = node.directory.version
    newest = await directories.newest_seen(session)
    if newest is not None and version < newest.version:
        raise SettingsUnusable(
            "directory_older",
            f"The directory is version {version}, and this node has worked with version {newest.version} since"
            f" {write_instant(newest.seen_at)}: put the newest one in place.",
        )
    if newest is not None and version == newest.version:
        if digest != newest.digest:
            raise SettingsUnusable(
                "directory_differs",
                f"The directory says it is version {version}, but is not the file that this node knows under that"
                f" number (SHA-256 {newest.digest}): every change needs a new number.",
            )
        return False
    if not await directories.add_seen(session, SeenVersion(version, digest, now)):
        return False
    used = Fact(FactType.DIRECTORY_UPDATED, contents={"directory": {"version": version, "digest": digest}})
    await record(session, node, used, actor=SYSTEM, now=now)
    for learned in await directories.learn(session, revocations(node.directory), now=now):
        await _tell(session, node, learned, now=now)
    return True


async def _tell(session: Session, node: Node, learned: Revocation, *, now: datetime) -> None:
    """Put a revocation on record, and tell the desk what it comes too late for, at either end."""
    since = write_instant(learned.revoked_at)
    is_ours = learned.code == node.code
    fact = Fact(
        FactType.KEY_REVOKED,
        peer=None if is_ours else learned.code,
        contents={"key": {"kid": learned.kid, "revoked_at": since}},
    )
    await record(session, node, fact, actor=SYSTEM, now=now)
    if is_ours:
        late = await directories.count_delivered(session, learned.kid, since=learned.revoked_at)
    else:
        late = len(await accepted_meanwhile(session, node.directory, under=[learned]))
    if late:
        data = {
            "kid": learned.kid,
            "revoked_at": since,
            "direction": "outgoing" if is_ours else "incoming",
            "texts": late,
        }
        event = Event("contact_point.key_revoked_late", "contact_point", learned.code, None, data)
        await announce(session, event, now=now)
