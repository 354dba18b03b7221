"""What the clock of a hold tells each desk: once, the nearest first, and again when there is a new end."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from app.domain.codes import HoldState, MlaStatus
from app.domain.exchange_codes import Side
from app.domain.hold_hints import HoldHint, hints
from app.domain.hold_notices import NEWS_WITHIN, Due, Notice, Telling, Told, next_look, open_tasks, to_tell
from app.domain.holds import WARNING_DAYS, ExtensionWish, Mla, extended_end, is_treaty_exception
from tests.domain.exchange.build import NOW, TOKYO
from tests.domain.holds.build import hold_in

if TYPE_CHECKING:
    from app.domain.holds import Hold

DAY = timedelta(days=1)
A_MOMENT = timedelta(milliseconds=1)


def end_of(hold: Hold) -> datetime:
    """When the clock of this hold runs out."""
    assert hold.expires_at is not None
    return hold.expires_at


def after(told: Told, hold: Hold, telling: Telling) -> Told:
    """What counts as told once all of `telling` was."""
    days = (*telling.passed_over, *(() if telling.days is None else (telling.days,)))
    due = (*telling.notices, *telling.notices_passed_over)
    return Told(
        told.warnings | {(end_of(hold), one) for one in days} if days else told.warnings,
        told.notices | {one.key for one in due},
    )


class Desk:
    """One desk that looks now and then and remembers what it was told."""

    def __init__(self, side: Side = Side.REQUESTED) -> None:
        self.side = side
        self.told = Told()

    def looks(self, hold: Hold, now: datetime) -> Telling:
        """What it is told at this moment."""
        telling = to_tell(hold, now, side=self.side, told=self.told)
        self.told = after(self.told, hold, telling)
        return telling


@pytest.mark.parametrize("side", Side)
def test_each_warning_is_told_once_at_its_own_instant(side: Side) -> None:
    """30, 14, 7, 3 and 1 days before the end, not a moment earlier, on both sides, and never again."""
    hold, desk = hold_in(HoldState.TIMED), Desk(side)
    for days in WARNING_DAYS:
        at = end_of(hold) - days * DAY
        assert desk.looks(hold, at - A_MOMENT).days is None
        assert desk.looks(hold, at).days == days
        assert desk.looks(hold, at + A_MOMENT).days is None


def test_after_a_gap_only_the_nearest_is_told() -> None:
    """A node that was down from the 31st to the 5th day before tells of 7 days, and never of 30 or 14."""
    hold, desk = hold_in(HoldState.TIMED), Desk()
    desk.looks(hold, end_of(hold) - 31 * DAY)
    telling = desk.looks(hold, end_of(hold) - 5 * DAY)
    assert (telling.days, telling.passed_over) == (7, (30, 14))
    assert desk.looks(hold, end_of(hold) - 4 * DAY) == Telling()


def test_a_clock_put_back_tells_nothing_twice() -> None:
    """What was told stays told; what was passed over too."""
    hold, desk = hold_in(HoldState.TIMED), Desk()
    desk.looks(hold, end_of(hold) - 2 * DAY)
    assert desk.looks(hold, end_of(hold) - 20 * DAY) == Telling()
    assert desk.looks(hold, end_of(hold) - 2 * DAY) == Telling()


def test_an_extension_makes_the_warnings_count_again() -> None:
    """Each end has its own warnings; those of the earlier end say nothing about the later."""
    hold, desk = hold_in(HoldState.TIMED), Desk()
    assert desk.looks(hold, end_of(hold) - DAY).days == 1
    longer = replace(hold, expires_at=extended_end(end_of(hold), 60, zone=TOKYO))
    assert desk.looks(longer, end_of(hold) - DAY) == Telling()
    assert desk.looks(longer, end_of(longer) - 30 * DAY).days == 30


def test_control_a_memory_by_days_alone_would_swallow_the_second_round() -> None:
    """Negative control: had the end not been part of what is remembered, the extended hold were not warned of."""
    hold = hold_in(HoldState.TIMED)
    longer = replace(hold, expires_at=extended_end(end_of(hold), 60, zone=TOKYO))
    by_days_alone = Told(frozenset((end_of(longer), days) for days in WARNING_DAYS))
    assert to_tell(longer, end_of(longer) - 30 * DAY, side=Side.REQUESTED, told=by_days_alone).days is None


@pytest.mark.parametrize("state", [state for state in HoldState if state is not HoldState.TIMED])
def test_only_a_running_clock_is_warned_of(state: HoldState) -> None:
    """No end ahead, no warning."""
    assert Desk().looks(hold_in(state), NOW + 59 * DAY).days is None


def test_a_hold_to_be_let_go_is_not_warned_of_but_is_a_task() -> None:
    """Twenty-four hours, said when it begins and once more when they are over; the clock itself is no worry then."""
    hold = replace(hold_in(HoldState.TIMED), releasing=True, release_due_at=NOW + DAY)
    desk = Desk()
    assert desk.looks(hold, NOW).notices == (Due(Notice.RELEASE, NOW, 1, NOW + DAY),)
    assert desk.looks(hold, NOW + DAY - A_MOMENT) == Telling()
    assert desk.looks(hold, NOW + DAY).notices == (Due(Notice.RELEASE, NOW, 2, NOW + DAY),)
    assert desk.looks(hold, end_of(hold) - DAY) == Telling()
    assert Desk(Side.REQUESTING).looks(hold, NOW + DAY) == Telling()


@pytest.mark.parametrize(("state", "notice"), [(HoldState.LOST, Notice.LOST), (HoldState.LIFTED, Notice.LIFTED)])
def test_an_end_before_its_term_is_told_where_the_data_are_missed(state: HoldState, notice: Notice) -> None:
    """Once, as soon as it is known, to the requesting side; those who reported it need not be told."""
    hold, desk = replace(hold_in(state), ended_at=NOW + DAY), Desk(Side.REQUESTING)
    assert desk.looks(hold, NOW + DAY).notices == (Due(notice, NOW + DAY),)
    assert desk.looks(hold, NOW + 2 * DAY) == Telling()
    assert Desk(Side.REQUESTED).looks(hold, NOW + DAY) == Telling()
    released = replace(hold_in(HoldState.RELEASED), ended_at=NOW + DAY)
    assert Desk(Side.REQUESTING).looks(released, NOW + DAY) == Telling(), "the control: no other end is bad news"


def claimed(at: datetime = NOW) -> Hold:
    """A hold of which the requesting side says that the follow-up request was sent."""
    mla = Mla(MlaStatus.CLAIMED_SENT, claimed_reference="CA-7", claimed_at=at, confirm_by=at + 3 * DAY)
    return replace(hold_in(HoldState.TIMED), mla=mla)


def test_a_claim_asks_the_requested_side_to_confirm_and_asks_once_more() -> None:
    """At once, and when three working days have passed; then not again."""
    desk = Desk()
    assert [one.number for one in desk.looks(claimed(), NOW).notices] == [1]
    assert desk.looks(claimed(), NOW + 2 * DAY) == Telling()
    assert [one.number for one in desk.looks(claimed(), NOW + 3 * DAY).notices] == [2]
    assert desk.looks(claimed(), NOW + 20 * DAY) == Telling()


def test_a_node_that_was_down_is_asked_once() -> None:
    """Coming up after the three days it reads the repetition, and the first is passed over."""
    telling = Desk().looks(claimed(), NOW + 5 * DAY)
    assert [one.number for one in telling.notices] == [2]
    assert [one.number for one in telling.notices_passed_over] == [1]


def test_the_requesting_side_is_told_that_nobody_confirmed() -> None:
    """After the three days and once."""
    desk = Desk(Side.REQUESTING)
    assert desk.looks(claimed(), NOW + 3 * DAY - A_MOMENT) == Telling()
    assert [one.notice for one in desk.looks(claimed(), NOW + 3 * DAY).notices] == [Notice.UNCONFIRMED]
    assert desk.looks(claimed(), NOW + 4 * DAY) == Telling()


def test_a_confirmed_claim_is_no_task_any_more() -> None:
    """With the receipt both are done."""
    received = replace(claimed(), state=HoldState.PENDING_DECISION, expires_at=None)
    received = replace(received, mla=replace(received.mla, status=MlaStatus.RECEIVED, confirm_by=None))
    assert open_tasks(received, NOW + 5 * DAY) == ()
    assert [Desk(side).looks(received, NOW + 5 * DAY) for side in Side] == [Telling(), Telling()]


def test_a_wish_for_more_time_is_a_task_until_the_end() -> None:
    """Told when it comes; from the end on nobody can grant it, and it is no task."""
    hold = replace(hold_in(HoldState.TIMED), extension_wish=ExtensionWish(60, NOW))
    assert [(one.notice, one.due_at) for one in open_tasks(hold, NOW)] == [(Notice.GRANT, end_of(hold))]
    assert [one.notice for one in Desk().looks(hold, NOW).notices] == [Notice.GRANT]
    assert open_tasks(hold, end_of(hold)) == ()


@pytest.mark.parametrize("side", Side)
def test_both_are_told_of_the_end_once(side: Side) -> None:
    """When the hold is EXPIRED, here and in the snapshot there."""
    expired, desk = hold_in(HoldState.EXPIRED), Desk(side)
    assert [one.notice for one in desk.looks(expired, end_of(expired)).notices] == [Notice.EXPIRED]
    assert desk.looks(expired, end_of(expired) + 9 * DAY) == Telling()


def test_an_end_without_news_is_told_to_the_requesting_side_after_an_hour() -> None:
    """Not at the instant itself: their word of it is on its way."""
    hold, desk = hold_in(HoldState.TIMED), Desk(Side.REQUESTING)
    desk.looks(hold, end_of(hold) - DAY)
    assert desk.looks(hold, end_of(hold) + NEWS_WITHIN - A_MOMENT) == Telling()
    assert [one.notice for one in desk.looks(hold, end_of(hold) + NEWS_WITHIN).notices] == [Notice.ENDED]
    assert Desk().looks(hold, end_of(hold) + NEWS_WITHIN) == Telling()


@pytest.mark.parametrize("side", Side)
def test_whoever_looks_only_when_told_to_look_misses_nothing(side: Side) -> None:
    """From one `next_look` to the next, nothing comes due in between, for a claimed and for a wished-for hold."""
    for hold in (claimed(), replace(hold_in(HoldState.TIMED), releasing=True, release_due_at=NOW + DAY)):
        now: datetime | None = NOW
        desk = Desk(side)
        while now is not None:
            desk.looks(hold, now)
            following = next_look(hold, now)
            if following is not None:
                assert desk.looks(hold, following - A_MOMENT) == Telling()
            now = following
        assert desk.looks(hold, end_of(hold) + 400 * DAY) == Telling()


def test_an_ended_hold_need_not_be_looked_at_again() -> None:
    """Nor one whose decision is pending."""
    for state in HoldState:
        assert (next_look(hold_in(state), NOW) is None) is (state is not HoldState.TIMED)


def test_hints_name_what_an_officer_should_notice() -> None:
    """An end before the planned request; no further extension; what an end means on each side; a claim too late."""
    hold = hold_in(HoldState.TIMED)
    end = end_of(hold)
    planned = replace(hold, mla=Mla(MlaStatus.ANNOUNCED, planned_on=end.date()))
    earlier = replace(hold, mla=Mla(MlaStatus.ANNOUNCED, planned_on=(end - DAY).date()))
    assert hints(planned, NOW, replica=True) == (HoldHint.BEFORE_MLA,)
    assert hints(earlier, NOW, replica=True) == ()
    assert hints(hold, NOW, replica=False, max_extensions=0) == (HoldHint.NO_EXTENSION,)
    assert hints(hold, NOW, replica=False, max_extensions=1) == ()
    assert hints(hold, end, replica=False) == (HoldHint.KEEP,)
    assert hints(hold, end, replica=True) == (HoldHint.GONE,)
    late = replace(hold_in(HoldState.EXPIRED), mla=replace(claimed(end).mla, status=MlaStatus.CLAIMED_SENT))
    assert HoldHint.CLAIMED_LATE in hints(replace(late, ended_at=end), end + DAY, replica=False)


@pytest.mark.parametrize(
    ("state", "after_days", "counted"),
    [
        (HoldState.LIFTED, 59, True),
        (HoldState.LIFTED, 60, False),
        (HoldState.LOST, 10, False),
        (HoldState.RELEASED, 10, False),
    ],
)
def test_only_a_lifting_before_sixty_days_is_a_treaty_exception(
    state: HoldState, after_days: int, *, counted: bool
) -> None:
    """Art. 29(7) is broken by an authority that ends the order early; by nothing else."""
    ended = replace(hold_in(state), ended_at=NOW + after_days * DAY)
    assert is_treaty_exception(ended) is counted
