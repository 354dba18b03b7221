"""The decisions about publishing again, as pure functions: what is lost, who is asked, which way rests."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.bus.attempts import (
    BACK_OFF,
    BROKER_TROUBLES,
    JITTER,
    LONGEST_OBSTACLE,
    OBSTACLES,
    Attempt,
    after_probe,
    after_round,
    choose_probe,
    is_lost,
    is_quiet,
    is_stuck,
    leaves_by,
    next_attempt,
    pause_before_probe,
    probe_due,
)
from app.db.tables_delivery import LeftBy, Trouble
from app.domain.codes import MessageType
from app.domain.passage import SETTLING, Passage, hear, proof_of
from tests.envelope.parties import NOW

SECOND = timedelta(seconds=1)
JITTERS = st.floats(0, 1, exclude_max=True)
SECONDS = st.integers(0, 120)


def at(seconds: float) -> datetime:
    """A moment of the test."""
    return NOW + seconds * SECOND


PAUSES: dict[str, tuple[int, Trouble | None, float, timedelta | None]] = {
    "after the first, at the least": (1, Trouble.NOT_TAKEN, 0.0, BACK_OFF[0] * (1 - JITTER)),
    "after the third, in the middle": (3, Trouble.NOT_TAKEN, 0.5, BACK_OFF[2]),
    "after the hundredth": (100, Trouble.OUTCOME_UNKNOWN, 0.5, timedelta(hours=1)),
    "after the hundredth look for a key": (100, Trouble.NO_KEY, 0.5, timedelta(minutes=1)),
    "confirmed": (1, None, 0.5, None),
    "confirmed for the hundredth time": (100, None, 0.5, None),
}


@pytest.mark.parametrize("case", PAUSES)
def test_pauses(case: str) -> None:
    """The pause grows with every failure to an hour, without a key to a minute; a confirmed message has none."""
    tries, trouble, jitter, pause = PAUSES[case]
    due = next_attempt(Attempt("exchange.open/1", tries, trouble), now=NOW, jitter=jitter)
    assert due == (None if pause is None else NOW + pause)


def test_only_receipts_and_heartbeats_leave_without_receipt() -> None:
    """No other type leaves the outbox by what the broker said."""
    leaving = {
        (type_, trouble): leaves_by(Attempt(type_.value, 1, trouble))
        for type_ in MessageType
        for trouble in (None, Trouble.NOT_TAKEN)
    }
    assert {case: by for case, by in leaving.items() if by is not None} == {
        (MessageType.RECEIPT, None): LeftBy.CONFIRM,
        (MessageType.HEARTBEAT, None): LeftBy.REPLACED,
        (MessageType.HEARTBEAT, Trouble.NOT_TAKEN): LeftBy.REPLACED,
    }


HEARD = st.lists(st.tuples(SECONDS, SECONDS), min_size=1, max_size=30)
"""Receipts as they become known: seconds since the one before, and how long ago their copies began."""


def known_at(steps: list[tuple[int, int]]) -> list[tuple[datetime, datetime]]:
    """When each receipt became known, and when its copy began."""
    now, known = NOW, []
    for since, ago in steps:
        now += since * SECOND
        known.append((now, now - ago * SECOND))
    return known


@given(HEARD, SECONDS)
def test_nothing_is_proven_too_early(steps: list[tuple[int, int]], wait: int) -> None:
    """What a way proves is never later than the latest copy whose receipt has been known for five seconds."""
    passage, known = Passage(), known_at(steps)
    for now, began_at in known:
        passage = hear(passage, began_at, now=now)
    moment = known[-1][0] + wait * SECOND
    honest = max((began for now, began in known if now + SETTLING <= moment), default=None)
    proof = proof_of(passage, now=moment)
    assert proof is None or (honest is not None and proof <= honest)


@given(HEARD)
def test_what_is_proven_stays_proven(steps: list[tuple[int, int]]) -> None:
    """The proof of a way never goes back, whatever old copy is receipted next."""
    passage, proofs = Passage(), []
    for now, began_at in known_at(steps):
        before = proof_of(passage, now=now)
        passage = hear(passage, began_at, now=now)
        proofs.append(proof_of(passage, now=now))
        assert proofs[-1] == before, "a receipt of this moment proves nothing yet"
    found = [proof for proof in proofs if proof is not None]
    assert all(one <= other for one, other in pairwise(found))


@given(st.lists(st.integers(1, 4), min_size=3, max_size=60))
def test_proof_follows_a_steady_stream(gaps: list[int]) -> None:
    """While receipts of fresh copies keep coming, what is proven is at most two settling times and a gap behind."""
    passage, now = Passage(), NOW
    for gap in gaps:
        now += gap * SECOND
        passage = hear(passage, now, now=now)
        if now - NOW > 2 * SETTLING + 8 * SECOND:
            proof = proof_of(passage, now=now)
            assert proof is not None
            assert now - proof <= 2 * SETTLING + 8 * SECOND


LOST: dict[str, tuple[int, int, int | None, int, bool]] = {
    "a later copy has its receipt": (0, 1, 1, 10, True),
    "a copy that began in the same moment proves nothing": (0, 1, 0, 10, False),
    "an earlier copy proves nothing": (5, 1, 4, 20, False),
    "nothing is proven": (0, 1, None, 1_000_000, False),
    "it was confirmed only just now": (0, 1, 1, 4, False),
    "sent three times, it waits a minute": (0, 3, 1, 59, False),
    "sent three times, the minute is over": (0, 3, 1, 60, True),
    "sent a hundred times, it waits an hour": (0, 100, 1, 3599, False),
    "sent a hundred times, the hour is over": (0, 100, 1, 3600, True),
}


@pytest.mark.parametrize("case", LOST)
def test_lost(case: str) -> None:
    """A confirmed message is lost once a later copy is proven to have arrived, and asked for with growing pauses."""
    confirmed, tries, proof, now, lost = LOST[case]
    moment = None if proof is None else at(proof)
    assert is_lost(at(confirmed), tries, proof=moment, now=at(now)) is lost


def test_a_probe_waits_for_silence() -> None:
    """The first probe comes five seconds after the last word, the last confirmation counting as one."""
    assert probe_due(Passage(), at(0)) == at(5)
    assert probe_due(Passage(heard_at=at(7)), at(0)) == at(12)
    assert probe_due(Passage(heard_at=at(7)), at(9)) == at(14)


def test_probes_come_ever_more_rarely() -> None:
    """Probes without answer come after 5 s, 15 s, 1 min, 5 min, 15 min, then hourly: some seventy in a weekend."""
    passage, now, probes = Passage(), NOW, []
    while now < NOW + timedelta(hours=64):
        now = probe_due(passage, NOW)
        assert is_quiet(passage, now=now)
        probes.append(now - NOW)
        passage = after_probe(passage, 1, now=now, jitter=0.5)
    pauses = [later - earlier for earlier, later in pairwise([timedelta(0), *probes])]
    assert pauses[:6] == list(BACK_OFF)
    assert set(pauses[6:]) == {timedelta(hours=1)}
    assert 66 <= len(probes) <= 70


def test_a_word_ends_the_probing() -> None:
    """After any receipt the next silence begins with the shortest pause and the oldest message."""
    passage = Passage()
    for _ in range(4):
        passage = after_probe(passage, 7, now=NOW, jitter=0.5)
    assert (passage.silent, passage.probed_id, is_quiet(passage, now=at(60))) == (4, 7, False)
    heard = hear(passage, NOW, now=at(60))
    assert (heard.silent, heard.probed_id, probe_due(heard, NOW)) == (0, None, at(65))


@given(st.sets(st.integers(1, 50), min_size=1, max_size=10))
def test_probes_take_turns(waiting: set[int]) -> None:
    """As many silent probes as messages wait ask with each of them once, from the oldest on; then again."""
    asked: list[int] = []
    for _ in range(2 * len(waiting)):
        asked.append(choose_probe(waiting, asked[-1] if asked else None))
    assert asked == 2 * sorted(waiting)


@given(st.lists(st.sampled_from([*Trouble]), min_size=1, max_size=5), st.integers(0, 20), JITTERS)
def test_a_way_rests_when_nothing_gets_out(ended: list[Trouble], stuck: int, jitter: float) -> None:
    """Broker troubles and obstacles alone make a way rest, obstacles for a minute at most; a bad message does not."""
    before = Passage(stuck=stuck)
    after = after_round(before, ended, now=NOW, jitter=jitter)
    if not {*ended} & (BROKER_TROUBLES | OBSTACLES):
        assert after == before
        return
    assert after.stuck == stuck + 1
    assert after.stuck_until is not None
    longest = LONGEST_OBSTACLE if not {*ended} & BROKER_TROUBLES else BACK_OFF[-1]
    assert BACK_OFF[0] * (1 - JITTER) <= after.stuck_until - NOW <= longest * (1 + JITTER)
    assert is_stuck(after, now=NOW)
    assert not is_stuck(after, now=after.stuck_until)


@given(st.lists(st.sampled_from([None, *Trouble]), max_size=5), st.integers(0, 20))
def test_one_confirmation_frees_a_way(ended: list[Trouble | None], stuck: int) -> None:
    """Whatever else failed in a round, one confirmation ends the rest of its way."""
    before = Passage(stuck=stuck, stuck_until=at(60))
    after = after_round(before, [*ended, None], now=NOW, jitter=0.5)
    assert (after.stuck, after.stuck_until) == (0, None)


def test_pauses_never_shrink() -> None:
    """Each further silence is waited for at least as long as the one before it."""
    pauses = [pause_before_probe(silent) for silent in range(20)]
    assert pauses == sorted(pauses)
