"""Requests about a hold: preservation of stored data, and more time for one that is running (ETS 185 art. 29)."""

# ruff: noqa: TC001 - pydantic reads the annotations at run time

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from app.domain.documents.filing import CaseFiling, OpenFiling
from app.domain.documents.matter import Confidentiality, MlaIntent, Necessity, RequestStatus
from app.domain.documents.targets import MAX_TARGETS, Target
from app.domain.shape import Line
from app.domain.wire import MAX_HOLD_DAYS, MIN_HOLD_DAYS

PeriodDays = Annotated[
    int | None, Field(ge=MIN_HOLD_DAYS, le=MAX_HOLD_DAYS, description="at least 60 days, art. 29(7)")
]


class Preservation(CaseFiling):
    """Expedited preservation of stored data, ETS 185 art. 29, with art. 30."""

    type: Literal["PRESERVATION"]
    targets: Annotated[
        list[Target],
        Field(min_length=1, max_length=MAX_TARGETS, description="the data to be preserved, art. 29(2)(c)"),
    ]
    necessity: Annotated[Necessity, Field(description="why the preservation is necessary, art. 29(2)(e)")]
    traffic_path_disclosure_requested: Annotated[bool, Field(description="whether art. 30 is asked for")]
    mla_intent: Annotated[MlaIntent, Field(description="the intention to submit a request, art. 29(2)(f)")]
    requested_period_days: PeriodDays = None
    confidentiality: Annotated[Confidentiality, Field(description="confidentiality, art. 27(8) (form, section 22)")]


class PreservationExtension(OpenFiling):
    """More time for data that are held, ETS 185 art. 29(7), UN convention art. 42(9): asked before the hold ends."""

    type: Literal["PRESERVATION_EXTENSION"]
    request_status: Annotated[Literal[RequestStatus.EXTENSION], Field(description="EXTENSION (form, section 3)")]
    previous_reference: Annotated[
        Line, Field(description="reference of the request that is extended (form, section 3)")
    ]
    necessity: Annotated[Necessity, Field(description="why the data are still needed, art. 29(2)(e)")]
    mla_intent: Annotated[MlaIntent, Field(description="when the request for assistance will follow, art. 29(2)(f)")]
    requested_period_days: PeriodDays = None
    confidentiality: Confidentiality | None = None
