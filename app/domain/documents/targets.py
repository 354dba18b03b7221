"""What a request is about: an identifier, when it was seen, which data of which time, and who may hold them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from app.domain.codes import DataCategory
from app.domain.identifiers import AnyIdentifier
from app.domain.identifiers.addresses import PlainAddress, Protocol
from app.domain.shape import Country, Line, LongLine, Moment, Port, ShortText, Strict, Substance30

MAX_TARGETS = 100
MAX_OBSERVATIONS = 50
MAX_SECONDS = 86_400

Sought = Annotated[AnyIdentifier, Field(description="what identifies the data, art. 29(2)(c)")]
Reached = Annotated[PlainAddress, Field(description="the address the other end of the connection had")]
OneProtocol = Annotated[Protocol, Field(strict=False)]


class Assignment(StrEnum):
    """How the provider gave out the address; CGN: to many customers at once."""

    STATIC = "STATIC"
    DYNAMIC = "DYNAMIC"
    CGN = "CGN"
    UNKNOWN = "UNKNOWN"


class Observation(Strict):
    """One sighting. Several ports or times of one address are several observations, each kept (IP-7)."""

    at: Moment
    source_port: Port | None = None
    destination_ip: Reached | None = None
    destination_port: Port | None = None
    protocol: OneProtocol | None = None
    clock_source: Line | None = None
    known_skew_seconds: Annotated[float, Field(ge=-MAX_SECONDS, le=MAX_SECONDS)] | None = None
    accuracy_seconds: Annotated[float, Field(ge=0, le=MAX_SECONDS)] | None = None


class Interval(Strict):
    """The time the data are from; `end` itself is outside."""

    start: Moment
    end: Moment


class Custodian(Strict):
    """Who is thought to hold the data: art. 29(2)(d)."""

    name: Line
    address: LongLine | None = None
    country: Country
    service: Line | None = None
    law_enforcement_contact: LongLine | None = None


class SystemLocation(Strict):
    """Where the computer system is thought to be: art. 29(2)(d)."""

    country: Country
    description: ShortText


class Target(Strict):
    """One thing to be preserved or disclosed."""

    identifier: Sought
    assignment: Annotated[Assignment, Field(strict=False)] | None = None
    observations: Annotated[list[Observation], Field(max_length=MAX_OBSERVATIONS)] = Field(default_factory=list)
    data_categories: Annotated[
        list[Annotated[DataCategory, Field(strict=False)]],
        Field(min_length=1, max_length=len(DataCategory), description="the data asked for, art. 29(2)(c)"),
    ]
    data_description: ShortText | None = None
    interval: Interval | None = None
    narrowing: Annotated[
        ShortText | None, Field(description="what the request leaves out: folders, correspondents, file types")
    ] = None
    custodian: Custodian | None = None
    system_location: SystemLocation | None = None
    custodian_unknown: bool | None = None
    custodian_search: Annotated[
        ShortText | None, Field(description="what was tried to find the custodian, where it is unknown")
    ] = None
    relationship_to_offence: Annotated[
        Substance30, Field(description="what the data have to do with the offence, art. 29(2)(c)")
    ]
