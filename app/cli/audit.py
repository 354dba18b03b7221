"""Commands of the auditor at the node: check the whole log, export it, prove one event."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from app.anchor import read_anchor
from app.audit.note import VerifierKey, verifier_key
from app.audit.verify import Report, Verdict
from app.cli.export import KEY_FILE, LEAVES_FILE, NOTES_FILE, OPENINGS_FILE, new_folder, progress_bar, verify_folder
from app.cli.frame import AsJson, AtNode, Config, at_node, say, sentence_of, show
from app.db.engine import reading
from app.errors import CounterpartError, LogBroken
from app.keystore import load_keys
from app.services.prove import export_leaves, export_notes, export_openings, prove_event
from app.services.self_check import check_log

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from rich.progress import Progress

audit = typer.Typer(help="The audit log of this node.", no_args_is_help=True)


@audit.command("verify")
def verify(
    folder: Annotated[
        Path | None, typer.Argument(help="What `audit export` wrote: checked without node, settings or database.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="File with the log's public key, from a source of yours; else FOLDER/log.vkey.")
    ] = None,
    config: Config = None,
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Recompute the whole log from its rows or its files. Exit code 0 valid, 1 invalid, 2 incomplete, 3 not checked."""
    try:
        if folder is None:
            report = asyncio.run(_verify(config, quiet=as_json))
        else:
            report = verify_folder(folder, key or folder / KEY_FILE, quiet=as_json)
    except CounterpartError as fault:
        print(sentence_of(fault), file=sys.stderr)
        # An anchor that nobody signed is a finding, everything else a reason why there is none.
        raise typer.Exit(Verdict.INVALID if isinstance(fault, LogBroken) else Verdict.USAGE) from fault
    if as_json:
        show([asdict(report) | {"verdict": report.verdict.name}], as_json=True)
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
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Write the log as files that anyone can verify without this node."""
    count = asyncio.run(_export(config, out, openings=openings, quiet=as_json))
    say(f"{out} holds {count} leaves.", as_json=as_json, folder=out, leaves=count)


@audit.command("prove")
def prove(event_id: UUID, config: Config = None, as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Print the proof (C2SP tlog-proof) that one event is in the log."""

    async def run() -> str:
        async with at_node(config) as at, reading(at.engine) as session:
            return await prove_event(session, event_id)

    proof = asyncio.run(run())
    say(proof.removesuffix("\n"), as_json=as_json, event_id=event_id, proof=proof)


async def _verify(config: Path | None, *, quiet: bool) -> Report:
    async with at_node(config) as at, reading(at.engine) as session:
        key = _key(at)
        anchored = await asyncio.to_thread(read_anchor, at.settings.anchor, (key,))
        with progress_bar(quiet=quiet) as bar:
            task = bar.add_task("leaves", total=None)
            return await check_log(
                session,
                key,
                anchored=anchored,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )


async def _export(config: Path | None, out: Path, *, openings: bool, quiet: bool) -> int:
    async with at_node(config) as at, reading(at.engine) as session:
        origin = at.node.log_origin
        files = {
            KEY_FILE: _one(f"{_key(at)}\n".encode()),
            NOTES_FILE: export_notes(session, origin),
            LEAVES_FILE: export_leaves(session, origin),
        }
        if openings:
            files[OPENINGS_FILE] = export_openings(session, origin)
        with new_folder(out) as draft, progress_bar(quiet=quiet) as bar:
            counts = {name: await _write(draft / name, lines, bar) for name, lines in files.items()}
        return counts[LEAVES_FILE]


async def _one(line: bytes) -> AsyncIterator[bytes]:
    yield line


async def _write(path: Path, lines: AsyncIterator[bytes], bar: Progress) -> int:
    task = bar.add_task(path.stem, total=None)
    count = 0
    with path.open("xb") as file:
        async for line in lines:
            file.write(line)
            count += 1
            bar.update(task, completed=count)
    return count


def _key(at: AtNode) -> VerifierKey:
    return verifier_key(at.node.log_origin, load_keys(at.settings.keys_dir, refuse_open=False).log_key)


def _sentence(report: Report) -> str:
    unseen = f" Not checked: {'; '.join(report.not_checked)}." if report.not_checked else ""
    if report.verdict is Verdict.VALID:
        return f"Valid: {report.origin}, {report.leaves} leaves, {report.checkpoints} checkpoints.{unseen}"
    place = "" if report.first_bad is None else f" First bad leaf: {report.first_bad}."
    found = f"{report.origin}, {report.problem or 'not everything is there'}."
    return f"{report.verdict.name.capitalize()}: {found}{place}{unseen}"
