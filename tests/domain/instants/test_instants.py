"""RFC 3339 times as evidence."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.instants import NoInstant, read_day, read_instant, write_utc

if TYPE_CHECKING:
    from collections.abc import Callable

READ = {
    "2026-11-21T23:14:05+01:00": "2026-11-21T22:14:05Z",
    "2026-11-21T23:14:05Z": "2026-11-21T23:14:05Z",
    "2026-11-21t23:14:05z": "2026-11-21T23:14:05Z",
    "2026-11-21T23:14:05.5-09:30": "2026-11-22T08:44:05.500000Z",
    "2026-11-21T23:14:05.123456789Z": "2026-11-21T23:14:05.123456Z",
    "2026-11-21T23:14:05-00:00": "2026-11-21T23:14:05Z",
    "2016-12-31T23:59:60Z": "2016-12-31T23:59:59Z",
    "2025-10-26T02:30:00+02:00": "2025-10-26T00:30:00Z",
    "2025-10-26T02:30:00+01:00": "2025-10-26T01:30:00Z",
}


@pytest.mark.parametrize(("text", "utc"), READ.items(), ids=READ)
def test_instant_keeps_its_text_and_knows_utc(text: str, utc: str) -> None:
    """The text stays, the instant stands in UTC; the hour that comes twice is told apart by its offset."""
    instant = read_instant(text)
    assert (instant.text, instant.normal_form, instant.leap) == (text, utc, ":60" in text)


@settings(deadline=None)
@given(
    st.datetimes(timezones=st.just(UTC)).filter(lambda moment: 1 < moment.year < 9999),
    st.integers(-14 * 60, 14 * 60),
)
def test_what_is_written_is_read_back(drawn: datetime, minutes: int) -> None:
    """Any instant with an offset survives being written and read."""
    moment = drawn.astimezone(timezone(timedelta(minutes=minutes)))
    assert read_instant(moment.isoformat()).utc == moment
    assert read_instant(write_utc(moment)).utc == moment


@pytest.mark.parametrize("text", ["2026-11-21T23:14:05", "2026-11-21T23:14:05.1"])
def test_naive_time_is_told_apart_from_a_bad_one(text: str) -> None:
    """Without an offset the fault is C-TZ, because the officer can mend it."""
    with pytest.raises(NoInstant) as wrong:
        read_instant(text)
    assert wrong.value.code == "C-TZ"


def test_python_would_take_a_naive_time() -> None:
    """Control: the standard library reads the same text without complaint."""
    assert datetime.fromisoformat("2026-11-21T23:14:05").tzinfo is None


def _fault(read: Callable[[str], object], text: str) -> NoInstant | None:
    try:
        read(text)
    except NoInstant as wrong:
        return wrong
    return None


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_an_instant_or_a_typed_fault(text: str) -> None:
    """No text makes the reader fail in any other way, and no fault repeats a text of some length."""
    for wrong in (_fault(read_instant, text), _fault(read_day, text)):
        assert wrong is None or wrong.code in {"C-TZ", "bad_time"}
        assert wrong is None or len(text) < 12 or text not in wrong.detail


def test_day_is_a_full_date() -> None:
    """A day is read as such; short forms and impossible days are not."""
    assert read_day("2028-02-29") == date(2028, 2, 29)
    for text in ("2027-02-29", "2027-2-9", "20270209", "2027-W01-1"):
        with pytest.raises(NoInstant):
            read_day(text)


def test_utc_is_written_with_z() -> None:
    """UTC ends in Z, without a fraction where there is none."""
    assert write_utc(datetime(2026, 11, 22, 9, 30, tzinfo=UTC)) == "2026-11-22T09:30:00Z"
