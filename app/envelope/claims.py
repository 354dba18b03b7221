"""The signed claims: who says what to whom, in which place of which thread. The body is opaque here."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from app.envelope.format import (
    CODE,
    MAX_INTEGER,
    MAX_TIME_SECONDS,
    MESSAGE_ID,
    MESSAGE_TYPE,
    SUITE,
    THREAD,
    VERSION,
)
from app.errors import Malformed

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping

_MAX_SUITE_CHARACTERS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What the inner signature covers. `iat` and `exp` are unix seconds; what is None is absent on the wire.

    `exp` has meaning for a few message types only and is judged by whoever acts on them, never here (ruling 16).
    `unknown` keeps the members of a newer sender so that they can be shown as not understood.
    """

    iss: str
    aud: str
    jti: str
    iat: int
    type: str
    body: dict[str, Any]
    dir_version: int
    thread: str | None = None
    seq: int | None = None
    prev: str | None = None
    exp: int | None = None
    log: dict[str, Any] | None = None
    unknown: dict[str, Any] = field(default_factory=dict)
    v: int = VERSION
    suite: str = SUITE

    @property
    def issued_at(self) -> datetime:
        """`iat` as a moment in UTC: the sender's word."""
        return datetime.fromtimestamp(self.iat, UTC)

    def to_members(self) -> dict[str, Any]:
        """The JSON object that is signed. Unknown members never overwrite known ones."""
        optional = {"exp": self.exp, "thread": self.thread, "seq": self.seq, "prev": self.prev, "log": self.log}
        return {
            **self.unknown,
            "v": self.v,
            "suite": self.suite,
            "iss": self.iss,
            "aud": self.aud,
            "jti": self.jti,
            "iat": self.iat,
            "type": self.type,
            "body": self.body,
            "dir": {"v": self.dir_version},
            **{name: value for name, value in optional.items() if value is not None},
        }


_KNOWN = frozenset(
    {"v", "suite", "iss", "aud", "jti", "iat", "exp", "thread", "seq", "prev", "type", "body", "dir", "log"}
)


def read_claims(members: object) -> Claims:
    """Claims from a parsed payload. The version is read and not judged.

    Raises `Malformed`: code `bad_claims` names the first member that is missing or has a wrong form; code
    `unknown_version` when that happened to a text of a later version, whose form we cannot know.
    """
    if not isinstance(members, dict):
        raise Malformed("bad_claims", "The payload is not a JSON object.")
    try:
        return _read(members)
    except Malformed as fault:
        version = members.get("v")
        if isinstance(version, int) and version > VERSION:
            raise Malformed("unknown_version", f"The text is of version {version}.") from fault
        raise


def read_jti(members: object) -> str | None:
    """The message id alone, from a payload whose other members may be beyond us; None when it has no proper form."""
    jti = members.get("jti") if isinstance(members, dict) else None
    return jti if isinstance(jti, str) and MESSAGE_ID.fullmatch(jti) is not None else None


def _read(members: dict[str, Any]) -> Claims:
    read = _Reader(members)
    directory = read.mapping("dir")
    claims = Claims(
        v=read.integer("v", low=1),
        suite=read.short("suite"),
        iss=read.pattern("iss", CODE),
        aud=read.pattern("aud", CODE),
        jti=read.pattern("jti", MESSAGE_ID),
        iat=read.integer("iat", high=MAX_TIME_SECONDS),
        type=read.pattern("type", MESSAGE_TYPE),
        body=read.mapping("body"),
        dir_version=_Reader(directory).integer("v", low=1),
        thread=read.pattern("thread", THREAD) if "thread" in members else None,
        seq=read.integer("seq", low=1) if "seq" in members else None,
        prev=read.pattern("prev", MESSAGE_ID) if "prev" in members else None,
        exp=read.integer("exp", high=MAX_TIME_SECONDS) if "exp" in members else None,
        log=read.mapping("log") if "log" in members else None,
        unknown={name: value for name, value in members.items() if name not in _KNOWN},
    )
    _refuse_contradictions(claims)
    return claims


def _refuse_contradictions(claims: Claims) -> None:
    if claims.iss == claims.aud:
        raise Malformed("bad_claims", "Nobody writes to itself.")
    if (claims.thread is None) != (claims.seq is None):
        raise Malformed("bad_claims", "thread and seq go together.")
    if claims.prev is not None and (claims.seq is None or claims.seq == 1):
        raise Malformed("bad_claims", "prev names the text before this one in its thread, and there is none.")


@dataclass(frozen=True, slots=True)
class _Reader:
    members: Mapping[str, Any]

    def _take(self, name: str) -> object:
        if name not in self.members:
            raise Malformed("bad_claims", f"The claim {name} is missing.")
        return self.members[name]

    def integer(self, name: str, *, low: int = 0, high: int = MAX_INTEGER) -> int:
        value = self._take(name)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise Malformed("bad_claims", f"The claim {name} is not a whole number from {low} to {high}.")
        return value

    def pattern(self, name: str, pattern: re.Pattern[str]) -> str:
        value = self._take(name)
        if not isinstance(value, str) or pattern.fullmatch(value) is None:
            raise Malformed("bad_claims", f"The claim {name} has not the form it must have.")
        return value

    def short(self, name: str) -> str:
        value = self._take(name)
        if not isinstance(value, str) or not 0 < len(value) <= _MAX_SUITE_CHARACTERS:
            raise Malformed("bad_claims", f"The claim {name} is not a text of 1 to {_MAX_SUITE_CHARACTERS} characters.")
        return value

    def mapping(self, name: str) -> dict[str, Any]:
        value = self._take(name)
        if not isinstance(value, dict):
            raise Malformed("bad_claims", f"The claim {name} is not a JSON object.")
        return value
