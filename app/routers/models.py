"""What every document of the interface has in common: `Document` for what clients send, `View` for what they get."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer
from pydantic_core import PydanticCustomError

Entry = TypeVar("Entry")


def wire_time(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, as everything this node produces."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _only_text(value: object) -> object:
    """Numbers, and text that is a number, are no times: pydantic would take them for seconds since 1970."""
    if isinstance(value, datetime) or (isinstance(value, str) and "T" in value.upper()):
        return value
    raise PydanticCustomError("datetime_form", "a time must be RFC 3339 text")


Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_only_text),
    Field(strict=False),
    PlainSerializer(wire_time, return_type=str, when_used="json"),
]
"""A time: read as RFC 3339 with any offset, but not without one; written in UTC with milliseconds."""


class Document(BaseModel):
    """Sent by a client: unknown members are refused, and nothing is converted into what it was not."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class View(BaseModel):
    """Shown to a client. Clients must ignore members that they do not know."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class Listed(View, Generic[Entry]):
    """One page of a list. `next` is the cursor of the following page, null on the last one."""

    data: list[Entry]
    next: str | None


class FieldProblem(View):
    """One broken rule of a body: where (JSON Pointer, RFC 6901), which, and why. Never what was submitted."""

    pointer: str
    code: str
    detail: str


class Problem(View):
    """An error (RFC 9457). `code` is stable; `origin` says whose fault it is; `request_id` finds it in the log."""

    model_config = ConfigDict(frozen=True, extra="allow")

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    origin: str
    request_id: str
    errors: list[FieldProblem]
