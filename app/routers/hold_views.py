"""What callers are shown of holds. Names listed in the contract never change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from app.db.exchanges import ExchangeRecord
from app.domain.codes import HoldState, State
from app.domain.hold_hints import hints
from app.domain.hold_notices import Due, Notice, open_tasks
from app.domain.holds import Hold, hold_flags, is_treaty_exception, state_at
from app.domain.snapshot_bodies import ExtensionBody, ExtensionWishBody, MlaBody
from app.routers.models import Moment, View
from app.services.same_data import Other


class WarningView(View):
    """A warning of the hold's present end that this node has told its desk: how many days before it, and when."""

    days: int
    at: Moment


class TaskView(View):
    """What the requested side's desk has to do about the hold. `text` says what to mind."""

    task: Notice
    since: Moment
    due_at: Moment | None
    text: str | None


class SameDataView(View):
    """An exchange with whatever state, open towards this contact point, on data that this one asks for too."""

    exchange_id: UUID
    requesting: str
    state: State
    targets: list[int]
    holds: list[UUID]


class HoldView(View):
    """Data kept for another state. `expires_at` is null while a decision is pending.

    `expires_local` is the end on the clocks of both sides. `others_on_same_data` counts other open holds on the same
    data; it is null at the requesting side, which is never told, and in lists.
    """

    id: UUID
    exchange_id: UUID
    state: HoldState
    generation: int
    preserved_at: Moment
    days_granted: int
    expires_at: Moment | None
    expires_local: dict[str, str] | None
    flags: list[str]
    hints: list[str]
    warnings: list[WarningView]
    tasks: list[TaskView]
    others_on_same_data: int | None
    targets: list[int]
    mla: MlaBody
    extension_wish: ExtensionWishBody | None
    extensions: list[ExtensionBody]
    release_due_at: Moment | None
    ended_at: Moment | None
    end_reason: str | None
    end_text: str | None
    lost_at: Moment | None
    new_request_possible: bool | None
    treaty_exception: bool
    is_test: bool
    allowed_actions: list[str]


@dataclass(frozen=True, slots=True)
class AroundHolds:
    """What is shown with the holds of an exchange beside themselves.

    `others` is None where nobody looked, or may know. `zones` are those of the two contact points, by code.
    """

    warned: Mapping[UUID, Sequence[tuple[int, datetime]]] = field(default_factory=dict)
    others: Sequence[Other] | None = None
    zones: Mapping[str, str] = field(default_factory=dict)
    max_extensions: int | None = None


NOTHING_AROUND = AroundHolds()


def show_hold(
    hold: Hold, record: ExchangeRecord, *, now: datetime, allowed: Sequence[str] = (), around: AroundHolds | None = None
) -> HoldView:
    """One hold. The requested side shows the state that every rule goes by; a replica shows what it was told."""
    replica = record.is_replica
    around = NOTHING_AROUND if around is None else around
    others = None if around.others is None or replica else open_on_same_data(hold, around.others)
    return HoldView(
        id=hold.id,
        exchange_id=hold.exchange_id,
        state=hold.state if replica else state_at(hold, now),
        generation=record.value.generation,
        preserved_at=hold.preserved_at,
        days_granted=hold.days_granted,
        expires_at=hold.expires_at,
        expires_local=_on_both_clocks(hold, around.zones),
        flags=[str(flag) for flag in hold_flags(hold, now, replica=replica)],
        hints=[str(hint) for hint in hints(hold, now, replica=replica, max_extensions=around.max_extensions)],
        warnings=[WarningView(days=days, at=at) for days, at in around.warned.get(hold.id, ())],
        tasks=[] if replica else [_task(due, others) for due in open_tasks(hold, now)],
        others_on_same_data=others,
        targets=list(hold.targets),
        mla=MlaBody.model_validate(hold.mla, strict=False, from_attributes=True),
        extension_wish=None
        if hold.extension_wish is None
        else ExtensionWishBody.model_validate(hold.extension_wish, strict=False, from_attributes=True),
        extensions=[ExtensionBody.model_validate(one, strict=False, from_attributes=True) for one in hold.extensions],
        release_due_at=hold.release_due_at,
        ended_at=hold.ended_at,
        end_reason=hold.end_reason,
        end_text=hold.end_text,
        lost_at=hold.lost_at,
        new_request_possible=hold.new_request_possible,
        treaty_exception=is_treaty_exception(hold),
        is_test=record.is_test,
        allowed_actions=list(allowed),
    )


def open_on_same_data(hold: Hold, others: Sequence[Other]) -> int:
    """How many open holds of other exchanges keep some of the data that this one keeps."""
    return sum(
        1
        for other in others
        for held in other.holds
        if any(ours in hold.targets and theirs in held.targets for ours, theirs in other.pairs)
    )


def show_same_data(others: Sequence[Other]) -> list[SameDataView]:
    """The other exchanges, as the desk of the requested side sees them; `targets` are those of the exchange shown."""
    return [
        SameDataView(
            exchange_id=other.exchange_id,
            requesting=other.requesting,
            state=other.state,
            targets=sorted({ours for ours, _ in other.pairs}),
            holds=[held.id for held in other.holds],
        )
        for other in others
    ]


def _task(due: Due, others: int | None) -> TaskView:
    text = None
    if due.notice is Notice.RELEASE and others:
        text = f"Other open holds on the same data: {others}. End this hold alone; the data stay held."
    return TaskView(task=due.notice, since=due.since, due_at=due.due_at, text=text)


def _on_both_clocks(hold: Hold, zones: Mapping[str, str]) -> dict[str, str] | None:
    if hold.expires_at is None or not zones:
        return None
    end = hold.expires_at
    return {code: end.astimezone(ZoneInfo(zone)).isoformat(timespec="seconds") for code, zone in zones.items()}
