"""The acts on a hold, one closed model each. Which side an act belongs to is said by its row in `hold_transitions`."""

# ruff: noqa: TC001, TC003 - pydantic reads the annotations at run time

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, TypeAdapter

from app.domain.exchange_codes import LiftReason
from app.domain.moments import Instant
from app.domain.wire import MAX_HOLD_DAYS, Act, HoldDays, Line, ShortText, Text

Day = Annotated[date, Field(description="A day of the calendar, as in 2027-01-10.")]
ExtensionDays = Annotated[int, Field(ge=1, le=MAX_HOLD_DAYS)]


class RequestExtension(Act):
    """The requesting side asks for more time, before the end. Left out: sixty days more."""

    action: Literal["request_extension"]
    days: HoldDays | None = None
    text: ShortText | None = None


class GrantExtension(Act):
    """More time, as far as the law of the requested side gives it. Left out: what was asked, within that law."""

    action: Literal["grant_extension"]
    days: ExtensionDays | None = None


class ClaimMlaSent(Act):
    """The follow-up request has left, says the requesting side. The clock goes on; receipt stops it (art. 29(7))."""

    action: Literal["claim_mla_sent"]
    ca_reference: Line
    date: Day


class ConfirmMlaReceived(Act):
    """The central authority of the requested side has the follow-up request: from now on there is no end."""

    action: Literal["confirm_mla_received"]
    ca_reference: Line


class RecordDecision(Act):
    """The follow-up request was decided; the hold ends when the period of grace is over."""

    action: Literal["record_decision"]
    text: Text


class Release(Act):
    """The requesting side no longer needs the data; the requested side's duty officer lets them go."""

    action: Literal["release"]
    text: ShortText | None = None


class ReportLoss(Act):
    """What was lost and, if known, when."""

    action: Literal["report_loss"]
    text: Text
    lost_at: Instant | None = None


class Lift(Act):
    """An authority ended the order before its term. Takes effect when a supervisor sends it as second person."""

    action: Literal["lift"]
    reason: LiftReason
    text: Text | None = None
    new_request_possible: bool = False


HoldAct = Annotated[
    RequestExtension
    | GrantExtension
    | ClaimMlaSent
    | ConfirmMlaReceived
    | RecordDecision
    | Release
    | ReportLoss
    | Lift,
    Field(discriminator="action"),
]

HOLD_ACT: TypeAdapter[HoldAct] = TypeAdapter(HoldAct)
"""Reads any act on a hold; use its JSON mode, the models do not convert types."""


@dataclass(frozen=True, slots=True)
class HoldOrder:
    """An act together with the hold it is about."""

    hold_id: UUID
    act: HoldAct
