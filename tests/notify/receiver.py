"""Ends that notifications go to: a small HTTP server and a mail server, both in this loop, both able to misbehave."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiosmtpd.smtp import SMTP, AuthResult

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

    from aiosmtpd.smtp import Envelope, LoginPassword, Session

HERE = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Posted:
    """One request that came."""

    path: str
    headers: dict[str, str]
    body: str


@dataclass(slots=True)
class Hook:
    """An HTTP server. It answers with the next of `statuses`, the last one for ever; `wait` holds answers back."""

    port: int = 0
    statuses: list[int] = field(default_factory=lambda: [204])
    wait: asyncio.Event | None = None
    came: list[Posted] = field(default_factory=list)

    def url(self, path: str = "/hook") -> str:
        """Its address."""
        return f"http://{HERE}:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request per connection."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}
            body = (await reader.readexactly(int(headers.get("content-length", 0)))).decode()
            self.came.append(Posted(first.split(" ")[1], headers, body))
            if self.wait is not None:
                await self.wait.wait()
            status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
            where = f"location: {self.url('/elsewhere')}\r\n" if status in {301, 302, 307, 308} else ""
            writer.write(f"HTTP/1.1 {status} x\r\n{where}content-length: 0\r\nconnection: close\r\n\r\n".encode())
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def open_hook() -> AsyncIterator[Hook]:
    """A server on a free port."""
    hook = Hook()
    server = await asyncio.start_server(hook.serve, HERE, 0)
    hook.port = server.sockets[0].getsockname()[1]
    async with server:
        yield hook


@dataclass(frozen=True, slots=True)
class Mailed:
    """One message that came."""

    sender: str | None
    recipients: list[str]
    content: str
    encrypted: bool
    login: str | None


@dataclass(slots=True)
class Mailbox:
    """What a mail server took; it refuses the addresses in `unknown` for good, and everything while `busy`."""

    port: int = 0
    unknown: set[str] = field(default_factory=set)
    busy: bool = False
    came: list[Mailed] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - the name that the library calls
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Refuse who is not known."""
        if address in self.unknown:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - the library's
        """Take it."""
        if self.busy:
            return "451 come again later"
        content = envelope.content
        text = content.decode() if isinstance(content, bytes) else str(content)
        login = getattr(session.auth_data, "login", b"").decode() or None
        encrypted = session.ssl is not None
        self.came.append(Mailed(envelope.mail_from, list(envelope.rcpt_tos), text, encrypted, login))
        return "250 OK"


def _knows(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: LoginPassword) -> AuthResult:
    return AuthResult(success=given.password == b"right horse", handled=False, auth_data=given)


@asynccontextmanager
async def open_mailbox(
    *, starttls: ssl.SSLContext | None = None, implicit: ssl.SSLContext | None = None
) -> AsyncIterator[Mailbox]:
    """A mail server on a free port; with `starttls` it demands encryption before anything else."""
    box = Mailbox()
    loop = asyncio.get_running_loop()

    def make() -> SMTP:
        return SMTP(
            box,
            hostname="mail.test",
            tls_context=starttls,
            require_starttls=starttls is not None,
            authenticator=_knows,
            auth_require_tls=starttls is not None,
            loop=loop,
        )

    server = await loop.create_server(make, HERE, 0, ssl=implicit)
    box.port = server.sockets[0].getsockname()[1]
    async with server:
        yield box
