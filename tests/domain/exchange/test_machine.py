"""Random officers on both sides doing random things for months: what must never happen does not."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import rfc8785
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from app.domain.codes import Fate, HoldState, RequestType, Role, State, Tier
from app.domain.exchange.advance import act, act_on_hold
from app.domain.exchange.judging import judge
from app.domain.exchange.onward import ONWARD_ACTS
from app.domain.exchange.opening import dispatched, open_exchange
from app.domain.exchange.proposals import propose, propose_on_hold
from app.domain.exchange.timers import due, expire, next_timer
from app.domain.exchange.values import TERMINAL
from app.domain.exchange.wishing import check_wish
from app.domain.exchange_codes import Side
from app.domain.exchange_record import read_record, write_record
from app.domain.holds import OPEN_HOLD_STATES, is_open, still_held
from app.domain.message_reading import read_body
from app.domain.messages import StateBody, write_body
from app.domain.snapshot import adopt, public_view, take_snapshot
from app.domain.transitions import EXCHANGE_ROWS, REQUESTING_ACTS
from app.errors import CounterpartError
from tests.domain.exchange.build import (
    EXCHANGE_ID,
    NOW,
    RULES,
    TOKYO,
    body,
    content,
    hold_content,
    hold_order,
    hold_wish,
    officer,
    opening,
    random_bytes,
    wish,
)

if TYPE_CHECKING:
    from app.domain.exchange.values import Exchange
    from app.domain.messages import ActionBody, HoldActionBody

ACTIONS = sorted({row.action for row in EXCHANGE_ROWS if row.action is not None})
TYPES = [
    RequestType.PRESERVATION,
    RequestType.PRESERVATION,
    RequestType.TECHNICAL_ADVICE,
    RequestType.EVIDENCE_COLLECTION,
    RequestType.SPONTANEOUS_INFORMATION,
    RequestType.EMERGENCY_DISCLOSURE,
]
HOLD_ACTIONS = (
    "request_extension",
    "grant_extension",
    "claim_mla_sent",
    "confirm_mla_received",
    "record_decision",
    "release",
    "report_loss",
    "lift",
)
LEANING = {
    State.DELIVERED: "acknowledge",
    State.ACKNOWLEDGED: "accept",
    State.ACCEPTED: "start",
    State.IN_EXECUTION: "preserve",
    State.PARTIALLY_PRESERVED: "preserve",
}
"""Without a lean towards the result few random walks would ever see a hold."""

people = st.tuples(st.sampled_from([Role.DUTY_OFFICER, Role.SUPERVISOR]), st.integers(1, 3))
NOT_HELD = {"target": 1, "outcome": "N-EXPIRED"}


def without_time(members: dict[str, Any]) -> dict[str, Any]:
    """Content without fixed instants: they are proposed, so that they fit the machine's own clock."""
    fixed = {"preserved_at", "next_update_at", "review_at", "made_at", "results"}
    return {name: value for name, value in members.items() if name not in fixed}


