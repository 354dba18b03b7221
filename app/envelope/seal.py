"""Sign, then close. The signed text is made once per message; each publication closes it anew (rulings 10 and 12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from joserfc import jwe, jws

from app.envelope.canonical import canonical, parse_json
from app.envelope.claims import read_claims
from app.envelope.format import (
    AGREE_ALG,
    ENC,
    EPHEMERAL_CRV,
    INNER_TYP,
    MAX_CLAIMS_BYTES,
    MAX_ENVELOPE_BYTES,
    OUTER_CTY,
    OUTER_TYP,
    SIGN_ALG,
    encode_part,
)
from app.envelope.jose import encryption_registry, signature_registry
from app.envelope.keys import public_key
from app.errors import Malformed

if TYPE_CHECKING:
    from app.envelope.claims import Claims
    from app.envelope.keys import RecipientKey, SigningKey


def sign(claims: Claims, key: SigningKey) -> str:
    """The inner text. The same claims and key always give the same text (Ed25519, RFC 8785).

    Raises `Malformed` (`bad_claims`, `too_large`, …) for claims that the other side would have to reject.
    """
    payload = canonical(claims.to_members())
    # Read as the other side will read it: a text it must refuse would be resent for ever.
    read_claims(parse_json(payload, max_bytes=MAX_CLAIMS_BYTES))
    header = {"typ": INNER_TYP, "alg": SIGN_ALG, "kid": key.kid}
    return jws.serialize_compact(header, payload, key.private, registry=signature_registry())


def encrypt(inner: str, *, iss: str, aud: str, copy: int, recipient: RecipientKey) -> bytes:
    """Close a signed text for the owner of `recipient`: publication number `copy` (1, 2, …) of it; new bytes each time.

    `iss` and `aud` must be those inside the text; the opener compares. Raises `Malformed` when the result would be too
    large, the copy is no number from 1 on, or the key is not one of this suite.
    """
    if copy < 1:
        raise Malformed("bad_copy", "Publications are counted from 1.")
    if recipient.alg != AGREE_ALG:
        raise Malformed("bad_key", f"The key {recipient.kid} is not for {AGREE_ALG}.")
    header = {
        "typ": OUTER_TYP,
        "alg": AGREE_ALG,
        "enc": ENC,
        "kid": recipient.kid,
        "cty": OUTER_CTY,
        "iss": iss,
        "aud": aud,
        "apu": encode_part(iss.encode("ascii")),
        "apv": encode_part(aud.encode("ascii")),
        "copy": copy,
    }
    key = public_key(EPHEMERAL_CRV, recipient.public)
    envelope = jwe.encrypt_compact(header, inner, key, registry=encryption_registry()).encode("ascii")
    if len(envelope) > MAX_ENVELOPE_BYTES:
        raise Malformed("too_large", f"The envelope is longer than {MAX_ENVELOPE_BYTES} bytes.")
    return envelope
