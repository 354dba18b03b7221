"""RFC 3339 times as evidence."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

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
    "2025-10-26T02:30:00+01:00[Europe/Rome]": "2025-10-26T01:30:00Z",
    "2025-10-26T03:30:00[Europe/Rome]": "2025-10-26T02:30:00Z",
    "2025-07-26T03:30:00[Europe/Rome]": "2025-07-26T01:30:00Z",
    "2025-07-26T03:30:00.25[!Asia/Kathmandu]": "2025-07-25T21:45:00.250000Z",
    "2025-07-26T03:30:00Z[Europe/Rome]": "2025-07-26T03:30:00Z",
    "2026-07-01T05:29:60+05:30": "2026-06-30T23:59:59Z",
    "2027-01-01T00:59:60[Europe/Rome]": "2026-12-31T23:59:59Z",
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


ZONED = {
    "the hour that comes twice": ("2025-10-26T02:30:00[Europe/Rome]", "C-TZ"),
    "the last instant of that hour": ("2025-10-26T02:59:59.999999[Europe/Rome]", "C-TZ"),
    "the hour that is left out": ("2026-03-29T02:30:00[Europe/Rome]", "bad_time"),
    "an offset that the zone did not have then": ("2025-07-26T03:30:00+01:00[Europe/Rome]", "C-TZ"),
    "an offset in the hour that is left out": ("2026-03-29T02:30:00+01:00[Europe/Rome]", "C-TZ"),
    "a day that a whole country left out": ("2011-12-30T12:00:00[Pacific/Apia]", "bad_time"),
    "no zone of the database": ("2025-07-26T03:30:00[Europe/Atlantis]", "bad_time_zone"),
    "a zone that counts leap seconds": ("2025-07-26T03:30:00[right/Europe/Rome]", "bad_time_zone"),
    "a path": ("2025-07-26T03:30:00[Europe/../etc]", "bad_time"),
    "an abbreviation of several zones": ("2025-07-26T03:30:00[IST]", "bad_time_zone"),
    "the zone of whichever machine reads it": ("2025-07-26T03:30:00[localtime]", "bad_time_zone"),
    "the rules of whichever machine reads it": ("2025-07-26T03:30:00[posixrules]", "bad_time_zone"),
    "a zone that was never set": ("2025-07-26T03:30:00[Factory]", "bad_time_zone"),
    "an offset, at the end of all time": ("9999-12-31T23:59:59+00:00[Pacific/Kiritimati]", "C-TZ"),
    "an offset, at the beginning of all time": ("0001-01-01T00:00:00+00:00[America/New_York]", "C-TZ"),
    "half an hour that comes twice": ("2025-04-06T01:45:00[Australia/Lord_Howe]", "C-TZ"),
    "a leap second in the hour that comes twice": ("2025-10-26T02:59:60[Europe/Rome]", "C-TZ"),
}


@pytest.mark.parametrize("name", ZONED)
def test_local_time_that_names_no_single_instant_is_refused(name: str) -> None:
    """A zone stands for an offset only where that is one: what is ambiguous, impossible or contradictory is refused."""
    text, code = ZONED[name]
    with pytest.raises(NoInstant) as wrong:
        read_instant(text)
    assert (wrong.value.code, text in wrong.value.detail) == (code, False)


def test_a_zone_alone_would_pick_one_of_two_instants() -> None:
    """Control: the standard library takes the hour that comes twice, and the one left out, and says nothing."""
    rome = ZoneInfo("Europe/Rome")
    twice = datetime(2025, 10, 26, 2, 30, tzinfo=rome)
    assert twice.astimezone(UTC) != twice.replace(fold=1).astimezone(UTC)
    left_out = datetime(2026, 3, 29, 2, 30, tzinfo=rome)
    assert left_out.astimezone(UTC).astimezone(rome).hour == 3


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
        assert wrong is None or wrong.code in {"C-TZ", "bad_time", "bad_time_zone"}
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
