"""Open an envelope: the numbered checks of docs/protocol.md, 5.6, cheap before dear, each failure one typed `Reason`.

1. Size: at most `MAX_ENVELOPE_BYTES`, before anything is parsed.
2. Outer header: five canonical parts, exactly our members, our algorithms, `aud` is me.
3. `kid` names a decryption key of mine, current or in grace.
4. Decrypt.
5. Inner header: exactly our members; the key is the one that the *outer* `iss` published under this `kid`; its record
   says for which algorithm it is.
6. Verify the signature. What is read from here on was written by the holder of that key.
7. Claims: readable, of a version we know; the key was in its window at `iat`, and if it is a revoked one, we received
   this before `revoked_at` (ruling 21); `iss` and `aud` equal the outer ones.
8. `iat` is at most `MAX_SKEW_SECONDS` ahead of our clock.

Replay, order, expiry and what the message means are the receiver's business.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from joserfc import jwe, jws
from joserfc.errors import JoseError

from app.envelope.canonical import parse_json
from app.envelope.claims import Claims, read_claims, read_jti
from app.envelope.format import (
    IV_BYTES,
    MAX_CLAIMS_BYTES,
    MAX_ENVELOPE_BYTES,
    MAX_JWS_BYTES,
    MAX_SKEW_SECONDS,
    SIGN_ALG,
    SIGNATURE_BYTES,
    SUITE,
    TAG_BYTES,
    VERSION,
    WRAPPED_KEY_BYTES,
    inner_hash,
)
from app.envelope.headers import explain, read_inner, read_outer, split_parts
from app.envelope.jose import encryption_registry, signature_registry
from app.envelope.keys import public_key
from app.envelope.reasons import Reason, Rejected, Seen
from app.errors import Malformed

if TYPE_CHECKING:
    from datetime import datetime

    from app.envelope.headers import OuterHeader
    from app.envelope.keys import KeyDirectory, Keyring, SigningKeyRecord


@dataclass(frozen=True, slots=True)
class Verified:
    """A signed text that `claims.iss` made for `claims.aud`, under the key `kid`."""

    claims: Claims
    jws: str
    inner_hash: str
    kid: str


@dataclass(frozen=True, slots=True)
class Opened(Verified):
    """The same, taken out of an envelope: `copy` is the number of the publication, to be echoed in the receipt."""

    copy: int


def open_envelope(raw: bytes, *, me: str, keyring: Keyring, directory: KeyDirectory, now: datetime) -> Opened:
    """Make all checks; the only exception that leaves is `Rejected`, whatever the bytes.

    `now` is the moment *this node first received* these bytes, in UTC, also when they are looked at again later: the
    verdict on a key is final at receipt (ruling 21).
    """
    outer = _open_outer(raw, me)
    text = _decrypt(raw, outer, keyring=keyring)
    try:
        verified = verify_text(text, iss=outer.iss, aud=outer.aud, directory=directory, received_at=now)
    except Rejected as fault:
        fault.seen = replace(fault.seen, iss=outer.iss, copy=outer.copy, jws=text)
        raise
    return Opened(verified.claims, verified.jws, verified.inner_hash, verified.kid, outer.copy)


def verify_text(text: str, *, iss: str, aud: str, directory: KeyDirectory, received_at: datetime) -> Verified:
    """Steps 5 to 8 on a signed text without its envelope, as it is kept as evidence and travels in `resync.copy/1`."""
    if len(text) > MAX_JWS_BYTES:
        raise Rejected(Reason.TOO_LARGE, f"The signed text is longer than {MAX_JWS_BYTES} characters.")
    header, _, _ = split_parts(text, (None, None, SIGNATURE_BYTES))
    kid = read_inner(header)
    try:
        record = _find_signer(directory, iss, kid=kid)
        members = _verify_signature(text, record)
        claims = _read(members, record, iss=iss, aud=aud, received_at=received_at)
        _judge_key(claims, record, received_at=received_at)
        _compare(claims, iss=iss, aud=aud)
        _refuse_unknown_version(claims)
        _refuse_future(claims, received_at)
    except Rejected as fault:
        fault.seen = replace(fault.seen, kid=kid)
        raise
    return Verified(claims, text, inner_hash(text), kid)


def _open_outer(raw: bytes, me: str) -> OuterHeader:
    """Steps 1 and 2."""
    if len(raw) > MAX_ENVELOPE_BYTES:
        raise Rejected(Reason.TOO_LARGE, f"The envelope is longer than {MAX_ENVELOPE_BYTES} bytes.")
    try:
        text = raw.decode("ascii")
    except UnicodeDecodeError as fault:
        raise Rejected(Reason.MALFORMED, "The envelope is not ASCII.") from fault
    header, *_ = split_parts(text, (None, WRAPPED_KEY_BYTES, IV_BYTES, None, TAG_BYTES))
    outer = read_outer(header)
    if outer.aud != me:
        raise Rejected(Reason.NOT_FOR_ME, "The envelope is for another contact point.", seen=_first_sight(outer))
    return outer


def _decrypt(raw: bytes, outer: OuterHeader, *, keyring: Keyring) -> str:
    """Steps 3 and 4."""
    key = keyring.decryption.get(outer.kid)
    if key is None:
        detail = f"There is no key {outer.kid} here to open it with."
        raise Rejected(Reason.UNKNOWN_RECIPIENT_KEY, detail, seen=_first_sight(outer))
    try:
        plain = jwe.decrypt_compact(raw, key.private, registry=encryption_registry()).plaintext
    except (JoseError, ValueError) as fault:
        raise Rejected(Reason.UNDECRYPTABLE, "The envelope does not open.", seen=_first_sight(outer)) from fault
    try:
        return (plain or b"").decode("ascii")
    except UnicodeDecodeError as fault:
        raise Rejected(Reason.MALFORMED, "The signed text is not ASCII.", seen=_first_sight(outer)) from fault


def _find_signer(directory: KeyDirectory, iss: str, *, kid: str) -> SigningKeyRecord:
    """Step 5: a key of this name under another contact point is not looked at."""
    record = directory.signing_key(iss, kid)
    if record is None:
        raise Rejected(Reason.UNKNOWN_SENDER_KEY, f"{iss} has not published a signing key {kid}.")
    if record.alg != SIGN_ALG:
        raise Rejected(Reason.ALG_NOT_ALLOWED, f"The key {kid} is not for {SIGN_ALG}.")
    return record


def _verify_signature(text: str, record: SigningKeyRecord) -> object:
    """Step 6, and the JSON value that was signed. A text with several meanings proves none of them."""
    try:
        key = public_key(SIGN_ALG, record.public)
        payload = jws.deserialize_compact(text, key, registry=signature_registry()).payload
    except (JoseError, ValueError) as fault:
        raise Rejected(Reason.BAD_SIGNATURE, "The signature is not that of the key.") from fault
    try:
        return parse_json(payload, max_bytes=MAX_CLAIMS_BYTES)
    except Malformed as fault:
        raise Rejected(explain(fault), f"The signed payload cannot be read: {fault.detail}") from fault


def _read(members: object, record: SigningKeyRecord, *, iss: str, aud: str, received_at: datetime) -> Claims:
    """Step 7: the form. Who said it to whom may be certain although the rest cannot be read."""
    try:
        return read_claims(members)
    except Malformed as fault:
        pair = (members.get("iss"), members.get("aud")) if isinstance(members, dict) else None
        proven = pair == (iss, aud) and _fault_of_key(record, at=received_at, received_at=received_at) is None
        seen = Seen(jti=read_jti(members) if proven else None)
        raise Rejected(explain(fault), fault.detail, authenticated=proven, seen=seen) from fault


def _judge_key(claims: Claims, record: SigningKeyRecord, *, received_at: datetime) -> None:
    """Step 7: the key. Not authenticated: who may hold a key outside its time is not known."""
    bad_key = _fault_of_key(record, at=claims.issued_at, received_at=received_at)
    if bad_key is not None:
        raise Rejected(bad_key, f"The key {record.kid} was not valid for this.", claims=claims)


def _fault_of_key(record: SigningKeyRecord, *, at: datetime, received_at: datetime) -> Reason | None:
    """Ruling 21: in its window at the signed `iat`; of a revoked key only what was signed and received before that."""
    revoked_at = record.revoked_at
    if revoked_at is not None and (received_at >= revoked_at or at >= revoked_at):
        return Reason.KEY_REVOKED
    end = record.exp if record.retired_at is None else min(record.exp, record.retired_at)
    return None if record.nbf <= at < end else Reason.KEY_NOT_VALID


def _compare(claims: Claims, *, iss: str, aud: str) -> None:
    """Step 7: the names. What was signed for another must not be passed on to us as if it were ours.

    Not authenticated: the text is genuine, but it was not said to us, so nothing may follow from it here.
    """
    if (claims.iss, claims.aud) != (iss, aud):
        raise Rejected(Reason.MISMATCH, "The signed text is not from and for whom the envelope says.", claims=claims)


def _refuse_unknown_version(claims: Claims) -> None:
    """Step 7: the version. Authenticated: a newer node speaks, and newer software may read it later."""
    if (claims.v, claims.suite) != (VERSION, SUITE):
        detail = "The text is of a version or suite that this node does not know."
        raise Rejected(Reason.UNKNOWN_VERSION, detail, authenticated=True, claims=claims)


def _refuse_future(claims: Claims, received_at: datetime) -> None:
    """Step 8. Authenticated: the sender said it, and its clock is wrong."""
    if claims.iat > received_at.timestamp() + MAX_SKEW_SECONDS:
        detail = f"The text says it was signed more than {MAX_SKEW_SECONDS} seconds from now."
        raise Rejected(Reason.FROM_THE_FUTURE, detail, authenticated=True, claims=claims)


def _first_sight(outer: OuterHeader) -> Seen:
    return Seen(iss=outer.iss, copy=outer.copy)
