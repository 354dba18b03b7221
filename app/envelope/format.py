"""The form of an envelope, version cp1: names, constants and every limit, each with its unit and its reason.

Nothing is parsed before its size limit and nothing is believed before its signature (docs/protocol.md, 5).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

# --- names ------------------------------------------------------------------------------------------------------------

VERSION = 1
SUITE = "cp1"
OUTER_TYP = "cp-env+jwe"
INNER_TYP = "cp-env+jws"
OUTER_CTY = "JWS"
SIGN_ALG = "Ed25519"
"""RFC 9864 name. The older `EdDSA` leaves the curve open and is refused."""
AGREE_ALG = "ECDH-ES+A256KW"
ENC = "A256GCM"
EPHEMERAL_CRV = "X25519"

OUTER_MEMBERS = frozenset({"typ", "alg", "enc", "kid", "cty", "iss", "aud", "epk", "apu", "apv", "copy"})
"""Exactly these: no `zip` (a decompression bomb), no `crit`, and nothing that tells the courier more than the pair."""
INNER_MEMBERS = frozenset({"typ", "alg", "kid"})

CODE = re.compile(r"[A-Z]{2}(-[A-Z0-9]{2,12})?")
KEY_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
MESSAGE_TYPE = re.compile(r"[a-z][a-z0-9.-]{0,47}/[1-9][0-9]{0,3}")
MESSAGE_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
"""A UUID in its one canonical spelling: two spellings of one id would be two ids to whoever compares text."""
THREAD = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._-]{0,99}")

# --- limits -----------------------------------------------------------------------------------------------------------

MAX_ENVELOPE_BYTES = 512 * 1024
"""Bytes of a whole envelope. Room for one attachment chunk (192 KiB of ciphertext, in base64 three times over)."""
MAX_HEADER_BYTES = 2 * 1024
"""Bytes of a decoded protected header, outer or inner. Ours have about 450 and 60."""
MAX_CLAIMS_BYTES = 287 * 1024
"""Bytes of the signed payload. The largest that still fits into an envelope after two rounds of base64url."""
MAX_BODY_BYTES = 272 * 1024
"""Bytes of a body in canonical form that may be queued: 15 KiB are left for the claims and the log's checkpoint."""
MAX_JWS_BYTES = 400 * 1024
"""Characters of the inner text: the payload at its limit in base64url, header and signature."""
MAX_DEPTH = 32
"""Levels of nesting in the signed payload. Our deepest body has 9."""
MAX_HEADER_DEPTH = 3
"""Levels of nesting in a header: the header and its `epk`."""
MAX_INTEGER = 2**53 - 1
"""Largest whole number that every JSON reader holds exactly (RFC 8785, I-JSON)."""
MAX_TIME_SECONDS = 253_402_300_799
"""Unix seconds: the last second of the year 9999, the last a calendar date can be made of."""
MAX_SKEW_SECONDS = 300
"""How far ahead of our clock a sender's may be. Further ahead is a fault to look into, not a time to believe."""

KEY_BYTES = 32
SIGNATURE_BYTES = 64
WRAPPED_KEY_BYTES = 40
IV_BYTES = 12
TAG_BYTES = 16


def encode_part(raw: bytes) -> str:
    """base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def decode_part(text: str) -> bytes:
    """The bytes of a base64url text in its one canonical spelling; `ValueError` for padding, other letters, loose bits.

    Only so is a signed text unique: otherwise its last character could be changed and the signature would still fit.
    """
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
    except binascii.Error as fault:
        raise ValueError("not base64url") from fault
    if encode_part(raw) != text:
        raise ValueError("not canonical base64url")
    return raw


def inner_hash(jws: str) -> str:
    """The name of a signed text everywhere: base64url of the SHA-256 over its ASCII characters."""
    return encode_part(hashlib.sha256(jws.encode("ascii")).digest())
