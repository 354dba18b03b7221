"""Signed webhooks as in Standard Webhooks 1.0: thin, signed over id, time and body, never followed anywhere else.

The address comes from the operator's command line and from nobody else, so it may lie in the operator's own network. It
must be https (a demo may do without), it bears no password, a redirection counts as a failure, and of the answer only
its status is read.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from app.errors import SettingsUnusable
from app.notify.faults import NotTaken, Trouble

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from app.notify.letter import Letter

TIMEOUT_S = 15.0
PREFIX = "whsec_"
LEAST_SECRET_BYTES = 24
MOST_SECRET_BYTES = 64
MAX_FILE_BYTES = 4096
MAX_ADDRESS_LENGTH = 500


def check_address(address: str, *, plain: bool) -> str:
    """The address, if a webhook may be sent there; raises `SettingsUnusable`, which does not repeat it."""
    try:
        parts = urlsplit(address)
    except ValueError:
        raise SettingsUnusable("webhook_address", "This is no address of a webhook.") from None
    if len(address) > MAX_ADDRESS_LENGTH or not address.isascii() or not address.isprintable() or not parts.hostname:
        raise SettingsUnusable("webhook_address", "This is no address of a webhook.")
    if parts.scheme != "https" and not (plain and parts.scheme == "http"):
        raise SettingsUnusable("webhook_address", "A webhook's address begins with https://; http:// is for a demo.")
    if parts.username is not None or parts.fragment:
        raise SettingsUnusable("webhook_address", "A webhook's address bears no user, no password and no fragment.")
    return address


def read_secrets(path: Path) -> list[bytes]:
    """The secrets in that file, one `whsec_…` per line, the present one first; raises `SettingsUnusable`.

    While a secret is being replaced the file holds both, and every message bears a signature under each.
    """
    try:
        with path.open("rb") as file:
            lines = file.read(MAX_FILE_BYTES).decode("ascii").split()
        secrets = [base64.b64decode(line.removeprefix(PREFIX), validate=True) for line in lines]
    except (OSError, UnicodeDecodeError, binascii.Error):
        raise SettingsUnusable("webhook_secret", f"The secret file {path} cannot be read.") from None
    if not secrets or any(not line.startswith(PREFIX) for line in lines):
        raise SettingsUnusable("webhook_secret", f"The secret file {path} holds no line that begins with {PREFIX}.")
    if any(not LEAST_SECRET_BYTES <= len(secret) <= MOST_SECRET_BYTES for secret in secrets):
        detail = f"A secret in {path} has fewer than {LEAST_SECRET_BYTES} or more than {MOST_SECRET_BYTES} bytes."
        raise SettingsUnusable("webhook_secret", detail)
    return secrets


def write_secret(random: bytes) -> str:
    """A secret as its file holds it, from at least 24 random bytes."""
    return PREFIX + base64.b64encode(random).decode()


def sign(letter: Letter, *, secrets: Sequence[bytes], now: datetime) -> dict[str, str]:
    """The three headers; the signature is over `<id>.<timestamp>.<body>`, HMAC-SHA256, one per secret."""
    timestamp = str(int(now.timestamp()))
    signed = f"{letter.id}.{timestamp}.{letter.body}".encode()
    made = [f"v1,{base64.b64encode(hmac.digest(secret, signed, 'sha256')).decode()}" for secret in secrets]
    return {"webhook-id": str(letter.id), "webhook-timestamp": timestamp, "webhook-signature": " ".join(made)}


async def post_webhook(letter: Letter, *, secret_file: str, plain: bool, now: datetime) -> None:
    """Send it; returns once the other end said 2xx. Raises `NotTaken`; 410 means that nobody should try again."""
    try:
        check_address(letter.target, plain=plain)
        secrets = await asyncio.to_thread(read_secrets, Path(secret_file))
    except SettingsUnusable as fault:
        unreadable = fault.code == "webhook_secret"
        raise NotTaken(Trouble.SECRET_UNREADABLE if unreadable else Trouble.NOT_ENCRYPTED) from fault
    headers = {"content-type": "application/json", **sign(letter, secrets=secrets, now=now)}
    try:
        async with asyncio.timeout(TIMEOUT_S):
            status = await _post(letter, headers)
    except (httpx.TimeoutException, TimeoutError) as fault:
        raise NotTaken(Trouble.TIMEOUT) from fault
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as fault:
        raise NotTaken(Trouble.UNREACHABLE) from fault
    if status == HTTPStatus.GONE:
        raise NotTaken(Trouble.GONE)
    if httpx.codes.is_redirect(status):
        raise NotTaken(Trouble.REDIRECTED)
    if not httpx.codes.is_success(status):
        raise NotTaken(Trouble.REFUSED)


async def _post(letter: Letter, headers: dict[str, str]) -> int:
    """The status alone: the body of the answer is never read, no redirection followed, no proxy of the shell asked."""
    async with (
        httpx.AsyncClient(follow_redirects=False, trust_env=False, timeout=TIMEOUT_S) as client,
        client.stream("POST", letter.target, content=letter.body.encode(), headers=headers) as answer,
    ):
        return answer.status_code
