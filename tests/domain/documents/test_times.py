"""Times in documents: no offset, no instant; no such day, no such time; the past is a warning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.domain.documents import NORMALISED, example
from tests.domain.documents.filing import TYPES, changed, check, emergency, found, places, preservation, warned

if TYPE_CHECKING:
    from app.domain.codes import RequestType

TIMES = [
    pytest.param(type_, pointer, id=f"{type_} at {pointer}")
    for type_ in TYPES
    for pointer, value in places(example(type_))
    if isinstance(value, str) and "T" in value and value[:4] == "2026" and value[4] == "-"
]
NAIVE = ("2026-11-21T23:14:05", "2026-11-21T23:14:05.123")
IMPOSSIBLE = (
    "2026-02-30T10:00:00Z",
    "2026-13-01T10:00:00Z",
    "2025-02-29T10:00:00+01:00",
    "2026-11-21T24:00:00Z",
    "2026-11-21T10:60:00Z",
    "2026-11-21T10:00:61Z",
    "2026-11-21T10:00:00+14:30",
    "2026-11-21T10:00:00+01:75",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "2026-11-21",
    "2026-11-21 10:00:00Z",
    "2026-11-21T10:00Z",
    "1700000000",
    "20261121T100000Z",
    "2026-11-21T10:00:00 Z",
    "\uff12026-11-21T10:00:00Z",
    "yesterday",
    "",
)


@pytest.mark.parametrize(("type_", "pointer"), TIMES)
def test_time_without_offset_is_refused(type_: RequestType, pointer: str) -> None:
    """A naive time is C-TZ wherever it stands."""
    for text in NAIVE:
        assert (pointer, "C-TZ") in found(check(changed(example(type_), (pointer, text))))


@pytest.mark.parametrize(("type_", "pointer"), TIMES)
def test_impossible_time_is_refused(type_: RequestType, pointer: str) -> None:
    """A day or hour that does not exist, or another notation, is `bad_time` wherever it stands."""
    for text in IMPOSSIBLE:
        assert (pointer, "bad_time") in found(check(changed(example(type_), (pointer, text)))), text


def test_the_cases_name_every_kind_of_time() -> None:
    """Observations, intervals, expected losses and the end of an emergency are among the cases."""
    pointers = {case.values[1] for case in TIMES}
    assert {
        "/urgency/expected_loss_at",
        "/targets/0/observations/0/at",
        "/targets/0/interval/start",
        "/emergency/imminent_until",
        "/targets/0/identifier/observed_at",
    } <= pointers


@pytest.mark.parametrize("text", ["2027-02-30", "2027-1-10", "10/01/2027", "2027-01-10T00:00:00Z", ""])
def test_impossible_day_is_refused(text: str) -> None:
    """A planned date is a full date of the calendar."""
    assert found(check(preservation(("/mla_intent/planned_date", text)))) == {("/mla_intent/planned_date", "bad_time")}


def test_leap_second_is_kept_read_as_59_and_warned_of() -> None:
    """Second 60 stays in the text, stands as 59 in the normal form, and is pointed out."""
    pointer = "/targets/0/observations/0/at"
    checked = check(preservation((pointer, "2016-12-31T23:59:60Z")))
    assert warned(checked) == {(pointer, "leap_second")}
    assert checked.document["targets"][0]["observations"][0]["at"] == "2016-12-31T23:59:60Z"
    assert checked.document[NORMALISED][pointer] == "2016-12-31T23:59:59Z"


PASSED = {
    "the loss in urgency": ("/urgency/expected_loss_at", "2026-11-22T09:00:00Z"),
    "the loss in necessity": ("/necessity/expected_loss_at", "2020-01-01T00:00:00Z"),
    "the planned letter": ("/mla_intent/planned_date", "2026-11-21"),
}


@pytest.mark.parametrize(("pointer", "text"), PASSED.values(), ids=PASSED.keys())
def test_passed_time_is_a_warning_and_no_error(pointer: str, text: str) -> None:
    """Ruling 19: a time that has passed never stops a request."""
    checked = check(preservation((pointer, text)))
    assert checked.errors == ()
    assert warned(checked) == {(pointer, "time_passed")}


def test_passed_emergency_is_a_warning() -> None:
    """An `imminent_until` that has passed is pointed out, not refused."""
    checked = check(emergency(("/emergency/imminent_until", "2026-11-22T10:00:00+01:00")))
    assert checked.errors == ()
    assert ("/emergency/imminent_until", "time_passed") in warned(checked)


def test_letter_planned_after_the_hold_is_a_warning() -> None:
    """A letter of request planned for after the hold's end is pointed out; a longer period silences it."""
    late = ("/mla_intent/planned_date", "2027-09-01")
    assert warned(check(preservation(late))) == {("/mla_intent/planned_date", "mla_after_hold_end")}
    assert warned(check(preservation(late, ("/requested_period_days", 365)))) == set()
