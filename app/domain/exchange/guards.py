"""What an act says, held against the exchange and the law of the requested side: the 422 of the interface.

Each guard returns the rules broken; the first one gives the refusal its code. No detail repeats what was submitted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.domain import onward_acts
from app.domain import requested_acts as acts
from app.domain.codes import RequestType
from app.domain.exchange.clocks import LONGEST_TERM, MAX_POSTPONEMENT
from app.domain.exchange.grounds import available_notices, can_be_postponed, refusable_on
from app.domain.exchange.marking_guards import answer_marking_errors
from app.domain.exchange.onward import open_transfer, open_use_question
from app.domain.exchange.preserving import result_errors
from app.domain.exchange.refusing import NOT_AVAILABLE, legal_roads, refusal_errors
from app.domain.exchange_codes import Side
from app.domain.holds import end_of_hold
from app.domain.transitions import EMERGENCY
from app.errors import FieldError, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from app.domain.codes import Instrument
    from app.domain.exchange.parties import PartyRules
    from app.domain.exchange.values import Exchange, ProposedRefusal
    from app.domain.transitions import Row
    from app.domain.wire import Act

Errors = tuple[FieldError, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """Against what an act is held."""

    exchange: Exchange
    row: Row
    rules: PartyRules
    now: datetime


def check_content(act: Act, case: Case) -> None:
    """Raises Refused with every rule that the content of `act` breaks; its code is that of the first."""
    guard = _GUARDS.get(type(act))
    errors = () if guard is None else guard(act, case)
    if errors:
        raise Refused(errors[0].code, errors[0].detail, errors=errors, **_roads(act, case, errors))


def _roads(act: Act, case: Case, errors: Errors) -> dict[str, Any]:
    """What goes with a ground that is not open: those that are, and what to say in its place."""
    tried = act if isinstance(act, acts.Refuse) else case.exchange.private.proposed_refusal
    if errors[0].code != NOT_AVAILABLE or tried is None or tried.instrument is None:
        return {}
    return legal_roads(case.exchange, case.rules, ground=tried.code, instrument=tried.instrument)


def _future(pointer: str, moment: datetime | None, case: Case) -> Errors:
    if moment is None or case.now < moment <= case.now + LONGEST_TERM:
        return ()
    return (FieldError(pointer, "out_of_range", "This must lie ahead, and within a year."),)


def _past(pointer: str, moment: datetime | None, case: Case) -> Errors:
    if moment is None or case.now - LONGEST_TERM <= moment <= case.now:
        return ()
    return (FieldError(pointer, "out_of_range", "This cannot lie ahead, nor more than a year back."),)


def _missing(pointer: str) -> FieldError:
    return FieldError(pointer, "missing", "This member is required.")


def _instrument(instrument: Instrument | None, case: Case) -> Errors:
    if instrument is None:
        return (FieldError("/instrument", "N-NOBASIS", "No instrument in force between the two states covers this."),)
    if instrument not in case.rules.instruments:
        listed = ", ".join(case.rules.instruments) or "none"
        return (FieldError("/instrument", "instrument_not_in_force", f"In force for this request: {listed}."),)
    return ()


def _acknowledge(act: acts.Acknowledge, case: Case) -> Errors:
    absent = tuple(_missing(f"/{name}") for name in ("b_reference", "next_update_at") if getattr(act, name) is None)
    return absent + _future("/next_update_at", act.next_update_at, case)


def _ask(act: acts.Ask, case: Case) -> Errors:
    return _future("/due_at", act.due_at, case)


def _notify_risk(act: acts.NotifyRisk, case: Case) -> Errors:
    """Art. 29(6) speaks of preservation; for everything else art. 27(8) leaves confidentiality alone (X7)."""
    errors = _future("/due_at", act.due_at, case) + _instrument(act.instrument, case)
    if errors or act.instrument is None:
        return errors
    open_ones = available_notices(case.exchange, act.instrument, case.rules)
    if set(act.codes) <= set(open_ones):
        return ()
    detail = f"For this type under this instrument: {', '.join(open_ones) or 'none'}."
    return (FieldError("/codes", "code_not_available", detail),)


def _with_instrument(act: acts.ProposeConditions | acts.Accept, case: Case) -> Errors:
    return _instrument(act.instrument, case)


def _preserve(act: acts.Preserve, case: Case) -> Errors:
    absent = tuple(_missing(f"/{name}") for name in ("results", "days", "preserved_at") if getattr(act, name) is None)
    if absent or act.days is None or act.preserved_at is None:
        return absent
    errors = result_errors(case.exchange, act) + _past("/preserved_at", act.preserved_at, case)
    if errors or end_of_hold(act.preserved_at, act.days, zone=case.rules.zone) > case.now:
        return errors
    return (FieldError("/preserved_at", "out_of_range", "A hold from then on would already have ended."),)


def _not_executable(act: acts.NotExecutableAct, case: Case) -> Errors:
    errors: Errors = ()
    if act.code not in case.row.codes:
        listed = ", ".join(case.row.codes)
        errors = (FieldError("/code", "code_not_available", f"In this state: {listed}."),)
    if "reasons" in case.row.needs and act.reasons is None:
        errors = (*errors, _missing("/reasons"))
    if "reasons" in case.row.needs and act.suggestion is None and case.exchange.type in EMERGENCY:
        errors = (*errors, _no_alternatives("/suggestion"))
    return errors


def _refuse(act: acts.Refuse, case: Case) -> Errors:
    errors = _instrument(act.instrument, case)
    if errors or act.instrument is None:
        return errors
    if act.alternatives is None and case.exchange.type in EMERGENCY:
        errors = (_no_alternatives("/alternatives"),)
    return _ground(act, act.instrument, case) + errors


def _no_alternatives(pointer: str) -> FieldError:
    """CETS 224 art. 9(6): no is said together with the other forms of cooperation there are."""
    return FieldError(pointer, "alternatives_missing", "Name the other forms of cooperation that are available.")


def _confirm_refusal(_act: acts.ConfirmRefusal, case: Case) -> Errors:
    """The law may have changed between the two signatures: the second is held against it as the first was."""
    proposed = case.exchange.private.proposed_refusal
    if proposed is None:
        return ()
    errors = _instrument(proposed.instrument, case)
    if errors:
        return errors
    return _ground(proposed, proposed.instrument, case)


def _ground(said: acts.Refuse | ProposedRefusal, instrument: Instrument, case: Case) -> Errors:
    return refusal_errors(
        case.exchange, case.rules, ground=said.code, instrument=instrument, reservation_id=said.reservation_id
    )


def _postpone(act: acts.Postpone, case: Case) -> Errors:
    lawful = refusable_on(case.exchange, case.rules)
    if lawful and not any(can_be_postponed(case.exchange, one, case.rules) for one in lawful):
        detail = "The instrument or treaty between the two states knows no postponement of such a request."
        return (FieldError("/code", "postponement_not_available", detail),)
    if case.now < act.review_at <= case.now + MAX_POSTPONEMENT:
        return ()
    return (FieldError("/review_at", "out_of_range", "The review lies ahead, and within thirty days."),)


def _report_progress(act: acts.ReportProgress, case: Case) -> Errors:
    return _future("/next_update_at", act.next_update_at, case)


def _answer(act: acts.Answer, case: Case) -> Errors:
    """Four by four is for information and advice, and whole; what is disclosed on a request bears none."""
    errors = answer_marking_errors(case.exchange, act.marking)
    for name in ("source", "information"):
        if getattr(act, name) is not None and case.exchange.type is not RequestType.TECHNICAL_ADVICE:
            errors = (
                *errors,
                FieldError(f"/{name}", "evaluation_not_available", "Only information and advice bear it."),
            )
    if (act.source is None) != (act.information is None):
        errors = (*errors, _missing("/source" if act.source is None else "/information"))
    return errors


def _disclose_traffic_path(act: acts.DiscloseTrafficPath, case: Case) -> Errors:
    """Art. 30 speaks of a provider in another state."""
    errors = answer_marking_errors(case.exchange, act.marking)
    if act.country is not None and case.exchange.requested.startswith(act.country):
        errors = (*errors, FieldError("/country", "provider_not_abroad", "Art. 30 speaks of a provider abroad."))
    return errors


def _decide_onward_transfer(act: onward_acts.DecideOnwardTransfer, case: Case) -> Errors:
    wished = open_transfer(case.exchange, act.transfer_id, giver=Side.REQUESTED)
    return () if wished else (_not_open("/transfer_id"),)


def _explain_use(act: onward_acts.ExplainUse, case: Case) -> Errors:
    asked = open_use_question(case.exchange, act.question_id, receiver=Side.REQUESTED)
    return () if asked else (_not_open("/question_id"),)


def _not_open(pointer: str) -> FieldError:
    return FieldError(pointer, "not_open", "This must name what is open at present.")


def _record_oral(act: acts.RecordOral, case: Case) -> Errors:
    return _past("/made_at", act.made_at, case)


_GUARDS: Mapping[type[Act], Callable[..., Errors]] = {
    acts.Acknowledge: _acknowledge,
    acts.Ask: _ask,
    acts.NotifyRisk: _notify_risk,
    acts.ProposeConditions: _with_instrument,
    acts.Accept: _with_instrument,
    acts.Preserve: _preserve,
    acts.NotExecutableAct: _not_executable,
    acts.Refuse: _refuse,
    acts.ConfirmRefusal: _confirm_refusal,
    acts.Postpone: _postpone,
    acts.ReportProgress: _report_progress,
    acts.RecordOral: _record_oral,
    acts.Answer: _answer,
    acts.DiscloseTrafficPath: _disclose_traffic_path,
    onward_acts.DecideOnwardTransfer: _decide_onward_transfer,
    onward_acts.ExplainUse: _explain_use,
}
