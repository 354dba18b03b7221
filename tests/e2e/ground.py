"""What the nodes of these tests stand on: one PostgreSQL and one RabbitMQ of their own, and networks built on them."""

from __future__ import annotations

import json
import random
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from app.bus.connection import Access
from app.bus.definitions import VHOST
from app.demo.seed import seed
from app.domain.codes import Lane
from app.prepare import prepare_database
from app.rehearsal import Surroundings, make_network
from app.runtime import open_runtime
from app.settings import load_settings
from tests.support.ports import LOOPBACK, free_ports
from tests.support.postgres import SUPERUSER, PostgresServer
from tests.support.processes import Site
from tests.support.rabbit import RabbitServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from pathlib import Path

    from app.bus.topology import Queues
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

    sites: Mapping[str, Site]
    settings: Mapping[str, Settings]
    ground: Ground

    def __getitem__(self, code: str) -> Site:
        return self.sites[code]

    async def load_definitions(self) -> None:
        """Give the broker its definitions, as an administrator does when it is new."""
        definitions = next(iter(self.sites.values())).config.with_name("definitions.json")
        await self.ground.rabbit.manage("POST", "definitions", json.loads(definitions.read_text()))
        await self.ground.admit_administrator()

    def access(self, code: str) -> Access:
        """How the node of this contact point gets to the broker."""
        return _access(self.settings[code])

    def queues(self, code: str) -> Queues:
        """The names of its queues."""
        return self.access(code).queues


@dataclass(frozen=True, slots=True)
class Ground:
    """Both servers. Names of databases, roles and queues are those of an operator's first network: one at a time."""

    postgres: GuardedPostgres
    rabbit: ControlledRabbit

    @asynccontextmanager
    async def network(self, folder: Path, codes: Sequence[str], *, living: Sequence[str]) -> AsyncIterator[Network]:
        """Build what `rehearsal new`, `import_definitions` and `rehearsal start` build; nothing runs yet.

        `codes` get keys, a place in the directory and an account at the broker, `living` also a database and people.
        The dice are the same each time, so that accounts and queues at the broker are: it is never torn down, as it
        never is in use, and RabbitMQ 3.10 does not always survive the deletion of quorum queues after a restart.
        """
        around = Surroundings(self.postgres.server_url, f"amqp://{LOOPBACK}:{self.rabbit.port}")
        trials = make_network(folder, codes, around, now=wall_clock(), random=random.Random(24).randbytes)
        ports = zip(trials, free_ports(len(trials)), strict=True)
        settings = {trial.code: _with_port(trial.config, port) for trial, port in ports}
        await self.rabbit.manage("POST", "definitions", json.loads((folder / "definitions.json").read_text()))
        await self.admit_administrator()
        for one in settings.values():
            await self.purge_all(_access(one).queues)
        sites = {}
        try:
            for trial in trials:
                if trial.code in living:
                    people = await _people(settings[trial.code])
                    sites[trial.code] = Site(trial.code, trial.config, people, born=True)
            yield Network(sites, settings, self)
        finally:
            for site in sites.values():
                await site.close()
            self.rabbit.ensure_running()
            await self.drop_databases(living)

    async def admit_administrator(self) -> None:
        """Let the broker's administrator into the vhost, to see and to purge."""
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        await self.rabbit.manage("PUT", f"permissions/{VHOST}/{self.rabbit.administrator.name}", everything)

    async def purge(self, queue: str) -> None:
        """Lose what waits in a queue."""
        await self.rabbit.manage("DELETE", f"queues/{VHOST}/{queue}/contents")

    async def purge_all(self, queues: Queues) -> None:
        """Lose what an earlier network left."""
        for queue in (*(queues.inbound(lane) for lane in Lane), queues.dead):
            await self.purge(queue)

    async def drop_databases(self, codes: Sequence[str]) -> None:
        """Take the databases away: those of the next network have the same names."""
        for code in codes:
            await self.postgres.execute(f"DROP DATABASE IF EXISTS counterpart_{code.lower()} WITH (FORCE)")


async def _people(settings: Settings) -> Mapping[str, str]:
    await prepare_database(settings, create=True)
    async with open_runtime(settings, clock=wall_clock) as runtime:
        return await seed(runtime)


def _with_port(config: Path, port: int) -> Settings:
    """Give a node a port that is free now: an operator chooses one that stays free."""
    lines = [line for line in config.read_text().splitlines() if not line.startswith("http_port")]
    config.write_text("\n".join([*lines, f"http_port = {port}", ""]))
    return load_settings(config)


def _access(settings: Settings) -> Access:
    suffix = settings.queue_suffix
    assert suffix is not None
    return Access(settings.code, settings.amqp_url.get_secret_value(), suffix.get_secret_value())
