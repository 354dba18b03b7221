"""What leaves us: signed once, closed anew for each publication, and never larger than the other side accepts."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from app.domain.contact_points import CODE_PATTERN
from app.envelope.format import (
    CODE,
    MAX_BODY_BYTES,
    MAX_CLAIMS_BYTES,
    MAX_ENVELOPE_BYTES,
    MAX_JWS_BYTES,
    decode_part,
    encode_part,
    inner_hash,
)
from app.envelope.seal import encrypt, sign
from app.errors import Malformed
from tests.envelope.parties import AURELIA, JTI, KITANO, NOW, make_claims, open_at, seal

ROUND_TRIPS: dict[str, dict[str, Any]] = {
    "a message in a thread": {"seq": 7, "prev": JTI},
    "a message without thread": {"thread": None, "seq": None, "type": "receipt/1"},
    "with expiry and checkpoint": {"exp": 1_800_000_000, "log": {"size": 812, "add_checkpoint": "old 0\n\n…"}},
    "with members of a newer sender": {"unknown": {"group": "g-1", "x": [1, {"y": None}]}},
    "an attachment's thread": {"thread": f"att:{JTI}", "type": "attachment.chunk/1"},
    "an empty body": {"body": {}},
}


@pytest.mark.parametrize("case", ROUND_TRIPS)
def test_what_was_signed_is_what_is_opened(case: str) -> None:
    """Claims come out as they went in, unknown members included."""
    claims = make_claims(**ROUND_TRIPS[case])

    opened = open_at(KITANO, seal(claims, copy=5))

    assert (opened.claims, opened.copy, opened.kid) == (claims, 5, "XA-sig-2026a")


def test_the_hash_is_that_of_the_inner_text() -> None:
    """Sender and receiver name a signed text alike: SHA-256 over its ASCII characters, base64url."""
    text = sign(make_claims(), AURELIA.signing)

    opened = open_at(KITANO, encrypt(text, iss="XA", aud="XT", copy=1, recipient=KITANO.enc))

    assert (opened.jws, opened.inner_hash) == (text, inner_hash(text))
    assert len(opened.inner_hash) == 43


def test_signing_twice_gives_the_same_text() -> None:
    """The one text of a message can be made again, bit for bit, whatever the order of the members."""
    one = make_claims(body={"a": 1, "b": 2})
    other = make_claims(body={"b": 2, "a": 1})

    assert sign(one, AURELIA.signing) == sign(other, AURELIA.signing)


def test_closing_twice_gives_different_bytes() -> None:
    """A courier cannot tell a resent envelope from a new one by comparing bytes."""
    text = sign(make_claims(), AURELIA.signing)

    first, second = (encrypt(text, iss="XA", aud="XT", copy=1, recipient=KITANO.enc) for _ in range(2))

    assert not set(first.split(b".")[1:]) & set(second.split(b".")[1:])


def test_the_courier_sees_the_pair_the_copy_and_nothing_else() -> None:
    """The outer header holds names, algorithms and the copy; no message id, thread, type or body is readable."""
    raw = seal(copy=3)
    header = json.loads(base64.urlsafe_b64decode(raw.split(b".")[0] + b"=="))

    assert header.pop("epk").keys() == {"kty", "crv", "x"}
    assert header == {
        "typ": "cp-env+jwe",
        "alg": "ECDH-ES+A256KW",
        "enc": "A256GCM",
        "kid": "XT-enc-2026a",
        "cty": "JWS",
        "iss": "XA",
        "aud": "XT",
        "apu": "WEE",
        "apv": "WFQ",
        "copy": 3,
    }
    assert b"preserve" not in raw
    assert JTI.encode() not in raw


def test_the_largest_claims_still_travel() -> None:
    """Claims at their limit make an envelope within its limit, which opens."""
    spare = MAX_CLAIMS_BYTES - len(decode_part(sign(make_claims(body={"x": ""}), AURELIA.signing).split(".")[1]))
    claims = make_claims(body={"x": "a" * spare})
    text = sign(claims, AURELIA.signing)
    raw = encrypt(text, iss="XA", aud="XT", copy=2**53 - 1, recipient=KITANO.enc)

    assert open_at(KITANO, raw).claims == claims
    assert len(text) <= MAX_JWS_BYTES
    assert MAX_ENVELOPE_BYTES * 0.99 < len(raw) <= MAX_ENVELOPE_BYTES


def test_an_attachment_chunk_travels() -> None:
    """192 KiB of ciphertext in base64 are a body within its limit."""
    assert 192 * 1024 * 4 // 3 + 1024 < MAX_BODY_BYTES < MAX_CLAIMS_BYTES


def test_claims_beyond_the_limit_are_refused_when_signing() -> None:
    """What the other side would refuse is refused here, before it is queued."""
    with pytest.raises(Malformed) as caught:
        sign(make_claims(body={"x": "a" * MAX_CLAIMS_BYTES}), AURELIA.signing)

    assert caught.value.code == "too_large"


UNSIGNABLE: dict[str, tuple[dict[str, Any], str]] = {
    "a code in lower case": ({"aud": "xt"}, "bad_claims"),
    "to oneself": ({"aud": "XA"}, "bad_claims"),
    "a seq without thread": ({"thread": None}, "bad_claims"),
    "an integer beyond 2^53": ({"body": {"n": 2**53}}, "integer_too_large"),
    "a double that is written like such an integer": ({"body": {"n": 1e20}}, "integer_too_large"),
    "half a surrogate pair": ({"body": {"n": "\ud800"}}, "not_json"),
    "a NUL": ({"body": {"n": "\0"}}, "bad_characters"),
    "a body nested too deeply": ({"body": {"n": json.loads("[" * 31 + "]" * 31)}}, "too_deep"),
}


@pytest.mark.parametrize("case", UNSIGNABLE)
def test_claims_the_other_side_would_refuse_are_not_signed(case: str) -> None:
    """A signature is given only to what its receiver can read."""
    changes, code = UNSIGNABLE[case]

    with pytest.raises(Malformed) as caught:
        sign(make_claims(**changes), AURELIA.signing)

    assert caught.value.code == code


def test_unknown_members_never_overwrite_what_is_known() -> None:
    """Members kept from elsewhere cannot smuggle in another sender."""
    assert make_claims(unknown={"iss": "XS", "v": 9}).to_members()["iss"] == "XA"


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"copy": 0}, "bad_copy"), ({"recipient": AURELIA.sig}, "bad_key"), ({"inner": "a" * 400_000}, "too_large")],
)
def test_an_envelope_that_could_not_be_opened_is_not_closed(changes: dict[str, Any], code: str) -> None:
    """A copy below 1, a signing key as recipient, or a text too long end as a typed fault."""
    arguments = {"inner": "e30.e30.e30", "iss": "XA", "aud": "XT", "copy": 1, "recipient": KITANO.enc, **changes}

    with pytest.raises(Malformed) as caught:
        encrypt(arguments.pop("inner"), **arguments)

    assert caught.value.code == code


def test_iat_is_read_as_a_moment_in_utc() -> None:
    """Unix seconds on the wire, an aware moment inside."""
    assert make_claims(iat=1_795_339_800).issued_at == datetime(2026, 11, 22, 9, 30, tzinfo=UTC) == NOW


def test_the_room_and_the_domain_agree_on_what_a_code_is() -> None:
    """The two rooms do not know each other, so this is where their one shared pattern is compared."""
    assert f"^{CODE.pattern}$" == CODE_PATTERN


@pytest.mark.parametrize("text", ["A", "AB", "AA==", "AA=", "A+AA", "A/AA", "AA\n", " AAA", "QQ\u00e9", "AAAA\0"])
def test_base64url_has_one_spelling(text: str) -> None:
    """Loose bits, padding, the other alphabet and foreign characters are refused."""
    with pytest.raises(ValueError, match=r"base64url|ASCII"):
        decode_part(text)


def test_base64url_round_trips() -> None:
    """Every length of bytes has one text, and the text gives the bytes back."""
    for length in range(70):
        raw = bytes(range(length))
        assert decode_part(encode_part(raw)) == raw


def test_private_keys_do_not_print() -> None:
    """A keyring in a log line or a traceback shows key ids and no secret."""
    secret = AURELIA.signing.private.as_dict(private=True)["d"]

    assert str(secret) not in repr(AURELIA.keyring)
    assert "XA-sig-2026a" in repr(replace(AURELIA.keyring, standby=None))
