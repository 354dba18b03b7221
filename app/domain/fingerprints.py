"""What a request is about, as a mark that compares and says nothing: who asks for the same data is found by it.

A mark is an HMAC under a secret of this node: the table of marks is no dictionary of the addresses and names that
states look for, neither here nor anywhere else. A mark alone proves nothing: it is a hint to a person (domain.md 6.11).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from app.domain.identifiers import AnyIdentifier
from app.domain.instants import NoInstant, read_instant
from app.domain.wire import MAX_TARGETS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from app.domain.identifiers import Identifier

A_MOMENT = timedelta(microseconds=1)
"""How long a sighting lasts: a window holds its own first instant."""

_IDENTIFIER: TypeAdapter[Identifier] = TypeAdapter(AnyIdentifier)


@dataclass(frozen=True, slots=True)
class Sought:
    """One target of a document, counted from 0: what is looked for in normal form, and of which time.

    Without `starts_at` or `ends_at` the time is open on that side; `ends_at` itself is outside.
    """

    target: int
    form: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """The same with the fingerprint in the place of what is looked for."""

    target: int
    fingerprint: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None


def fingerprint(identifier_normal_form: str, key: bytes) -> str:
    """HMAC-SHA256 of a normal form, as 64 hexadecimal digits; `key` is the node's secret and never leaves it."""
    return hmac.digest(key, identifier_normal_form.encode(), hashlib.sha256).hex()


def sought_in(document: Mapping[str, Any]) -> tuple[Sought, ...]:
    """What the targets of a request document look for; the document may be another state's and of any shape."""
    targets = document.get("targets")
    if not isinstance(targets, list):
        return ()
    read = (_read_target(number, target) for number, target in enumerate(targets[:MAX_TARGETS]))
    return tuple(one for one in read if one is not None)


def marks_of(sought: Iterable[Sought], key: bytes) -> tuple[Mark, ...]:
    """The marks to store or to look for."""
    return tuple(Mark(one.target, fingerprint(one.form, key), one.starts_at, one.ends_at) for one in sought)


def window_of(target: Mapping[str, Any]) -> tuple[datetime | None, datetime | None]:
    """The time that a target asks about; without it that of the sightings; None where there is none."""
    identifier = target.get("identifier")
    return _window(target, _instants([identifier]))


def is_same_data(one: Mark, other: Mark) -> bool:
    """Whether both look for the same thing at times that overlap; an open time overlaps everything on that side."""
    if one.fingerprint != other.fingerprint:
        return False
    first = one.ends_at is None or other.starts_at is None or other.starts_at < one.ends_at
    return first and (other.ends_at is None or one.starts_at is None or one.starts_at < other.ends_at)


def _read_target(number: int, target: object) -> Sought | None:
    if not isinstance(target, dict) or not isinstance(target.get("identifier"), dict):
        return None
    form = _normal_form(target["identifier"])
    starts_at, ends_at = _window(target, _instants([{"at": form.pop("at", None)}]))
    if form.get("type") == "ip_flow":
        form = _address(form)
    return Sought(number, json.dumps(form, sort_keys=True, separators=(",", ":")), starts_at, ends_at)


def _normal_form(identifier: Mapping[str, Any]) -> dict[str, Any]:
    """The normal form, or the members as they came where another node wrote what this one cannot read."""
    try:
        return dict(_IDENTIFIER.validate_json(json.dumps(identifier)).compared_form())
    except ValidationError:
        return {name: value for name, value in identifier.items() if name != "observed_at"}


def _address(form: Mapping[str, Any]) -> dict[str, Any]:
    """A flow is looked for at its source: whoever asks for that address at that time asks for the same customer."""
    try:
        address = ip_address(str(form.get("source_ip")))
    except ValueError:
        return dict(form)
    return {"type": f"ipv{address.version}", "value": str(address)}


def _window(target: Mapping[str, Any], seen_at: list[datetime]) -> tuple[datetime | None, datetime | None]:
    """The time asked for; without it that of the sightings; without them none."""
    interval = target.get("interval")
    if isinstance(interval, dict):
        starts, ends = (_instants([{"at": interval.get(name)}]) for name in ("start", "end"))
        return (starts[0] if starts else None, ends[0] if ends else None)
    observations = target.get("observations")
    seen = seen_at + _instants(observations if isinstance(observations, list) else [])
    return (min(seen), max(seen) + A_MOMENT) if seen else (None, None)


def _instants(entries: Iterable[object]) -> list[datetime]:
    """The times under `at`, as far as they are times."""
    found = []
    for entry in entries:
        text = entry.get("at") if isinstance(entry, dict) else None
        try:
            found.append(read_instant(text if isinstance(text, str) else "").utc)
        except NoInstant:
            continue
    return found
