"""A private RabbitMQ for one test session: own ports, own epmd, own cookie and home, and files that vanish with it.

It needs the server's start script: the one in COUNTERPART_TEST_RABBITMQ_SERVER, else where Debian, Homebrew and the
generic archive put it. The wrapper in /usr/sbin is not used: it insists on running as the user rabbitmq.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import aio_pika
import httpx

from app.bus.definitions import Account, Administrator, make_definitions, make_password, open_accounts
from tests.support.ports import LOOPBACK, free_ports, listens
from tests.support.servers import ServerDidNotStart, dismiss_guard, make_scratch, start_guard, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from app.bus.topology import Queues

AMQP_GREETING = b"AMQP\x00\x00\x09\x01"
START_SECONDS = 90
STOP_SECONDS = 30
SETTLING_SECONDS = 1.5
ELECTION_SECONDS = 3.0
SCRIPTS = (
    "/usr/lib/rabbitmq/bin/rabbitmq-server",
    "/opt/homebrew/opt/rabbitmq/sbin/rabbitmq-server",
    "/usr/local/opt/rabbitmq/sbin/rabbitmq-server",
    "/opt/rabbitmq/sbin/rabbitmq-server",
)
# One scheduler that never spins: a broker under test must not take the second core from the tests.
# And dead letters that have no place are tried again after a second, not after three minutes.
ERLANG_ARGUMENTS = (
    "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}"
    " -rabbit dead_letter_worker_publisher_confirm_timeout 1000"
)


def find_script() -> Path:
    """Return the start script, or say in one sentence what to install."""
    named = os.environ.get("COUNTERPART_TEST_RABBITMQ_SERVER")
    for path in map(Path, [named] if named else SCRIPTS):
        if path.exists():
            return path
    message = "tests need RabbitMQ: install rabbitmq-server, or name its script in COUNTERPART_TEST_RABBITMQ_SERVER"
    raise ServerDidNotStart(message)


@dataclass(frozen=True, slots=True)
class Vhost:
    """One test's own corner of the broker, with the queues of its contact points."""

    name: str
    server: RabbitServer
    accounts: Mapping[str, Account]
    made_after_restarts: int = 0

    def url(self, code: str, *, port: int | None = None) -> str:
        """Where the node of this contact point connects: the broker itself, or a proxy's port."""
        return self.server.amqp_url(code, self.accounts[code].password, vhost=self.name, port=port)

    @property
    def administrator_url(self) -> str:
        """The way in for somebody who may do everything at the broker."""
        who = self.server.administrator
        return self.server.amqp_url(who.name, who.password, vhost=self.name)

    def queues(self, code: str) -> Queues:
        """The queue names of one contact point."""
        return self.accounts[code].queues

    async def purge(self, queue: str) -> None:
        """Lose everything that waits in a queue."""
        await self.server.manage("DELETE", f"queues/{self.name}/{queue}/contents")

    async def delete_queue(self, queue: str) -> None:
        """Take a queue away with all that is in it."""
        await self.server.manage("DELETE", f"queues/{self.name}/{queue}")

    async def load(self) -> None:
        """Load the topology again: what was deleted is there once more, empty."""
        await self.server.load(self.accounts.values(), self.name)

    async def depth(self, queue: str) -> int:
        """How many messages are ready; asked over AMQP, since the management API is seconds behind."""
        async with await aio_pika.connect(self.administrator_url, timeout=5) as connection:
            channel = await connection.channel()
            declared = await channel.declare_queue(queue, passive=True)
            return declared.declaration_result.message_count or 0


