"""References: every single wrong character and every swap of neighbours is noticed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.references import ALPHABET, check_reference, make_reference

CODES = st.from_regex(r"[A-Z]{2}(-[A-Z0-9]{2,12})?", fullmatch=True)
PRINTED = "XA-2026-7K3QF9D"
SYMBOLS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"
LOOK_ALIKE = str.maketrans("0125", "OIZS")


def test_printed_reference_is_valid() -> None:
    """The reference printed throughout the documents is one."""
    assert check_reference(PRINTED) == PRINTED


@settings(deadline=None)
@given(CODES, st.integers(1000, 9999), st.binary(min_size=4, max_size=8))
def test_what_is_made_is_accepted(code: str, year: int, drawn: bytes) -> None:
    """Every reference that is made passes, in small letters too, and shows its contact point and year."""
    reference = make_reference(code, year, random_bytes=drawn)
    assert check_reference(reference) == check_reference(reference.lower()) == reference
    assert reference.startswith(f"{code}-{year}-")
    assert len(reference) == len(code) + 13


def _same_but_for_a_look_alike_in_the_name(one: str, other: str) -> bool:
    """The one exception: 36 symbols of a name cannot all be told apart by 32 values."""
    return one.count("-") == 3 and one.translate(LOOK_ALIKE) == other.translate(LOOK_ALIKE)


@pytest.mark.parametrize("code", ["XA", "XT-KITANO", "ZZ-9Z0O1I2S5"])
@pytest.mark.parametrize("drawn", [b"\x00\x00\x00\x00", b"\xff\xff\xff\xff", b"\x12\x34\x56\x78", b"\xde\xad\xbe\xef"])
def test_every_single_wrong_character_is_noticed(code: str, drawn: bytes) -> None:
    """Exhaustively: one character replaced by any other gives no reference, or the one that was meant."""
    reference = make_reference(code, 2026, random_bytes=drawn)
    for place in range(len(reference)):
        for symbol in SYMBOLS:
            wrong = reference[:place] + symbol + reference[place + 1 :]
            read = check_reference(wrong)
            assert read in {None, reference} or _same_but_for_a_look_alike_in_the_name(reference, read), wrong


@settings(deadline=None)
@given(CODES, st.binary(min_size=4, max_size=4))
def test_every_swap_of_neighbours_is_noticed(code: str, drawn: bytes) -> None:
    """Two neighbours exchanged give no reference, unless they were the same or look-alikes of a name."""
    reference = make_reference(code, 2026, random_bytes=drawn)
    for place in range(len(reference) - 1):
        swapped = reference[:place] + reference[place + 1] + reference[place] + reference[place + 2 :]
        read = check_reference(swapped)
        assert read in {None, reference} or _same_but_for_a_look_alike_in_the_name(reference, read), swapped


def test_a_plain_sum_would_miss_swaps() -> None:
    """Control: with equal weights a swap of neighbours changes nothing, so the test above can fail."""

    def plain(text: str) -> int:
        return sum(ALPHABET.index(symbol) for symbol in text) % 32

    assert plain("7K3QF9") == plain("K73QF9")


def test_look_alikes_are_read_as_what_was_meant() -> None:
    """I and L for 1, O for 0 in the random part: read aloud, they are the same."""
    reference = next(
        made
        for number in range(1000)
        if {"0", "1"} <= set((made := make_reference("XA", 2026, random_bytes=number.to_bytes(4, "big")))[8:-1])
    )
    head, tail = reference[:8], reference[8:]
    assert check_reference(head + tail.replace("0", "O").replace("1", "l")) == reference


@pytest.mark.parametrize(
    "text",
    [
        "",
        "XA",
        "XA-2026",
        "XA-2026-7K3QF9",
        "XA-2026-7K3QF9DD",
        "X-2026-7K3QF9D",
        "XA-2026-7K3QF9U",
        "ＸA-2026-7K3QF9D",
    ],
)
def test_other_texts_are_no_references(text: str) -> None:
    """Wrong shape, unused letters and letters of other scripts are refused."""
    assert check_reference(text) is None


@pytest.mark.parametrize(
    ("code", "year", "drawn"),
    [("xa", 2026, b"1234"), ("XA", 26, b"1234"), ("XA", 10000, b"1234"), ("XA", 2026, b"123")],
)
def test_impossible_references_are_not_made(code: str, year: int, drawn: bytes) -> None:
    """A wrong code, a wrong year or too little randomness is a programming error."""
    with pytest.raises(ValueError, match="reference needs"):
        make_reference(code, year, random_bytes=drawn)
