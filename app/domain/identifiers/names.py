"""Names of the internet: domains, addresses of pages, mailboxes, messages.

A domain is brought to its A-label form by IDNA 2008; the codec built into Python follows the older standard, which
turns one name into another. Nothing here says where the data are: a country's suffix proves no location.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import SplitResult, urlsplit

import idna
from pydantic import AfterValidator, Field, StringConstraints

from app.domain.identifiers.base import Identifier, Remark
from app.domain.identifiers.onions import is_onion
from app.domain.identifiers.reachability import Reach, reach, read_address, unwrapped
from app.domain.identifiers.suffixes import PUBLIC_SUFFIXES
from app.domain.law.warning_lists import Watched
from app.domain.shape import Moment, fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_DOMAIN = 253
MAX_URL = 2000
MAX_MAILBOX = 254
MAX_LOCAL_PART = 64
MAX_MESSAGE_ID = 998

_DOCUMENTATION = ("example", "test", "example.com", "example.net", "example.org")
_NOT_PUBLIC = ("localhost", "local", "internal", "invalid", "arpa", "alt", "home", "lan", "corp")
_ATOM = re.compile(r"[^\s\x00-\x20\x7f()<>@,;:\\\".\[\]]+(\.[^\s\x00-\x20\x7f()<>@,;:\\\".\[\]]+)*")
_QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\[ -~])*)"')
_ESCAPED = re.compile(r"\\(.)")
_USUAL_PORTS = {"http": 80, "https": 443}
_ONION = ("onion",)
_NOWHERE = Remark("value", "location_unknown", "An onion name tells nothing of where the service is.")
_NUMBER_AT_END = re.compile(r"(^|\.)([0-9]+|0x[0-9a-f]*)$")
"""Programs read such a name as an internet address in one of its old notations (127.1, 0x7f000001)."""
_MESSAGE_ID = re.compile(r"<[^\s<>@]+@[^\s<>@]+>")


def read_domain(text: str) -> str:
    """The A-label form, lower case, without a final dot; the fault `bad_domain` if there is none."""
    try:
        ascii_form = idna.encode(text, uts46=True, std3_rules=True).decode("ascii").rstrip(".").lower()
    except idna.IDNAError as wrong:
        raise fault("bad_domain", "This is not a domain name under IDNA 2008.") from wrong
    if len(ascii_form) > MAX_DOMAIN or _NUMBER_AT_END.search(ascii_form):
        raise fault("bad_domain", "This is an internet address or too long for a domain name.")
    if "." not in ascii_form or ascii_form in PUBLIC_SUFFIXES:
        raise fault("bad_domain", "A suffix under which others register names is not one name; name the domain.")
    if _under(ascii_form, _NOT_PUBLIC):
        raise fault("domain_not_public", "The name does not exist in the public domain name system.")
    if _under(ascii_form, _ONION) and not is_onion(ascii_form.split(".")[-2]):
        raise fault("bad_domain", "There can be no such onion name: one of its signs was misread, or some are missing.")
    return ascii_form


def read_url(text: str) -> SplitResult:
    """The parts of an address of a page; the faults `bad_url` and `ip_not_global`."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as wrong:
        raise fault("bad_url", "This is not the address of a page.") from wrong
    if parts.scheme not in {"http", "https"} or not host or port == 0:
        raise fault("bad_url", "Write the full address of the page, beginning with http:// or https://.")
    if any(sign.isspace() or not sign.isprintable() for sign in text) or "\\" in text:
        raise fault("bad_url", "The address holds blanks or signs that cannot be part of it.")
    if _host_reach(host) is Reach.SPECIAL:
        raise fault("ip_not_global", "The host is not reachable from the public internet.")
    return parts


def read_mailbox(text: str) -> tuple[str, str]:
    """Local part, without quotes that it does not need, and domain in A-label form; the fault `bad_email`."""
    local, at, domain = text.rpartition("@")
    quoted = _QUOTED.fullmatch(local)
    if not at or len(local) > MAX_LOCAL_PART or (quoted is None and _ATOM.fullmatch(local) is None):
        raise fault("bad_email", "Write the mailbox alone, as name@domain, without display name or comment.")
    meant = local if quoted is None else _ESCAPED.sub(r"\1", quoted[1])
    if _ATOM.fullmatch(meant) is None:
        escaped = meant.replace("\\", "\\\\").replace('"', '\\"')
        meant = f'"{escaped}"'
    return meant, read_domain(domain)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _under(domain: str, suffixes: tuple[str, ...]) -> bool:
    return any(domain == suffix or domain.endswith(f".{suffix}") for suffix in suffixes)


def _host_reach(host: str) -> Reach:
    """Reach of the host of a page; raises the faults of the host's own kind."""
    if _is_address(host):
        return reach(read_address(host))
    return Reach.DOCUMENTATION if _under(read_domain(host), _DOCUMENTATION) else Reach.GLOBAL


