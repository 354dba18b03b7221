"""What the nodes of these tests stand on: one PostgreSQL and one RabbitMQ of their own, and networks built on them."""

from __future__ import annotations

import json
import os
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from app.bus.definitions import VHOST, Account
from app.demo.seed import seed
from app.prepare import prepare_database
from app.rehearsal import Surroundings, make_network
from app.runtime import open_runtime
from app.settings import load_settings
from tests.support.ports import LOOPBACK, free_ports
from tests.support.postgres import SUPERUSER, PostgresServer
from tests.support.processes import Site
from tests.support.rabbit import RabbitServer, Vhost

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from app.settings import Settings

OPERATOR = "operator"
OPERATOR_PASSWORD = "of-the-test"

# Roles of nodes show their password, as on any server that others can reach.
ADMISSION = f"local all {SUPERUSER} trust\nlocal all all scram-sha-256\n"


def wall_clock() -> datetime:
    """The time of day: nodes in processes of their own have no other."""
    return datetime.now(UTC)


class GuardedPostgres(PostgresServer):
    """The private server, but asking everybody except its superuser for a password.

    `OPERATOR` may create databases and roles, and is no superuser.
    """

    async def admit(self) -> None:
        """Ask for passwords from now on."""
        await self.execute(f"CREATE ROLE {OPERATOR} LOGIN CREATEDB CREATEROLE PASSWORD '{OPERATOR_PASSWORD}'")
        (self.folder / "data" / "pg_hba.conf").write_text(ADMISSION)
        await self.execute("SELECT pg_reload_conf()")

    @property
    def socket(self) -> Path:
        """The socket it listens on."""
        return self.folder / ".s.PGSQL.5432"

    @property
    def server_url(self) -> str:
        """The server as somebody who may create databases, through the socket."""
        return f"postgresql://{OPERATOR}:{OPERATOR_PASSWORD}@/?host={self.folder}"


class ControlledRabbit(RabbitServer):
    """The private broker, with the environment in which its own `rabbitmqctl` finds it."""

    @property
    def control(self) -> Path:
        """The program with which an administrator loads definitions."""
        return self._script.with_name("rabbitmqctl")

    @property
    def control_environment(self) -> dict[str, str]:
        """Name, ports and cookie of this broker."""
        return self._environment()


@dataclass(frozen=True, slots=True)
class Network:
    """Contact points of one network. `sites` are those that have a database; `settings` are everybody's."""

    folder: Path
    sites: Mapping[str, Site]
    settings: Mapping[str, Settings]
    vhost: Vhost
    ground: Ground

    def __getitem__(self, code: str) -> Site:
        return self.sites[code]


@dataclass(frozen=True, slots=True)
class Ground:
    """Both servers. Names of databases, roles and queues are those of an operator's first network: one at a time."""

    postgres: GuardedPostgres
    rabbit: ControlledRabbit

    @asynccontextmanager
    async def network(self, folder: Path, codes: Sequence[str], *, living: Sequence[str]) -> AsyncIterator[Network]:
        """Build what `rehearsal new`, `import_definitions` and `rehearsal start` build; nothing runs yet.

        `codes` get keys, a place in the directory and an account at the broker, `living` also a database and people.
        """
        around = Surroundings(self.postgres.server_url, f"amqp://{LOOPBACK}:{self.rabbit.port}")
        trials = {trial.code: trial for trial in make_network(folder, codes, around, now=wall_clock(), random=os.urandom)}
        ports = zip(trials.items(), free_ports(len(trials)), strict=True)
        settings = {code: _with_port(trial.config, port) for (code, trial), port in ports}
        await self.rabbit.manage("POST", "definitions", json.loads((folder / "definitions.json").read_text()))
        try:
            sites = {code: Site(code, trials[code].config, await _people(settings[code])) for code in living}
            try:
                yield Network(folder, sites, settings, await self.vhost(settings), self)
            finally:
                for site in sites.values():
                    await site.close()
        finally:
            await self.clear(living)

    async def vhost(self, settings: Mapping[str, Settings]) -> Vhost:
        """The network's vhost, once the broker's administrator may look into it and purge it."""
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        await self.rabbit.manage("PUT", f"permissions/{VHOST}/{self.rabbit.administrator.name}", everything)
        return Vhost(VHOST, self.rabbit, {code: _account(one) for code, one in settings.items()})

    async def clear(self, codes: Sequence[str]) -> None:
        """Take the databases and the vhost away: the next network has the same names."""
        for code in codes:
            await self.postgres.execute(f"DROP DATABASE IF EXISTS counterpart_{code.lower()} WITH (FORCE)")
        self.rabbit.ensure_running()
        await self.rabbit.manage("DELETE", f"vhosts/{VHOST}")


async def _people(settings: Settings) -> Mapping[str, str]:
    await prepare_database(settings, create=True)
    async with open_runtime(settings, clock=wall_clock) as runtime:
        return await seed(runtime)


def _with_port(config: Path, port: int) -> Settings:
    """Give a node a port that is free now: an operator chooses one that stays free."""
    lines = config.read_text().splitlines()
    config.write_text("".join(f"{line}\n" for line in lines if not line.startswith("http_port")) + f"http_port = {port}\n")
    return load_settings(config)


def _account(settings: Settings) -> Account:
    password = urlsplit(settings.amqp_url.get_secret_value()).password
    assert password is not None
    assert settings.queue_suffix is not None
    return Account(settings.code, unquote(password), settings.queue_suffix.get_secret_value())
