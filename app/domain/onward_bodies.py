"""What a snapshot says about information after it was given, and about the formal confirmation."""

# ruff: noqa: TC001, TC003 - pydantic reads the annotations at run time

from __future__ import annotations

from datetime import date
from uuid import UUID

from app.domain.exchange_codes import Decision, Side
from app.domain.moments import Instant
from app.domain.wire import Open, WireLine, WireText


class OnwardTransferBody(Open):
    """A wish for an onward transfer or another use, and what the giver decided. `side` is the one that wishes."""

    id: UUID
    side: Side
    to: WireLine
    purpose: WireText
    asked_at: Instant
    decision: Decision | None = None
    text: WireText | None = None
    decided_at: Instant | None = None


class UseQuestionBody(Open):
    """A question about the use made, and the account given. `side` is the one that asks."""

    id: UUID
    side: Side
    text: WireText
    asked_at: Instant
    answer: WireText | None = None
    answered_at: Instant | None = None


class ConfirmationBody(Open):
    """The formal confirmation that the requested side asks for; it has come once there is a `reference`."""

    due_at: Instant
    reference: WireLine | None = None
    dated: date | None = None
    confirmed_at: Instant | None = None
