"""What each act of the requested side changes, beside the state. The acts are complete: `propose` filled them in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.domain import requested_acts as acts
from app.domain.codes import RequestType, Tier
from app.domain.deadlines import Step
from app.domain.exchange.clocks import REGULARISED_WITHIN
from app.domain.exchange.grounds import provision
from app.domain.exchange.moves import derived_id
from app.domain.exchange.onward import bind_answer, carry_out_onward, is_onward
from app.domain.exchange.preserving import preserved
from app.domain.exchange.requesting_effects import bound
from app.domain.exchange.values import (
    TERMINAL,
    Answer,
    Condition,
    Hop,
    LateFact,
    OralRequest,
    Progress,
    ProposedRefusal,
    Question,
    Referral,
    TierChange,
    TrafficPath,
)
from app.domain.exchange_codes import Flag, QuestionKind, Side
from app.domain.marking_bodies import read_marking
from app.errors import StorageInconsistent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from app.domain.exchange.parties import Officer, PartyRules
    from app.domain.exchange.values import Exchange
    from app.domain.wire import Act

CONTINUED_OUTSIDE = "continued_outside"


@dataclass(frozen=True, slots=True)
class Doing:
    """Who acts, under which rules, when."""

    by: Officer
    rules: PartyRules
    now: datetime


def _acknowledge(exchange: Exchange, act: acts.Acknowledge, _doing: Doing) -> Exchange:
    return replace(exchange, b_reference=act.b_reference, next_update_at=act.next_update_at)


def _asked(exchange: Exchange, act: acts.Ask | acts.NotifyRisk, kind: QuestionKind, *, doing: Doing) -> Exchange:
    step = Step.CLARIFICATION_ANSWER if kind is QuestionKind.ASK else Step.RISK_NOTICE_ANSWER
    usual = doing.now + doing.rules.clocks.within(step, exchange.tier)
    codes = tuple(code.value for code in act.codes)
    question_id = derived_id(exchange, "question", now=doing.now)
    question = Question(question_id, kind, codes, act.text, doing.now, act.due_at or usual)
    return replace(exchange, question=question)


def _ask(exchange: Exchange, act: acts.Ask, doing: Doing) -> Exchange:
    asked = _asked(exchange, act, QuestionKind.ASK, doing=doing)
    return replace(asked, resume_state=exchange.state, clarifications=exchange.clarifications + 1)


def _notify_risk(exchange: Exchange, act: acts.NotifyRisk, doing: Doing) -> Exchange:
    return replace(_asked(exchange, act, QuestionKind.RISK, doing=doing), instrument=act.instrument)


def _propose_conditions(exchange: Exchange, act: acts.ProposeConditions, doing: Doing) -> Exchange:
    due_at = doing.now + doing.rules.clocks.within(Step.CONDITION_ANSWER, exchange.tier)
    condition = Condition(derived_id(exchange, "condition", now=doing.now), act.kind, act.text, doing.now, due_at)
    return replace(exchange, condition=condition, instrument=act.instrument)


def _accept(exchange: Exchange, act: acts.Accept, doing: Doing) -> Exchange:
    return _told(replace(exchange, instrument=act.instrument), act.text, now=doing.now)


def _start(exchange: Exchange, act: acts.Start, doing: Doing) -> Exchange:
    return _told(_served(exchange, act, now=doing.now), act.text, now=doing.now)


def _served(exchange: Exchange, act: acts.Start | acts.ReportProgress, *, now: datetime) -> Exchange:
    """The first time that it is said counts."""
    return exchange if act.order_served is None or exchange.served_at is not None else replace(exchange, served_at=now)


def _told(exchange: Exchange, text: str | None, *, now: datetime) -> Exchange:
    if text is None:
        return exchange
    return replace(exchange, progress=(*exchange.progress, Progress(now, text)))


def _preserve(exchange: Exchange, act: acts.Preserve, doing: Doing) -> Exchange:
    return preserved(exchange, act, rules=doing.rules, now=doing.now)


def _disclose_traffic_path(exchange: Exchange, act: acts.DiscloseTrafficPath, doing: Doing) -> Exchange:
    path = tuple(Hop(hop.address, hop.country, hop.seen_at) for hop in act.path)
    told = TrafficPath(doing.now, act.provider, act.country, path, act.withheld, read_marking(act.marking))
    return replace(exchange, traffic_paths=(*exchange.traffic_paths, told))


def _not_executable(exchange: Exchange, act: acts.NotExecutableAct, _doing: Doing) -> Exchange:
    return replace(exchange, reason=act.code.value, reason_text=act.reasons, suggestion=act.suggestion)


def _refuse(exchange: Exchange, act: acts.Refuse, doing: Doing) -> Exchange:
    if act.instrument is None:
        raise StorageInconsistent("instrument_missing", "a refusal was let through without its instrument")
    proposed = ProposedRefusal(
        by=doing.by.person,
        code=act.code,
        reasons=act.reasons,
        instrument=act.instrument,
        at=doing.now,
        reservation_id=act.reservation_id,
        alternatives=act.alternatives,
    )
    return replace(exchange, private=replace(exchange.private, proposed_refusal=proposed))


def _confirm_refusal(exchange: Exchange, _act: acts.ConfirmRefusal, doing: Doing) -> Exchange:
    proposed = exchange.private.proposed_refusal
    if proposed is None:
        raise StorageInconsistent("refusal_missing", "a refusal was let through that nobody had proposed")
    return replace(
        exchange,
        instrument=proposed.instrument,
        reason=proposed.code.value,
        reason_article=provision(exchange, proposed.instrument, proposed.code, rules=doing.rules),
        reason_text=proposed.reasons,
        suggestion=proposed.alternatives,
    )


def _postpone(exchange: Exchange, act: acts.Postpone, _doing: Doing) -> Exchange:
    return replace(exchange, review_at=act.review_at, reason=act.code, reason_text=act.text)


def _resume(exchange: Exchange, _act: acts.Resume, _doing: Doing) -> Exchange:
    return exchange


def _refer(exchange: Exchange, act: acts.Refer, _doing: Doing) -> Exchange:
    return replace(exchange, referred_to=Referral(act.authority, act.contact))


def _close(exchange: Exchange, act: acts.Close, _doing: Doing) -> Exchange:
    referred = exchange.referred_to
    if referred is not None:
        referred = replace(referred, reference=act.reference)
    return replace(exchange, reason=CONTINUED_OUTSIDE, referred_to=referred)


def _answer(exchange: Exchange, act: acts.Answer, doing: Doing) -> Exchange:
    marking = read_marking(act.marking)
    given = Answer(doing.now, act.text, act.source, act.information, marking, bind_answer(exchange))
    answered = replace(exchange, answers=(*exchange.answers, given))
    if exchange.type is RequestType.EMERGENCY_DISCLOSURE and doing.rules.formalities_after_execution:
        return with_flag(answered, Flag.POST_FORMALITIES_DUE)
    return answered


def _report_progress(exchange: Exchange, act: acts.ReportProgress, doing: Doing) -> Exchange:
    if exchange.state in TERMINAL:
        fact = LateFact(doing.now, Side.REQUESTED, act.text)
        return replace(exchange, late_facts=(*exchange.late_facts, fact))
    next_update_at = act.next_update_at if act.next_update_at is not None else exchange.next_update_at
    served = _served(exchange, act, now=doing.now)
    return replace(_told(served, act.text, now=doing.now), next_update_at=next_update_at)


def _downgrade(exchange: Exchange, act: acts.Downgrade, doing: Doing) -> Exchange:
    change = TierChange(doing.now, Side.REQUESTED, Tier(act.tier), act.alternatives, act.code)
    return replace(exchange, tier=Tier(act.tier), tier_changes=(*exchange.tier_changes, change))


def _accept_information(exchange: Exchange, _act: acts.AcceptInformation, doing: Doing) -> Exchange:
    return bound(exchange, now=doing.now)


def _cannot_comply(exchange: Exchange, act: acts.CannotComply, doing: Doing) -> Exchange:
    return _told(exchange, act.text, now=doing.now)


def _record_oral(exchange: Exchange, act: acts.RecordOral, doing: Doing) -> Exchange:
    due_at = act.made_at + REGULARISED_WITHIN
    oral = OralRequest(act.made_at, act.made_by, act.received_by, doing.now, act.text, due_at)
    return with_flag(replace(exchange, oral=oral), Flag.ORAL_FIRST)


def _regularise(exchange: Exchange, act: acts.Regularise, doing: Doing) -> Exchange:
    oral = None if exchange.oral is None else replace(exchange.oral, regularised_at=doing.now)
    settled_flags = {Flag.ORAL_FIRST, Flag.POST_FORMALITIES_DUE}
    flags = tuple(flag for flag in exchange.flags if flag not in settled_flags)
    return _told(replace(exchange, oral=oral, flags=flags), act.text, now=doing.now)


def with_flag(exchange: Exchange, flag: Flag) -> Exchange:
    """The exchange with this mark; marks are kept in one order and each once."""
    return replace(exchange, flags=tuple(sorted({*exchange.flags, flag})))


def without_flag(exchange: Exchange, flag: Flag) -> Exchange:
    """The exchange without this mark."""
    return replace(exchange, flags=tuple(one for one in exchange.flags if one is not flag))


_EFFECTS: Mapping[type[Act], Callable[..., Exchange]] = {
    acts.Acknowledge: _acknowledge,
    acts.Ask: _ask,
    acts.NotifyRisk: _notify_risk,
    acts.ProposeConditions: _propose_conditions,
    acts.Accept: _accept,
    acts.Start: _start,
    acts.Preserve: _preserve,
    acts.DiscloseTrafficPath: _disclose_traffic_path,
    acts.NotExecutableAct: _not_executable,
    acts.Refuse: _refuse,
    acts.ConfirmRefusal: _confirm_refusal,
    acts.Postpone: _postpone,
    acts.Resume: _resume,
    acts.Refer: _refer,
    acts.Close: _close,
    acts.Answer: _answer,
    acts.ReportProgress: _report_progress,
    acts.Downgrade: _downgrade,
    acts.AcceptInformation: _accept_information,
    acts.CannotComply: _cannot_comply,
    acts.RecordOral: _record_oral,
    acts.Regularise: _regularise,
}


def carry_out(exchange: Exchange, act: Act, doing: Doing) -> Exchange:
    """The exchange with what `act` adds to it; state and generation are left to the caller."""
    if is_onward(act):
        return carry_out_onward(exchange, act, side=Side.REQUESTED, now=doing.now)
    return _EFFECTS[type(act)](exchange, act, doing)
