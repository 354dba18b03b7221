"""Acts that belong to the requesting side: wishes. They travel as `exchange.action/1` and change nothing here.

`close` is in `app.domain.requested_acts`: it belongs to both sides, from different states.
"""

# ruff: noqa: TC001, TC003 - pydantic reads the annotations at run time

from __future__ import annotations

from typing import Literal
from uuid import UUID

from app.domain.codes import Tier
from app.domain.emergency_facts import GivenEmergency
from app.domain.exchange_codes import InformationEvaluation, SourceEvaluation
from app.domain.marking_bodies import GivenMarking
from app.domain.wire import Act, ShortText, Text


class Supplement(Act):
    """More facts. The request itself is never edited. It answers a question only if it names it."""

    action: Literal["supplement"]
    text: Text
    question_id: UUID | None = None


class Proceed(Act):
    """Execute all the same; `narrowing` may ask for less than before."""

    action: Literal["proceed"]
    question_id: UUID | None = None
    narrowing: ShortText | None = None


class Stop(Act):
    """Do not execute."""

    action: Literal["stop"]
    question_id: UUID | None = None


class AcceptCondition(Act):
    """Art. 28(3): accepting binds."""

    action: Literal["accept_condition"]
    condition_id: UUID | None = None


class DeclineCondition(Act):
    """Art. 28(3): cannot comply; the requested side decides anew."""

    action: Literal["decline_condition"]
    condition_id: UUID | None = None
    text: Text | None = None


class RaiseTier(Act):
    """It has become more urgent; to EMERGENCY with the facts that show the risk to a person (V-7)."""

    action: Literal["raise_tier"]
    tier: Tier
    reasons: Text
    emergency: GivenEmergency | None = None


class Withdraw(Act):
    """The requesting side no longer wants it."""

    action: Literal["withdraw"]
    reasons: ShortText | None = None


class ProvideAnyway(Act):
    """The provider gives the information although the condition cannot be kept."""

    action: Literal["provide_anyway"]


class Withhold(Act):
    """The provider keeps the information."""

    action: Literal["withhold"]
    text: ShortText | None = None


class SendContent(Act):
    """The information itself, with its evaluation (four by four). Left out: what was kept at home with the offer."""

    action: Literal["send_content"]
    text: Text | None = None
    source: SourceEvaluation | None = None
    information: InformationEvaluation | None = None
    marking: GivenMarking | None = None
