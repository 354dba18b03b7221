"""Bodies of the messages by which contact points look after one another: test calls, and word of an incident."""

# ruff: noqa: TC001, TC003 - pydantic reads the annotations at run time

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from app.domain.moments import Instant
from app.domain.wire import Open, WireLine, WireText

MAX_AFFECTED = 1_000
"""Exchanges that one `incident/1` names; more of them are told in several."""


class CallKind(StrEnum):
    """PING asks whether somebody is awake; DRILL is an exercise with a script in its note. Neither is a case."""

    PING = "PING"
    DRILL = "DRILL"


class CallPart(StrEnum):
    """Who speaks: the one who calls, or the one who was called."""

    CALL = "call"
    ANSWER = "answer"


class CallBody(Open):
    """`test-call/1`: a call, answered by a person with a message of the same type and the same `call_id`.

    It carries nothing of any case, and nothing of it is ever real.
    """

    call_id: UUID
    kind: CallKind
    part: CallPart
    at: Instant
    note: WireText | None = None


class IncidentBody(Open):
    """`incident/1`: data that the reader gave, or data about its cases, were exposed, altered or lost (224 art. 14(7)).

    `exchanges` are only those that reader and writer share. `limit_onward`: the writer asks that the report itself is
    not passed on. The same report once more with `over_at` says that the incident is over since then, and `over_note`
    why.
    """

    model_config = ConfigDict(
        json_schema_extra={"dependentRequired": {"over_at": ["over_note"], "over_note": ["over_at"]}}
    )

    incident_id: UUID
    discovered_at: Instant
    what: WireText
    mitigations: WireText
    contact: WireLine
    exchanges: Annotated[tuple[UUID, ...], Field(max_length=MAX_AFFECTED)] = ()
    limit_onward: bool = False
    over_at: Instant | None = None
    over_note: WireText | None = None

    @model_validator(mode="after")
    def _ends_for_a_reason(self) -> Self:
        if (self.over_at is None) != (self.over_note is None):
            raise ValueError("over_at and over_note go together")
        return self
