"""One restored node without its loops: its peer is the test, and each step of the recovery is taken by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.db.engine import begin, reading
from app.domain.codes import Lane
from app.services.recovery.answer import answer_list, find_answerable
from app.services.recovery.bring_on import bring_on
from tests.support.peer import new_id

if TYPE_CHECKING:
    from tests.support.peer import Peer, Said
    from tests.support.station import Station

COPY = "resync.copy/1"
RESYNC = "resync/1"


def returned(peer: Peer, text: Said | str, reason: str = "resync") -> bytes:
    """A text of the node's, given back by `peer`."""
    return peer.close(peer.say(COPY, {"reason": reason, "text": text if isinstance(text, str) else text.jws}))


def listing(thread: str, *, out: int = 0, in_: int = 0) -> dict[str, Any]:
    """A thread of a list, without loose numbers."""
    return {"thread": thread, "out": {"upto": out, "also": []}, "in": {"upto": in_, "also": []}}


def part(kind: str, lane: Lane, *threads: dict[str, Any], **members: Any) -> dict[str, Any]:  # noqa: ANN401 - members
    """The body of a `resync/1` of one part, unless `members` say otherwise."""
    plain = {"id": new_id(), "kind": kind, "lane": str(lane), "part": 1, "parts": 1, "threads": list(threads)}
    return {**plain, **members}


async def tell(station: Station, peer: Peer, kind: str, *threads: dict[str, Any], **members: Any) -> str:  # noqa: ANN401
    """Send a list of one part on both lanes; returns the name under which it went."""
    name = str(members.pop("id", new_id()))
    for lane in Lane:
        body = part(kind, lane, *threads, id=name, **members)
        await station.take(peer.close(peer.say(RESYNC, body)), lane=lane)
    return name


async def step(station: Station, peer: str) -> bool:
    """Take the next step with this peer."""
    async with begin(station.engine) as session:
        return await bring_on(session, station.node, peer, now=station.clock())


async def answer(station: Station) -> int:
    """Answer every list that may be answered now; returns how many."""
    async with reading(station.engine) as session:
        keys = await find_answerable(session, now=station.clock())
    for key in keys:
        async with begin(station.engine) as session:
            await answer_list(session, station.node, key, now=station.clock())
    return len(keys)


async def ask_of(station: Station, peer: str) -> str:
    """The name of the ask that is under way with this peer."""
    query = "SELECT resync_id::text FROM recovering_peer WHERE peer = :peer AND done_at IS NULL"
    ((name,),) = await station.rows(query, peer=peer)
    return str(name)


async def closed(station: Station) -> list[str]:
    """The peers that are closed."""
    return [peer for (peer,) in await station.rows("SELECT peer FROM recovering_peer WHERE done_at IS NULL ORDER BY 1")]


async def fates(station: Station, type_: str = COPY) -> list[tuple[str, str | None]]:
    """How messages of a type ended, in the order in which they came."""
    query = "SELECT state, code FROM inbox WHERE type = :type ORDER BY received_at, jti"
    return [(state, code) for state, code in await station.rows(query, type=type_)]


async def lost(station: Station) -> list[tuple[str, int, str]]:
    """What is listed: thread, number, word."""
    return [(one, seq, what) for one, seq, what in await station.rows("SELECT thread, seq, what FROM lost_item")]
