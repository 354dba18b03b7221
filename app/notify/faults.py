"""Why a notification was not taken, as a word that may be stored and shown: never what the other end said."""

from __future__ import annotations

from enum import StrEnum


class Trouble(StrEnum):
    """What stood in the way."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    NOT_ENCRYPTED = "not_encrypted"
    LOGIN_REFUSED = "login_refused"
    ADDRESS_REFUSED = "address_refused"
    REFUSED = "refused"
    REDIRECTED = "redirected"
    GONE = "gone"
    SECRET_UNREADABLE = "secret_unreadable"  # noqa: S105 - a word, not a secret
    NO_MAIL_SERVER = "no_mail_server"
    NO_CHANNEL = "no_channel"
    TOO_OLD = "too_old"


FINAL = frozenset({Trouble.ADDRESS_REFUSED, Trouble.GONE})
"""Trying again would be no better."""


class NotTaken(Exception):
    """The other end did not take it."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.value)
        self.trouble = trouble