class TwoContactPoints(RuleBasedStateMachine):
    """The requested side's exchange, the requesting side's replica, and a clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now: datetime = NOW
        self.truth: Exchange = open_exchange(EXCHANGE_ID, opening(targets=2), now=NOW)
        self.replica: Exchange = dispatched(EXCHANGE_ID, opening(targets=2), now=NOW)
        self.before: Exchange = self.truth

    @initialize(kind=st.sampled_from(TYPES), tier=st.sampled_from(Tier), condition=st.booleans())
    def begin(self, kind: RequestType, tier: Tier, *, condition: bool) -> None:
        """Another type and tier each time."""
        begun = opening(kind, tier=tier, targets=2, condition=condition)
        self.truth = open_exchange(EXCHANGE_ID, begun, now=NOW)
        self.replica = dispatched(EXCHANGE_ID, begun, now=NOW)
        self.before = self.truth

    def become(self, after: Exchange) -> None:
        """A new truth is one generation on; anything else is the very same value."""
        self.before, self.truth = self.truth, after
        if after is not self.before:
            assert after.generation == self.before.generation + 1
            assert after.changed_at == self.now

    @rule(action=st.sampled_from(ACTIONS), side=st.sampled_from(Side), person=people, partly=st.booleans())
    def somebody_acts(self, action: str, side: Side, person: tuple[Role, int], *, partly: bool) -> None:
        """Anybody tries anything at the requested node: it is done, or it is an error of ours and nothing changed."""
        self.act_as(action, side, person, partly=partly)

    @precondition(lambda self: self.truth.state in LEANING)
    @rule(person=people, partly=st.booleans())
    def somebody_goes_on(self, person: tuple[Role, int], *, partly: bool) -> None:
        """The next step on the way to a result."""
        self.act_as(LEANING[self.truth.state], Side.REQUESTED, person, partly=partly)

    def act_as(self, action: str, side: Side, person: tuple[Role, int], *, partly: bool) -> None:
        """One act with fitting content."""
        members = without_time(content(action, self.truth))
        if action == "preserve" and partly and self.truth.state is State.IN_EXECUTION:
            members["results"] = [{"target": 0, "outcome": "HELD"}, NOT_HELD]
        if action in {"postpone", "record_oral"}:
            moment = self.now + (timedelta(days=5) if action == "postpone" else -timedelta(hours=1))
            members |= {"review_at" if action == "postpone" else "made_at": moment.isoformat()}
        given = body(action, self.truth.generation, **members)
        given = propose(self.truth, given, rules=RULES, now=self.now, random=random_bytes)
        try:
            after = act(self.truth, given, by=officer(side, *person), rules=RULES, now=self.now)
        except CounterpartError:
            return
        assert side is Side.REQUESTED
        assert action not in REQUESTING_ACTS or action in {"close", *ONWARD_ACTS}
        self.become(after)

    @rule(action=st.sampled_from(ACTIONS), late=st.booleans())
    def a_wish_arrives(self, action: str, *, late: bool) -> None:
        """Made on the present snapshot or on one long gone; it has a fate, and never raises."""
        seen = self.replica if late else self.truth
        self.judged(wish(action, seen))

    def judged(self, message: ActionBody | HoldActionBody) -> None:
        """Let a message have its fate."""
        result = judge(self.truth, message, now=self.now, first_received_at=self.now, zone=TOKYO)
        assert result.fate in {Fate.APPLIED, Fate.STALE, Fate.REFUSED}
        assert (result.code is None) is (result.fate is not Fate.REFUSED)
        if result.fate is Fate.APPLIED:
            assert result.exchange is not self.truth
        self.become(self.truth if result.exchange == self.truth else result.exchange)

    @precondition(lambda self: self.truth.holds)
    @rule(action=st.sampled_from(HOLD_ACTIONS), person=people, which=st.integers(0, 5))
    def somebody_acts_on_a_hold(self, action: str, person: tuple[Role, int], which: int) -> None:
        """The requested side's desk tries anything on any hold."""
        hold = self.truth.holds[which % len(self.truth.holds)]
        order = propose_on_hold(self.truth, hold_order(action, self.truth, hold, **hold_content(action)), rules=RULES)
        try:
            after = act_on_hold(self.truth, order, by=officer(Side.REQUESTED, *person), rules=RULES, now=self.now)
        except CounterpartError:
            return
        self.become(after)

    @precondition(lambda self: self.truth.holds)
    @rule(action=st.sampled_from(HOLD_ACTIONS), which=st.integers(0, 5))
    def a_wish_on_a_hold_arrives(self, action: str, which: int) -> None:
        """The requesting side tries anything on any hold."""
        self.judged(hold_wish(action, self.truth, self.truth.holds[which % len(self.truth.holds)]))

    @rule(action=st.sampled_from(ACTIONS), person=people)
    def the_requesting_side_looks_whether_it_may(self, action: str, person: tuple[Role, int]) -> None:
        """Whatever it tries, nothing changes on its side."""
        shown = self.replica
        try:
            wished = body(action, shown.generation, **without_time(content(action, shown)))
            check_wish(shown, wished, by=officer(Side.REQUESTING, *person), now=self.now)
        except (CounterpartError, ValueError):
            pass
        assert self.replica is shown

    @rule(hours=st.one_of(st.integers(0, 72), st.integers(73, 24 * 45)))
    def time_passes(self, hours: int) -> None:
        """The timer may run much later, or never."""
        self.now += timedelta(hours=hours)

    @rule()
    def the_timer_runs(self) -> None:
        """It does something exactly when something is due, and a second run does nothing."""
        was_due = due(self.truth, self.now)
        after = expire(self.truth, self.now)
        assert (after is not self.truth) is was_due
        assert expire(after, self.now) is after
        self.become(after)

    @rule()
    def the_snapshot_arrives(self) -> None:
        """From then on both sides show the same."""
        sent = json.loads(rfc8785.dumps(write_body(StateBody(snapshot=take_snapshot(self.truth), consumed=0))))
        self.replica = adopt(self.replica, read_body(StateBody, sent).body.snapshot)
        assert self.replica == public_view(self.truth)

    @invariant()
    def what_has_ended_stays_ended(self) -> None:
        """An ended exchange keeps its state, an ended hold is at most found lost."""
        if self.before.state in TERMINAL:
            assert self.truth.state is self.before.state
        for hold in self.before.holds:
            after = self.truth.hold(hold.id)
            assert after is not None
            if hold.state not in OPEN_HOLD_STATES:
                assert after.state in {hold.state, HoldState.LOST}

    @invariant()
    def no_hold_is_shorter_than_sixty_days(self) -> None:
        """On no path (art. 29(7)); and an end is moved only to a later one."""
        for hold in self.truth.holds:
            if hold.expires_at is not None:
                assert hold.expires_at >= hold.preserved_at + timedelta(days=60)
                assert hold.expires_at >= hold.preserved_at + timedelta(days=hold.days_granted)
                earlier = self.before.hold(hold.id)
                assert earlier is None or earlier.expires_at is None or hold.expires_at >= earlier.expires_at

    @invariant()
    def pending_has_no_end_and_timed_has_one(self) -> None:
        """The two modes of the clock."""
        for hold in self.truth.holds:
            if hold.state is HoldState.PENDING_DECISION:
                assert hold.expires_at is None
            if hold.state is HoldState.TIMED:
                assert hold.expires_at is not None

    @invariant()
    def a_preserved_exchange_holds_something(self) -> None:
        """By the clock it is closed with its last hold; what it says is held was held when it was written."""
        if self.truth.state in {State.PRESERVED, State.PARTIALLY_PRESERVED}:
            assert any(is_open(hold, self.truth.changed_at) for hold in self.truth.holds)
            assert still_held(self.truth.holds, self.truth.changed_at)

    @invariant()
    def a_result_has_a_reference(self) -> None:
        """Nothing is decided before a person has taken it."""
        before_taking = {State.DELIVERED, State.WITHDRAWN, State.CLOSED}
        assert self.truth.b_reference is not None or self.truth.state in before_taking

    @invariant()
    def what_is_open_belongs_to_the_state(self) -> None:
        """A question, a review date or a way back exists exactly where the state needs it."""
        asking = {State.CLARIFICATION, State.RISK_NOTICE}
        assert (self.truth.question is not None) is (self.truth.state in asking)
        assert (self.truth.resume_state is not None) is (self.truth.state is State.CLARIFICATION)
        assert (self.truth.review_at is not None) is (self.truth.state is State.POSTPONED)
        assert self.truth.condition is not None or self.truth.state is not State.CONDITIONS

    @invariant()
    def it_survives_the_database(self) -> None:
        """Stored and read, it is the same, with everything private."""
        assert read_record(json.loads(json.dumps(write_record(self.truth)))) == self.truth

    @invariant()
    def an_ended_exchange_without_open_holds_has_no_timer(self) -> None:
        """Nothing is left for time to do."""
        open_holds = any(hold.state in OPEN_HOLD_STATES for hold in self.truth.holds)
        if self.truth.state in TERMINAL and not open_holds:
            assert next_timer(self.truth) is None


TwoContactPoints.TestCase.settings = settings(
    max_examples=100, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestTwoContactPoints = TwoContactPoints.TestCase


def test_an_extension_in_place_of_a_new_end_would_be_noticed() -> None:
    """Negative control: a hold cut to fifty-nine days breaks the invariant that the machine checks."""
    machine = TwoContactPoints()
    exchange = open_exchange(EXCHANGE_ID, opening(targets=2), now=NOW)
    for action in ("acknowledge", "accept", "start", "preserve"):
        given = body(action, exchange.generation)
        given = propose(exchange, given, rules=RULES, now=NOW, random=random_bytes)
        exchange = act(exchange, given, by=officer(Side.REQUESTED), rules=RULES, now=NOW)
    short = replace(exchange.holds[0], expires_at=NOW + timedelta(days=59))
    machine.truth = replace(exchange, holds=(short,))
    try:
        machine.no_hold_is_shorter_than_sixty_days()
    except AssertionError:
        return
    message = "fifty-nine days went unnoticed"
    raise AssertionError(message)
