"""Commands that run a node or make its database ready."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.frame import AsJson, Config, say
from app.logs import configure_logging
from app.prepare import prepare_database
from app.serving import serve as serve_node
from app.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def serve(config: Config = None) -> None:
    """Run the gateway and the loops of this contact point in one process."""
    _run(config, gateway=True, work=True)


def gateway(config: Config = None) -> None:
    """Run only the gateway; `work` does the rest, in other processes against the same database."""
    _run(config, gateway=True, work=False)


def work(config: Config = None) -> None:
    """Run only the loops: relay, intake, sequencer, timers."""
    _run(config, gateway=False, work=True)


def migrate(
    config: Config = None,
    create_database: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--create-database", help="Make the database first if it is not there.")
    ] = False,
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Bring the database to the newest schema and its roles to their rights. May be run again at any time."""
    settings = load_settings(config)
    revision = asyncio.run(prepare_database(settings, create=create_database))
    text = f"{settings.code}: the database is at revision {revision}."
    say(text, as_json=as_json, code=settings.code, revision=revision)


def _run(config: Config, *, gateway: bool, work: bool) -> None:
    settings = load_settings(config)
    configure_logging(settings.log_level)
    asyncio.run(serve_node(settings, gateway=gateway, work=work))


COMMANDS: Mapping[str, Callable[..., None]] = {
    "serve": serve,
    "gateway": gateway,
    "work": work,
    "migrate": migrate,
}
