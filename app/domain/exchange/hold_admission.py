"""Whether an act on a hold may be done at all: by this person, at this instant, on this hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.codes import HoldState
from app.domain.exchange.admission import signs
from app.domain.hold_transitions import HOLD_ROWS, hold_rows_of
from app.domain.holds import OPEN_HOLD_STATES, state_at
from app.errors import Conflict, Forbidden, Unknown

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from app.domain.exchange.parties import Officer
    from app.domain.exchange.values import Exchange
    from app.domain.hold_transitions import HoldRow
    from app.domain.holds import Hold


def find_hold(exchange: Exchange, hold_id: UUID) -> Hold:
    """The hold; raises Unknown if the exchange has none of that id."""
    hold = exchange.hold(hold_id)
    if hold is None:
        raise Unknown("unknown_hold", "there is no such hold")
    return hold


def admit_on_hold(hold: Hold, action: str, *, by: Officer, now: datetime) -> HoldRow:
    """The row that the act walks. The generation is compared by the caller, between the person and the state.

    Raises:
        Forbidden: `role_not_allowed`, `four_eyes`.
        Conflict: `hold_ended` (from its end on, whether or not the timer has run), `action_not_allowed`.
    """
    row = admit_person(hold, action, by=by)
    state = state_at(hold, now)
    if state not in row.sources:
        if state not in OPEN_HOLD_STATES:
            raise Conflict("hold_ended", "the hold has ended; only a new request can make a new one", state=state.value)
        raise Conflict("action_not_allowed", "this act is not possible now", state=state.value, reason="state")
    obstacle = _obstacle(hold, row)
    if obstacle is not None:
        raise Conflict("action_not_allowed", "this act is not possible now", state=state.value, reason=obstacle)
    return row


def admit_person(hold: Hold, action: str, *, by: Officer) -> HoldRow:
    """The row of this person's side, if the person may walk it; raises Forbidden otherwise.

    Where two must sign, anyone of the desk proposes, and a supervisor who is another person completes.
    """
    rows = hold_rows_of(action, by.side)
    second_signature = action == "lift" and hold.proposed_lift is not None
    if not any(signs(row.by, by, both=row.both and second_signature) for row in rows):
        raise Forbidden("role_not_allowed", "this act belongs to another role or to the other side", action=action)
    if second_signature and hold.proposed_lift is not None and hold.proposed_lift.by == by.person:
        raise Forbidden("four_eyes", "a lifting is confirmed by another person than the one who proposed it")
    return rows[0]


def allowed_hold_actions(hold: Hold, *, by: Officer, now: datetime) -> tuple[str, ...]:
    """The acts that this person could do on this hold now, in the order of the table."""
    actions = dict.fromkeys(row.action for row in HOLD_ROWS if row.sources and row.action is not None)
    return tuple(action for action in actions if _is_admitted(hold, action, by=by, now=now))


def _is_admitted(hold: Hold, action: str, *, by: Officer, now: datetime) -> bool:
    try:
        admit_on_hold(hold, action, by=by, now=now)
    except (Forbidden, Conflict):
        return False
    return True


def _obstacle(hold: Hold, row: HoldRow) -> str | None:
    """What, beside the state, stands against the act."""
    if row.releasing is not None and hold.releasing is not row.releasing:
        return "releasing" if hold.releasing else "not_releasing"
    if row.action == "grant_extension" and hold.extension_wish is None:
        return "extension_not_asked"
    if row.action == "record_decision" and hold.mla.decided_at is not None:
        return "already_decided"
    return None


def is_timed(hold: Hold, at: datetime) -> bool:
    """Whether the clock of the hold was running at that instant, whatever has become of it since."""
    ran_until = hold.expires_at
    by_clock = hold.state in {HoldState.TIMED, HoldState.EXPIRED}
    return by_clock and ran_until is not None and at < ran_until
