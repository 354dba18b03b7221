"""The text encodings of wallet addresses that carry a checksum: Base58Check, Bech32 and Bech32m (BIP 173 and 350)."""

from __future__ import annotations

import hashlib
from enum import Enum

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM_BYTES = 4
_CHECKSUM_SYMBOLS = 6
_PADDING_LIMIT = 5
_PROGRAM_LENGTHS = range(2, 41)
_FIRST_PROGRAM_LENGTHS = (20, 32)
_LAST_WITNESS_VERSION = 16
MAX_BECH32 = 90


class Bech(Enum):
    """Which of the two checksums a text carries."""

    BECH32 = 1
    BECH32M = 0x2BC830A3


def base58check(text: str) -> bytes | None:
    """Version and payload, or None if the text is not Base58 or its checksum is wrong."""
    number = 0
    for symbol in text:
        place = _BASE58.find(symbol)
        if place < 0:
            return None
        number = number * 58 + place
    zeros = len(text) - len(text.lstrip(_BASE58[0]))
    raw = bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
    body, checksum = raw[:-_CHECKSUM_BYTES], raw[-_CHECKSUM_BYTES:]
    digest = hashlib.sha256(hashlib.sha256(body).digest()).digest()
    return body if body and digest[:_CHECKSUM_BYTES] == checksum else None


def is_witness_address(text: str, prefix: str) -> bool:
    """Whether the text is a segregated-witness address under `prefix`, its checksum the one of its version."""
    lowered = text.lower()
    if len(text) > MAX_BECH32 or text not in {lowered, text.upper()} or not lowered.startswith(f"{prefix}1"):
        return False
    symbols = [_BECH32.find(symbol) for symbol in lowered[len(prefix) + 1 :]]
    if len(symbols) <= _CHECKSUM_SYMBOLS or min(symbols) < 0 or symbols[0] > _LAST_WITNESS_VERSION:
        return False
    expected = Bech.BECH32M if symbols[0] else Bech.BECH32
    program = _regrouped(symbols[1:-_CHECKSUM_SYMBOLS])
    return _checksum(prefix, symbols) == expected.value and _is_program(program, symbols[0])


def _is_program(program: int | None, version: int) -> bool:
    if program is None or program not in _PROGRAM_LENGTHS:
        return False
    return version > 0 or program in _FIRST_PROGRAM_LENGTHS


def _regrouped(symbols: list[int]) -> int | None:
    """How many whole bytes the symbols of five bits hold; None if what is left over is not short zero padding."""
    number = 0
    for symbol in symbols:
        number = number << 5 | symbol
    count, left = divmod(5 * len(symbols), 8)
    padding = number & ((1 << left) - 1)
    return count if left < _PADDING_LIMIT and not padding else None


def _checksum(prefix: str, symbols: list[int]) -> int:
    spread = [ord(sign) >> 5 for sign in prefix] + [0] + [ord(sign) & 31 for sign in prefix]
    value = 1
    for symbol in spread + symbols:
        top = value >> 25
        value = (value & 0x1FFFFFF) << 5 ^ symbol
        for place, generator in enumerate(_GENERATORS):
            value ^= generator if top >> place & 1 else 0
    return value
