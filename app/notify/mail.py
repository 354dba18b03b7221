"""E-mail through the operator's server: plain text, marked as written by a machine."""

from __future__ import annotations

import asyncio
from email.errors import MessageError
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING

import aiosmtplib
from aiosmtplib import SMTPAuthenticationError, SMTPException, SMTPRecipientsRefused, SMTPTimeoutError

from app.notify.faults import NotTaken, Trouble
from app.notify.means import Tls

if TYPE_CHECKING:
    from datetime import datetime

    from app.notify.letter import Letter
    from app.notify.means import MailServer

TIMEOUT_S = 20.0

PERMANENT = 500

_ABOUT_TLS = ("certificate", "starttls", "ssl")
"""In the words of the library, which raises what it raises for many reasons."""


async def send_mail(server: MailServer, letter: Letter, *, now: datetime) -> None:
    """Hand it in; returns once the server has taken it. Raises `NotTaken`.

    A repetition bears the same Message-ID, so that a mailbox that already has it can tell.
    """
    message = _message(server, letter, now)
    try:
        async with asyncio.timeout(server.patience_s):
            await aiosmtplib.send(
                message,
                sender=server.sender,
                recipients=[letter.target],
                hostname=server.host,
                port=server.port,
                username=server.user,
                password=server.password,
                timeout=TIMEOUT_S,
                use_tls=server.tls is Tls.IMPLICIT,
                # True demands it, False does without; None would take what it gets.
                start_tls=server.tls is Tls.STARTTLS,
                tls_context=server.context,
            )
    except (SMTPException, OSError, ValueError) as fault:
        raise NotTaken(_trouble(fault)) from fault


def _message(server: MailServer, letter: Letter, now: datetime) -> EmailMessage:
    """The mail; raises `NotTaken` for an address that is none, or more than one.

    A title may bear words of another node. An encoded word (RFC 2047) among them would be decoded by the library when
    it is set, line breaks and all, and so begin headers of its own: it is taken apart.
    """
    message = EmailMessage()
    message["From"] = server.sender
    message["Subject"] = letter.title.replace("=?", "= ?")
    try:
        message["To"] = letter.target
        named = [one.addr_spec for one in message["To"].addresses]
    except (MessageError, ValueError, IndexError, AttributeError, TypeError) as fault:
        # The library's reader of addresses raises any of them, also for one that merely ends too early.
        raise NotTaken(Trouble.ADDRESS_REFUSED) from fault
    if named != [letter.target]:
        raise NotTaken(Trouble.ADDRESS_REFUSED)
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{letter.id}@{server.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.body)
    return message


def _trouble(fault: Exception) -> Trouble:
    if isinstance(fault, SMTPRecipientsRefused):
        permanent = all(refused.code >= PERMANENT for refused in fault.recipients)
        return Trouble.ADDRESS_REFUSED if permanent else Trouble.REFUSED
    if isinstance(fault, SMTPTimeoutError | TimeoutError):
        return Trouble.TIMEOUT
    if isinstance(fault, SMTPAuthenticationError):
        return Trouble.LOGIN_REFUSED
    if any(word in str(fault).lower() for word in _ABOUT_TLS):
        return Trouble.NOT_ENCRYPTED
    if isinstance(fault, aiosmtplib.SMTPResponseException):
        return Trouble.REFUSED
    return Trouble.UNREACHABLE
