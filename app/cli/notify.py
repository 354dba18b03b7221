"""Commands on who is told, outside the node, of what is late."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from app.cli.frame import AsJson, Config, at_node, say, show
from app.db import notifications
from app.db.engine import begin, reading
from app.db.notifications import Channel, Notification
from app.db.tables_clocks import ChannelKind
from app.domain.codes import Tier
from app.domain.deadlines import Audience
from app.errors import SettingsUnusable
from app.notify.deliver import send
from app.notify.faults import NotTaken
from app.notify.webhook import LEAST_SECRET_BYTES, check_address, read_secrets, write_secret
from app.runtime import means_of
from app.services.identifiers import new_id
from app.services.manage_channels import add_channel, remove_channel
from app.services.node import SYSTEM, Acting
from app.serving import wall_clock
from app.settings import Profile

if TYPE_CHECKING:
    from app.settings import Settings

notify = typer.Typer(help="Who is told, outside the node, of what is late.", no_args_is_help=True)

SECRET_MODE = 0o600
_BETWEEN_ADDRESSES = frozenset(' ,;:<>()"')
"""In a mailbox they would make two of it, or none."""

ChannelId = Annotated[UUID, typer.Argument(help="Id of the channel, as `notify list` shows it.")]


@notify.command("add")
def add(
    address: Annotated[str, typer.Argument(help="A mailbox, or the https:// address of a webhook.")],
    audience: Annotated[
        str, typer.Option("--for", help="Whom one reaches there; for some tiers only: escalation:EMERGENCY,URGENT.")
    ],
    secret_file: Annotated[
        Path | None, typer.Option(help="File with the webhook's secret; every process must be able to read it.")
    ] = None,
    config: Config = None,
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Tell an audience through this address. The secret stays in its file; the database holds the file's name."""
    who, tiers = _read_audience(audience)

    async def run() -> UUID | None:
        async with at_node(config) as at:
            kind, file = _check(address, secret_file, at.settings)
            new = Channel(new_id(), kind, address, who, tiers, file, wall_clock())
            async with begin(at.engine) as session:
                acting = Acting(session, at.node, SYSTEM, new.created_at)
                return new.id if await add_channel(acting, new) else None

    made = asyncio.run(run())
    if made is None:
        raise SettingsUnusable("channel_exists", "This audience is told there already.")
    say(f"{made} is a channel; try it with counterpart notify test {made}.", as_json=as_json, id=str(made))


@notify.command("list")
def list_all(config: Config = None, as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag of the command line
    """List the channels. Mail to the escalation contacts of the own directory entry needs none, only SMTP_URL."""

    async def run() -> list[Channel]:
        async with at_node(config) as at, reading(at.engine) as session:
            return await notifications.channels(session)

    rows = [
        {
            "id": str(one.id),
            "kind": one.kind.value,
            "target": one.target,
            "audience": one.audience.value,
            "tiers": ",".join(one.tiers),
            "stopped_at": one.stopped_at and one.stopped_at.isoformat(),
        }
        for one in asyncio.run(run())
    ]
    show(rows, as_json=as_json)


@notify.command("remove")
def remove(
    channel_id: ChannelId,
    config: Config = None,
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Tell nobody there any more."""

    async def run() -> bool:
        async with at_node(config) as at, begin(at.engine) as session:
            return await remove_channel(Acting(session, at.node, SYSTEM, wall_clock()), channel_id)

    if not asyncio.run(run()):
        raise _no_such_channel()
    say(f"{channel_id} is no channel any more.", as_json=as_json, id=str(channel_id))


@notify.command("test")
def try_out(
    channel_id: ChannelId,
    config: Config = None,
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Send a test message through a channel, at once, and say whether it was taken."""

    async def run() -> None:
        async with at_node(config) as at:
            async with reading(at.engine) as session:
                found = [one for one in await notifications.channels(session) if one.id == channel_id]
            if not found:
                raise _no_such_channel()
            try:
                await send(means_of(at.settings), _trial(found[0], at.node.code), now=wall_clock())
            except NotTaken as fault:
                detail = f"It was not taken: {fault.trouble.value.replace('_', ' ')}."
                raise SettingsUnusable("notification_not_taken", detail) from fault

    asyncio.run(run())
    say(f"{channel_id} took a test message.", as_json=as_json, id=str(channel_id))


@notify.command("secret")
def secret(
    file: Annotated[Path, typer.Argument(help="A new file; it gets mode 0600.")],
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Make the secret of a webhook. Whoever runs the other end needs the same line."""
    try:
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, SECRET_MODE)
        with os.fdopen(opened, "w", encoding="ascii") as writing:
            writing.write(write_secret(os.urandom(LEAST_SECRET_BYTES)) + "\n")
    except OSError as fault:
        raise SettingsUnusable("secret_not_written", f"{file} cannot be written: {fault.strerror}.") from fault
    say(f"{file} holds a new secret.", as_json=as_json, file=str(file))


def _read_audience(text: str) -> tuple[Audience, tuple[Tier, ...]]:
    """The audience, and the tiers behind a colon; all of them without."""
    who, _, named = text.partition(":")
    tiers = named.split(",") if named else list(Tier)
    if who not in set(Audience) or not set(tiers) <= set(Tier):
        known = f"one of {', '.join(Audience)}, and behind a colon some of {', '.join(Tier)}"
        raise SettingsUnusable("no_such_audience", f"--for names {known}.")
    return Audience(who), tuple(tier for tier in Tier if tier in tiers)


def _check(address: str, secret_file: Path | None, settings: Settings) -> tuple[ChannelKind, str | None]:
    """Refuse what could never be sent; returns the kind, and the secret's file as every process will find it."""
    if "://" not in address:
        name, _, domain = address.partition("@")
        if not name or "." not in domain or not address.isprintable() or set(address) & _BETWEEN_ADDRESSES:
            raise SettingsUnusable("mail_address", "This is no address of a mailbox.")
        if settings.smtp_url is None:
            raise SettingsUnusable("mail_server", "COUNTERPART_SMTP_URL is not set, so no mail can be sent.")
        return ChannelKind.MAIL, None
    check_address(address, plain=settings.profile is Profile.DEMO)
    if secret_file is None:
        raise SettingsUnusable("webhook_secret", "A webhook needs --secret-file; make one with notify secret.")
    read_secrets(secret_file)
    return ChannelKind.WEBHOOK, str(secret_file.resolve())


def _trial(channel: Channel, code: str) -> Notification:
    now = wall_clock()
    text = f"A test from the contact point {code}: nothing is late, nothing is to be done.\n"
    data = f'{{"type":"notification.test","timestamp":"{now.isoformat()}","data":{{"contact_point":"{code}"}}}}'
    return Notification(
        id=new_id(),
        event_id=0,
        event_at=now,
        event="notification.test",
        audience=channel.audience,
        kind=channel.kind,
        target=channel.target,
        channel_id=channel.id,
        title=f"{code}: test of a notification",
        body=text if channel.kind is ChannelKind.MAIL else data,
        created_at=now,
        secret_file=channel.secret_file,
    )


def _no_such_channel() -> SettingsUnusable:
    return SettingsUnusable("no_such_channel", "There is no such channel.")
