"""What is remembered of refused tokens: soon told, bounded whatever comes, and nothing to guess a token from."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from app.services.authenticate import TokenRefused, Why
from app.services.tell_refusals import INTERVAL, MOST_KINDS, RefusedTokens

if TYPE_CHECKING:
    from datetime import datetime

TOKEN = "cp_0123456789abcdef_" + "s" * 43
UNKNOWN = TokenRefused(Why.UNKNOWN)
SOURCE = "192.0.2.7"


def test_a_flood_is_one_fact(now: datetime) -> None:
    """The first is told at once; ten thousand more, from everywhere, together when the interval is over."""
    refused = RefusedTokens(b"key")
    refused.note(TOKEN, UNKNOWN, source=SOURCE, now=now)
    first = refused.take(now)
    assert first is not None
    assert (first.count, first.kinds[0]["source"], first.kinds[0]["count"]) == (1, SOURCE, 1)
    taken = []
    for number in range(10_000):
        at = now + INTERVAL * number / 10_001
        refused.note(f"{TOKEN}{number}", UNKNOWN, source=f"192.0.2.{number % 256}", now=at)
        taken.append(refused.take(at))
    assert taken == [None] * 10_000
    told = refused.take(now + INTERVAL)
    assert told is not None
    assert (told.count, len(told.kinds)) == (10_000, MOST_KINDS)
    assert refused.take(now + 2 * INTERVAL) is None, "there is nothing new"


def test_the_rest_is_told_when_the_process_ends(now: datetime) -> None:
    """Within the interval too, if asked to at once."""
    refused = RefusedTokens(b"key")
    for _ in range(2):
        refused.note(TOKEN, UNKNOWN, source=SOURCE, now=now)
        told = refused.take(now, at_once=True)
        assert told is not None
        assert told.count == 1


@pytest.mark.parametrize("keyed", [True, False], ids=["as kept", "a plain hash"])
def test_a_mark_gives_no_token_away(now: datetime, *, keyed: bool) -> None:
    """The same token has the same mark here and another one elsewhere; who tries tokens against it finds none."""
    marks = []
    for key in (b"one process", b"another one"):
        refused = RefusedTokens(key)
        for _ in range(2):
            refused.note(TOKEN, UNKNOWN, source=SOURCE, now=now)
        told = refused.take(now)
        assert told is not None
        ((mark, count),) = [(kind["token"], kind["count"]) for kind in told.kinds]
        assert count == 2
        marks.append(mark if keyed else hashlib.sha256(TOKEN.encode()).hexdigest())
        assert "0123456789abcdef" not in str(told)
        assert "sss" not in str(told)
    assert (marks[0] != marks[1]) is keyed


SOURCES = {
    "an address": ("192.0.2.7", "192.0.2.7"),
    "a network": ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
    "no address": (None, ""),
    "a long name": ("x" * 100, "x" * 45),
}


@pytest.mark.parametrize("case", SOURCES)
def test_where_it_came_from(case: str, now: datetime) -> None:
    """Whoever has a network of IPv6 is one source, not as many as there are addresses in it."""
    given, shown = SOURCES[case]
    refused = RefusedTokens(b"key")
    refused.note(TOKEN, UNKNOWN, source=given, now=now)
    told = refused.take(now + timedelta(days=1))
    assert told is not None
    assert told.kinds[0]["source"] == shown
