"""What a node can tell people with: its mail server, and the address under which people reach it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from app.errors import SettingsUnusable

if TYPE_CHECKING:
    import ssl


class Tls(StrEnum):
    """How the connection to the mail server is closed to others."""

    IMPLICIT = "implicit"
    STARTTLS = "starttls"
    NONE = "none"


PATIENCE_S = 45.0
"""For one mail as a whole, however slowly the server answers line by line: less than the lease of a notification."""

_SCHEMES = {"smtps": (Tls.IMPLICIT, 465), "smtp": (Tls.STARTTLS, 587), "smtp+plain": (Tls.NONE, 25)}


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in, and under which address it is sent. `context` None means the system's authorities."""

    host: str
    port: int
    tls: Tls
    sender: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    context: ssl.SSLContext | None = None
    patience_s: float = PATIENCE_S


@dataclass(frozen=True, slots=True)
class Means:
    """All of them. `link` is where people reach this node; `plain` allows webhooks without TLS, for a demo."""

    mail: MailServer | None = None
    link: str | None = None
    plain: bool = False


def read_mail_server(address: str, *, sender: str | None, plain: bool) -> MailServer:
    """The server of `smtps://user:password@host:465`, `smtp://…:587` (STARTTLS demanded) or `smtp+plain://…:25`.

    Without TLS only to this machine, or where `plain` allows it: what is said is thin, but the password is not. Raises
    `SettingsUnusable`, which never repeats the address.
    """
    parts = urlsplit(address)
    try:
        tls, usual = _SCHEMES[parts.scheme]
        port = parts.port or usual
    except (KeyError, ValueError):
        raise _unusable("it must begin with smtps://, smtp:// or smtp+plain://") from None
    if not parts.hostname or parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise _unusable("it names a server and a port, nothing behind them")
    if tls is Tls.NONE and not plain and not _is_here(parts.hostname):
        raise _unusable("without TLS only a mail server on this machine is used")
    if sender is None:
        raise SettingsUnusable("setting_unusable", "COUNTERPART_MAIL_FROM is not set, and mail needs a sender.")
    user = None if parts.username is None else unquote(parts.username)
    password = None if parts.password is None else unquote(parts.password)
    return MailServer(parts.hostname, port, tls, sender, user=user, password=password)


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _unusable(reason: str) -> SettingsUnusable:
    return SettingsUnusable("setting_unusable", f"COUNTERPART_SMTP_URL cannot be used: {reason}.")
