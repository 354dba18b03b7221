"""Any legal acts on holds, in any order, at any times, in any zone: what must never happen to a hold does not."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
import rfc8785
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from app.domain.codes import HoldState, Role, State
from app.domain.exchange.advance import act, act_on_hold
from app.domain.exchange.judging import judge
from app.domain.exchange.opening import dispatched, open_exchange
from app.domain.exchange.proposals import propose, propose_on_hold
from app.domain.exchange.timers import expire
from app.domain.exchange_codes import Side
from app.domain.holds import OPEN_HOLD_STATES, state_at
from app.domain.message_reading import read_body
from app.domain.messages import StateBody, write_body
from app.domain.moments import write_instant
from app.domain.snapshot import adopt, public_view, take_snapshot
from app.errors import Conflict, CounterpartError
from tests.domain.exchange.build import (
    EXCHANGE_ID,
    NOW,
    RULES,
    B,
    body,
    content,
    do_under,
    hold_content,
    hold_order,
    hold_wish,
    officer,
    opening,
    random_bytes,
    wish,
)
from tests.domain.holds.test_hold_rows import ACTIONS

if TYPE_CHECKING:
    from uuid import UUID

    from app.domain.exchange.values import Exchange
    from app.domain.messages import ActionBody, HoldActionBody

SIXTY = timedelta(days=60)
A_YEAR = 365
CHOSEN = ("XA", "XT")
"""Who asks, and whom the asking state chose."""

zones = st.sampled_from(sorted(available_timezones())).map(ZoneInfo)
minutes = st.one_of(st.integers(0, 3 * 1440), st.integers(0, 120 * 1440))
supervisors = st.builds(officer, st.just(Side.REQUESTED), st.just(Role.SUPERVISOR), st.integers(2, 4))
WISHES = ("request_extension", "claim_mla_sent", "release")


class Holds(RuleBasedStateMachine):
    """The truth, the copy, every end that was ever promised, and to whom anything was ever addressed."""

    def __init__(self) -> None:
        super().__init__()
        self.now: datetime = NOW
        self.zone = ZoneInfo("Asia/Tokyo")
        self.truth: Exchange = open_exchange(EXCHANGE_ID, opening(targets=2), now=NOW)
        self.replica: Exchange = dispatched(EXCHANGE_ID, opening(targets=2), now=NOW)
        self.promised: dict[UUID, datetime] = {}
        self.ended: dict[UUID, HoldState] = {}
        self.addressed: set[str] = set()

    @initialize(zone=zones, back=st.integers(0, A_YEAR * 1440), days=st.integers(60, 400), partly=st.booleans())
    def data_are_preserved(self, zone: ZoneInfo, back: int, days: int, *, partly: bool) -> None:
        """So many minutes ago, for so many days, in that zone; what would have ended already is preserved now."""
        self.zone = zone
        for action in ("acknowledge", "accept", "start"):
            self.truth = self.acted(action, **content(action, self.truth))
        members: dict[str, Any] = {"days": days, "preserved_at": write_instant(self.now - timedelta(minutes=back))}
        if partly:
            members["results"] = [{"target": 0, "outcome": "HELD"}, {"target": 1, "outcome": "N-EXPIRED"}]
        try:
            after = self.acted("preserve", **members)
        except CounterpartError:
            after = self.acted("preserve", **{**members, "preserved_at": write_instant(self.now)})
        self.become(after)

    def acted(self, action: str, **members: Any) -> Exchange:  # noqa: ANN401 - members of a body
        """The truth after an act of the requested side, here and now."""
        return do_under(replace(RULES, zone=self.zone), self.truth, action, now=self.now, **members)

    def become(self, after: Exchange) -> None:
        """A new truth leaves as a message to the asking side."""
        if after is not self.truth:
            self.addressed.add(after.requesting)
        self.truth = after
        for hold in after.holds:
            if hold.expires_at is not None:
                earlier = self.promised.get(hold.id, hold.expires_at)
                self.promised[hold.id] = max(earlier, hold.expires_at)
            if state_at(hold, self.now) not in OPEN_HOLD_STATES:
                self.ended.setdefault(hold.id, state_at(hold, self.now))

    @rule(
        action=st.sampled_from(ACTIONS),
        which=st.integers(0, 3),
        days=st.integers(1, 400),
        by=st.one_of(st.just(B), supervisors),
    )
    def the_desk_acts(self, action: str, which: int, days: int, by: Any) -> None:  # noqa: ANN401 - an officer
        """Anything on any hold; what is not legal changes nothing."""
        if not self.truth.holds:
            return
        members = hold_content(action) | ({"days": days} if action == "grant_extension" else {})
        rules = replace(RULES, zone=self.zone)
        order = hold_order(action, self.truth, self.truth.holds[which % len(self.truth.holds)], **members)
        order = propose_on_hold(self.truth, order, rules=rules)
        before = self.truth
        try:
            self.become(act_on_hold(self.truth, order, by=by, rules=rules, now=self.now))
        except CounterpartError:
            assert self.truth is before

    @rule(
        action=st.sampled_from(WISHES),
        which=st.integers(0, 3),
        days=st.integers(60, 400),
        late=st.integers(0, 90 * 1440),
    )
    def a_wish_is_judged(self, action: str, which: int, days: int, late: int) -> None:
        """It may have been received long before its turn came."""
        if self.replica.holds:
            members = {"days": days} if action == "request_extension" else {}
            hold = self.replica.holds[which % len(self.replica.holds)]
            self.judged(hold_wish(action, self.replica, hold, **members), received_ago=late)

    @rule(late=st.integers(0, 1440))
    def it_is_withdrawn(self, late: int) -> None:
        """As a wish; its holds are to be let go, and run on."""
        self.judged(wish("withdraw", self.replica), received_ago=late)

    def judged(self, message: ActionBody | HoldActionBody, *, received_ago: int) -> None:
        """Let a message have its fate; it was addressed to the state that the copy names."""
        self.addressed.add(self.replica.requested)
        received = self.now - timedelta(minutes=received_ago)
        result = judge(self.truth, message, now=self.now, first_received_at=received, zone=self.zone)
        self.become(self.truth if result.exchange == self.truth else result.exchange)

    @rule(action=st.sampled_from(["preserve", "disclose_traffic_path", "report_progress"]))
    def the_exchange_goes_on(self, action: str) -> None:
        """The rest is secured later; a third state turns up in the path, and is told nothing."""
        members = {name: value for name, value in content(action, self.truth).items() if name != "preserved_at"}
        members.pop("results", None)
        given = body(action, self.truth.generation, **members)
        rules = replace(RULES, zone=self.zone)
        given = propose(self.truth, given, rules=rules, now=self.now, random=random_bytes)
        try:
            self.become(act(self.truth, given, by=B, rules=rules, now=self.now))
        except CounterpartError:
            return

    @rule(by=minutes)
    def time_passes(self, by: int) -> None:
        """The timer may run much later, or never."""
        self.now += timedelta(minutes=by)

    @rule()
    def the_timer_runs(self) -> None:
        """Whatever is due."""
        self.become(expire(self.truth, self.now))

    @rule()
    def the_snapshot_arrives(self) -> None:
        """From then on no hold is seen by one side alone, nor with another end."""
        sent = json.loads(rfc8785.dumps(write_body(StateBody(snapshot=take_snapshot(self.truth), consumed=0))))
        self.replica = adopt(self.replica, read_body(StateBody, sent).body.snapshot)
        assert self.replica == public_view(self.truth)
        ends = [[(hold.id, hold.state, hold.expires_at) for hold in one.holds] for one in (self.replica, self.truth)]
        assert ends[0] == ends[1]

    @rule(other=st.sampled_from(["XS", "XA"]))
    def a_third_state_speaks_up(self, other: str) -> None:
        """A snapshot under another state's name is not taken, and nobody is redirected by it."""
        forged = take_snapshot(replace(self.truth, requested=other))
        before = self.replica
        with pytest.raises(Conflict):
            adopt(self.replica, forged)
        assert self.replica is before

    @invariant()
    def no_hold_ends_before_sixty_days_or_an_earlier_promise(self) -> None:
        """Art. 29(7), by the hour and by the local day; what was promised is never taken back."""
        for hold in self.truth.holds:
            if hold.expires_at is None:
                continue
            assert hold.expires_at >= hold.preserved_at + SIXTY
            assert hold.expires_at >= self.promised[hold.id]
            last_day = hold.preserved_at.astimezone(self.zone).date() + SIXTY
            assert hold.expires_at.astimezone(self.zone).date() > last_day

    @invariant()
    def what_ended_stays_ended(self) -> None:
        """No silent revival, on no path; at most it is found lost."""
        for hold_id, state in self.ended.items():
            hold = self.truth.hold(hold_id)
            assert hold is not None
            assert state_at(hold, self.now) in {state, HoldState.LOST, *self._written_since(hold_id)}

    def _written_since(self, hold_id: UUID) -> set[HoldState]:
        """What an end by the clock was written as: the same end, never an open state."""
        hold = self.truth.hold(hold_id)
        return set() if hold is None or hold.state in OPEN_HOLD_STATES else {hold.state}

    @invariant()
    def no_hold_disappears(self) -> None:
        """Of a hold once made, both sides can always read what became of it."""
        assert set(self.promised) == {hold.id for hold in self.truth.holds}
        seen = {hold.id for hold in self.replica.holds}
        assert seen <= {hold.id for hold in self.truth.holds}

    @invariant()
    def a_pending_decision_has_no_end(self) -> None:
        """The two modes of the clock."""
        for hold in self.truth.holds:
            assert hold.expires_at is None or hold.state is not HoldState.PENDING_DECISION
            assert hold.expires_at is not None or hold.state is not HoldState.TIMED

    @invariant()
    def nothing_goes_to_a_state_that_was_not_chosen(self) -> None:
        """Whatever happens, the exchange is between the two that it was opened between."""
        assert self.addressed <= set(CHOSEN)
        for one in (self.truth, self.replica):
            assert (one.requesting, one.requested) == CHOSEN
        assert self.truth.state is not State.DISPATCHED


Holds.TestCase.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestHolds = Holds.TestCase


def test_control_each_invariant_notices_what_it_is_for() -> None:
    """Negative control: a shorter end, a revived hold, another addressee: each is caught."""
    machine = Holds()
    machine.data_are_preserved(ZoneInfo("Europe/Rome"), 0, 60, partly=False)
    (hold,) = machine.truth.holds
    assert hold.expires_at is not None
    good = machine.truth
    machine.truth = replace(good, holds=(replace(hold, expires_at=hold.preserved_at + timedelta(days=59)),))
    with pytest.raises(AssertionError):
        machine.no_hold_ends_before_sixty_days_or_an_earlier_promise()
    machine.truth, machine.ended = good, {hold.id: HoldState.EXPIRED}
    with pytest.raises(AssertionError):
        machine.what_ended_stays_ended()
    machine.ended, machine.addressed = {}, {"XS"}
    with pytest.raises(AssertionError):
        machine.nothing_goes_to_a_state_that_was_not_chosen()
    machine.addressed, machine.truth = set(), replace(good, holds=())
    with pytest.raises(AssertionError):
        machine.no_hold_disappears()
