"""How an exchange's id is read aloud, and what a sheet says of the contact point to call."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.domain.directory import ContactPoint
from app.domain.fallback import Attendance, check_of, groups_of, how_to_reach
from app.keystore import example_profile
from app.routers.examples import EXCHANGE_ID
from app.routers.fallback_operations import CHECK, GROUPS

ids = st.uuids()
HEX = "0123456789abcdef"


def entry(code: str) -> ContactPoint:
    """An entry of the directory; its keys play no part here."""
    return ContactPoint.model_construct(**dict(example_profile(code)), keys=())


@given(ids)
def test_groups_are_the_id(exchange_id: UUID) -> None:
    """Eight groups of four, which together are the id; the check is two digits."""
    groups = groups_of(exchange_id)
    assert [len(group) for group in groups] == [4] * 8
    assert UUID("".join(groups)) == exchange_id
    assert len(check_of(exchange_id)) == 2
    assert check_of(exchange_id).isdigit()


@given(ids, st.integers(0, 31), st.sampled_from(HEX))
def test_every_single_slip_is_found(exchange_id: UUID, place: int, letter: str) -> None:
    """One character heard as another never has the same check."""
    plain = exchange_id.hex
    assume(plain[place] != letter)
    misheard = UUID(plain[:place] + letter + plain[place + 1 :])
    assert check_of(misheard) != check_of(exchange_id)


@given(ids)
def test_every_swap_of_neighbours_is_found(exchange_id: UUID) -> None:
    """Two neighbours said the wrong way round never have the same check."""
    plain = exchange_id.hex
    for place, (left, right) in enumerate(pairwise(plain)):
        if left != right:
            swapped = UUID(plain[:place] + right + left + plain[place + 2 :])
            assert check_of(swapped) != check_of(exchange_id)


def test_documented_example_is_right() -> None:
    """What the interface's description shows is what the code computes."""
    assert (list(groups_of(UUID(EXCHANGE_ID))), check_of(UUID(EXCHANGE_ID))) == (GROUPS, CHECK)


@pytest.mark.parametrize(
    ("now", "local", "attendance"),
    [
        ("2026-11-23T08:59:00+00:00", "2026-11-23T09:59:00+01:00", Attendance.STAFFED),
        ("2026-11-23T17:59:00+00:00", "2026-11-23T18:59:00+01:00", Attendance.STAFFED),
        ("2026-11-23T18:00:00+00:00", "2026-11-23T19:00:00+01:00", Attendance.ON_CALL),
        ("2026-11-22T09:30:00+00:00", "2026-11-22T10:30:00+01:00", Attendance.ON_CALL),
        ("2026-07-20T05:00:00+00:00", "2026-07-20T07:00:00+02:00", Attendance.STAFFED),
    ],
    ids=["a Monday morning", "a minute before seven", "at seven sharp", "a Sunday", "in summer"],
)
def test_it_is_their_clock_that_counts(now: str, local: str, attendance: Attendance) -> None:
    """The time shown, and whether somebody sits there, are those of the contact point called."""
    reach = how_to_reach(entry("XA"), now=datetime.fromisoformat(now).astimezone(UTC))
    assert (reach.local_time.isoformat(), reach.attendance) == (local, attendance)


def test_numbers_come_in_the_order_to_try_them() -> None:
    """By priority, whatever the order of the entry; every escalation contact in its own order."""
    point = entry("XT")
    turned = point.model_copy(update={"phones": point.phones[::-1]})
    reach = how_to_reach(turned, now=datetime(2026, 11, 22, tzinfo=UTC))
    assert [one.number for one in reach.phones] == [
        one.number for one in sorted(point.phones, key=lambda p: p.priority)
    ]
    assert [one.role for one in reach.escalation] == [one.role for one in point.escalation]
