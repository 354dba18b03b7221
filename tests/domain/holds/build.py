"""Holds in every state."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from app.domain.codes import HoldState
from app.domain.exchange_codes import Side
from app.domain.holds import ExtensionWish, Hold
from tests.domain.exchange.build import NOW, timed_hold

if TYPE_CHECKING:
    from datetime import datetime


def hold_in(state: HoldState, now: datetime = NOW) -> Hold:
    """A hold in this state, with the end that belongs to it."""
    hold = replace(timed_hold(), state=state)
    if state is HoldState.PENDING_DECISION:
        return replace(hold, expires_at=None)
    if state is HoldState.TIMED:
        return hold
    return replace(hold, ended_at=now - timedelta(days=1))


def ready_hold(action: str, state: HoldState, side: Side) -> Hold:
    """A hold in this state in which nothing but the state and the person stands against the act."""
    hold = hold_in(state)
    if action == "grant_extension":
        return replace(hold, extension_wish=ExtensionWish(60, NOW))
    if action == "release" and side is Side.REQUESTED:
        return replace(hold, releasing=True)
    return hold
