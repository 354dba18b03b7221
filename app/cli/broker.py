"""Commands on the broker: what its administrator loads, and whether this node's own place there is right."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from pathlib import Path
from typing import Annotated

import typer

from app.bus.connection import Access
from app.bus.definitions import VHOST, make_definitions, open_accounts
from app.bus.rabbit import RabbitBroker
from app.bus.supervise import Pauses
from app.cli.frame import AsJson, Config, say, show
from app.errors import SettingsUnusable
from app.serving import wall_clock
from app.settings import load_settings

broker = typer.Typer(help="The broker between contact points.", no_args_is_help=True)

CHECK_SECONDS = 10.0
POLL_SECONDS = 0.1


@broker.command("definitions")
def definitions(
    codes: Annotated[list[str], typer.Argument(help="Contact points to open accounts for.")],
    out: Annotated[Path, typer.Option(help="New folder: definitions.json for the broker, <code>.toml for each node.")],
) -> None:
    """Make queues, permissions and accounts; load the file with `rabbitmqctl import_definitions`.

    Each <code>.toml holds that node's password and queue suffix: send it over a safe channel, then delete it here.
    """
    accounts = open_accounts(codes, os.urandom)
    try:
        out.mkdir(mode=0o700, parents=True)
        document = json.dumps(make_definitions(accounts, os.urandom), indent=2)
        (out / "definitions.json").write_text(document + "\n", encoding="utf-8")
        for account in accounts:
            path = out / f"{account.code}.toml"
            path.touch(mode=0o600)
            path.write_text(
                f'# amqps://{account.code}:<password>@<host>/{VHOST}\nqueue_suffix = "{account.suffix}"\n'
                f'# password: {account.password}\n',
                encoding="utf-8",
            )
    except OSError as fault:
        raise SettingsUnusable("folder_unusable", f"{out} cannot be written: {fault.strerror}.") from fault
    say(f"{out / 'definitions.json'} opens {len(accounts)} accounts on the virtual host {VHOST}.")


@broker.command("check")
def check(config: Config = None, as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Connect as this node and say whether both lanes can publish. Exit code 1 if not."""
    settings = load_settings(config)
    if settings.memory_bus or settings.queue_suffix is None:
        raise SettingsUnusable("bus_not_given", "COUNTERPART_AMQP_URL names no broker to check.")
    access = Access(
        settings.code, settings.amqp_url.get_secret_value(), suffix=settings.queue_suffix.get_secret_value()
    )
    connected, error = asyncio.run(_connects(access))
    show([{"connected": connected, "last_error": error}], as_json=as_json)
    if not connected:
        raise typer.Exit(1)


async def _connects(access: Access) -> tuple[bool, str | None]:
    rabbit = RabbitBroker(access, clock=wall_clock, pauses=Pauses(secrets.SystemRandom().random))
    rabbit.start()
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            while not rabbit.status().connected:  # noqa: ASYNC110 - a status is asked for, it does not ring
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        return False, rabbit.status().last_error
    finally:
        await rabbit.aclose()
    return True, None
