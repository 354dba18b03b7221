"""What a contact point knows of a provider: how it is asked, what it holds, what it tells its customers."""

# ruff: noqa: TC001 - pydantic reads the annotations at run time

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from app.domain.codes import DataCategory
from app.domain.wire import Closed, Country, Line, ShortText

MAX_LISTED = 20

LanguageTag = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)]
Day = Annotated[date, Field(strict=False)]


class CustomerNotice(StrEnum):
    """Whether the provider tells its customer that somebody asks: what makes a preservation dangerous (art. 29(6))."""

    NEVER = "NEVER"
    ON_REQUEST_SUPPRESSED = "ON_REQUEST_SUPPRESSED"
    DEFAULT_NOTIFY = "DEFAULT_NOTIFY"
    UNKNOWN = "UNKNOWN"


class DataHeld(Closed):
    """A kind of data, how long it is usually there, and who said so when."""

    category: Annotated[DataCategory, Field(strict=False)]
    typical_retention_days: Annotated[int, Field(ge=0, le=36_500)] | None = None
    source: Line
    as_of: Day


class ProviderEntry(Closed):
    """One provider. For contact points only: a published list would tell suspects where nothing is kept."""

    legal_name: Line
    brands: Annotated[tuple[Line, ...], Field(max_length=MAX_LISTED, strict=False)] = ()
    establishment_country: Country
    portal_url: Annotated[str, StringConstraints(pattern=r"^https://[^\s<>\"]+$", max_length=500)] | None = None
    email: Line | None = None
    phone_24_7: Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{6,14}$")] | None = None
    emergency_channel: Line | None = None
    accepted_languages: Annotated[tuple[LanguageTag, ...], Field(max_length=MAX_LISTED, strict=False)] = ()
    accepted_forms: Annotated[tuple[Line, ...], Field(max_length=MAX_LISTED, strict=False)] = ()
    verification_of_requester: ShortText | None = None
    data_held: Annotated[tuple[DataHeld, ...], Field(max_length=MAX_LISTED, strict=False)] = ()
    customer_notice: Annotated[CustomerNotice, Field(strict=False)] = CustomerNotice.UNKNOWN
    preservation_days: Annotated[int, Field(ge=0, le=3_650)] | None = None
    cost_note: ShortText | None = None
    verified_on: Day


def as_text(entry: ProviderEntry) -> str:
    """The entry as lines: what an officer sends as the answer to PROVIDER_CONTACT."""
    lines = {
        "Provider": entry.legal_name,
        "Brands": ", ".join(entry.brands),
        "Established in": entry.establishment_country,
        "Portal for authorities": entry.portal_url,
        "E-mail for authorities": entry.email,
        "Telephone, day and night": entry.phone_24_7,
        "In an emergency": entry.emergency_channel,
        "Languages": ", ".join(entry.accepted_languages),
        "Forms": ", ".join(entry.accepted_forms),
        "How it verifies who asks": entry.verification_of_requester,
        "Tells its customer": entry.customer_notice.value,
        "Preserves for days": None if entry.preservation_days is None else str(entry.preservation_days),
        "Cost": entry.cost_note,
    }
    held = [
        f"Holds {one.category.value}: "
        + ("for an unknown time" if one.typical_retention_days is None else f"{one.typical_retention_days} days")
        + f" ({one.source}, {one.as_of.isoformat()})"
        for one in entry.data_held
    ]
    said = [f"{name}: {text}" for name, text in lines.items() if text]
    return "\n".join([*said, *held, f"Verified on {entry.verified_on.isoformat()}"])
