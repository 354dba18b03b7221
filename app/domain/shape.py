"""The grain of every document from outside: no conversion, no unknown members, no endless or invisible text.

Faults carry their own code (`C-TZ`, `bad_time`, `bad_characters` …) as the type of the pydantic error; the texts of
pydantic itself never leave the room, because some repeat what was submitted.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from app.domain import instants
from app.domain.countries import NO_COUNTRY, is_country
from app.domain.instants import Instant, NoInstant

_INVISIBLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]")
"""Control characters except tab and line feed, and the marks that make a text read otherwise than it is stored."""

_LINE_ENDS = re.compile(r"[\t\n]")


class Strict(BaseModel):
    """A part of a document from outside: closed, without conversion of types, and immutable."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def fault(code: str, detail: str) -> PydanticCustomError:
    """An error under our own code; `detail` goes out as it is and may name no submitted value."""
    return PydanticCustomError(code, detail)


def readable(text: str) -> str:
    """Refuse blank text and characters nobody can see."""
    if not text.strip():
        raise fault("C-MISSING", "Only blanks: write the text.")
    if _INVISIBLE.search(text):
        raise fault("bad_characters", "Leave out control characters and marks that change the direction of reading.")
    return text


def _one_line(text: str) -> str:
    if _LINE_ENDS.search(text):
        raise fault("bad_characters", "One line only, without tabs.")
    return readable(text)


def _instant(value: object) -> Instant:
    if not isinstance(value, str):
        raise fault("wrong_type", "A time is written as text.")
    try:
        return instants.read_instant(value)
    except NoInstant as no_instant:
        raise fault(no_instant.code, no_instant.detail) from no_instant


def _day(value: object) -> date:
    if not isinstance(value, str):
        raise fault("wrong_type", "A date is written as text.")
    try:
        return instants.read_day(value)
    except NoInstant as no_instant:
        raise fault(no_instant.code, no_instant.detail) from no_instant


def _true(value: bool) -> bool:  # noqa: FBT001 - a validator of pydantic
    if not value:
        raise fault("not_stated", "Only `true` states it; without this statement the request cannot be made.")
    return value


def _country(code: str) -> str:
    if not is_country(code):
        raise fault("bad_country", NO_COUNTRY)
    return code


Line = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_one_line)]
LongLine = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(_one_line)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=4000), AfterValidator(readable)]
ShortText = Annotated[str, StringConstraints(min_length=1, max_length=1000), AfterValidator(readable)]
Substance30 = Annotated[str, StringConstraints(min_length=30, max_length=2000), AfterValidator(readable)]
Substance50 = Annotated[str, StringConstraints(min_length=50, max_length=4000), AfterValidator(readable)]
Substance100 = Annotated[str, StringConstraints(min_length=100, max_length=4000), AfterValidator(readable)]
"""Texts of a minimum substance: the legal element they carry is the one usually missing (domain.md 2.1)."""

OwnReference = Annotated[str, StringConstraints(max_length=64, pattern=r"^[A-Z0-9./_-]+$")]
ContactPointCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}(-[A-Z0-9]{2,12})?$")]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$"), AfterValidator(_country)]
Telephone = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{7,14}$")]
Mailbox = Annotated[str, StringConstraints(max_length=254, pattern=r"^[^\s@<>\x00-\x1f]+@[A-Za-z0-9.-]+$")]
LanguageTag = Annotated[str, StringConstraints(max_length=35, pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
Article = Annotated[str, StringConstraints(max_length=20, pattern=r"^[0-9]{1,3}( ?\([0-9a-z]{1,3}\))*$")]

Moment = Annotated[
    Instant,
    PlainValidator(_instant),
    PlainSerializer(lambda instant: instant.text, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "maxLength": instants.MAX_LENGTH}),
]
Day = Annotated[date, PlainValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Stated = Annotated[bool, AfterValidator(_true), WithJsonSchema({"type": "boolean", "const": True})]

Port = Annotated[int, Field(ge=1, le=65535)]
