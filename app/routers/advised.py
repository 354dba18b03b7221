"""What every stuck thing is shown with: why it is stuck, and who does what about it."""

from __future__ import annotations

from datetime import datetime

from app.routers.models import View
from app.services.advise_on_quarantine import Advice

CALL = "Telephone XT on +99901555101 (National police operations room; ask for the officer on duty)"
"""As examples say it."""

NOBODY = "Nobody has to do anything."


class Advised(View):
    """`reason` is a stable word; `meaning` says what is the case, `next_act` who does what about it."""

    reason: str
    meaning: str
    next_act: str


def words_of(advice: Advice) -> dict[str, str]:
    """The members of `Advised`."""
    return {"reason": advice.reason, "meaning": advice.meaning, "next_act": advice.next_act}


def age(since: datetime, now: datetime) -> float:
    """Seconds; never less than none, whatever the clocks say."""
    return max(0.0, (now - since).total_seconds())