def _check_domain(text: str) -> str:
    read_domain(text)
    return text


def _check_url(text: str) -> str:
    read_url(text)
    return text


def _check_mailbox(text: str) -> str:
    read_mailbox(text)
    return text


def _check_message_id(text: str) -> str:
    if not text.isascii() or _MESSAGE_ID.fullmatch(text) is None:
        raise fault("bad_message_id", "Write the message id as in the header: <left@right>.")
    return text


class Domain(Identifier):
    """A registered name."""

    type: Literal["domain"]
    value: Annotated[str, StringConstraints(min_length=1, max_length=300), AfterValidator(_check_domain)]

    def normal_form(self) -> dict[str, Any]:
        return {"type": "domain", "value": read_domain(self.value)}

    def watched(self) -> Iterator[tuple[str, Watched, str]]:
        yield "value", Watched.NAME, read_domain(self.value)

    def remarks(self) -> Iterator[Remark]:
        if _under(read_domain(self.value), _ONION):
            yield _NOWHERE

    def reserved_member(self) -> str | None:
        return "value" if _under(read_domain(self.value), _DOCUMENTATION) else None


class Url(Identifier):
    """The address of a page. A password in it is not kept."""

    type: Literal["url"]
    value: Annotated[str, StringConstraints(min_length=1, max_length=MAX_URL), AfterValidator(_check_url)]
    page_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None

    def normal_form(self) -> dict[str, Any]:
        parts = read_url(self.value)
        host = _normal_host(parts.hostname or "")
        usual = parts.port in {None, _USUAL_PORTS[parts.scheme]}
        netloc = host if usual else f"{host}:{parts.port}"
        return {"type": "url", "value": parts._replace(netloc=netloc, path=parts.path or "/").geturl()}

    def compared_form(self) -> dict[str, Any]:
        return {"type": "url", "value": self.normal_form()["value"].partition("#")[0]}

    def watched(self) -> Iterator[tuple[str, Watched, str]]:
        host = _normal_host(read_url(self.value).hostname or "").strip("[]")
        yield "value", Watched.ADDRESS if _is_address(host) else Watched.NAME, host

    def remarks(self) -> Iterator[Remark]:
        if read_url(self.value).password is not None:
            yield Remark("value", "password_removed", "The address held a password; it was removed and is not kept.")
        if _under(_normal_host(read_url(self.value).hostname or ""), _ONION):
            yield _NOWHERE

    def reserved_member(self) -> str | None:
        reserved = _host_reach(read_url(self.value).hostname or "") is Reach.DOCUMENTATION
        return "value" if reserved else None

    def redacted(self) -> Mapping[str, str]:
        parts = read_url(self.value)
        if parts.password is None:
            return {}
        host = parts.netloc.rpartition("@")[2]
        return {"value": parts._replace(netloc=f"{parts.username}@{host}").geturl()}


class Email(Identifier):
    """A mailbox. Dots and plus signs are left alone: what they mean differs between providers."""

    type: Literal["email"]
    value: Annotated[str, StringConstraints(min_length=3, max_length=MAX_MAILBOX), AfterValidator(_check_mailbox)]

    def normal_form(self) -> dict[str, Any]:
        local, domain = read_mailbox(self.value)
        lowered = unicodedata.normalize("NFC", f"{local}@{domain}".lower())
        return {"type": "email", "value": f"{local}@{domain}", "fingerprint": lowered}

    def compared_form(self) -> dict[str, Any]:
        return {"type": "email", "value": self.normal_form()["fingerprint"]}

    def remarks(self) -> Iterator[Remark]:
        if _under(read_mailbox(self.value)[1], _ONION):
            yield _NOWHERE

    def reserved_member(self) -> str | None:
        return "value" if _under(read_mailbox(self.value)[1], _DOCUMENTATION) else None


class MessageId(Identifier):
    """One mail message, by the id in its header; the time at which a server on the way received it helps."""

    type: Literal["message_id"]
    value: Annotated[str, StringConstraints(max_length=MAX_MESSAGE_ID), AfterValidator(_check_message_id)]
    received_at: Moment | None = Field(default=None)

    def normal_form(self) -> dict[str, Any]:
        return {"type": "message_id", "value": self.value}

    def moments(self) -> Iterator[tuple[str, Moment]]:
        yield from super().moments()
        if self.received_at is not None:
            yield "received_at", self.received_at

    def remarks(self) -> Iterator[Remark]:
        if self.received_at is None:
            yield Remark(
                "received_at",
                "may_not_resolve",
                "Mail logs are searched by time: give that of the topmost Received header.",
            )


def _normal_host(host: str) -> str:
    if not _is_address(host):
        return read_domain(host)
    address = unwrapped(ipaddress.ip_address(host))
    return f"[{address}]" if isinstance(address, ipaddress.IPv6Address) else str(address)
