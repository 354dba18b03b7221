"""What a form is made from, and what it is before it has words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from app.domain.codes import RequestType
    from app.domain.contact_points import ContactPointProfile
    from app.domain.exchange.values import Exchange
    from app.domain.mla_export import PriorPreservation
    from app.forms.values import Section


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file that goes with the request: its name as its owners wrote it, its size, its SHA-256 in hexadecimal.

    `by` is the code of the contact point that brought it, where that is not plain; `marking` what it bears.
    """

    name: str
    size: int
    sha256: str
    media_type: str | None = None
    by: str | None = None
    marking: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """A contact point of the case; `point` is its directory entry, if the directory has one."""

    code: str
    point: ContactPointProfile | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A request or an exchange, as it is to be printed at `now`.

    `document` is the request as filed or as signed; empty where a call was noted and the request has not arrived.
    `signed_at` is None while nobody has signed it. `exchange` is set for an exchange's form only. `earlier` are holds
    that this contact point knows of, for section 10 of a letter of request. `files` are those that acts have brought.
    """

    type: RequestType
    document: Mapping[str, Any]
    reference: str
    requesting: Side
    requested: Side
    filed_at: datetime
    now: datetime
    printed_by: str
    exchange_id: UUID | None = None
    marking: Mapping[str, Any] | None = None
    signed_at: datetime | None = None
    enclosures: tuple[Enclosure, ...] = ()
    exchange: Exchange | None = None
    earlier: tuple[PriorPreservation, ...] = ()
    files: tuple[Enclosure, ...] = ()


@dataclass(frozen=True, slots=True)
class Clock:
    """A contact point's clock: its code and its zone of the IANA database."""

    code: str
    zone: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A marking at head and foot: the code that stands there, and its list."""

    list: str
    code: str


@dataclass(frozen=True, slots=True)
class Form:
    """A form before it has words. `digest` is that of the document it shows, if it shows one.

    `notices` are keys of sentences that stand above everything else.
    `read_there` are the languages that the addressee reads, by primary subtag; None where that does not matter.
    `names` are the directory's names of states that no standard names: code → language → name.
    """

    title: str
    reference: str
    letterhead: tuple[tuple[str, str | None], ...]
    sections: tuple[Section, ...]
    clocks: tuple[Clock, ...]
    names: Mapping[str, Mapping[str, str]]
    printed_at: datetime
    printed_by: str
    digest: str | None = None
    course: tuple[Section, ...] = ()
    marks: tuple[Mark, ...] = ()
    marking_text: str | None = None
    notices: tuple[str, ...] = ()
    is_test: bool = False
    read_there: frozenset[str] | None = None
    translated: frozenset[str] = frozenset()
