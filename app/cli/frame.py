"""What every command shares: settings, one sentence per error, JSON on request, a node's database."""

from __future__ import annotations

import json
import os
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from app.db.engine import begin, make_engine
from app.errors import CounterpartError
from app.keystore import read_directory
from app.services.node import Node
from app.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from sqlalchemy.ext.asyncio import AsyncEngine

    from app.db.engine import Session
    from app.settings import Settings

FAILED = 2

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


def run_command(command: typer.Typer) -> None:
    """Run it; an error of ours becomes its sentence on standard error and exit code 2."""
    try:
        command()
    except CounterpartError as fault:
        print(fault.detail, file=sys.stderr)
        sys.exit(FAILED)


@asynccontextmanager
async def at_node(config: Path | None) -> AsyncIterator[AtNode]:
    """Open the database of the node that the settings describe."""
    settings = load_settings(config)
    directory = read_directory(settings.directory)
    node = Node(code=settings.code, directory=directory, log_origin=settings.origin, random=os.urandom)
    engine = make_engine(settings.database_url.get_secret_value(), pool_size=2, name=f"counterpart {settings.code} cli")
    try:
        yield AtNode(node, settings, engine)
    finally:
        await engine.dispose()


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
        table.add_row(*(str(value) for value in row.values()))
    Console(width=WIDE, soft_wrap=True).print(table)


def say(text: str) -> None:
    """Print one line."""
    print(text)
