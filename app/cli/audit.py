"""Commands of the auditor at the node: check the whole log, export it, prove one event."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import Progress

from app.anchor import read_anchor
from app.audit.note import VerifierKey, verifier_key
from app.audit.verify import Report, Verdict
from app.cli.frame import AsJson, AtNode, Config, at_node, say, show
from app.db.engine import reading
from app.errors import SettingsUnusable
from app.keystore import load_keys
from app.services.prove import export_leaves, export_notes, export_openings, prove_event
from app.services.self_check import check_log

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

audit = typer.Typer(help="The audit log of this node.", no_args_is_help=True)


@audit.command("verify")
def verify(config: Config = None, as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Recompute the whole log from its rows. Exit code 0 valid, 1 invalid, 2 incomplete."""
    report = asyncio.run(_verify(config, quiet=as_json))
    rows = [{name: str(value) if value is not None else None for name, value in asdict(report).items()}]
    if as_json:
        show([rows[0] | {"verdict": report.verdict.name}], as_json=True)
    else:
        say(_sentence(report))
    raise typer.Exit(int(report.verdict))


@audit.command("export")
def export(
    out: Annotated[Path, typer.Argument(help="New folder for leaves, checkpoints and the log's public key.")],
    openings: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--openings", help="Also what opens the commitments: personal data.")
    ] = False,
    config: Config = None,
) -> None:
    """Write the log as files that anyone can verify without this node."""
    try:
        out.mkdir(mode=0o700, parents=True)
        count = asyncio.run(_export(config, out, openings=openings))
    except OSError as fault:
        raise SettingsUnusable("folder_unusable", f"{out} cannot be written: {fault.strerror}.") from fault
    say(f"{out} holds {count} leaves.")


@audit.command("prove")
def prove(event_id: UUID, config: Config = None) -> None:
    """Print the proof (C2SP tlog-proof) that one event is in the log."""

    async def run() -> str:
        async with at_node(config) as at, reading(at.engine) as session:
            return await prove_event(session, event_id)

    print(asyncio.run(run()), end="")


async def _verify(config: Path | None, *, quiet: bool) -> Report:
    async with at_node(config) as at, reading(at.engine) as session:
        key = _key(at)
        anchored = await asyncio.to_thread(read_anchor, at.settings.anchor, (key,))
        with Progress(console=Console(stderr=True), disable=quiet, transient=True) as bar:
            task = bar.add_task("leaves", total=None)
            return await check_log(
                session,
                key,
                anchored=anchored,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )


async def _export(config: Path | None, out: Path, *, openings: bool) -> int:
    async with at_node(config) as at, reading(at.engine) as session:
        origin = at.node.log_origin
        await _write(out / "log.vkey", _one(f"{_key(at)}\n".encode()))
        count = await _write(out / "leaves.ndjson", export_leaves(session, origin))
        await _write(out / "checkpoints.ndjson", export_notes(session, origin))
        if openings:
            await _write(out / "openings.ndjson", export_openings(session, origin))
        return count


async def _one(line: bytes) -> AsyncIterator[bytes]:
    yield line


async def _write(path: Path, lines: AsyncIterator[bytes]) -> int:
    count = 0
    with path.open("xb") as file:
        async for line in lines:
            file.write(line)
            count += 1
    return count


def _key(at: AtNode) -> VerifierKey:
    return verifier_key(at.node.log_origin, load_keys(at.settings.keys_dir, refuse_open=False).log_key)


def _sentence(report: Report) -> str:
    if report.verdict is Verdict.VALID:
        return f"Valid: {report.origin}, {report.leaves} leaves, {report.checkpoints} checkpoints."
    place = "" if report.first_bad is None else f" First bad leaf: {report.first_bad}."
    return f"{report.verdict.name.capitalize()}: {report.origin}, {report.problem or 'not everything is there'}.{place}"
