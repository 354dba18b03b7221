"""References that people read aloud: `XA-2026-7K3QF9D`.

Contact point, year, six random base-32 characters and one check character. Nothing in it counts, so nobody learns from
a reference how many requests a contact point handles.

The check is a weighted sum over GF(32): every position has its own non-zero weight, so each wrong character and each
swap of two neighbours changes the sum. The one exception is stated at `_NAME`.
"""

from __future__ import annotations

import re

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Base 32 without I, L, O and U, which are misread or make words."""

RANDOM_CHARACTERS = 6
RANDOM_BYTES = 4
"""How many random bytes `make_reference` needs; 30 of the 32 bits are used."""

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NAME = _LETTERS + "346789"
"""Symbols of a contact point's own name. 36 symbols cannot all differ in 32 values: there, and only there, the
look-alikes 0/O, 1/I, 2/Z and 5/S count as the same character."""

_LOOK_ALIKE_DIGITS = str.maketrans("0125", "OIZS")
_MISREAD = str.maketrans("ILO", "110")
_SHAPE = re.compile(r"([A-Z]{2})(?:-([A-Z0-9]{2,12}))?-([0-9]{4})-([0-9A-Z]{7})", re.ASCII)
_CODE = re.compile(r"([A-Z]{2})(?:-([A-Z0-9]{2,12}))?", re.ASCII)

_MODULUS = 0b100101
"""x^5 + x^2 + 1, primitive: the powers of 2 run through all 31 non-zero elements before they repeat."""

_FIELD_BIT = 0b100000
_OFFSET = 2
"""Added to every sum, so that the reference printed throughout the documents is a valid one."""


def _double(value: int) -> int:
    shifted = value << 1
    return shifted ^ _MODULUS if shifted & _FIELD_BIT else shifted


def _check_value(code: str, name: str, *, year: str, drawn: str) -> int:
    """The weighted sum of everything before the check character, which itself has weight one."""
    values = [
        *(_LETTERS.index(letter) for letter in code),
        *(_NAME.index(symbol) for symbol in name.translate(_LOOK_ALIKE_DIGITS)),
        *(ALPHABET.index(digit) for digit in year),
        *(ALPHABET.index(symbol) for symbol in drawn),
    ]
    total = 0
    for value in values:
        total = _double(total ^ value)
    return total ^ _OFFSET


def make_reference(code: str, year: int, *, random_bytes: bytes) -> str:
    """A reference of contact point `code`; the same bytes give the same reference, so uniqueness is the table's task.

    Raises ValueError if the code, the year or the number of random bytes is impossible.
    """
    matched = _CODE.fullmatch(code)
    if matched is None or not 1000 <= year <= 9999 or len(random_bytes) < RANDOM_BYTES:  # noqa: PLR2004 - a year of four digits
        message = "a reference needs a contact point code, a year of four digits and four random bytes"
        raise ValueError(message)
    number = int.from_bytes(random_bytes[:RANDOM_BYTES], "big") >> 2
    drawn = "".join(ALPHABET[(number >> (5 * place)) & 31] for place in reversed(range(RANDOM_CHARACTERS)))
    check = _check_value(matched[1], matched[2] or "", year=str(year), drawn=drawn)
    return f"{code}-{year}-{drawn}{ALPHABET[check]}"


def check_reference(text: str) -> str | None:
    """The reference in its normal form, or None if it is not one.

    Small letters and the look-alikes I, L (for 1) and O (for 0) in the random part are read as what was meant. A
    mistyped reference gives None; it never gives another reference.
    """
    if not text.isascii():
        return None
    matched = _SHAPE.fullmatch(text.upper())
    if matched is None:
        return None
    code, name, year, tail = matched[1], matched[2] or "", matched[3], matched[4].translate(_MISREAD)
    if any(symbol not in ALPHABET for symbol in tail):
        return None
    if _check_value(code, name, year=year, drawn=tail[:-1]) != ALPHABET.index(tail[-1]):
        return None
    head = f"{code}-{name}" if name else code
    return f"{head}-{year}-{tail}"
