"""Commands for trying things out: the demo in one process, and a network of nodes of one's own."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer

from app.cli.frame import AsJson, Config, say, show
from app.demo.network import run_demo
from app.demo.seed import seed
from app.errors import SettingsUnusable
from app.prepare import prepare_database
from app.rehearsal import FIRST_PORT, Surroundings, make_network
from app.runtime import open_runtime
from app.serving import wall_clock
from app.settings import Profile, load_settings

rehearsal = typer.Typer(help="A network of invented contact points, for trying things out.", no_args_is_help=True)


def demo(
    once: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--once", help="Play the scripted day, print what happened, exit 0 only if all of it did.")
    ] = False,
    port: Annotated[int, typer.Option(min=1, max=65_533, help="First of three ports.")] = FIRST_PORT,
    folder: Annotated[Path, typer.Option(help="Where access.json goes.")] = Path(".demo"),
) -> None:
    """Run three invented states on this machine, with nothing but Python."""
    raise typer.Exit(asyncio.run(run_demo(folder, port=port, once=once)))


@rehearsal.command("new")
def new(
    folder: Annotated[Path, typer.Argument(help="New folder.")],
    codes: Annotated[list[str], typer.Argument(help="Two or three of XA, XT, XS.")],
    postgres: Annotated[str, typer.Option(help="A PostgreSQL server, as somebody who may create databases.")],
    amqp: Annotated[str, typer.Option(help="A RabbitMQ, as amqp://host:port.")],
    port: Annotated[int, typer.Option(min=1, max=65_533, help="Port of the first node's gateway.")] = FIRST_PORT,
) -> None:
    """Write keys, directory, settings and broker definitions for a network on this machine."""
    nodes = make_network(folder, codes, Surroundings(postgres, amqp, port), now=wall_clock(), random=os.urandom)
    for node in nodes:
        say(f"{node.code}: {node.config}, port {node.http_port}")


@rehearsal.command("start")
def start(config: Config = None, as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Make one node's database, enrol two agencies and a person per role, and print their tokens."""
    settings = load_settings(config)
    if settings.profile is Profile.PRODUCTION:
        raise SettingsUnusable("rehearsal_in_production", "A rehearsal has the profile demo; this node has production.")

    async def run() -> dict[str, str]:
        await prepare_database(settings, create=True)
        async with open_runtime(settings, clock=wall_clock) as runtime:
            return dict(await seed(runtime))

    tokens = asyncio.run(run())
    show([{"seat": seat, "token": token} for seat, token in tokens.items()], as_json=as_json)
