"""A network of invented contact points on one machine: keys, directory, broker accounts, settings.

Never for real states: here one folder holds everybody's private keys. The demo, the README's six commands and the tests
begin with it, so what they exercise is what an operator sets up by hand.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from app.bus.definitions import VHOST, make_definitions, make_password, open_accounts
from app.domain.directory import publish_directory
from app.errors import SettingsUnusable
from app.keystore import create_keys, example_profile, write_directory
from app.migrate import roles_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from app.bus.definitions import Account
    from app.domain.directory import ContactPointProfile

KEYS_VALID = timedelta(days=365)
MEMORY_BUS = "memory:"
FIRST_PORT = 8000


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the network stands on.

    `postgres` is the address of a server, as somebody who may create databases and roles; `amqp` that of a broker,
    without user, or `memory:`.
    """

    postgres: str
    amqp: str
    first_port: int = FIRST_PORT


@dataclass(frozen=True, slots=True)
class TrialNode:
    """One node's place in the network."""

    code: str
    config: Path
    http_port: int
    database: str


def make_network(
    folder: Path, codes: Sequence[str], around: Surroundings, *, now: datetime, random: Callable[[int], bytes]
) -> tuple[TrialNode, ...]:
    """Write everything that these contact points need into `folder`, which must not exist or be empty.

    `directory.json` for all, `<code>.toml` (mode 0600, with secrets) and `<code>/keys` for each, and `definitions.json`
    to be loaded into the broker. Raises SettingsUnusable with one sentence.
    """
    folder = folder.resolve()  # the settings name files in it, and are used from any working directory
    profiles = _check(codes, around)
    try:
        _make_folders(folder, codes)
        keys = {code: create_keys(folder / code / "keys", code, now=now, validity=KEYS_VALID) for code in codes}
        write_directory(folder / "directory.json", publish_directory(profiles, keys, version=1, issued_at=now))
        accounts = {account.code: account for account in open_accounts(codes, random)}
        definitions = make_definitions(accounts.values(), random)
        _write(folder / "definitions.json", json.dumps(definitions, indent=2) + "\n")
        nodes = []
        for offset, code in enumerate(codes):
            node = TrialNode(code, folder / f"{code}.toml", around.first_port + offset, f"counterpart_{code.lower()}")
            settings = _settings(folder, node, accounts[code], around=around, password=make_password(random))
            _write(node.config, "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items()))
            nodes.append(node)
    except OSError as fault:
        raise SettingsUnusable("folder_unusable", f"{folder} cannot be written: {fault.strerror}.") from fault
    return tuple(nodes)


def _check(codes: Sequence[str], around: Surroundings) -> list[ContactPointProfile]:
    """The profiles of these contact points; what cannot come to anything is refused before a file is written."""
    if len(set(codes)) < len(codes):
        raise SettingsUnusable("codes_repeated", "A contact point is named twice; name each once.")
    if not around.postgres.startswith(("postgresql://", "postgresql+asyncpg://", "postgres://")):
        raise SettingsUnusable("address_unusable", "The address of the PostgreSQL must begin with postgresql://.")
    if around.amqp != MEMORY_BUS and not around.amqp.startswith(("amqp://", "amqps://")):
        raise SettingsUnusable("address_unusable", "The address of the broker must begin with amqp:// or amqps://.")
    return [example_profile(code) for code in codes]


def _settings(
    folder: Path, node: TrialNode, account: Account, *, around: Surroundings, password: str
) -> Mapping[str, str | int]:
    role = roles_of(node.code).application
    settings: dict[str, str | int] = {
        "code": node.code,
        "profile": "demo",
        "database_url": _address(around.postgres, user=role, password=password, path=node.database),
        "owner_database_url": _address(around.postgres, path=node.database),
        "amqp_url": MEMORY_BUS,
        "keys_dir": str(folder / node.code / "keys"),
        "directory": str(folder / "directory.json"),
        "anchor": str(folder / node.code / "anchor"),
        "http_port": node.http_port,
    }
    if around.amqp != MEMORY_BUS:
        settings["amqp_url"] = _address(around.amqp, user=node.code, password=account.password, path=VHOST)
        settings["queue_suffix"] = account.suffix
    return settings


def _address(server: str, *, path: str, user: str | None = None, password: str | None = None) -> str:
    """`server` with another path and, if given, another user; passwords of ours need no quoting."""
    parts = urlsplit(server)
    host = parts.netloc.rpartition("@")[2]
    netloc = parts.netloc if user is None else f"{user}:{password}@{host}"
    return urlunsplit((parts.scheme, netloc, f"/{path}", parts.query, ""))


def _make_folders(folder: Path, codes: Sequence[str]) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise SettingsUnusable("folder_not_empty", f"{folder} is not empty; name a new folder.")
    for each in (folder, *(folder / code for code in codes)):
        each.mkdir(mode=0o700, exist_ok=True)
        each.chmod(0o700)  # also where it was there, or the umask is stranger than ours


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