class RabbitServer:
    """One broker process with its epmd."""

    def __init__(self) -> None:
        self._script = find_script()
        self.folder = make_scratch("cp-mq-", None)
        self.port, self._management, self._distribution, self._epmd_port = free_ports(4)
        self.administrator = Administrator("administrator", make_password(secrets.token_bytes))
        self._accounts: dict[str, Account] = {}
        self._vhosts = 0
        self._declared_at = 0.0
        self._restarts = 0
        self._restarted_at = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._epmd: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        """Where the broker keeps messages: what is readable there, its administrator can read."""
        return self.folder / "mnesia"

    @property
    def log(self) -> Path:
        """Folder of the broker's own logs."""
        return self.folder / "log"

    def start(self) -> None:
        """Write the configuration, start epmd and the broker; return once both of its doors answer."""
        self._write_configuration()
        with (self.log / "epmd").open("wb") as output:
            self._epmd = subprocess.Popen(
                [_find_epmd(), "-port", str(self._epmd_port), "-address", LOOPBACK],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._start_broker()

    def kill9(self) -> None:
        """The broker dies as in a power cut, but not in the first moments of a queue's life.

        RabbitMQ 3.10 writes the register of its quorum queues with a delay: a queue declared less than a second before
        the crash comes back without a leader and stays so. Queues are declared once, and live for years.
        """
        wait_until(lambda: time.monotonic() > self._declared_at + SETTLING_SECONDS, seconds=10, what="time must pass")
        self._die()

    def _die(self) -> None:
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait(timeout=STOP_SECONDS)
        if self._guard is not None:
            dismiss_guard(self._guard)

    def pause(self) -> None:
        """The broker hangs: connections stay open and nothing answers, from the return of this call on."""
        self._signal(signal.SIGSTOP)
        wait_until(self._stands_still, seconds=10, what="every thread of the broker must stop")

    def resume(self) -> None:
        """The broker goes on where it hung."""
        self._signal(signal.SIGCONT)

    def restart(self) -> None:
        """Start again on the same files and ports after `kill9`."""
        self._restarts += 1
        self._start_broker()
        self._restarted_at = time.monotonic()

    def ensure_running(self) -> None:
        """Undo what a test did to the broker."""
        if self._runs():
            self.resume()
        else:
            self.restart()

    def stop(self) -> None:
        """End broker and epmd by their own pids and remove all files."""
        if self._runs():
            self._die()  # an orderly end takes seconds and nobody will read these files
        if self._epmd is not None:
            self._epmd.kill()
            self._epmd.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def amqp_url(self, user: str, password: str, *, vhost: str, port: int | None = None) -> str:
        """Return the AMQP URL for a user in a vhost."""
        who, where = f"{quote(user, safe='')}:{quote(password, safe='')}", quote(vhost, safe="")
        return f"amqp://{who}@{LOOPBACK}:{port or self.port}/{where}"

    async def make_vhost(self, *codes: str) -> Vhost:
        """Make a fresh vhost with the queues of these contact points, loaded as an administrator would load them."""
        for account in open_accounts(set(codes) - set(self._accounts), secrets.token_bytes):
            self._accounts[account.code] = account
        self._vhosts += 1
        accounts = {code: self._accounts[code] for code in codes}
        vhost = Vhost(f"test-{self._vhosts}", self, accounts, self._restarts)
        await vhost.load()
        return vhost

    async def drop_vhost(self, vhost: Vhost) -> None:
        """Delete it, unless the broker was restarted since: then it stays until the broker goes (see `manage`)."""
        if vhost.made_after_restarts == self._restarts:
            await self.manage("DELETE", f"vhosts/{vhost.name}")

    async def load(self, accounts: Iterable[Account], vhost: str) -> None:
        """Load definitions into the running broker."""
        document = make_definitions(accounts, secrets.token_bytes, vhost=vhost, administrator=self.administrator)
        await self.manage("POST", "definitions", document)

    async def manage(self, method: str, path: str, body: Any = None) -> Any:  # noqa: ANN401 - any JSON
        """One call of the management API as administrator; raises on any refusal.

        A deletion soon after a restart waits: to delete a queue in the instant of its election brings down the
        supervisor of RabbitMQ 3.10's dead-letter workers, and no queue could be declared afterwards.
        """
        if method == "DELETE":
            await asyncio.sleep(max(0.0, self._restarted_at + ELECTION_SECONDS - time.monotonic()))
        who = (self.administrator.name, self.administrator.password)
        base = f"http://{LOOPBACK}:{self._management}/api/"
        async with httpx.AsyncClient(base_url=base, auth=who, timeout=30) as http:
            answer = await http.request(method, path, json=body)
        if answer.is_error:
            message = f"{method} {path}: {answer.status_code} {answer.text[:500]}"
            raise RuntimeError(message)
        if path == "definitions":
            self._declared_at = time.monotonic()
        return answer.json() if answer.content else None

    def _start_broker(self) -> None:
        with (self.log / "out").open("ab") as output:
            self._process = subprocess.Popen(
                [self._script],
                env=self._environment(),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        epmd = [] if self._epmd is None else [self._epmd.pid]
        self._guard = start_guard(self.folder, -self._process.pid, *epmd)
        wait_until(self._answers, seconds=START_SECONDS, what="RabbitMQ must answer")

    def _answers(self) -> bool:
        if not self._runs():
            message = f"RabbitMQ ended at once: {(self.log / 'out').read_text()[-800:]}"
            raise ServerDidNotStart(message)
        return listens(self.port, greeting=AMQP_GREETING) and listens(self._management)

    def _runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _stands_still(self) -> bool:
        # A signal stops thread after thread; on a busy machine one of them can still answer a publication.
        threads = Path(f"/proc/{(self.folder / 'pid').read_text().strip()}/task").glob("*/stat")
        return all(thread.read_text().rpartition(") ")[2].startswith("T") for thread in threads)

    def _signal(self, number: signal.Signals) -> None:
        runtime = int((self.folder / "pid").read_text())  # not the script, which waits for it and so buries it
        with suppress(ProcessLookupError):
            os.kill(runtime, number)

    def _write_configuration(self) -> None:
        for name in ("mnesia", "log", "home", "conf"):
            (self.folder / name).mkdir()
        cookie = self.folder / "home" / ".erlang.cookie"
        cookie.write_text(secrets.token_hex(20))
        cookie.chmod(0o400)
        conf = self.folder / "conf"
        document = make_definitions((), secrets.token_bytes, vhost="/", administrator=self.administrator)
        (conf / "definitions.json").write_text(json.dumps(document))
        (conf / "enabled_plugins").write_text("[rabbitmq_management].")
        (conf / "env.conf").write_text("")
        (conf / "rabbitmq.conf").write_text(
            f"listeners.tcp.default = {LOOPBACK}:{self.port}\n"
            f"management.tcp.ip = {LOOPBACK}\n"
            f"management.tcp.port = {self._management}\n"
            "vm_memory_high_watermark.absolute = 512MiB\n"
            "disk_free_limit.absolute = 50MB\n"
            f"load_definitions = {conf / 'definitions.json'}\n"
        )

    def _environment(self) -> dict[str, str]:
        conf = self.folder / "conf"
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder / "home"),
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": LOOPBACK,  # otherwise it listens to the world, shared by everybody
            "RABBITMQ_CONF_ENV_FILE": str(conf / "env.conf"),
            "RABBITMQ_NODENAME": f"cp{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": LOOPBACK,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._distribution),
            "RABBITMQ_MNESIA_BASE": str(self.data),
            "RABBITMQ_LOG_BASE": str(self.log),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(conf / "enabled_plugins"),
            "RABBITMQ_CONFIG_FILE": str(conf / "rabbitmq.conf"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(conf / "generated"),
            "RABBITMQ_SCHEMA_DIR": str(conf / "schema"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": ERLANG_ARGUMENTS,
        }


def _find_epmd() -> str:
    found = shutil.which("epmd") or next(map(str, Path("/usr/lib/erlang").glob("erts-*/bin/epmd")), None)
    if found is None:
        message = "tests need Erlang's epmd, which comes with RabbitMQ's packages: install rabbitmq-server"
        raise ServerDidNotStart(message)
    return found
