"""Commands on what waits to be received abroad: see it with its reasons, and try it again at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.frame import AsJson, Config, at_node, say, show
from app.cli.officer import TokenFile, acting_officer
from app.db import recoveries, waiting
from app.db.engine import reading
from app.errors import SettingsUnusable, Unknown
from app.services.advise_on_waiting import Waits, advise_on_case, judge_message
from app.services.retry_outbox import Hastened, retry_outbox
from app.serving import wall_clock

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from typing import Any

    from app.db.engine import ReadSession
    from app.db.passages import Way
    from app.db.waiting import Stuck, Unreceipted
    from app.domain.directory import Directory
    from app.services.advise_on_waiting import Case

outbox = typer.Typer(help="Messages without a receipt.", no_args_is_help=True)

Peer = Annotated[str | None, typer.Option("--peer", help="Code of one contact point.")]


@outbox.command("list")
def list_outbox(
    peer: Peer = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most, the oldest first.")] = 200,
    config: Config = None,
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """List what has no receipt, why, and who does what."""
    rows, left = asyncio.run(_list(config, peer, limit))
    if as_json:
        show(rows, as_json=True)
        return
    if not rows:
        say("Everything that was sent has been receipted.")
        return
    show([{name: value for name, value in row.items() if name not in ADVICE} for row in rows], as_json=False)
    say("")
    for sentence in _advice(rows):
        say(sentence)
    if left:
        say(f"{left} more are not shown: give --limit or --peer.")


@outbox.command("retry")
def retry_all(
    peer: Peer = None,
    everything: Annotated[bool, typer.Option("--all", help="To every contact point.")] = False,  # noqa: FBT002 - a flag of the command line
    token_file: TokenFile = None,
    config: Config = None,
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Try again now what has no receipt; on record.

    What did not get out goes out again, and a silent peer is asked once more. With a token it is done in that name.
    """
    if everything is (peer is not None):
        raise SettingsUnusable("peer_or_all", "Say --peer with a code, or --all.")

    async def run() -> Hastened:
        async with acting_officer(config, token_file, needed=False) as acting:
            if peer is not None and acting.node.directory.point(peer) is None:
                raise Unknown("not_found", f"There is no contact point {peer} in the directory.")
            return await retry_outbox(acting, peer=peer)

    done = asyncio.run(run())
    text = f"{done.troubled} messages that did not get out are tried now; {done.probes} that have no receipt go again."
    say(text, as_json=as_json, peer=peer, troubled=done.troubled, probes=done.probes)


ADVICE = ("meaning", "next_act")


async def _list(config: Config, peer: str | None, limit: int) -> tuple[Sequence[Mapping[str, Any]], int]:
    async with at_node(config) as at, reading(at.engine) as session:
        now = wall_clock()
        found = await waiting.unreceipted(session, peer=peer, limit=limit)
        total = sum(way.count for way in await waiting.ways_out(session) if peer in {None, way.way.peer})
        rows = await _rows(session, at.node.directory, found, now=now)
    return rows, total - len(rows)


async def _rows(
    session: ReadSession, directory: Directory, found: Sequence[Unreceipted], *, now: datetime
) -> Sequence[Mapping[str, Any]]:
    closed = await recoveries.closed_peers(session)
    stuck = await waiting.stuck_ways(session, now=now)
    cases = [judge_message(one, closed=one.way.peer in closed, stuck=one.way in stuck, now=now) for one in found]
    return [_row(one, case, directory, stuck=stuck) for one, case in zip(found, cases, strict=True)]


def _row(one: Unreceipted, case: Case, directory: Directory, *, stuck: Mapping[Way, Stuck]) -> Mapping[str, Any]:
    advice = advise_on_case(directory, one.way, case)
    return {
        "id": one.id,
        "peer": one.way.peer,
        "lane": str(one.way.lane),
        "type": one.type,
        "thread": one.thread,
        "seq": one.seq,
        "copies": one.copies,
        "since": one.queued_at.isoformat(timespec="seconds"),
        "state": _state(one, case),
        "reason": advice.reason,
        "next_at": _next_at(one, case, stuck),
        "meaning": advice.meaning,
        "next_act": advice.next_act,
    }


def _state(one: Unreceipted, case: Case) -> str:
    if case.reason in {Waits.PEER_CLOSED, Waits.STUCK} or one.trouble is not None:
        return "blocked"
    return "confirmed" if one.next_at is None else "due"


def _next_at(one: Unreceipted, case: Case, stuck: Mapping[Way, Stuck]) -> str | None:
    """When it is published next; None where a receipt, or the end of a recovery, decides that and no clock."""
    if one.next_at is None or case.reason is Waits.PEER_CLOSED:
        return None
    until = stuck.get(one.way)
    return max(one.next_at, until.until if until else one.next_at).isoformat(timespec="seconds")


def _advice(rows: Sequence[Mapping[str, Any]]) -> Sequence[str]:
    """One paragraph per contact point and reason: what it means and what is to be done."""
    counted = Counter((row["peer"], row["reason"], row["meaning"], row["next_act"]) for row in rows)
    return [
        f"{peer}, {reason} ({count}): {meaning}\n    {next_act}"
        for (peer, reason, meaning, next_act), count in counted.items()
    ]
