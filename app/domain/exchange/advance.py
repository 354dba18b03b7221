"""The requested side's own acts: each makes the next generation of the exchange, or raises and changes nothing.

The order of checks is that of the interface: person (403), generation (409), state (409), content (422). From its end
on a hold counts as expired: an exchange is looked at as the clock has it, not as it was stored.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.domain.exchange.admission import admit
from app.domain.exchange.guards import Case, check_content
from app.domain.exchange.hold_admission import admit_on_hold, admit_person, find_hold
from app.domain.exchange.hold_effects import HoldDoing, carry_out_on_hold
from app.domain.exchange.moves import moved, run_out, with_hold, written
from app.domain.exchange.preserving import row_of_result
from app.domain.exchange.requested_effects import Doing, carry_out
from app.domain.exchange.room import check_own_room
from app.domain.exchange_codes import Side
from app.domain.hold_acts import GrantExtension
from app.domain.moments import to_milliseconds
from app.domain.requested_acts import Preserve
from app.errors import Conflict, FieldError, Forbidden, Refused

if TYPE_CHECKING:
    from datetime import datetime

    from app.domain.acts import ExchangeAct
    from app.domain.codes import HoldState
    from app.domain.exchange.parties import Officer, PartyRules
    from app.domain.exchange.values import Exchange
    from app.domain.hold_acts import HoldAct, HoldOrder
    from app.domain.hold_transitions import HoldRow
    from app.domain.holds import Hold
    from app.domain.transitions import Row


def act(exchange: Exchange, body: ExchangeAct, *, by: Officer, rules: PartyRules, now: datetime) -> Exchange:
    """The exchange after an act of the requested side, one generation on.

    Raises:
        Forbidden: `role_not_allowed`, `four_eyes`.
        Conflict: `stale_generation`, `action_not_allowed`.
        Refused: a domain code, with one FieldError per rule broken.
    """
    _only_for_the_requested_side(by)
    moment = to_milliseconds(now)
    seen = run_out(exchange, now=moment)
    rows = admit(seen, body.action, generation=body.generation, by=by, now=moment)
    row = _row(body, rows, exchange=seen)
    check_content(body, Case(seen, row, rules, moment))
    changed = carry_out(seen, body, Doing(by, rules, moment))
    check_own_room(changed)
    return written(moved(changed, row, now=moment), over=exchange, now=moment)


def act_on_hold(exchange: Exchange, order: HoldOrder, *, by: Officer, rules: PartyRules, now: datetime) -> Exchange:
    """The exchange after an act of the requested side on one of its holds, one generation on.

    Raises:
        Unknown: there is no such hold.
        Forbidden: `role_not_allowed`, `four_eyes`.
        Conflict: `stale_generation`, `hold_ended`, `action_not_allowed`.
        Refused: `W-AVAIL` when the law gives no further extension, `differs_from_proposal`, `too_much_text`.
    """
    _only_for_the_requested_side(by)
    moment = to_milliseconds(now)
    hold = find_hold(exchange, order.hold_id)
    admit_person(hold, order.act.action, by=by)
    if order.act.generation != exchange.generation:
        raise Conflict("stale_generation", "the exchange has changed since you read it", generation=exchange.generation)
    row = admit_on_hold(hold, order.act.action, by=by, now=moment)
    _check_extension(hold, order.act, rules=rules)
    seen = run_out(exchange, now=moment)
    doing = HoldDoing(moment, rules.zone, by.person)
    changed = carry_out_on_hold(find_hold(seen, order.hold_id), order.act, doing)
    completed = with_hold(seen, replace(changed, state=_target(hold, row)))
    check_own_room(completed)
    return written(completed, over=exchange, now=moment)


def _only_for_the_requested_side(by: Officer) -> None:
    """A wish of the other side changes nothing here; it is judged when its message comes."""
    if by.side is not Side.REQUESTED:
        raise Forbidden("role_not_allowed", "only the requested side changes an exchange")


def _row(body: ExchangeAct, rows: tuple[Row, ...], *, exchange: Exchange) -> Row:
    if isinstance(body, Preserve):
        return row_of_result(body, rows, exchange=exchange)
    return rows[0]


def _target(hold: Hold, row: HoldRow) -> HoldState:
    """The state after the row: the same if it has no target or only the first of two signatures was given."""
    first_signature = row.both and hold.proposed_lift is None
    return hold.state if row.target is None or first_signature else row.target


def _check_extension(hold: Hold, body: HoldAct, *, rules: PartyRules) -> None:
    if not isinstance(body, GrantExtension):
        return
    if rules.max_extensions is not None and len(hold.extensions) >= rules.max_extensions:
        detail = "The law of the requested side gives no further extension: tell the requesting side so (W-AVAIL)."
        raise Refused("W-AVAIL", detail, errors=(FieldError("/action", "W-AVAIL", detail),))
    if body.days is None:
        error = FieldError("/days", "missing", "This member is required.")
        raise Refused(error.code, error.detail, errors=(error,))
