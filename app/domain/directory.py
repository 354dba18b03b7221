"""The directory: which contact points there are, which keys speak for them, which key closes a letter to them.

Trust in a key comes from here and from nowhere else. A directory is one immutable, numbered document; a newer one
replaces it whole. How the document is signed and carried is not decided here.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field, PrivateAttr, ValidationError, model_validator

from app.domain.contact_points import ContactPoint, ContactPointProfile
from app.domain.key_records import Entry, KeyRecord, KeyStatus, KeyUse, PublicJwk, UtcTime
from app.errors import SettingsUnusable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

__all__ = [
    "ContactPoint",
    "ContactPointProfile",
    "Directory",
    "KeyRecord",
    "KeyStatus",
    "KeyUse",
    "PublicJwk",
    "load_directory",
    "load_profile",
    "publish_directory",
]


class Directory(Entry):
    """Every contact point of one version. No two share a code, and no two keys share an id or their material."""

    version: Annotated[int, Field(ge=1)]
    issued_at: UtcTime
    contact_points: Annotated[tuple[ContactPoint, ...], Field(min_length=1)]

    _points: dict[str, ContactPoint] = PrivateAttr(default_factory=dict)
    _keys: dict[tuple[str, str], KeyRecord] = PrivateAttr(default_factory=dict)

    @model_validator(mode="after")
    def _has_no_doubles(self) -> Self:
        for what, values in {
            "two contact points have the code": [point.code for point in self.contact_points],
            "two keys have the id": [key.kid for point in self.contact_points for key in point.keys],
            "two keys are the same, though each key has one use: x =": [
                key.jwk.x for point in self.contact_points for key in point.keys
            ],
        }.items():
            seen: set[str] = set()
            for value in values:
                if value in seen:
                    raise ValueError(f"{what} {value}")
                seen.add(value)
        return self

    def model_post_init(self, context: Any, /) -> None:  # noqa: ANN401 - the signature pydantic calls
        """Index once: both lookups are made for every envelope."""
        super().model_post_init(context)
        self._points = {point.code: point for point in self.contact_points}
        self._keys = {(point.code, key.kid): key for point in self.contact_points for key in point.keys}

    def point(self, code: str) -> ContactPoint | None:
        """The entry of that contact point, or None."""
        return self._points.get(code)

    def signing_key(self, iss: str, kid: str) -> KeyRecord | None:
        """The envelope-signing key that `iss` itself published under `kid`, whatever its dates: the caller judges them.

        A key of another contact point, or one published for another use, is not found.
        """
        record = self._keys.get((iss, kid))
        return record if record is not None and record.use is KeyUse.SIG else None

    def encryption_key(self, aud: str, now: datetime) -> KeyRecord | None:
        """The newest key to close a letter to `aud` with: valid now and never revoked. None when there is none."""
        return self._newest(aud, KeyUse.ENC, now=now)

    def log_key(self, code: str, now: datetime) -> KeyRecord | None:
        """The newest key that signs the checkpoints of that contact point's log, or None."""
        return self._newest(code, KeyUse.LOG, now=now)

    def witness_key(self, code: str, now: datetime) -> KeyRecord | None:
        """The newest key with which that contact point cosigns the logs of others, or None."""
        return self._newest(code, KeyUse.WIT, now=now)

    def _newest(self, code: str, use: KeyUse, *, now: datetime) -> KeyRecord | None:
        point = self.point(code)
        usable = [
            key
            for key in (point.keys if point is not None else ())
            if key.use is use and key.status is not KeyStatus.REVOKED and key.is_valid_at(now)
        ]
        return max(usable, key=lambda key: (key.nbf, key.kid), default=None)


def load_directory(text: str, *, source: str = "the directory") -> Directory:
    """Read a directory document. Members a newer issuer added are passed over, so that an older node goes on working.

    Raises `SettingsUnusable` with one sentence: the source, the place as JSON Pointer, what is wrong there.
    """
    _refuse_unreadable(text, source)
    try:
        return Directory.model_validate_json(text, extra="ignore")
    except ValidationError as fault:
        raise SettingsUnusable("directory_unusable", _sentence(source, fault)) from fault


def load_profile(text: str, *, source: str) -> ContactPointProfile:
    """Read the entry a state writes of itself, without keys. Unknown members are refused: they are misspellings."""
    _refuse_unreadable(text, source)
    try:
        return ContactPointProfile.model_validate_json(text)
    except ValidationError as fault:
        raise SettingsUnusable("contact_point_unusable", _sentence(source, fault)) from fault


def publish_directory(
    profiles: Iterable[ContactPointProfile],
    keys: Mapping[str, Sequence[KeyRecord]],
    *,
    version: int,
    issued_at: datetime,
) -> Directory:
    """Put profiles and the keys of each code together. `SettingsUnusable` names the first thing that does not fit."""
    try:
        points = tuple(ContactPoint(**dict(profile), keys=tuple(keys.get(profile.code, ()))) for profile in profiles)
        return Directory(version=version, issued_at=issued_at, contact_points=points)
    except ValidationError as fault:
        raise SettingsUnusable("directory_unusable", _sentence("the directory to publish", fault)) from fault


def _refuse_unreadable(text: str, source: str) -> None:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) != len(pairs):
            raise ValueError("a member is written twice in one object")
        return members

    try:
        json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError) as fault:
        raise SettingsUnusable("not_json", f"{source} is not the JSON we read: {fault}.") from fault


def _sentence(source: str, fault: ValidationError) -> str:
    first, *others = fault.errors(include_url=False, include_context=False, include_input=False)
    pointer = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in first["loc"])
    reason = first["msg"].removeprefix("Value error, ")
    more = f" ({len(others)} more after it)" if others else ""
    place = f", at {pointer}" if pointer else ""
    return f"{source}{place}: {reason}{more}."
