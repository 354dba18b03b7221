"""What every reader in this room shares: the one fault, and base64 and numbers that have exactly one spelling."""

from __future__ import annotations

import base64
import binascii
import re

from app.errors import CounterpartError

MAX_NUMBER_DIGITS = 18
"""A tree size or index with more digits is refused before it is converted; 10^18 leaves are out of reach."""

_NUMBER = re.compile(rf"0|[1-9][0-9]{{0,{MAX_NUMBER_DIGITS - 1}}}", re.ASCII)


class NotVerified(CounterpartError):
    """A note, checkpoint, proof or export does not prove what it claims; `code` says which rule it broke.

    The only exception a reader of this room lets out for any input whatsoever.
    """


def require(holds: object, code: str, detail: str) -> None:
    """Raise `NotVerified` unless `holds`; unlike `assert` it cannot be switched off."""
    if not holds:
        raise NotVerified(code, detail)


def to_base64(raw: bytes) -> str:
    """Standard alphabet with padding, as all C2SP formats use."""
    return base64.b64encode(raw).decode("ascii")


def from_base64(text: str) -> bytes:
    """Accept only the spelling that `to_base64` would have produced: one value, one text."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as cause:
        raise NotVerified("base64", "not base64") from cause
    require(to_base64(raw) == text, "base64", "base64 that is not canonical")
    return raw


def from_decimal(text: str) -> int:
    """Accept ASCII digits without sign, space or leading zero, and at most `MAX_NUMBER_DIGITS` of them."""
    require(_NUMBER.fullmatch(text), "number", "not a plain decimal number")
    return int(text)
