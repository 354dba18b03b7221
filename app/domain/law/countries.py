"""What is known of a state's own law, and where its own authorities are found."""

# ruff: noqa: TC001, TC003 - pydantic reads the annotations at run time

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from app.domain.codes import DataCategory, GateOutcome
from app.domain.contact_points import LanguageTag, Mail, Phone
from app.domain.directory_codes import PreservationKind, UserNotification
from app.domain.law.codes import TargetKind
from app.domain.law.rows import Days, Line, Paragraph, Row, State


class Address(Row):
    """How an authority is reached: its functional address, never a person's."""

    name: Line
    phone: Phone | None = None
    email: Mail | None = None
    url: Annotated[str, Field(max_length=500, pattern=r"^https://[^\s]+$")] | None = None

    @property
    def line(self) -> str:
        """All of it in one line."""
        return ", ".join(part for part in (self.name, self.phone, self.email, self.url) if part)


class DomesticPreservation(Row):
    """By whose order data are preserved at home, on which provision, for how long, how often extended.

    Without `max_extensions` the law sets no limit. The hold of an exchange never ends before sixty days (art. 29(7)).
    """

    power: PreservationKind
    citation: Line
    days: Annotated[int, Field(ge=1, le=3650)]
    extension_days: Days
    max_extensions: Annotated[int, Field(ge=0, le=100)] | None = None


class Retention(Row):
    """How long providers there usually have a kind of data."""

    category: DataCategory
    days: Days
    note: Line | None = None


class Country(Row):
    """The profile of a state's law, as of a day."""

    state: State
    as_of: date
    languages: Annotated[tuple[LanguageTag, ...], Field(min_length=1)]
    preservation: DomesticPreservation
    user_notification: UserNotification
    dual_criminality: Paragraph | None = None
    data_retention: Paragraph | None = None
    retention: tuple[Retention, ...] = ()
    central_authority: Address
    note: Paragraph | None = None


class Comparator(Row):
    """How long data are kept elsewhere on such a request, for comparison; nothing here is computed from it."""

    name: Line
    period: Line
    source: Line


class RedirectTarget(Row):
    """Where an agency turns with what this network does not do: an authority in `state`, for these outcome codes."""

    state: State
    kind: TargetKind
    codes: Annotated[tuple[GateOutcome, ...], Field(min_length=1)]
    address: Address
    note: Line | None = None
