"""An envelope with nothing random in it, for the vectors: RFC 7518 section 4.6 written out, each step by its name."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from app.envelope.format import decode_part, encode_part

if TYPE_CHECKING:
    from collections.abc import Mapping

ALGORITHM = b"ECDH-ES+A256KW"


def drawn(seed: str, length: int) -> bytes:
    """The same bytes for the same seed; what a real sender draws at random."""
    return hashlib.sha256(f"counterpart vectors: {seed}".encode()).digest()[:length]


def sized(raw: bytes) -> bytes:
    """The length in four bytes, and the bytes."""
    return len(raw).to_bytes(4, "big") + raw


def close_fixed(text: str, names: Mapping[str, Any], recipient: Mapping[str, str], *, seed: str) -> dict[str, str]:
    """The envelope of `text` and everything on the way to it; `names` are `iss`, `aud` and `copy`."""
    ephemeral = X25519PrivateKey.from_private_bytes(drawn(f"{seed} ephemeral", 32))
    public = ephemeral.public_key().public_bytes_raw()
    key, nonce = drawn(f"{seed} content key", 32), drawn(f"{seed} nonce", 12)
    iss, aud = str(names["iss"]).encode(), str(names["aud"]).encode()
    header = {
        "typ": "cp-env+jwe",
        "alg": ALGORITHM.decode(),
        "enc": "A256GCM",
        "kid": recipient["kid"],
        "cty": "JWS",
        "iss": iss.decode(),
        "aud": aud.decode(),
        "apu": encode_part(iss),
        "apv": encode_part(aud),
        "copy": names["copy"],
        "epk": {"kty": "OKP", "crv": "X25519", "x": encode_part(public)},
    }
    protected = encode_part(json.dumps(header, separators=(",", ":")).encode())
    secret = ephemeral.exchange(X25519PublicKey.from_public_bytes(decode_part(recipient["x"])))
    other = sized(ALGORITHM) + sized(iss) + sized(aud) + (256).to_bytes(4, "big")
    wrapping = hashlib.sha256((1).to_bytes(4, "big") + secret + other).digest()
    wrapped = aes_key_wrap(wrapping, key)
    sealed = AESGCM(key).encrypt(nonce, text.encode("ascii"), protected.encode("ascii"))
    parts = (wrapped, nonce, sealed[:-16], sealed[-16:])
    return {
        "envelope": ".".join((protected, *(encode_part(part) for part in parts))),
        "ephemeral_private": encode_part(ephemeral.private_bytes_raw()),
        "shared_secret": encode_part(secret),
        "other_info": encode_part(other),
        "wrapping_key": encode_part(wrapping),
        "content_key": encode_part(key),
        "wrapped_key": encode_part(wrapped),
        "nonce": encode_part(nonce),
    }
