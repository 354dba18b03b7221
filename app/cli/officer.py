"""Who gives a command that not everybody at the machine may give: proven by the bearer token they use elsewhere."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.frame import Config, writing
from app.errors import NotAuthenticated, SettingsUnusable
from app.services.authenticate import authenticate
from app.services.node import Acting, Actor
from app.serving import wall_clock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TOKEN = "COUNTERPART_TOKEN"  # noqa: S105 - the name of a variable
MAX_TOKEN_BYTES = 1_000

OPERATOR = Actor(person_id=None, pseudonym="operator", role=None)
"""Whoever is at the machine, where a command needs nobody's name."""

TokenFile = Annotated[
    Path | None, typer.Option("--token-file", help=f"File with your bearer token; else the variable {TOKEN} has it.")
]


@asynccontextmanager
async def acting_officer(config: Config, token_file: Path | None, *, needed: bool = True) -> AsyncIterator[Acting]:
    """One command's transaction, done by the person whose token is given.

    Unless `needed`, a command without a token is the operator's. Raises NotAuthenticated for a token that is missing or
    not valid; it never appears in an error, nor in the list of processes.
    """
    token = _token(token_file)
    if token is None and needed:
        raise NotAuthenticated("not_authenticated", f"Say who you are: --token-file with your token, or {TOKEN}.")
    async with writing(config) as (session, node):
        now = wall_clock()
        actor = OPERATOR if token is None else await authenticate(session, token, now=now)
        yield Acting(session, node, actor, now)


def _token(path: Path | None) -> str | None:
    if path is None:
        return os.environ.get(TOKEN) or None
    try:
        with path.open("rb") as file:
            return file.read(MAX_TOKEN_BYTES).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as fault:
        raise SettingsUnusable(
            "token_unreadable", f"The token file {path} cannot be read: {type(fault).__name__}."
        ) from None
