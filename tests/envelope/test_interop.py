"""A second JOSE library as oracle: it opens what we close, and we open what it closes."""

from __future__ import annotations

import json
from typing import Any

from jwcrypto import jwe, jwk, jws

from app.envelope.reasons import Reason
from app.envelope.seal import sign
from tests.envelope.forging import b64u, close, inner_header, outer_header, payload
from tests.envelope.parties import AURELIA, KITANO, make_claims, open_at, reject, seal

REGISTRY = {
    name: jws.JWSEHeaderParameter(name, mustprotect=True, supported=True, check_fn=None)
    for name in ("iss", "aud", "copy")
}


def as_jwcrypto(key: Any) -> jwk.JWK:  # noqa: ANN401 - the key class of the other library
    """One of our private keys in the other library."""
    return jwk.JWK(**key.as_dict(private=True))


def last_bit_changed(text: str) -> str:
    """The same signature in another spelling: an unused bit of the last character is set."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + alphabet[alphabet.index(text[-1]) | 1]


def test_the_other_library_opens_ours() -> None:
    """Our envelope is plain JOSE: another implementation decrypts it, verifies it and reads our claims."""
    outer = jwe.JWE(algs=["ECDH-ES+A256KW", "A256GCM"], header_registry=REGISTRY)
    outer.deserialize(seal().decode(), key=as_jwcrypto(KITANO.keyring.decryption["XT-enc-2026a"].private))
    inner = jws.JWS()
    inner.allowed_algs = ["Ed25519"]
    inner.deserialize(outer.payload.decode(), key=as_jwcrypto(AURELIA.signing.private))

    assert json.loads(inner.payload) == make_claims().to_members()


def test_we_open_what_the_other_library_closes() -> None:
    """An envelope made by another implementation after docs/protocol.md opens here."""
    inner = jws.JWS(payload())
    inner.allowed_algs = ["Ed25519"]
    inner.add_signature(as_jwcrypto(AURELIA.signing.private), None, inner_header().decode(), None)
    header = {name: value for name, value in outer_header({}, copy=9).items() if name != "epk"}
    outer = jwe.JWE(
        inner.serialize(compact=True).encode(),
        json.dumps(header),
        algs=["ECDH-ES+A256KW", "A256GCM"],
        header_registry=REGISTRY,
    )
    recipient = {"kty": "OKP", "crv": "X25519", "x": b64u(KITANO.enc.public)}
    outer.add_recipient(jwk.JWK(**recipient))

    opened = open_at(KITANO, outer.serialize(compact=True).encode())

    assert (opened.claims, opened.copy) == (make_claims(), 9)


def test_a_second_spelling_of_a_signature_is_refused_here_alone() -> None:
    """The other library takes a text whose unused last bits were changed; we refuse it, so a text has one hash."""
    spelled = last_bit_changed(sign(make_claims(), AURELIA.signing))
    lax = jws.JWS()
    lax.allowed_algs = ["Ed25519"]
    lax.deserialize(spelled, key=as_jwcrypto(AURELIA.signing.private))

    assert json.loads(lax.payload) == make_claims().to_members()
    assert reject(close(spelled)).reason is Reason.MALFORMED


def test_both_sign_the_same_text() -> None:
    """Ed25519 over the canonical claims is one text: the other library's signature equals ours."""
    text = sign(make_claims(), AURELIA.signing)
    header, body, _ = text.split(".")
    other = jws.JWSCore("Ed25519", as_jwcrypto(AURELIA.signing.private), _decode(header), _decode_bytes(body))

    assert other.sign()["signature"] == text.split(".")[2]


def _decode(part: str) -> str:
    return _decode_bytes(part).decode()


def _decode_bytes(part: str) -> bytes:
    raw: bytes = jws.base64url_decode(part)
    return raw
