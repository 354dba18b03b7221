"""The rows of the law files: instruments, who is bound by them, what was reserved or declared.

Every text that a lawyer would look up is data here; what the program knows beside it is in `closed.py`.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from app.domain.codes import DataCategory, Instrument, RefusalGround, RequestType
from app.domain.countries import NO_COUNTRY, is_country
from app.domain.law.codes import AppliesTo, Effect, StatementKind


def _state(code: str) -> str:
    if not is_country(code):
        raise ValueError(NO_COUNTRY)
    return code


State = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$"), AfterValidator(_state)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f\x7f]+$")]
Paragraph = Annotated[str, StringConstraints(min_length=1, max_length=4000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]+$")]
Provision = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z()., /-]{0,79}$")]
Days = Annotated[int, Field(ge=0, le=3650)]


class Row(BaseModel):
    """A row: frozen, and nothing in it that is not asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Dated(Row):
    """What holds from a first day to a last one, both included; without `until`, until further notice."""

    since: date
    until: date | None = None

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> Self:
        if self.until is not None and self.until < self.since:
            raise ValueError("until lies before since")
        return self

    def holds(self, on: date) -> bool:
        """Whether it holds on that day."""
        return self.since <= on and (self.until is None or on <= self.until)

    def overlaps(self, other: Dated) -> bool:
        """Whether there is a day on which both hold."""
        return self.since <= (other.until or date.max) and other.since <= (self.until or date.max)


class ArticleRole(Row):
    """An article and what it does for this type of request."""

    article: Provision
    role: Line


class Measure(Row):
    """A type of request that an instrument carries; treaties of their own name their articles themselves.

    `only_if_declared`: only where the requested state has made a declaration to that article.
    """

    type: RequestType
    only_if_declared: Provision | None = None
    articles: tuple[ArticleRole, ...] = ()


class Admitted(Row):
    """An article to which an instrument admits a reservation or declaration, and what that does here.

    `only_categories`: the statement reaches only requests that ask for nothing but these categories of data.
    """

    article: Provision
    kind: StatementKind
    effect: Effect | None = None
    types: tuple[RequestType, ...] = ()
    only_categories: tuple[DataCategory, ...] = ()
    note: Line | None = None


class InstrumentRow(Row):
    """A convention, protocol or network, or treaties of a kind.

    Without `in_force_since` it is not in force, whatever else is said; treaties have a day each.
    """

    instrument: Instrument
    title: Line
    done: Line | None = None
    in_force_since: date | None = None
    applies_to: AppliesTo
    protocol_to: Instrument | None = None
    duty: bool
    notes: Paragraph | None = None
    measures: tuple[Measure, ...]
    admits: tuple[Admitted, ...] = ()

    def measure(self, type: RequestType) -> Measure | None:
        """What it carries of that type."""
        return next((measure for measure in self.measures if measure.type is type), None)

    def admitted(self, article: str) -> Admitted | None:
        """What a statement to that article would be."""
        return next((row for row in self.admits if row.article == article), None)


class Named(Row):
    """A state that these files speak of."""

    state: State
    name: Line


class Party(Dated):
    """A state bound by an instrument, or a member of a network."""

    instrument: Instrument
    state: State


class Pair(Dated):
    """Two states between which an instrument that not all its parties apply among themselves is switched on."""

    instrument: Instrument
    states: Annotated[frozenset[State], Field(min_length=2, max_length=2)]


class TreatyGround(Row):
    """A ground for refusing that a treaty of their own gives."""

    ground: RefusalGround
    provision: Provision


class Treaty(Dated):
    """A bilateral or regional treaty on file.

    With `mutual_assistance`, arts. 27 and 28 of ETS 185 give way to it (arts. 27(1), 28(1)), unless its states have
    agreed to keep them.
    """

    id: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9][A-Z0-9-]{1,39}$")]
    instrument: Instrument
    title: Paragraph
    states: Annotated[frozenset[State], Field(min_length=2)]
    mutual_assistance: bool = True
    keeps_articles_27_28: bool = False
    types: tuple[RequestType, ...] = ()
    grounds: tuple[TreatyGround, ...] = ()
    postponement: Provision | None = None

    @property
    def governs(self) -> bool:
        """Whether mutual assistance between its states follows it and not arts. 27 and 28 of ETS 185."""
        return self.mutual_assistance and not self.keeps_articles_27_28


class Statement(Dated):
    """A reservation or declaration on file. Its id is `<instrument>:<article>`, a later one `…/2`."""

    id: Line
    state: State
    instrument: Instrument
    article: Provision
    text: Paragraph

    @model_validator(mode="after")
    def _is_named_by_its_article(self) -> Self:
        name, _, number = self.id.partition("/")
        if name != f"{self.instrument}:{self.article}" or ("/" in self.id and not number.isdecimal()):
            raise ValueError(f"id must be {self.instrument}:{self.article}, a later one with /2 and so on")
        return self
