"""A year of hundreds of exchanges in many zones, over every change of clocks, in seconds: nothing told twice or missed.

Pure: the timers of the requested node, the looks of both desks and the acts of people, from instant to instant.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest

from app.domain.codes import HoldState, RequestType, State
from app.domain.exchange.advance import act_on_hold
from app.domain.exchange.judging import judge
from app.domain.exchange.opening import dispatched, open_exchange
from app.domain.exchange.proposals import propose_on_hold
from app.domain.exchange.timers import due, expire, next_timer
from app.domain.exchange.values import TERMINAL
from app.domain.exchange_codes import Side
from app.domain.hold_notices import Notice, Told, next_look, to_tell
from app.domain.holds import OPEN_HOLD_STATES, WARNING_DAYS, is_open
from app.domain.moments import to_milliseconds
from app.domain.snapshot import adopt, public_view, take_snapshot
from app.errors import CounterpartError
from tests.domain.exchange.build import EXCHANGE_ID, RULES, B, do_under, hold_order, hold_wish, opening, wish

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from uuid import UUID

    from app.domain.exchange.values import Exchange
    from app.domain.holds import Hold
    from app.domain.messages import ActionBody, HoldActionBody

START = datetime(2026, 1, 1, 9, 30, tzinfo=UTC)
YEAR = START + timedelta(days=366 + 300)
"""Filed within a year; the last ones end in the next."""

DAY = timedelta(days=1)
ZONES = (
    "Europe/Rome",
    "Asia/Tokyo",
    "America/New_York",
    "America/Asuncion",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "America/Havana",
    "Pacific/Apia",
    "Asia/Kathmandu",
)
EXCHANGES = 240

Gap = tuple[datetime, datetime]


class Said(NamedTuple):
    """A warning as a desk read it."""

    side: Side
    hold_id: UUID
    end: datetime
    days: int
    at: datetime


class Span(NamedTuple):
    """A time in which a hold ran towards one end."""

    hold_id: UUID
    end: datetime
    since: datetime
    until: datetime


@dataclass
class Life:
    """One exchange: the truth, the copy, what both desks remember, and what people will do and when."""

    truth: Exchange
    replica: Exchange
    zone: ZoneInfo
    plan: list[tuple[datetime, Callable[[Life, datetime], Exchange]]]
    down: Mapping[Side, Sequence[Gap]] = field(default_factory=dict)
    told: dict[tuple[Side, UUID], Told] = field(default_factory=dict)
    look_at: dict[Side, datetime | None] = field(default_factory=dict)
    said: list[Said] = field(default_factory=list)
    notices: list[tuple[Side, UUID, Notice, int]] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)

    def awake(self, side: Side, at: datetime) -> datetime:
        """`at`, or the moment at which the node of this side comes up again."""
        return next((end for start, end in self.down.get(side, ()) if start <= at < end), at)

    def become(self, after: Exchange, now: datetime) -> None:
        """A new truth: the copy follows, both desks look, and a hold that changed its end begins another span."""
        for hold in after.holds:
            before = self.truth.hold(hold.id)
            if before is None or (_end(before), before.releasing) != (_end(hold), hold.releasing):
                self.close_span(hold.id, now)
                end = _end(hold)
                if end is not None and not hold.releasing:
                    self.spans.append(Span(hold.id, end, now, end))
        self.truth = after
        self.replica = adopt(self.replica, take_snapshot(after))
        assert self.replica == public_view(after)
        self.look_at = {side: self.awake(side, now) for side in Side}

    def close_span(self, hold_id: UUID, now: datetime) -> None:
        """The hold runs no longer towards the end it had."""
        self.spans = [
            span._replace(until=min(span.until, now)) if span.hold_id == hold_id else span for span in self.spans
        ]

    def look(self, side: Side, now: datetime) -> None:
        """One desk looks at every hold, as its node would."""
        seen = self.truth if side is Side.REQUESTED else self.replica
        following = []
        for hold in seen.holds:
            told = self.told.get((side, hold.id), Told())
            telling = to_tell(hold, now, side=side, told=told)
            if telling.days is not None and hold.expires_at is not None:
                self.said.append(Said(side, hold.id, hold.expires_at, telling.days, now))
            self.notices += [(side, hold.id, one.notice, one.number) for one in telling.notices]
            days = (*telling.passed_over, *(() if telling.days is None else (telling.days,)))
            ends = {(hold.expires_at, one) for one in days if hold.expires_at is not None}
            keys = {one.key for one in (*telling.notices, *telling.notices_passed_over)}
            self.told[side, hold.id] = Told(told.warnings | ends, told.notices | keys)
            following.append(next_look(hold, now))
        later = [at for at in following if at is not None]
        self.look_at[side] = self.awake(side, min(later)) if later else None

    def next_instant(self) -> datetime | None:
        """When the next thing happens."""
        timer = next_timer(self.truth)
        instants = [at for at in self.look_at.values() if at is not None]
        instants += [] if timer is None else [self.awake(Side.REQUESTED, timer)]
        instants += [self.awake(Side.REQUESTED, at) for at, _ in self.plan[:1]]
        return min(instants, default=None)

    def live(self) -> None:
        """From instant to instant, to the end of the year."""
        before = START
        while (now := self.next_instant()) is not None and now <= YEAR:
            assert now >= before, "something came due and nobody saw it"
            before = now
            up = self.awake(Side.REQUESTED, now) == now
            if up and due(self.truth, now):
                self.become(expire(self.truth, now), now)
            while up and self.plan and self.plan[0][0] <= now:
                _, step = self.plan.pop(0)
                after = step(self, now)
                if after is not self.truth:
                    self.become(after, now)
            for side in Side:
                at = self.look_at.get(side)
                if at is not None and at <= now and self.awake(side, now) == now:
                    self.look(side, now)


def _end(hold: Hold) -> datetime | None:
    return hold.expires_at if hold.state is HoldState.TIMED else None


def at_desk(
    action: str,
    **members: Any,  # noqa: ANN401 - members of a body
) -> Callable[[Life, datetime], Exchange]:
    """An act of the requested side on the exchange; what it may not do any more it leaves."""

    def step(life: Life, now: datetime) -> Exchange:
        try:
            return do_under(replace(RULES, zone=life.zone), life.truth, action, now=now, **members)
        except CounterpartError:
            return life.truth

    return step


def on_hold(action: str, **members: object) -> Callable[[Life, datetime], Exchange]:
    """An act of the requested side on its first hold."""

    def step(life: Life, now: datetime) -> Exchange:
        rules = replace(RULES, zone=life.zone)
        try:
            order = hold_order(action, life.truth, life.truth.holds[0], **members)
            order = propose_on_hold(life.truth, order, rules=rules)
            return act_on_hold(life.truth, order, by=B, rules=rules, now=now)
        except (CounterpartError, IndexError):
            return life.truth

    return step


def wished(action: str, **members: object) -> Callable[[Life, datetime], Exchange]:
    """A wish of the requesting side about the first hold, or about the exchange."""

    def step(life: Life, now: datetime) -> Exchange:
        message: ActionBody | HoldActionBody = wish("withdraw", life.truth)
        if action != "withdraw":
            if not life.truth.holds:
                return life.truth
            message = hold_wish(action, life.truth, life.truth.holds[0], **members)
        judged = judge(life.truth, message, now=now, first_received_at=now, zone=life.zone)
        return judged.exchange

    return step


ROAD = ("acknowledge", "accept", "start")


def holding(draw: Random) -> list[tuple[timedelta, Callable[[Life, datetime], Exchange]]]:
    """A preservation, and one of the things that become of a hold."""
    held = timedelta(hours=draw.randint(1, 30))
    days = draw.choice((60, 60, 60, 75, 90, 120))
    road = [(timedelta(minutes=20 * number), at_desk(action)) for number, action in enumerate(ROAD)]
    road.append((held, at_desk("preserve", days=days)))
    later = held + timedelta(days=draw.randint(1, 58), minutes=draw.randint(0, 1439))
    fates = {
        "runs out": [],
        "is extended": [(later, wished("request_extension")), (later + DAY, on_hold("grant_extension", days=30))],
        "is extended by a day": [
            (later, wished("request_extension")),
            (later + DAY, on_hold("grant_extension", days=draw.randint(1, 5))),
        ],
        "is claimed and never confirmed": [(later, wished("claim_mla_sent"))],
        "is received and decided": [
            (later, on_hold("confirm_mla_received")),
            (later + draw.randint(1, 150) * DAY, on_hold("record_decision")),
        ],
        "is let go": [(later, wished("release")), (later + draw.randint(0, 3) * DAY, on_hold("release"))],
        "is withdrawn and forgotten": [(later, wished("withdraw"))],
        "is lost": [(later, on_hold("report_loss"))],
    }
    return road + fates[draw.choice(sorted(fates))]


def lives(seed: int, *, gaps: bool) -> list[Life]:
    """Hundreds of exchanges, begun at random instants of the year; with `gaps`, nodes that are down for days."""
    draw = Random(seed)
    down = {side: _gaps(draw) if gaps else () for side in Side}
    made = []
    for number in range(EXCHANGES):
        begins = to_milliseconds(START + timedelta(minutes=draw.randint(0, 366 * 1440)))
        kind = draw.choice((RequestType.PRESERVATION,) * 8 + (RequestType.TECHNICAL_ADVICE, RequestType.LOCATE_SUSPECT))
        steps = holding(draw) if kind is RequestType.PRESERVATION else _other(kind, begins)
        body = opening(kind, targets=1)
        life = Life(
            truth=open_exchange(EXCHANGE_ID, body, now=begins),
            replica=dispatched(EXCHANGE_ID, body, now=begins),
            zone=ZoneInfo(ZONES[number % len(ZONES)]),
            plan=sorted(((begins + by, step) for by, step in steps), key=lambda pair: pair[0]),
            down=down,
        )
        made.append(life)
    return made


def _other(kind: RequestType, begins: datetime) -> list[tuple[timedelta, Callable[[Life, datetime], Exchange]]]:
    if kind is RequestType.TECHNICAL_ADVICE:
        return [(timedelta(), at_desk("acknowledge")), (DAY, at_desk("answer", text="Ninety days."))]
    review = (begins + 20 * DAY).isoformat()
    postponing = at_desk("postpone", code="P-OWN", review_at=review, considered_partial=True)
    return [(timedelta(), at_desk("acknowledge")), (timedelta(hours=1), postponing)]


def _gaps(draw: Random) -> tuple[Gap, ...]:
    """Times in which a node is down, from minutes to two weeks, one after the other."""
    found = []
    at = START
    while at < YEAR:
        at += timedelta(hours=draw.randint(24, 900))
        until = at + timedelta(minutes=draw.choice((5, 60, 600, 4_320, 20_160)))
        found.append((at, until))
        at = until
    return tuple(found)


@pytest.fixture(scope="module")
def calm_year() -> list[Life]:
    """A year in which both nodes are always up."""
    made = lives(7, gaps=False)
    for life in made:
        life.live()
    return made


@pytest.fixture(scope="module")
def broken_year() -> list[Life]:
    """A year in which both are down now and then, whatever is due."""
    made = lives(8, gaps=True)
    for life in made:
        life.live()
    return made


def expected(span: Span) -> dict[int, datetime]:
    """Which warnings an end that held from `since` until `until` earns, and when: worked out without the program."""
    instants = {days: span.end - days * DAY for days in WARNING_DAYS}
    passed = [days for days, at in instants.items() if at <= span.since]
    earned = {days: at for days, at in instants.items() if span.since < at < span.until}
    return earned | ({min(passed): span.since} if passed and span.since < span.until else {})


def test_every_warning_is_told_exactly_once_on_each_side(calm_year: list[Life]) -> None:
    """At its own instant, on both sides, for every hold and every end it ever had; none besides."""
    warned = 0
    for life in calm_year:
        wanted = Counter(
            (side, span.hold_id, span.end, days, at)
            for side in Side
            for span in life.spans
            for days, at in expected(span).items()
        )
        assert Counter(tuple(one) for one in life.said) == wanted
        warned += len(life.said)
    assert warned > EXCHANGES * 4


def test_the_year_sees_every_fate_of_a_hold(calm_year: list[Life]) -> None:
    """Control: all ends occur, in every zone; otherwise the others would prove little."""
    ends = {hold.state for life in calm_year for hold in life.truth.holds}
    assert ends >= {HoldState.EXPIRED, HoldState.RELEASED, HoldState.LOST}
    assert {life.zone.key for life in calm_year if life.truth.holds} == set(ZONES)
    assert any(hold.extensions for life in calm_year for hold in life.truth.holds)
    notices = {notice for life in calm_year for _, _, notice, _ in life.notices}
    assert notices == set(Notice) - {Notice.ENDED, Notice.LIFTED}


@pytest.mark.parametrize("year", ["calm_year", "broken_year"])
def test_nothing_is_left_overdue(year: str, request: pytest.FixtureRequest) -> None:
    """When the last instant is over, no timer has run out unseen, no hold is open beyond its end."""
    made: list[Life] = request.getfixturevalue(year)
    for life in made:
        timer = next_timer(life.truth)
        assert timer is None or timer > YEAR
        assert life.truth.state is not State.POSTPONED
        assert life.truth.state is not State.ANSWERED
        for hold in life.truth.holds:
            assert hold.state not in OPEN_HOLD_STATES or is_open(hold, YEAR)
        if all(hold.state not in OPEN_HOLD_STATES for hold in life.truth.holds) and life.truth.holds:
            assert life.truth.state in TERMINAL


@pytest.mark.parametrize("year", ["calm_year", "broken_year"])
def test_no_hold_of_the_year_is_too_short(year: str, request: pytest.FixtureRequest) -> None:
    """Sixty times 24 hours at least, whatever the clocks did there meanwhile; a later promise is never taken back."""
    made: list[Life] = request.getfixturevalue(year)
    for life in made:
        for span in life.spans:
            hold = life.truth.hold(span.hold_id)
            assert hold is not None
            assert span.end >= hold.preserved_at + 60 * DAY
        ends = [span.end for span in life.spans]
        assert all(earlier <= later for earlier, later in pairwise(ends))


def test_a_node_that_is_down_misses_nothing_and_repeats_nothing(broken_year: list[Life]) -> None:
    """Each at most once; what is passed over is passed over for one nearer; and the nearest is never missed."""
    late = 0
    for life in broken_year:
        keys = [(one.side, one.hold_id, one.end, one.days) for one in life.said]
        assert len(set(keys)) == len(keys)
        for one in life.said:
            nearer = [days for days in WARNING_DAYS if one.end - days * DAY <= one.at]
            assert one.days == min(nearer), "a warning was told although a nearer one was due"
            late += one.at > one.end - one.days * DAY
        for side in Side:
            for span in life.spans:
                _check_settled(life, side, span)
        counted = Counter(life.notices)
        assert set(counted.values()) <= {1}
    assert late > 20, "control: gaps must have hit warnings"


def _check_settled(life: Life, side: Side, span: Span) -> None:
    """Every warning that came due while the node was up, or before it came up in time, was told or passed over."""
    settled = {days for end, days in life.told.get((side, span.hold_id), Told()).warnings if end == span.end}
    for days, at in expected(span).items():
        assert days in settled or life.awake(side, at) >= span.until
