"""Information given unasked (ETS 185 art. 26): the offer goes abroad, the information stays until it is accepted."""

# ruff: noqa: TC001 - pydantic reads the annotations at run time

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from app.domain.documents.filing import Filing
from app.domain.documents.matter import MAX_OFFENCES, Confidentiality, Marking, Offence
from app.domain.exchange_codes import ConditionKind, InformationEvaluation, SourceEvaluation
from app.domain.shape import LongLine, ShortText, Strict, Substance30, Text


class OfferedCondition(Strict):
    """The condition under which it is given (art. 26(2)): accepted, it binds."""

    kind: Annotated[ConditionKind, Field(strict=False)]
    text: ShortText


class Information(Strict):
    """The information itself, evaluated four by four. It never travels with the offer."""

    text: Text
    source: Annotated[SourceEvaluation, Field(strict=False, description="how reliable the source is, A to X")]
    evaluation: Annotated[
        InformationEvaluation, Field(strict=False, description="how well the information is known, 1 to 4")
    ]
    origin: Annotated[LongLine | None, Field(description="where it comes from: the own investigation, art. 26(1)")] = (
        None
    )
    marking: Marking | None = None


class SpontaneousInformation(Filing):
    """Information out of an own investigation, offered before anything is given, ETS 185 art. 26."""

    type: Literal["SPONTANEOUS_INFORMATION"]
    teaser: Annotated[
        Substance30, Field(description="what it is about, so that the other side can decide, without the information")
    ]
    condition: OfferedCondition | None = None
    information: Annotated[Information, Field(description="the information, kept here until it is accepted")]
    offences: Annotated[list[Offence], Field(max_length=MAX_OFFENCES)] = Field(default_factory=list)
    confidentiality: Confidentiality | None = None
