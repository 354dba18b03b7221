"""Acts of the requesting side as they arrive: applied, stale or refused with a code, each exactly by ruling 14.

Nothing here raises: a message that was understood has a fate. The generation that the act names says what its officer
had seen; whether it still counts is decided by what it answers, never by that number.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.domain.codes import Fate
from app.domain.exchange.admission import obstacle_to
from app.domain.exchange.hold_admission import is_timed
from app.domain.exchange.hold_effects import HoldDoing, carry_out_on_hold
from app.domain.exchange.moves import moved, run_out, with_hold, written
from app.domain.exchange.onward import ONWARD_ACTS, open_transfer, open_use_question
from app.domain.exchange.requesting_effects import carry_out
from app.domain.exchange.room import is_onward_room_full
from app.domain.exchange.values import TERMINAL
from app.domain.exchange_codes import QuestionKind, Side
from app.domain.hold_acts import Release, RequestExtension
from app.domain.hold_transitions import REQUESTING_HOLD_ACTS
from app.domain.holds import is_open
from app.domain.messages import ActionBody, HoldActionBody
from app.domain.moments import to_milliseconds
from app.domain.onward_acts import DecideOnwardTransfer, ExplainUse
from app.domain.requesting_acts import (
    AcceptCondition,
    DeclineCondition,
    Proceed,
    RaiseTier,
    SendContent,
    Stop,
    Supplement,
    Withdraw,
)
from app.domain.tiers import is_higher
from app.domain.transitions import REQUESTING_ACTS, X29, rows_of

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from app.domain.acts import ExchangeAct
    from app.domain.exchange.values import Exchange
    from app.domain.holds import Hold
    from app.domain.transitions import Row

NOT_YOURS = "not_yours"


@dataclass(frozen=True, slots=True)
class Judged:
    """The fate of one act, and the exchange after it.

    `exchange` is the one given in if the act was not applied, unless a hold had run out meanwhile: that is then written
    in passing, so that the end state which goes back is the true one.
    """

    fate: Fate
    code: str | None
    exchange: Exchange


def judge(
    exchange: Exchange, wish: ActionBody | HoldActionBody, *, now: datetime, first_received_at: datetime, zone: ZoneInfo
) -> Judged:
    """The fate of an act of the requesting side, and the exchange after it, one generation on if it was applied."""
    if exchange.was_never_opened:
        return Judged(Fate.STALE, None, exchange)
    moment = to_milliseconds(now)
    seen = run_out(exchange, now=moment)
    if isinstance(wish, HoldActionBody):
        fate, code, changed = _on_hold(seen, wish, HoldDoing(moment, zone), first_received_at=first_received_at)
    else:
        fate, code, changed = _on_exchange(seen, wish.act, now=moment)
        changed = _no_longer_waiting(changed, wish.act)
    if fate is not Fate.APPLIED and seen == exchange:
        return Judged(fate, code, changed)
    return Judged(fate, code, written(changed, over=exchange, now=moment))


_Verdict = tuple[Fate, str | None, "Exchange"]


def _on_exchange(seen: Exchange, act: ExchangeAct, *, now: datetime) -> _Verdict:
    """One act on the exchange."""
    code = _refusal_of(seen, act)
    if code is not None:
        return Fate.REFUSED, code, seen
    row = _row(seen, act)
    if row is None or (isinstance(act, RaiseTier) and not is_higher(act.tier, than=seen.tier)):
        return Fate.STALE, None, seen
    obstacle = obstacle_to(seen, act.action, side=Side.REQUESTING, now=now)
    if obstacle is not None:
        return Fate.REFUSED, obstacle, seen
    body: ExchangeAct = act
    if isinstance(act, Stop) and row is X29:
        # The notice is gone but the wish is clear: what must stop is withdrawn (ruling 14).
        body = Withdraw(action="withdraw", generation=act.generation)
    changed = carry_out(seen, body, now=now)
    if act.action in ONWARD_ACTS and is_onward_room_full(changed):
        return Fate.REFUSED, "too_much_text", seen
    return Fate.APPLIED, None, moved(changed, row, now=now)


def _refusal_of(seen: Exchange, act: ExchangeAct) -> str | None:
    """Why the act can never be applied to this exchange, whatever its state."""
    if act.action not in REQUESTING_ACTS:
        return NOT_YOURS
    if not any(row.is_for(seen.type) for row in rows_of(act.action, Side.REQUESTING)):
        return "action_not_allowed"
    if isinstance(act, Proceed) and act.question_id is None:
        return "question_id_missing"
    if isinstance(act, AcceptCondition | DeclineCondition) and act.condition_id is None:
        return "condition_id_missing"
    if isinstance(act, SendContent) and None in {act.text, act.source, act.information}:
        return "content_incomplete"
    return None


def _row(seen: Exchange, act: ExchangeAct) -> Row | None:
    """The row the act walks; None if it comes too late."""
    rows = rows_of(act.action, Side.REQUESTING)
    leaving = [row for row in rows if seen.state in row.sources and row.is_for(seen.type)]
    if isinstance(act, Stop) and not _answers_question(seen, act, QuestionKind.RISK):
        return None if seen.state in TERMINAL else X29
    if isinstance(act, Proceed) and not _answers_question(seen, act, QuestionKind.RISK):
        return None
    if isinstance(act, AcceptCondition | DeclineCondition) and not _answers_condition(seen, act):
        return None
    if _answers_nothing_open(seen, act):
        return None
    if isinstance(act, Supplement) and not _answers_question(seen, act, QuestionKind.ASK):
        leaving = [row for row in leaving if not row.targets]
    return leaving[0] if leaving else None


def _answers_nothing_open(seen: Exchange, act: ExchangeAct) -> bool:
    """Whether the transfer or the question that the act names has been decided, or answered, already."""
    if isinstance(act, DecideOnwardTransfer):
        return open_transfer(seen, act.transfer_id, giver=Side.REQUESTING) is None
    if isinstance(act, ExplainUse):
        return open_use_question(seen, act.question_id, receiver=Side.REQUESTING) is None
    return False


def _answers_question(seen: Exchange, act: Supplement | Proceed | Stop, kind: QuestionKind) -> bool:
    return seen.question is not None and seen.question.kind is kind and seen.question.id == act.question_id


def _answers_condition(seen: Exchange, act: AcceptCondition | DeclineCondition) -> bool:
    return seen.condition is not None and seen.condition.id == act.condition_id


def awaiting_withdrawal(exchange: Exchange) -> Exchange:
    """The exchange while a verified `withdraw` or `stop` is held behind a gap.

    It blocks start, preserve, disclose and answer (ruling 14). Nothing that the other side sees changes: no generation.
    """
    return replace(exchange, private=replace(exchange.private, withdrawal_waiting=True))


def _no_longer_waiting(exchange: Exchange, act: ExchangeAct) -> Exchange:
    """A withdrawal that was held behind a gap has now been judged and blocks nothing any more."""
    if not isinstance(act, Stop | Withdraw) or not exchange.private.withdrawal_waiting:
        return exchange
    return replace(exchange, private=replace(exchange.private, withdrawal_waiting=False))


def _on_hold(seen: Exchange, wish: HoldActionBody, doing: HoldDoing, *, first_received_at: datetime) -> _Verdict:
    """One act on a hold."""
    if wish.act.action not in REQUESTING_HOLD_ACTS:
        return Fate.REFUSED, NOT_YOURS, seen
    hold = seen.hold(wish.hold_id)
    if hold is None:
        return Fate.REFUSED, "unknown_hold", seen
    if _comes_too_late(hold, wish, doing, first_received_at=first_received_at):
        return Fate.STALE, None, seen
    return Fate.APPLIED, None, with_hold(seen, carry_out_on_hold(hold, wish.act, doing))


def _comes_too_late(hold: Hold, wish: HoldActionBody, doing: HoldDoing, *, first_received_at: datetime) -> bool:
    """A claim never does. An extension does if it was first received at or after the end; a release after the end."""
    if isinstance(wish.act, RequestExtension):
        return hold.releasing or not is_timed(hold, first_received_at)
    if isinstance(wish.act, Release):
        return not is_open(hold, doing.now)
    return False
