"""Files in chunks: cut and joined without loss, bound to their place, and small enough for an envelope."""

from __future__ import annotations

import os
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.delivery_messages import CHUNK_BYTES, MAX_CHUNKS, ChunkBody, FileBody
from app.domain.files import MAX_FILE_BYTES, PLAIN_BYTES, TAG_BYTES, check_file, chunks_of, is_consistent, split
from app.domain.messages import write_body
from app.envelope.canonical import canonical
from app.envelope.claims import Claims
from app.envelope.file_cipher import OVERHEAD_BYTES, close_chunk, open_chunk
from app.envelope.format import MAX_BODY_BYTES, MAX_ENVELOPE_BYTES, encode_part
from app.envelope.open import open_envelope
from app.envelope.seal import encrypt, sign
from app.errors import Malformed, Refused
from tests.envelope.parties import AURELIA, KITANO, NOW, KeyTable
from tests.support.peer import new_id

FILE = UUID("01935040-5b1e-7c33-8d0a-7f3b6f0e2c11")
KEY = bytes(range(32))
PLAIN = b"Order of the prosecutor."


def closed(plain: bytes = PLAIN, *, number: int = 2, chunks: int = 3) -> bytes:
    """One chunk."""
    return close_chunk(plain, KEY, file_id=FILE, number=number, chunks=chunks)


@settings(max_examples=60, deadline=None)
@given(size=st.one_of(st.integers(0, 3), st.integers(PLAIN_BYTES - 2, PLAIN_BYTES + 2), st.integers(0, 900_000)))
def test_what_is_cut_joins_again(size: int) -> None:
    """Every size has its number of chunks, from 1 on, none longer than allowed, and together they are the file."""
    content = os.urandom(size)
    pieces = list(split(content))
    assert [number for number, _ in pieces] == list(range(1, chunks_of(size) + 1))
    assert all(len(piece) + OVERHEAD_BYTES <= CHUNK_BYTES for _, piece in pieces)
    assert b"".join(piece for _, piece in pieces) == content


def test_the_tag_is_counted() -> None:
    """The two rooms that may not know each other mean the same tag."""
    assert TAG_BYTES == OVERHEAD_BYTES
    assert len(closed(bytes(PLAIN_BYTES))) == CHUNK_BYTES


def test_a_chunk_opens_at_its_place() -> None:
    """Control for what follows."""
    assert open_chunk(closed(), KEY, file_id=FILE, number=2, chunks=3) == PLAIN


@pytest.mark.parametrize(
    "place",
    [
        {"file_id": UUID(int=1), "number": 2, "chunks": 3},
        {"file_id": FILE, "number": 1, "chunks": 3},
        {"file_id": FILE, "number": 2, "chunks": 4},
    ],
    ids=["of another file", "under another number", "of another count"],
)
def test_a_chunk_opens_nowhere_else(place: dict[str, object]) -> None:
    """It is bound to its file, its number and their count, though the key and the bytes are right."""
    with pytest.raises(Malformed, match="undecipherable"):
        open_chunk(closed(), KEY, **place)  # type: ignore[arg-type]


def test_one_bit_changes_everything() -> None:
    """A chunk that was altered, cut short, or closed under another key opens not at all."""
    good = closed()
    for bad in (good[:-1] + bytes([good[-1] ^ 1]), good[:-1], b"", good[1:]):
        with pytest.raises(Malformed, match="undecipherable"):
            open_chunk(bad, KEY, file_id=FILE, number=2, chunks=3)
    with pytest.raises(Malformed, match="undecipherable"):
        open_chunk(good, bytes(32), file_id=FILE, number=2, chunks=3)


def test_numbers_give_different_bytes() -> None:
    """The same content under two numbers is not the same ciphertext: no nonce comes twice under a key."""
    assert closed(number=1) != closed(number=2)


def test_the_largest_chunk_fits_into_an_envelope() -> None:
    """A full chunk with the longest numbers passes every limit on its way, and opens byte for byte at the other end."""
    ciphertext = os.urandom(CHUNK_BYTES)
    body = write_body(ChunkBody(file_id=FILE, number=MAX_CHUNKS, chunks=MAX_CHUNKS, ciphertext=encode_part(ciphertext)))
    assert len(canonical(body)) <= MAX_BODY_BYTES
    claims = Claims(
        iss="XA",
        aud="XT",
        jti=new_id(),
        iat=int(NOW.timestamp()),
        type="attachment.chunk/1",
        body=body,
        dir_version=2**31 - 1,
        thread=f"att:{FILE}",
        seq=2**31 - 1,
        prev=new_id(),
        log={"origin": "log.xa.example/2026", "checkpoint": "x" * 4_000},
    )
    raw = encrypt(sign(claims, AURELIA.signing), iss="XA", aud="XT", copy=999, recipient=KITANO.enc)
    assert len(raw) <= MAX_ENVELOPE_BYTES
    keys = KeyTable(("XA", AURELIA.sig))
    opened = open_envelope(raw, me="XT", keyring=KITANO.keyring, directory=keys, now=NOW)
    assert dict(opened.claims.body) == body


def test_one_byte_more_is_no_chunk() -> None:
    """What is longer than a chunk is not understood, whoever sends it."""
    with pytest.raises(ValueError, match="ciphertext"):
        ChunkBody(file_id=FILE, number=1, chunks=1, ciphertext=encode_part(bytes(CHUNK_BYTES + 1)))


TOLD = FileBody(
    file_id=FILE,
    name="order.pdf",
    media_type="application/pdf",
    size=PLAIN_BYTES + 1,
    sha256=encode_part(bytes(32)),
    key=encode_part(KEY),
    chunks=2,
)


def test_size_and_count_go_together() -> None:
    """A description whose number of chunks does not follow from its size is told from one whose does."""
    assert is_consistent(TOLD)
    assert not is_consistent(TOLD.model_copy(update={"chunks": 3}))
    assert is_consistent(TOLD.model_copy(update={"size": 0, "chunks": 1}))


@pytest.mark.parametrize("member", [{"name": "../order"}, {"name": "a\\b"}, {"name": ""}, {"name": "a\x00"}])
def test_names_carry_no_paths(member: dict[str, str]) -> None:
    """What comes from abroad names a file, never a place."""
    with pytest.raises(ValueError, match="name"):
        FileBody(**(TOLD.model_dump() | member))


def test_what_cannot_be_sent_is_refused() -> None:
    """A name of dots, a media type that is none, a file beyond the limit: each is named by its pointer."""
    check_file("order.pdf", "application/pdf", size=MAX_FILE_BYTES)
    with pytest.raises(Refused) as caught:
        check_file("..", "pdf", size=MAX_FILE_BYTES + 1)
    assert {error.pointer for error in caught.value.errors} == {"/name", "/media_type", "/content"}
