"""A second, unguarded maker of envelopes, built on the primitives alone: it seals any header and any payload.

It shares no code with the room it attacks, so it is also a second implementation of the format.
"""

from __future__ import annotations

import base64
import json
import os
import struct
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from tests.envelope.parties import AURELIA, KITANO, make_claims

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.envelope.parties import Party

ABSENT = object()


def b64u(raw: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def inner_header(**changes: object) -> bytes:
    """The header of a signed text by Aurelia; a value of ABSENT removes a member."""
    return _dump({"typ": "cp-env+jws", "alg": "Ed25519", "kid": "XA-sig-2026a", **changes})


def payload(**changes: object) -> bytes:
    """The claims of `make_claims` as JSON, with members changed, added, or removed by ABSENT; nothing is checked."""
    return _dump({**make_claims().to_members(), **changes})


def sign_raw(header: bytes, body: bytes, *, signer: Party = AURELIA) -> str:
    """An Ed25519 signature over whatever is given."""
    signing_input = f"{b64u(header)}.{b64u(body)}"
    signature = signer.signing.private.private_key.sign(signing_input.encode())  # type: ignore[union-attr]
    return f"{signing_input}.{b64u(signature)}"


def outer_header(epk: dict[str, Any], /, **changes: object) -> dict[str, Any]:
    """The header of an envelope from Aurelia to Kitano, with changes."""
    return {
        "typ": "cp-env+jwe",
        "alg": "ECDH-ES+A256KW",
        "enc": "A256GCM",
        "kid": "XT-enc-2026a",
        "cty": "JWS",
        "iss": "XA",
        "aud": "XT",
        "epk": epk,
        "apu": b64u(b"XA"),
        "apv": b64u(b"XT"),
        "copy": 1,
        **changes,
    }


def close_raw(plain: bytes, write_header: Callable[[dict[str, Any]], bytes], *, receiver: Party = KITANO) -> bytes:
    """ECDH-ES+A256KW with A256GCM by hand (RFC 7518), under exactly the header bytes that `write_header(epk)` returns.

    The key is derived as a receiver derives it that reads `apu` and `apv` of a well-made header.
    """
    ephemeral = X25519PrivateKey.generate()
    epk = {"kty": "OKP", "crv": "X25519", "x": b64u(ephemeral.public_key().public_bytes_raw())}
    header = b64u(write_header(epk))
    apu, apv = _parties(header)
    info = _field(b"ECDH-ES+A256KW") + _field(apu) + _field(apv) + struct.pack(">I", 256)
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(receiver.enc.public))
    wrapping = ConcatKDFHash(hashes.SHA256(), 32, info).derive(shared)
    content_key, iv = os.urandom(32), os.urandom(12)
    sealed = AESGCM(content_key).encrypt(iv, plain, header.encode())
    parts = (aes_key_wrap(wrapping, content_key), iv, sealed[:-16], sealed[-16:])
    return ".".join([header, *(b64u(part) for part in parts)]).encode()


def close(plain: str | bytes, *, receiver: Party = KITANO, **changes: object) -> bytes:
    """An envelope whose outer header has the given members changed, added, or removed by ABSENT."""
    raw = plain.encode() if isinstance(plain, str) else plain
    return close_raw(raw, lambda epk: _dump(outer_header(epk, **changes)), receiver=receiver)


def forge(
    *,
    header: bytes | None = None,
    body: bytes | None = None,
    signer: Party = AURELIA,
    **outer: Any,  # noqa: ANN401 - any member of a header
) -> bytes:
    """A sealed envelope around a text of any header and payload."""
    header = inner_header() if header is None else header
    body = payload() if body is None else body
    return close(sign_raw(header, body, signer=signer), **outer)


def _dump(members: dict[str, Any]) -> bytes:
    return json.dumps({name: value for name, value in members.items() if value is not ABSENT}).encode()


def _parties(header: str) -> tuple[bytes, bytes]:
    try:
        members = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))
        return tuple(base64.urlsafe_b64decode(members[name] + "==") for name in ("apu", "apv"))  # type: ignore[return-value]
    except (ValueError, KeyError, TypeError):
        return b"XA", b"XT"


def _field(raw: bytes) -> bytes:
    return struct.pack(">I", len(raw)) + raw
