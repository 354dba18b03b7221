"""What is asked and told about information after it was given: onward transfer, use, and the formal confirmation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime
    from uuid import UUID

    from app.domain.exchange_codes import Decision, Side


@dataclass(frozen=True, slots=True)
class OnwardTransfer:
    """The receiver wishes to give information on, or to use it otherwise; the giver decides (CETS 224 art. 14(10)).

    `to` is the code of a contact point, the name of an organisation, or the receiver's own code: another use at home.
    """

    id: UUID
    side: Side
    to: str
    purpose: str
    asked_at: datetime
    decision: Decision | None = None
    text: str | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class UseQuestion:
    """The giver asks what use was made of its information, and what the receiver says (art. 28(4))."""

    id: UUID
    side: Side
    text: str
    asked_at: datetime
    answer: str | None = None
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The formal confirmation that the requested side asks for (art. 25(3)); it has come once `reference` is there."""

    due_at: datetime
    reference: str | None = None
    dated: date | None = None
    confirmed_at: datetime | None = None
