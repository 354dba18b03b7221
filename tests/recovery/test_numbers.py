"""What two listings say of each other: pure, and for every listing that there is."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.domain.codes import Lane
from app.domain.delivery_messages import MAX_LOOSE, MAX_RESYNC_THREADS, NumbersBody, ResyncBody, ResyncThreadBody
from app.domain.messages import write_body
from app.domain.resync import (
    MAX_BELIEVED,
    MAX_PART_LOOSE,
    are_complete,
    awaited,
    believed,
    holes,
    lacking,
    split_parts,
    tell_numbers,
)
from app.envelope.canonical import canonical
from app.envelope.format import MAX_BODY_BYTES

SETS = st.sets(st.integers(1, 400), max_size=120)
HUGE = NumbersBody(upto=2**31 - 1, also=())


def has(told: NumbersBody, number: int) -> bool:
    """Whether a listing names this number, by the definition in docs/protocol.md."""
    return number <= told.upto or number in told.also


@given(SETS)
def test_a_listing_says_exactly_what_is_there(numbers: set[int]) -> None:
    """Told and read again, numbers are the same ones, and the first number above `upto` is not there."""
    told = tell_numbers(numbers)
    assert {number for number in range(1, 500) if has(told, number)} == numbers
    assert told.upto + 1 not in numbers
    assert list(told.also) == sorted(told.also)


@given(SETS, st.integers(0, 400))
def test_what_was_consumed_is_told_without_its_numbers(waiting: set[int], consumed: int) -> None:
    """Numbers that wait above a consumed one are told as if all below it had been named."""
    above = {number for number in waiting if number > consumed}
    assert tell_numbers(waiting, upto=consumed) == tell_numbers({*range(1, consumed + 1), *above})


def test_of_too_many_loose_numbers_the_highest_are_left_out() -> None:
    """A listing never has more loose numbers than the wire allows; what it leaves out counts as lacking."""
    numbers = range(2, 2 * MAX_LOOSE + 10, 2)
    told = tell_numbers(numbers)
    assert len(told.also) == MAX_LOOSE
    assert lacking(told, numbers) == [number for number in numbers if number > told.also[-1]]


@given(SETS, SETS)
def test_what_is_lacking_is_what_one_has_and_the_other_has_not(mine: set[int], theirs: set[int]) -> None:
    """Returned and queued again are exactly the numbers that the listing does not name."""
    assert lacking(tell_numbers(theirs), mine) == sorted(mine - theirs)


@given(SETS, SETS)
def test_after_the_copies_nothing_is_awaited(mine: set[int], theirs: set[int]) -> None:
    """When every text of ours that the peer names has come back, nothing is awaited and nothing before."""
    told = tell_numbers(theirs)
    top = max(mine, default=0)
    assert set(awaited(told, known_top=top, held=mine)) == theirs - mine
    assert awaited(told, known_top=top, held=mine | theirs) == []


@given(st.integers(0, 10_000))
def test_no_listing_makes_us_believe_further_than_agreed(known_top: int) -> None:
    """A peer that names two thousand million numbers is believed up to `MAX_BELIEVED` above what we know."""
    found = believed(HUGE, known_top=known_top)
    assert found == list(range(1, known_top + MAX_BELIEVED + 1))
    loose = NumbersBody(upto=0, also=(known_top + MAX_BELIEVED, known_top + MAX_BELIEVED + 1))
    assert believed(loose, known_top=known_top) == [known_top + MAX_BELIEVED]


@given(SETS)
def test_filled_holes_leave_none(numbers: set[int]) -> None:
    """Numbers and their holes together are all numbers up to the highest, and no hole is a number."""
    filled = holes(numbers)
    assert not numbers & set(filled)
    assert sorted({*numbers, *filled}) == list(range(1, max(numbers, default=0) + 1))


@given(SETS, st.integers(1, 400))
def test_a_number_that_was_given_out_is_filled_too(numbers: set[int], next_out: int) -> None:
    """With the next number to give out, everything below it is there or filled, and it is neither unless it was."""
    filled = holes(numbers, below=next_out)
    assert {*numbers, *filled} >= set(range(1, next_out))
    assert next_out in numbers or next_out not in filled or max(numbers) > next_out


def thread_of(number: int, loose: int = 0) -> ResyncThreadBody:
    """A listed thread with so many loose numbers."""
    numbers = NumbersBody(upto=0, also=tuple(range(2**31 - 1 - loose, 2**31 - 1)))
    return ResyncThreadBody.model_validate({"thread": str(UUID(int=number)), "out": numbers, "in": NumbersBody(upto=0)})


@given(st.lists(st.sampled_from([0, 0, 0, 1, 10, MAX_LOOSE]), max_size=1_200))
def test_parts_hold_every_thread_once_in_order_and_fit(weights: list[int]) -> None:
    """However the loose numbers are spread, the parts together are the listing and none exceeds its limits."""
    threads = [thread_of(number, loose) for number, loose in enumerate(weights)]
    parts = split_parts(threads)
    assert [one for part in parts for one in part] == threads
    assert all(len(part) <= MAX_RESYNC_THREADS for part in parts)
    assert all(sum(len(one.out.also) for one in part) <= MAX_PART_LOOSE for part in parts)


def test_the_largest_part_fits_into_a_message() -> None:
    """A part with as many threads and loose numbers as a part may have is a body that an envelope can carry."""
    heavy = MAX_PART_LOOSE // MAX_LOOSE
    threads = [thread_of(number, MAX_LOOSE if number < heavy else 0) for number in range(MAX_RESYNC_THREADS)]
    (part,) = split_parts(threads)
    made = {"id": str(UUID(int=1)), "kind": "ask", "lane": "routine", "part": 10_000, "parts": 10_000}
    body = ResyncBody.model_validate({**made, "id": UUID(int=1), "threads": part}, strict=False)
    assert len(canonical(write_body(body))) < MAX_BODY_BYTES


def test_a_list_is_whole_when_every_part_came_on_both_lanes() -> None:
    """One lane, a missing part, or parts that disagree on their number do not make a list."""
    whole = {(lane, part, 2) for lane in Lane for part in (1, 2)}
    assert are_complete(whole)
    assert not are_complete(set())
    assert not are_complete({one for one in whole if one[0] is Lane.URGENT})
    assert not any(are_complete(whole - {one}) for one in whole)
    assert not are_complete({*whole, (Lane.URGENT, 3, 3)})
