"""Values that name nobody, or too many, or somebody else than was meant: lists as data, one file each.

A hit is a warning and never an error: who asks for the log of a public resolver may mean exactly that.
"""

# ruff: noqa: TC003 - pydantic reads the annotations at run time

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, ValidationError, model_validator

from app.domain.law.plain import read_yaml
from app.domain.law.rows import Line, Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Watched(StrEnum):
    """What the entries of a list are: networks, names with everything below them, digests, beginnings of IMEIs."""

    ADDRESS = "address"
    NAME = "name"
    DIGEST = "digest"
    IMEI = "imei"


_FORMS = {
    Watched.NAME: re.compile(r"[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*"),
    Watched.DIGEST: re.compile(r"[0-9a-f]{32,128}"),
    Watched.IMEI: re.compile(r"[0-9]{2,15}"),
}


class WarningList(Row):
    """One file. `applies_to` names types of identifier, or `destination`; without it the list applies to all.

    `source` says where the entries can be checked, `why` is the sentence that the officer reads.
    """

    list: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{2,39}$")]
    version: Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,39}$")]
    dated: date
    source: Line
    why: Line
    matches: Watched
    applies_to: tuple[Line, ...] = ()
    entries: Annotated[tuple[Line, ...], Field(min_length=1, max_length=100_000)]

    @model_validator(mode="after")
    def _can_be_matched(self) -> Self:
        for number, entry in enumerate(self.entries, start=1):
            if not _is_entry(self.matches, entry):
                raise ValueError(f"entry {number} is no {self.matches}")
        return self


@dataclass(frozen=True)
class WarningLists:
    """All lists, each name once."""

    lists: tuple[WarningList, ...] = ()

    def hits(self, watched: Watched, value: str, *, type: str) -> Iterator[WarningList]:
        """The lists that hold this value (in normal form) of an identifier of this type, in the order of the lists."""
        held = set(self._holding(watched, value))
        for each in self.lists:
            if each.list in held and (not each.applies_to or type in each.applies_to):
                yield each

    def with_own(self, own: tuple[WarningList, ...]) -> WarningLists:
        """These and the operator's; one of the same name takes the place of ours."""
        merged = {each.list: each for each in (*self.lists, *own)}
        return WarningLists(tuple(merged.values()))

    def _holding(self, watched: Watched, value: str) -> Iterator[str]:
        if watched is Watched.ADDRESS:
            yield from self._around(value)
            return
        entries = self._entries.get(watched, {})
        for key in _keys(watched, value):
            yield from entries.get(key, ())

    def _around(self, value: str) -> Iterator[str]:
        """The lists with a network that holds the address or network, or lies in it."""
        asked = ipaddress.ip_network(value)
        for network, names in self._networks.get(asked.version, ()):
            if asked.overlaps(network):
                yield from names

    @cached_property
    def _entries(self) -> Mapping[Watched, Mapping[str, tuple[str, ...]]]:
        found: dict[Watched, dict[str, tuple[str, ...]]] = {}
        for each in self.lists:
            held = found.setdefault(each.matches, {})
            for entry in each.entries:
                held[entry] = (*held.get(entry, ()), each.list)
        return found

    @cached_property
    def _networks(self) -> Mapping[int, list[tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, tuple[str, ...]]]]:
        found: dict[int, list[tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, tuple[str, ...]]]] = {}
        for entry, names in self._entries.get(Watched.ADDRESS, {}).items():
            network = ipaddress.ip_network(entry)
            found.setdefault(network.version, []).append((network, names))
        return found


def read_warning_list(name: str, text: str) -> WarningList:
    """The list in that text; raises `SettingsUnusable` `law_unusable` with the file, the line and the reason."""
    document = read_yaml(name, text)
    try:
        return WarningList.model_validate(document.value)
    except ValidationError as faulty:
        first = faulty.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        reason = f"{where}: {first['msg']}" if where else str(first["msg"]).removeprefix("Value error, ")
        raise document.fault(first["loc"], reason) from faulty


def _is_entry(watched: Watched, entry: str) -> bool:
    if watched is not Watched.ADDRESS:
        return _FORMS[watched].fullmatch(entry) is not None
    try:
        ipaddress.ip_network(entry)
    except ValueError:
        return False
    return True


def _keys(watched: Watched, value: str) -> Iterator[str]:
    """What an entry may be to hold the value: the value, a name above it, its beginning."""
    if watched is Watched.NAME:
        labels = value.split(".")
        yield from (".".join(labels[place:]) for place in range(len(labels)))
    elif watched is Watched.IMEI:
        yield from (value[:length] for length in range(2, len(value) + 1))
    else:
        yield value
