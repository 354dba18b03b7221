"""Information after it was given: who has received what of whom, what may be asked, and what the answers change.

Both sides do these acts, each about what it holds of the other's, so what they change is written once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.domain import onward_acts as acts
from app.domain.exchange.moves import derived_id
from app.domain.exchange.onward_values import OnwardTransfer, UseQuestion
from app.domain.exchange_codes import Decision, Flag, Side
from app.domain.transitions import OFFER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from uuid import UUID

    from app.domain.exchange.values import Exchange
    from app.domain.wire import Act

_STATE_LETTERS = 2

ONWARD_ACTS = frozenset({"request_onward_transfer", "decide_onward_transfer", "ask_use", "explain_use"})


def other(side: Side) -> Side:
    """The side across."""
    return Side.REQUESTED if side is Side.REQUESTING else Side.REQUESTING


def has_received(exchange: Exchange, side: Side) -> bool:
    """Whether that side holds anything of the other's: the request, an answer, a path that was not withheld."""
    if side is Side.REQUESTED:
        return True
    told = bool(exchange.answers) or any(path.withheld is None for path in exchange.traffic_paths)
    return told and exchange.type not in OFFER


def open_transfer(exchange: Exchange, transfer_id: UUID, *, giver: Side) -> OnwardTransfer | None:
    """The wish for an onward transfer of that id, if it is this side's to decide and undecided."""
    asked = (one for one in exchange.onward_transfers if one.decision is None and one.side is not giver)
    return next((one for one in asked if one.id == transfer_id), None)


def open_use_question(exchange: Exchange, question_id: UUID, *, receiver: Side) -> UseQuestion | None:
    """The question about use of that id, if it is put to this side and has no answer."""
    asked = (one for one in exchange.use_questions if one.answer is None and one.side is not receiver)
    return next((one for one in asked if one.id == question_id), None)


def is_granted(exchange: Exchange, to: str, *, receiver: Side) -> bool:
    """Whether this side was granted an onward transfer to this contact point, or to the whole of its state."""
    transfers = (one for one in exchange.onward_transfers if one.side is receiver)
    granted = {one.to for one in transfers if one.decision is Decision.GRANTED}
    return to in granted or to[:_STATE_LETTERS] in granted


def bind_answer(exchange: Exchange) -> tuple[UUID, ...]:
    """The ids of the accepted conditions: they bind every item that is given from now on (arts. 26(2), 28(3))."""
    return tuple(condition.id for condition in exchange.accepted_conditions)


def _request_onward_transfer(
    exchange: Exchange, act: acts.RequestOnwardTransfer, side: Side, *, now: datetime
) -> Exchange:
    wished = OnwardTransfer(derived_id(exchange, "transfer", now=now), side, act.to, act.purpose, now)
    return replace(exchange, onward_transfers=(*exchange.onward_transfers, wished))


def _decide_onward_transfer(
    exchange: Exchange, act: acts.DecideOnwardTransfer, side: Side, *, now: datetime
) -> Exchange:
    wished = open_transfer(exchange, act.transfer_id, giver=side)
    decided = tuple(
        replace(one, decision=act.decision, text=act.text, decided_at=now) if one is wished else one
        for one in exchange.onward_transfers
    )
    return replace(exchange, onward_transfers=decided)


def _ask_use(exchange: Exchange, act: acts.AskUse, side: Side, *, now: datetime) -> Exchange:
    asked = UseQuestion(derived_id(exchange, "use", now=now), side, act.text, now)
    return replace(exchange, use_questions=(*exchange.use_questions, asked))


def _explain_use(exchange: Exchange, act: acts.ExplainUse, side: Side, *, now: datetime) -> Exchange:
    asked = open_use_question(exchange, act.question_id, receiver=side)
    explained = tuple(
        replace(one, answer=act.text, answered_at=now) if one is asked else one for one in exchange.use_questions
    )
    return replace(exchange, use_questions=explained)


def _confirm_formally(exchange: Exchange, act: acts.ConfirmFormally, _side: Side, *, now: datetime) -> Exchange:
    flags = tuple(flag for flag in exchange.flags if flag is not Flag.CONFIRMATION_OUTSTANDING)
    confirmation = exchange.confirmation
    if confirmation is not None:
        confirmation = replace(confirmation, reference=act.reference, dated=act.date, confirmed_at=now)
    return replace(exchange, flags=flags, confirmation=confirmation)


_EFFECTS: Mapping[type[Act], Callable[..., Exchange]] = {
    acts.RequestOnwardTransfer: _request_onward_transfer,
    acts.DecideOnwardTransfer: _decide_onward_transfer,
    acts.AskUse: _ask_use,
    acts.ExplainUse: _explain_use,
    acts.ConfirmFormally: _confirm_formally,
}


def is_onward(act: Act) -> bool:
    """Whether the act is one of this module."""
    return type(act) in _EFFECTS


def carry_out_onward(exchange: Exchange, act: Act, *, side: Side, now: datetime) -> Exchange:
    """The exchange after the act of that side; generation is left to the caller."""
    return _EFFECTS[type(act)](exchange, act, side, now=now)
