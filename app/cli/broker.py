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
from app.bus.topology import NotAContactPoint
from app.cli.frame import AsJson, Config, say, show
from app.errors import SettingsUnusable
from app.serving import wall_clock
from app.settings import load_settings

broker = typer.Typer(help="The broker between contact points.", no_args_is_help=True)

POLL_SECONDS = 0.1


@broker.command("definitions")
def definitions(
    codes: Annotated[list[str], typer.Argument(help="Contact points to open accounts for.")],
    out: Annotated[Path, typer.Option(help="New folder: definitions.json for the broker, <code>.toml for each node.")],
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Make queues, permissions and accounts; load the file with `rabbitmqctl import_definitions`.

    Each <code>.toml holds that node's password and queue suffix: send it over a safe channel, then delete it here.
    """
    if len(set(codes)) < len(codes):
        raise SettingsUnusable("codes_repeated", "A contact point is named twice; name each once.")
    try:
        accounts = open_accounts(codes, os.urandom)
        out.mkdir(mode=0o700, parents=True)
        _write(out / "definitions.json", json.dumps(make_definitions(accounts, os.urandom), indent=2) + "\n")
        for account in accounts:
            _write(
                out / f"{account.code}.toml",
                f'# amqps://{account.code}:<password>@<host>/{VHOST}\nqueue_suffix = "{account.suffix}"\n'
                f"# password: {account.password}\n",
            )
    except NotAContactPoint as fault:
        raise SettingsUnusable("bad_code", f"{fault}.") from fault
    except OSError as fault:
        raise SettingsUnusable("folder_unusable", f"{out} cannot be written: {fault.strerror}.") from fault
    text = f"{out / 'definitions.json'} opens {len(accounts)} accounts on the virtual host {VHOST}."
    say(text, as_json=as_json, definitions=out / "definitions.json", vhost=VHOST, contact_points=list(codes))


def _write(path: Path, text: str) -> None:
    """A file for us alone: one holds a password, the other what passwords can be tried against."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


@broker.command("check")
def check(
    config: Config = None,
    seconds: Annotated[float, typer.Option(min=0.1, max=600, help="How long to try.")] = 10.0,
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Connect as this node and say whether both lanes can publish. Exit code 1 if not."""
    settings = load_settings(config)
    if settings.memory_bus or settings.queue_suffix is None:
        raise SettingsUnusable("bus_not_given", "COUNTERPART_AMQP_URL names no broker to check.")
    access = Access(
        settings.code, settings.amqp_url.get_secret_value(), suffix=settings.queue_suffix.get_secret_value()
    )
    connected, error = asyncio.run(_connects(access, seconds))
    show([{"connected": connected, "last_error": error}], as_json=as_json)
    if not connected:
        raise typer.Exit(1)


async def _connects(access: Access, seconds: float) -> tuple[bool, str | None]:
    rabbit = RabbitBroker(access, clock=wall_clock, pauses=Pauses(secrets.SystemRandom().random))
    rabbit.start()
    try:
        async with asyncio.timeout(seconds):
            while not rabbit.status().connected:  # noqa: ASYNC110 - a status is asked for, it does not ring
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        return False, rabbit.status().last_error
    finally:
        await rabbit.aclose()
    return True, None
