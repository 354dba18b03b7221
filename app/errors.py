"""Every error that may leave a room, with a stable code.

    CounterpartError
    ├── SettingsUnusable          a setting is missing or senseless: the start stops
    ├── NotAuthenticated          no or unknown bearer token
    ├── Unknown                   not there, or not yours: the two are told apart by nobody
    ├── Forbidden                 role_not_allowed | four_eyes
    ├── Conflict                  stale_generation | action_not_allowed | idempotency_in_progress | hold_ended …
    ├── Malformed                 the body is not the JSON we read: size, encoding, syntax, duplicate members
    ├── Refused                   the body is JSON but a field breaks a rule; carries `errors`
    ├── Unavailable               this node cannot do it now (recovering, shutting down)
    ├── LogBroken                 fatal: the audit log moved backwards or was changed
    └── StorageInconsistent       fatal: a row our own rules forbid

Errors carry data and never act. The HTTP status of a family is decided in `routers/problems.py` alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FieldError:
    """One broken rule: where (JSON Pointer, RFC 6901), which (a domain code such as `C-PORT`), and why.

    `detail` never repeats the submitted value: it is personal data.
    """

    pointer: str
    code: str
    detail: str


class CounterpartError(Exception):
    """The root. `code` is stable across releases; `extra` are further members of the problem document."""

    def __init__(self, code: str, detail: str, *, errors: tuple[FieldError, ...] = (), **extra: Any) -> None:  # noqa: ANN401 - members of a problem document are any JSON
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.errors = errors
        self.extra = extra


class SettingsUnusable(CounterpartError):
    """A setting is missing or senseless; the sentence names it."""


class NotAuthenticated(CounterpartError):
    """No bearer token, or one this node does not know."""


class Unknown(CounterpartError):
    """There is no such thing, or it is not yours to know of."""


class Forbidden(CounterpartError):
    """You may see it, but this act is not yours."""


class Conflict(CounterpartError):
    """The thing is not in the state you believe it to be in."""


class Malformed(CounterpartError):
    """The body cannot be read as the JSON we accept."""


class Refused(CounterpartError):
    """The body was read, and a field breaks a rule."""


class Unavailable(CounterpartError):
    """This node cannot do it at present; trying again later is right."""


class LogBroken(CounterpartError):
    """The audit log contradicts itself. Fatal: the process stops and an operator decides."""


class StorageInconsistent(CounterpartError):
    """A row is missing or in a state that our own rules exclude. Fatal for the command, never carried on."""
