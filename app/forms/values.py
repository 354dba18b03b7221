"""What a form is made of before it is put into any language: sections with fixed numbers, and values of few kinds.

Nothing here is worded. A value says what it is, not how it reads; `wording` gives it the words of one language.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Free:
    """A text of a person in its own language, which is None where nobody said which it is; never translated here."""

    text: str
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Name:
    """A name or one line as its owners write it, in its own language if that is known."""

    text: str
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Plain:
    """Characters that mean themselves: identifiers, references, numbers. Always left to right."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """A word of a closed list: printed as its label in each language, with the code itself."""

    list: str
    code: str


@dataclass(frozen=True, slots=True)
class Flag:
    """Yes or no."""

    is_so: bool


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the calendar."""

    day: date


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant: printed in UTC and on the clocks of both contact points. `written` is the text it was given as."""

    utc: datetime
    written: str | None = None


@dataclass(frozen=True, slots=True)
class Country:
    """A state by its two letters."""

    code: str


@dataclass(frozen=True, slots=True)
class Tongue:
    """A language by its tag (BCP 47)."""

    tag: str


@dataclass(frozen=True, slots=True)
class Amount:
    """A number of days, years or seconds."""

    number: float
    unit: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of ours, by its key among the words of the catalogues."""

    key: str


Value: TypeAlias = Free | Name | Plain | Code | Flag | Day | Moment | Country | Tongue | Amount | Sentence


@dataclass(frozen=True, slots=True)
class Field:
    """A label and what stands behind it. `number` is empty for fields inside a part, which has the number."""

    key: str
    values: tuple[Value, ...]
    number: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One of several alike inside a section, such as the third target: `14.3`."""

    key: str
    number: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A numbered section of the form. One without fields and parts was left empty by whoever filed it."""

    number: str
    key: str
    fields: tuple[Field, ...] = ()
    parts: tuple[Part, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether the request says nothing here."""
        return not self.fields and not self.parts
