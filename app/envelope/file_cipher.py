"""Files in chunks, each closed with AES-256-GCM (SP 800-38D) under a key that no other file ever has.

The nonce is the number of the chunk: under a fresh key no number comes twice. What is authenticated beside the bytes is
the file's id, the number and how many there are, so that no chunk can take another's place, in this file or another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.envelope.format import IV_BYTES, TAG_BYTES
from app.errors import Malformed

if TYPE_CHECKING:
    from uuid import UUID

FILE_KEY_BYTES = 32
OVERHEAD_BYTES = TAG_BYTES
"""By which a chunk is longer than what it holds."""


def close_chunk(plain: bytes, key: bytes, *, file_id: UUID, number: int, chunks: int) -> bytes:
    """The ciphertext of chunk `number` of `chunks`, from 1 on, with its tag. Never two contents under one number."""
    return AESGCM(key).encrypt(_nonce(number), plain, _bound(file_id, number, chunks))


def open_chunk(ciphertext: bytes, key: bytes, *, file_id: UUID, number: int, chunks: int) -> bytes:
    """What the chunk holds. Raises `Malformed` (`undecipherable`) if anything but exactly this chunk was closed."""
    try:
        return AESGCM(key).decrypt(_nonce(number), ciphertext, _bound(file_id, number, chunks))
    except (InvalidTag, ValueError) as fault:
        raise Malformed("undecipherable", "A chunk is not what its file's key closed.") from fault


def _nonce(number: int) -> bytes:
    return number.to_bytes(IV_BYTES, "big")


def _bound(file_id: UUID, number: int, chunks: int) -> bytes:
    return f"{file_id}:{number}:{chunks}".encode("ascii")
