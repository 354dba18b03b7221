"""The command with which an operator follows a recovery after a restore from a backup."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import typer

from app.cli.frame import AsJson, Config, at_node, show
from app.db import recoveries
from app.db.engine import reading

if TYPE_CHECKING:
    from pathlib import Path

    from app.db.engine import ReadSession
    from app.db.recoveries import RecoveringPeer, Recovery

recovery = typer.Typer(help="What this node does after a restore from a backup.", no_args_is_help=True)

MAX_LISTED = 10_000
"""Lost items that are printed; a node that lost more was restored from nothing."""


@recovery.callback()
def _group() -> None:
    """Keep `recovery show` a command of its own, though it is the only one."""


@recovery.command("show")
def show_recoveries(config: Config = None, as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Show every recovery: its proof, since when memory is missing, which peers are closed, and what was lost."""
    found = asyncio.run(_load(config))
    if as_json:
        show(found, as_json=True)
        return
    if not found:
        print("This node was never restored from a backup, as far as it knows.")
    for one in found:
        _print(one)


async def _load(config: Path | None) -> list[dict[str, Any]]:
    async with at_node(config) as at, reading(at.engine) as session:
        return [await _one(session, one) for one in await recoveries.history(session)]


async def _one(session: ReadSession, one: Recovery) -> dict[str, Any]:
    lost = await recoveries.lost_in(session, one.id, limit=MAX_LISTED)
    return {
        "id": one.id,
        "state": _state(one),
        "began_at": one.began_at,
        "proof": one.proof,
        "detail": one.detail,
        "remembers_until": one.remembers_until,
        "reopened_at": one.reopened_at,
        "ended_at": one.ended_at,
        "peers": [_peer(peer) for peer in await recoveries.peers_of(session, one.id)],
        "lost": [
            {"peer": item.peer, "thread": item.thread, "seq": item.seq, "what": item.what, "noted_at": item.noted_at}
            for item in lost
        ],
    }


def _state(one: Recovery) -> str:
    if one.reopened_at is None:
        return "waits for a new log epoch"
    return "waits for peers" if one.ended_at is None else "ended"


def _peer(peer: RecoveringPeer) -> dict[str, Any]:
    state = "open" if peer.done_at else "returning" if peer.answered_at else "asked" if peer.asked_at else "closed"
    return {"peer": peer.peer, "state": state, "asked_at": peer.asked_at, "done_at": peer.done_at}


def _print(one: dict[str, Any]) -> None:
    print(f"Recovery {one['id']}: {one['state']}.")
    print(f"  Noticed {one['began_at']} by {one['proof']}. After {one['remembers_until']} something may be missing.")
    if one["reopened_at"] is None:
        print("  No command is taken: raise COUNTERPART_LOG_EPOCH above every number used so far, and restart.")
    show(one["peers"], as_json=False)
    if one["lost"]:
        print("  Lost, or for a person to look into (docs/operating.md says what each word means):")
        show(one["lost"], as_json=False)
