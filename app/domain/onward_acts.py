"""Acts about information after it was given; which side may do which depends on who gave it (`app.domain.transitions`).

The giver decides on onward transfer and may ask for the use made; the receiver asks for the one and tells the other.
"""

# ruff: noqa: TC001, TC003 - pydantic reads the annotations at run time

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from app.domain.exchange_codes import Decision
from app.domain.wire import Act, Line, ShortText


class RequestOnwardTransfer(Act):
    """CETS 224 art. 14(10): may it go to that contact point or organisation; to one's own code: be used otherwise."""

    action: Literal["request_onward_transfer"]
    to: Line
    purpose: ShortText


class DecideOnwardTransfer(Act):
    """The giver grants or denies it; a text may say within which bounds."""

    action: Literal["decide_onward_transfer"]
    transfer_id: UUID
    decision: Decision
    text: ShortText | None = None


class AskUse(Act):
    """Art. 28(4): the giver asks what use was made of what it gave."""

    action: Literal["ask_use"]
    text: ShortText


class ExplainUse(Act):
    """The receiver gives account of the use."""

    action: Literal["explain_use"]
    question_id: UUID
    text: ShortText


class ConfirmFormally(Act):
    """Art. 25(3): the requesting side names the formal confirmation that it has sent, and its date."""

    action: Literal["confirm_formally"]
    reference: Line
    date: Annotated[date, Field(description="A day of the calendar, as in 2026-11-25.")]
