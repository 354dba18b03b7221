"""Any bytes whatever: the opener returns an `Opened` or raises `Rejected`, and never anything else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.envelope.open import Opened, verify_text
from app.envelope.reasons import Rejected
from app.envelope.seal import sign
from tests.envelope.forging import close, close_raw, forge, inner_header, outer_header, payload
from tests.envelope.parties import AURELIA, DIRECTORY, KITANO, NOW, make_claims, open_at, seal

GOOD = seal()
TEXT = sign(make_claims(), AURELIA.signing)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
fuzz = settings(deadline=None, derandomize=True, max_examples=150)


def try_to_open(raw: bytes) -> Opened | Rejected:
    """The two ends an envelope can have; any other exception fails the test."""
    try:
        return open_at(KITANO, raw)
    except Rejected as fault:
        return fault


def test_no_changed_bit_opens() -> None:
    """One bit changed at any position of an envelope, and it is refused."""
    ends = [try_to_open(GOOD[:at] + bytes([GOOD[at] ^ (1 << at % 8)]) + GOOD[at + 1 :]) for at in range(len(GOOD))]

    assert len(ends) > 200
    assert all(isinstance(end, Rejected) and not end.authenticated for end in ends)


def test_no_changed_bit_of_a_signed_text_verifies() -> None:
    """One bit changed at any position of the inner text, and it is nobody's word."""
    assert len(TEXT) > 200
    for at in range(len(TEXT)):
        changed = TEXT[:at] + chr(ord(TEXT[at]) ^ (1 << at % 7)) + TEXT[at + 1 :]
        with pytest.raises(Rejected) as caught:
            verify_text(changed, iss="XA", aud="XT", directory=DIRECTORY, received_at=NOW)
        assert not caught.value.authenticated


def test_no_part_of_an_envelope_opens() -> None:
    """Cut anywhere, from either end, an envelope is refused."""
    for at in range(0, len(GOOD), 3):
        assert isinstance(try_to_open(GOOD[:at]), Rejected)
        assert at == 0 or isinstance(try_to_open(GOOD[at:]), Rejected)


@fuzz
@given(st.binary(max_size=400))
def test_random_bytes_are_refused(raw: bytes) -> None:
    """Noise is refused."""
    assert isinstance(try_to_open(raw), Rejected)


@fuzz
@given(st.dictionaries(st.sampled_from([*outer_header({}), "zip", "crit", "b64", "x"]), anything, max_size=4))
def test_random_outer_headers_end_well(changes: dict[str, Any]) -> None:
    """A well-closed envelope under a header with arbitrary members ends in one of the two ways."""
    try_to_open(close(TEXT, **changes))


@fuzz
@given(st.binary(max_size=60) | anything.map(lambda value: json.dumps(value).encode()))
def test_random_header_bytes_are_refused(header: bytes) -> None:
    """A well-closed envelope under a header of arbitrary bytes or arbitrary JSON is refused."""
    assert isinstance(try_to_open(close_raw(TEXT.encode(), lambda _: header)), Rejected)


@fuzz
@given(st.binary(max_size=200) | st.text("eyJ.AB-_9", max_size=200).map(str.encode))
def test_random_plaintexts_are_refused(plain: bytes) -> None:
    """Whatever a stranger closes for us, it is refused unless it is a signed text."""
    assert isinstance(try_to_open(close_raw(plain, lambda epk: json.dumps(outer_header(epk)).encode())), Rejected)


@fuzz
@given(st.dictionaries(st.sampled_from(["typ", "alg", "kid", "jwk", "crit", "b64", "zip"]), anything, max_size=3))
def test_random_inner_headers_end_well(changes: dict[str, Any]) -> None:
    """A signed text under a header with arbitrary members ends in one of the two ways."""
    try_to_open(forge(header=inner_header(**changes)))


@fuzz
@given(
    st.dictionaries(st.sampled_from([*make_claims().to_members(), "exp", "prev", "log", "new"]), anything, max_size=5)
)
def test_random_claims_end_well(changes: dict[str, Any]) -> None:
    """A member of the network that signs arbitrary claims gets one of the two ends."""
    try_to_open(forge(body=payload(**changes)))


@fuzz
@given(st.binary(max_size=300) | anything.map(lambda value: json.dumps(value).encode()))
def test_random_signed_payloads_are_refused(body: bytes) -> None:
    """A genuine signature over arbitrary bytes or arbitrary JSON is refused."""
    assert isinstance(try_to_open(forge(body=body)), Rejected)
