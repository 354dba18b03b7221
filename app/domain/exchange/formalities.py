"""What a requested side still wants beside the request: its formal confirmation, the writing to a request by voice."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from app.domain.exchange.clocks import REGULARISED_WITHIN
from app.domain.exchange.onward_values import Confirmation
from app.domain.exchange.requested_effects import with_flag
from app.domain.exchange.values import OralRequest
from app.domain.exchange_codes import Flag
from app.domain.moments import to_milliseconds
from app.domain.transitions import EMERGENCY
from app.domain.wire import MAX_LINE

if TYPE_CHECKING:
    from datetime import timedelta

    from app.domain.exchange.values import Exchange
    from app.domain.messages import OpenBody


def with_formalities(
    exchange: Exchange, body: OpenBody, *, confirm_within: timedelta | None, now: datetime
) -> Exchange:
    """The exchange with what is owed from its opening on: arts. 25(3) and, for an emergency, 224 art. 9(4)."""
    owing = exchange
    if confirm_within is not None:
        owing = with_flag(
            replace(owing, confirmation=Confirmation(now + confirm_within)), Flag.CONFIRMATION_OUTSTANDING
        )
    oral = _oral(body, now=now)
    if oral is None or owing.oral is not None:
        return owing
    return with_flag(replace(owing, oral=oral), Flag.ORAL_FIRST)


def _oral(body: OpenBody, *, now: datetime) -> OralRequest | None:
    """The call that came before the writing, as the document tells of it. What cannot be read is left out."""
    told = body.document.get("oral_request")
    if body.type not in EMERGENCY or not isinstance(told, dict):
        return None
    made_at = _moment(told.get("made_at"))
    made_by, received_by = told.get("by"), told.get("to")
    if made_at is None or not isinstance(made_by, str) or not isinstance(received_by, str):
        return None
    return OralRequest(
        made_at=made_at,
        made_by=made_by[:MAX_LINE],
        received_by=received_by[:MAX_LINE],
        recorded_at=now,
        due_at=min(made_at, now) + REGULARISED_WITHIN,
    )


def _moment(text: object) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        return to_milliseconds(datetime.fromisoformat(text))
    except ValueError:
        return None
