"""What each act on a hold changes in it, beside its state."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.domain import hold_acts as acts
from app.domain.codes import MlaStatus
from app.domain.exchange.moves import releasing
from app.domain.holds import (
    CONFIRM_WORKING_DAYS,
    Extension,
    ExtensionWish,
    Hold,
    ProposedLift,
    extended_end,
    working_days_later,
)
from app.domain.wire import MIN_HOLD_DAYS
from app.errors import FieldError, Refused, StorageInconsistent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from uuid import UUID
    from zoneinfo import ZoneInfo

    from app.domain.wire import Act

LOST = "lost"
RELEASED = "released"
_BEFORE_RECEIPT = frozenset({MlaStatus.NONE, MlaStatus.ANNOUNCED, MlaStatus.CLAIMED_SENT})


@dataclass(frozen=True, slots=True)
class HoldDoing:
    """When it happens, in whose zone days are counted, and who signs at the requested side (None for a wish)."""

    now: datetime
    zone: ZoneInfo
    person: UUID | None = None


def _request_extension(hold: Hold, act: acts.RequestExtension, doing: HoldDoing) -> Hold:
    days = act.days if act.days is not None else MIN_HOLD_DAYS
    return replace(hold, extension_wish=ExtensionWish(days, doing.now, act.text))


def _grant_extension(hold: Hold, act: acts.GrantExtension, doing: HoldDoing) -> Hold:
    if hold.expires_at is None or act.days is None:
        raise StorageInconsistent("extension_incomplete", "an extension was let through without days or an end to move")
    end = extended_end(hold.expires_at, act.days, zone=doing.zone)
    return replace(
        hold,
        expires_at=end,
        days_granted=hold.days_granted + act.days,
        extension_wish=None,
        extensions=(*hold.extensions, Extension(act.days, doing.now, end)),
    )


def _claim_mla_sent(hold: Hold, act: acts.ClaimMlaSent, doing: HoldDoing) -> Hold:
    """The claim is kept; a status that rests on a receipt or a decision is not taken back by it."""
    claimed = replace(hold.mla, claimed_reference=act.ca_reference, claimed_on=act.date, claimed_at=doing.now)
    if hold.mla.status not in _BEFORE_RECEIPT:
        return replace(hold, mla=claimed)
    confirm_by = working_days_later(doing.now, CONFIRM_WORKING_DAYS, zone=doing.zone)
    return replace(hold, mla=replace(claimed, status=MlaStatus.CLAIMED_SENT, confirm_by=confirm_by))


def _confirm_mla_received(hold: Hold, act: acts.ConfirmMlaReceived, doing: HoldDoing) -> Hold:
    received = replace(
        hold.mla, status=MlaStatus.RECEIVED, ca_reference=act.ca_reference, received_at=doing.now, confirm_by=None
    )
    return replace(hold, expires_at=None, extension_wish=None, mla=received)


def _record_decision(hold: Hold, act: acts.RecordDecision, doing: HoldDoing) -> Hold:
    decided = replace(hold.mla, status=MlaStatus.DECIDED, decision=act.text, decided_at=doing.now)
    return replace(hold, mla=decided)


def _release(hold: Hold, act: acts.Release, doing: HoldDoing) -> Hold:
    """A wish marks it; the requested side's own act, which has a signature, ends it."""
    if doing.person is None:
        return releasing(hold, now=doing.now)
    return _ended(hold, doing, reason=RELEASED, text=act.text)


def _report_loss(hold: Hold, act: acts.ReportLoss, doing: HoldDoing) -> Hold:
    return replace(_ended(hold, doing, reason=LOST, text=act.text), lost_at=act.lost_at)


def _lift(hold: Hold, act: acts.Lift, doing: HoldDoing) -> Hold:
    """The first signature proposes, the second completes; the second must name what the first did."""
    if doing.person is None:
        raise StorageInconsistent("lift_unsigned", "a lifting was let through without a signature")
    if hold.proposed_lift is None:
        return replace(hold, proposed_lift=ProposedLift(doing.person, act.reason, doing.now))
    if hold.proposed_lift.reason is not act.reason:
        error = FieldError("/reason", "differs_from_proposal", "The first signature names another class of reason.")
        raise Refused(error.code, error.detail, errors=(error,))
    lifted = _ended(hold, doing, reason=act.reason.value, text=act.text)
    return replace(lifted, new_request_possible=act.new_request_possible)


def _ended(hold: Hold, doing: HoldDoing, *, reason: str, text: str | None) -> Hold:
    return replace(
        hold,
        ended_at=doing.now,
        end_reason=reason,
        end_text=text,
        extension_wish=None,
        proposed_lift=None,
    )


_EFFECTS: Mapping[type[Act], Callable[..., Hold]] = {
    acts.RequestExtension: _request_extension,
    acts.GrantExtension: _grant_extension,
    acts.ClaimMlaSent: _claim_mla_sent,
    acts.ConfirmMlaReceived: _confirm_mla_received,
    acts.RecordDecision: _record_decision,
    acts.Release: _release,
    acts.ReportLoss: _report_loss,
    acts.Lift: _lift,
}


def carry_out_on_hold(hold: Hold, act: Act, doing: HoldDoing) -> Hold:
    """The hold with what `act` adds to it; its state is left to the caller.

    Raises Refused where a second signature differs from the first.
    """
    return _EFFECTS[type(act)](hold, act, doing)
