"""What an act says, held against the exchange and the law of the requested side: the 422 of the interface.

Each guard returns the rules broken; the first one gives the refusal its code. No detail repeats what was submitted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain import requested_acts as acts
from app.domain.codes import RefusalGround, RiskNotice
from app.domain.exchange.clocks import LONGEST_TERM, MAX_POSTPONEMENT
from app.domain.exchange.grounds import available_grounds, needs_reservation
from app.domain.exchange.preserving import result_errors
from app.domain.holds import end_of_hold
from app.domain.transitions import HOLD_TYPES
from app.errors import FieldError, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from app.domain.codes import Instrument
    from app.domain.exchange.parties import PartyRules
    from app.domain.exchange.values import Exchange
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
        raise Refused(errors[0].code, errors[0].detail, errors=errors)


def ground_errors(case: Case, ground: RefusalGround, instrument: Instrument, *, reservation_id: str | None) -> Errors:
    """Whether this ground is open in this case (domain.md 2.2); the detail lists those that are."""
    available = available_grounds(case.exchange, instrument, case.rules)
    if ground not in available:
        listed = ", ".join(available) or "none"
        return (FieldError("/code", "refusal_ground_not_available", f"Grounds open in this case: {listed}."),)
    if ground is RefusalGround.DUAL_CRIMINALITY and needs_reservation(case.exchange, instrument):
        on_file = {name for name in case.rules.reservations if name.startswith(f"{instrument}:")}
        if reservation_id not in on_file:
            detail = f"Name the reservation on file: {', '.join(sorted(on_file))}."
            return (FieldError("/reservation_id", "refusal_ground_not_available", detail),)
    return ()


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
    if case.exchange.type in HOLD_TYPES or set(act.codes) == {RiskNotice.CONFIDENTIALITY}:
        return errors
    return (*errors, FieldError("/codes", "code_not_available", "For this type: W-CONF."))


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
    return errors


def _refuse(act: acts.Refuse, case: Case) -> Errors:
    errors = _instrument(act.instrument, case)
    if errors or act.instrument is None:
        return errors
    return ground_errors(case, act.code, act.instrument, reservation_id=act.reservation_id)


def _confirm_refusal(_act: acts.ConfirmRefusal, case: Case) -> Errors:
    """The law may have changed between the two signatures: the second is held against it as the first was."""
    proposed = case.exchange.private.proposed_refusal
    if proposed is None:
        return ()
    errors = _instrument(proposed.instrument, case)
    if errors:
        return errors
    return ground_errors(case, proposed.code, proposed.instrument, reservation_id=proposed.reservation_id)


def _postpone(act: acts.Postpone, case: Case) -> Errors:
    if case.now < act.review_at <= case.now + MAX_POSTPONEMENT:
        return ()
    return (FieldError("/review_at", "out_of_range", "The review lies ahead, and within thirty days."),)


def _report_progress(act: acts.ReportProgress, case: Case) -> Errors:
    return _future("/next_update_at", act.next_update_at, case)


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
}
