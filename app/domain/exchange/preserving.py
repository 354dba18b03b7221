"""The result of a preservation: what each target came to, which row that is, and the hold it makes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.domain.codes import HoldState, MlaStatus, NotExecutable, State
from app.domain.exchange.moves import derived_id
from app.domain.exchange.values import TargetResult
from app.domain.holds import Hold, Mla, end_of_hold
from app.errors import FieldError, StorageInconsistent

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from app.domain.exchange.parties import PartyRules
    from app.domain.exchange.values import Exchange
    from app.domain.requested_acts import Preserve, TargetOutcome
    from app.domain.transitions import Row

HELD = "HELD"


def merged_results(exchange: Exchange, outcomes: Iterable[TargetOutcome]) -> tuple[TargetResult, ...]:
    """The results so far with these laid over them, by target."""
    by_target = {result.target: result for result in exchange.results}
    for outcome in outcomes:
        not_held = outcome.outcome if isinstance(outcome.outcome, NotExecutable) else None
        by_target[outcome.target] = TargetResult(outcome.target, not_held, outcome.text)
    return tuple(by_target[target] for target in sorted(by_target))


def row_of_result(act: Preserve, rows: tuple[Row, ...], *, exchange: Exchange) -> Row:
    """X16 to X18: of the rows that leave the present state, the one that the results lead along."""
    results = merged_results(exchange, act.results or ())
    wanted = State.PRESERVED if all(result.outcome is None for result in results) else State.PARTIALLY_PRESERVED
    return next((row for row in rows if wanted in row.targets), rows[0])


def result_errors(exchange: Exchange, act: Preserve) -> tuple[FieldError, ...]:
    """What is wrong with the results: not every target once, none held, or some still missing where all must be."""
    outcomes = act.results or ()
    named = [outcome.target for outcome in outcomes]
    known = {result.target for result in exchange.results}
    wanted = range(exchange.asked.targets) if exchange.asked.targets else range(max(named, default=0) + 1)
    if len(set(named)) != len(named) or set(named) | known != set(wanted):
        return (FieldError("/results", "per_target_incomplete", "Name each target once, counted from 0."),)
    results = merged_results(exchange, outcomes)
    if not any(outcome.outcome == HELD for outcome in outcomes):
        return (FieldError("/results", "nothing_held", "Where nothing is held the act is `not_executable`."),)
    if _lets_go(exchange, results):
        return (FieldError("/results", "already_held", "What is held ends with its hold, not by a result."),)
    if exchange.state is State.PARTIALLY_PRESERVED and any(result.outcome is not None for result in results):
        return (FieldError("/results", "targets_remaining", "From here only the whole can be preserved."),)
    return ()


def _lets_go(exchange: Exchange, results: tuple[TargetResult, ...]) -> bool:
    held = {result.target for result in exchange.results if result.outcome is None}
    return any(result.outcome is not None and result.target in held for result in results)


def preserved(exchange: Exchange, act: Preserve, *, rules: PartyRules, now: datetime) -> Exchange:
    """The exchange with the results and one new hold on the targets that became held by this act."""
    if act.results is None or act.days is None:
        raise StorageInconsistent("preserve_incomplete", "a preservation was let through without results or days")
    held_before = {result.target for result in exchange.results if result.outcome is None}
    targets = sorted(
        outcome.target for outcome in act.results if outcome.outcome == HELD and outcome.target not in held_before
    )
    preserved_at = act.preserved_at if act.preserved_at is not None else now
    hold = Hold(
        id=derived_id(exchange, "hold", now=now),
        exchange_id=exchange.id,
        state=HoldState.TIMED,
        preserved_at=preserved_at,
        days_granted=act.days,
        expires_at=end_of_hold(preserved_at, act.days, zone=rules.zone),
        targets=tuple(targets),
        mla=Mla(
            status=MlaStatus.ANNOUNCED if exchange.asked.mla_intended else MlaStatus.NONE,
            planned_on=exchange.asked.mla_planned_on,
        ),
    )
    return replace(exchange, results=merged_results(exchange, act.results), holds=(*exchange.holds, hold))
