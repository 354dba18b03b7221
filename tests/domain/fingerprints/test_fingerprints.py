"""Marks of what is looked for: equal for the same thing at overlapping times, and without the key no dictionary."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.fingerprints import Mark, Sought, fingerprint, is_same_data, marks_of, sought_in
from tests.domain.exchange.build import example

KEY = bytes(32)
AT = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def target(identifier: dict[str, Any], **members: object) -> dict[str, Any]:
    """A document with one target."""
    return {"targets": [{"identifier": identifier, **members}]}


def only(document: dict[str, Any]) -> Sought:
    """What the one target looks for."""
    (sought,) = sought_in(document)
    return sought


SAME = {
    "an address and the same one mapped into IPv6": (
        {"type": "ipv4", "value": "203.0.113.77"},
        {"type": "ipv6", "value": "::ffff:203.0.113.77"},
    ),
    "two ways to write one IPv6 address": (
        {"type": "ipv6", "value": "2001:db8::1"},
        {"type": "ipv6", "value": "2001:0DB8:0:0:0:0:0:1"},
    ),
    "an address of mail in two spellings of its domain": (
        {"type": "email", "value": "a.person@Example.org"},
        {"type": "email", "value": "a.person@example.org"},
    ),
}


@pytest.mark.parametrize("sentence", SAME)
def test_two_texts_for_one_thing_have_one_mark(sentence: str) -> None:
    """The normal form is marked, not the text."""
    one, other = (only(target(identifier)).form for identifier in SAME[sentence])
    assert fingerprint(one, KEY) == fingerprint(other, KEY)


def test_a_flow_is_looked_for_at_its_source() -> None:
    """Whoever asks for the address, and whoever asks for one connection from it, asks for the same customer."""
    flow = {
        "type": "ip_flow",
        "source_ip": "203.0.113.77",
        "source_port": 51544,
        "destination_ip": "198.51.100.20",
        "destination_port": 443,
        "protocol": "tcp",
        "at": "2026-11-21T23:14:05+01:00",
    }
    address = only(target({"type": "ipv4", "value": "203.0.113.77"}))
    seen = only(target(flow))
    assert seen.form == address.form
    assert seen.starts_at == datetime(2026, 11, 21, 22, 14, 5, tzinfo=UTC)


def test_the_window_is_the_interval_else_the_sightings_else_open() -> None:
    """The time asked for; without it from the first sighting to the last; without both all times."""
    identifier = {"type": "ipv4", "value": "203.0.113.77"}
    interval = {"start": "2026-11-21T22:00:00Z", "end": "2026-11-21T23:30:00Z"}
    seen = [{"at": "2026-11-21T21:00:00Z"}, {"at": "2026-11-21T20:00:00Z"}]
    asked = only(target(identifier, interval=interval, observations=seen))
    assert (asked.starts_at, asked.ends_at) == (AT, AT + 1.5 * HOUR)
    sighted = only(target(identifier, observations=seen))
    assert (sighted.starts_at, sighted.ends_at) == (AT - 2 * HOUR, AT - HOUR + timedelta(microseconds=1))
    bare = only(target(identifier))
    assert (bare.starts_at, bare.ends_at) == (None, None)


def mark(start: int | None, end: int | None, name: str = "x") -> Mark:
    """A mark of these hours."""
    starts_at, ends_at = (None if hour is None else AT + hour * HOUR for hour in (start, end))
    return Mark(0, name, starts_at, ends_at)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (mark(0, 2), mark(1, 3), True),
        (mark(0, 2), mark(2, 3), False),
        (mark(0, 2), mark(None, None), True),
        (mark(0, 2), mark(None, 0), False),
        (mark(0, None), mark(5, 6), True),
        (mark(0, 2), mark(0, 2, "y"), False),
    ],
)
def test_same_data_is_the_same_mark_at_overlapping_times(one: Mark, other: Mark, *, same: bool) -> None:
    """Half-open intervals, open ends overlap everything on their side; and it is so in both directions."""
    assert is_same_data(one, other) is same
    assert is_same_data(other, one) is same


def test_without_the_key_no_mark_can_be_made_or_compared() -> None:
    """Another node's marks, and a plain hash of the same text, are other marks: the table answers no guess."""
    form = only(target({"type": "ipv4", "value": "203.0.113.77"})).form
    mine = fingerprint(form, KEY)
    assert len(mine) == 64
    assert mine != fingerprint(form, b"another node's secret of 32 byte")
    assert mine != hashlib.sha256(form.encode()).hexdigest()


def test_the_example_is_marked_and_marked_alike_again() -> None:
    """One target, one mark, the same each time."""
    sought = sought_in(example("preservation"))
    assert [one.target for one in sought] == [0]
    assert marks_of(sought, KEY) == marks_of(sought_in(example("preservation")), KEY)


def test_what_this_node_cannot_read_is_compared_as_it_came() -> None:
    """An identifier of a type that is not known here still finds its like."""
    strange = {"type": "satellite_terminal", "value": "ST-9"}
    assert only(target(strange)).form == only(target({**strange, "observed_at": "2026-11-21T22:00:00Z"})).form


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["identifier", "type", "value", "at", "interval", "start", "end"]), inner)
    ),
    max_leaves=12,
)


@given(st.lists(anything, max_size=4))
def test_no_document_of_another_state_makes_it_fail(targets: list[Any]) -> None:
    """Whatever stands where targets are expected."""
    for one in sought_in({"targets": targets}):
        assert 0 <= one.target < len(targets)
