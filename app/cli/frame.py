"""What every command shares: settings, one sentence per error, JSON on request, a node's database."""

from __future__ import annotations

import json
import os
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.exc import DBAPIError

from app.db.engine import begin, make_engine, reading
from app.demo.client import StepFailed
from app.errors import CounterpartError, LogBroken, SettingsUnusable
from app.keystore import read_directory, read_law_folder
from app.logs import configure_logging
from app.migrate import current_revision, head_revision
from app.prepare import faults_of
from app.services.node import Node
from app.settings import LogLevel, load_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

    from sqlalchemy.ext.asyncio import AsyncEngine

    from app.db.engine import Session
    from app.settings import Settings

FAILED = 2

DATABASE = "COUNTERPART_DATABASE_URL"

WIDE = 10_000
"""Columns of a table on any terminal: its lines wrap, for a token cut off at the edge of a screen is worth nothing."""

Config = Annotated[
    Path | None, typer.Option("--config", "-c", help="TOML file with settings; COUNTERPART_* variables win over it.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


@dataclass(frozen=True, slots=True)
class AtNode:
    """A node's database and what its services need to know of it, for a command that runs beside the node."""

    node: Node
    settings: Settings
    engine: AsyncEngine


def run_command(command: typer.Typer, arguments: Sequence[str] | None = None) -> None:
    """Run it; an error of ours becomes its sentence on standard error and exit code 2.

    Also one that several tasks raised together, wherever in the group it is. `arguments` are those of the shell unless
    others are given.
    """
    configure_logging(LogLevel.ERROR)
    try:
        command(args=arguments)
    except CounterpartError as fault:
        _end_with(fault)
    except BaseExceptionGroup as group:
        every = list(_inside(group))
        known = [one for one in every if isinstance(one, CounterpartError)]
        if not known:
            raise
        _end_with(known[0], *(one for one in every if not isinstance(one, CounterpartError)))


def sentence_of(fault: CounterpartError) -> str:
    """What went wrong, as a person is told. Where it begins with a name or a file, that is left as it is."""
    text = fault.detail
    if isinstance(fault, LogBroken | StepFailed):
        text = f"{text[:1].upper()}{text[1:]}"
    text += "" if text.endswith((".", "?")) else "."
    return f"{text} Nothing more is signed: see docs/audit-log.md." if isinstance(fault, LogBroken) else text


def _end_with(fault: CounterpartError, *others: BaseException) -> NoReturn:
    besides = f" Besides: {', '.join(sorted({type(one).__name__ for one in others}))}." if others else ""
    print(sentence_of(fault) + besides, file=sys.stderr)
    sys.exit(FAILED)


def _inside(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for one in group.exceptions:
        if isinstance(one, BaseExceptionGroup):
            yield from _inside(one)
        else:
            yield one


@asynccontextmanager
async def at_node(config: Path | None) -> AsyncIterator[AtNode]:
    """Open the database of the node that the settings describe; refused in one sentence unless it can be used."""
    settings = load_settings(config)
    directory = read_directory(settings.directory)
    law = read_law_folder(settings.law)
    node = Node(code=settings.code, directory=directory, log_origin=settings.origin, random=os.urandom, law=law)
    engine = make_engine(settings.database_url.get_secret_value(), pool_size=2, name=f"counterpart {settings.code} cli")
    try:
        with faults_of(DATABASE):
            await _check_revision(engine)
        yield AtNode(node, settings, engine)
    except DBAPIError as fault:
        with faults_of(DATABASE):
            raise fault from None
    finally:
        await engine.dispose()


async def _check_revision(engine: AsyncEngine) -> None:
    async with reading(engine) as session:
        found = await current_revision(session)
    wanted = head_revision()
    if found is None:
        raise SettingsUnusable(
            "database_not_migrated", f"The database of {DATABASE} is empty: run counterpart migrate."
        )
    if found != wanted:
        detail = f"The database of {DATABASE} is at revision {found}, not {wanted}: run counterpart migrate."
        raise SettingsUnusable("database_not_migrated", detail)


@asynccontextmanager
async def writing(config: Path | None) -> AsyncIterator[tuple[Session, Node]]:
    """One command's transaction at the node."""
    async with at_node(config) as at, begin(at.engine) as session:
        yield session, at.node


def show(rows: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """Print rows as a table, or as JSON."""
    if as_json:
        print(json.dumps(list(rows), default=str, indent=2))
        return
    table = Table(box=None, pad_edge=False)
    for column in rows[0] if rows else ():
        table.add_column(column)
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    Console(width=WIDE, soft_wrap=True, markup=False, emoji=False).print(table)


def say(text: str, *, as_json: bool = False, **facts: object) -> None:
    """Print one line, or its facts as JSON in the form of `show`."""
    if as_json:
        show([facts], as_json=True)
    else:
        print(text)
