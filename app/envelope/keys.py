"""Keys as the envelope sees them: our own private ones, and what it asks of a directory about those of others.

Private material never appears in a `repr`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from joserfc.jwk import OKPKey

from app.envelope.format import CODE, EPHEMERAL_CRV, KEY_BYTES, KEY_ID, SIGN_ALG, decode_part, encode_part
from app.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime


class RecipientKey(Protocol):
    """A published key to close an envelope with; `public` is its 32 bytes."""

    @property
    def kid(self) -> str: ...
    @property
    def alg(self) -> str: ...
    @property
    def public(self) -> bytes: ...


class SigningKeyRecord(RecipientKey, Protocol):
    """A published signing key with the dates its validity is judged by; the window is `nbf` ≤ t < `exp`."""

    @property
    def nbf(self) -> datetime: ...
    @property
    def exp(self) -> datetime: ...
    @property
    def retired_at(self) -> datetime | None: ...
    @property
    def revoked_at(self) -> datetime | None: ...


class KeyDirectory(Protocol):
    """The only source of trust in a key."""

    def signing_key(self, iss: str, kid: str) -> SigningKeyRecord | None:
        """The signing key that `iss` itself published under `kid`; never another's key of that name."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """Our own key for signing envelopes, and for nothing else."""

    kid: str
    private: OKPKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class DecryptionKey:
    """One of our own keys for opening envelopes."""

    kid: str
    private: OKPKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class Keyring:
    """What a node signs and opens with.

    `decryption` holds, by key id, the current key and those still in grace: a peer with an older directory, and every
    envelope under way, uses them. `standby` is the published reserve that replaces `signing` once that is revoked.
    """

    signing: SigningKey
    decryption: Mapping[str, DecryptionKey]
    standby: SigningKey | None = None


def make_keyring(
    signing: SigningKey, decryption: Iterable[DecryptionKey], *, standby: SigningKey | None = None
) -> Keyring:
    """A keyring whose table of decryption keys nobody can change afterwards."""
    return Keyring(signing, MappingProxyType({key.kid: key for key in decryption}), standby)


def make_key_id(code: str, use: str, *, year: int, letter: str) -> str:
    """`XA-sig-2026a`: whose, for what, since when, and a letter to tell several of one year apart.

    Not derived from the key, so that it can be read out over the telephone; what binds it to the key is the directory.
    """
    kid = f"{code}-{use}-{year:04}{letter}"
    if CODE.fullmatch(code) is None or KEY_ID.fullmatch(kid) is None:
        raise Malformed("bad_key", "A key id is made of a contact point's code, a use, a year and a letter.")
    return kid


def read_signing_key(jwk: Mapping[str, object]) -> SigningKey:
    """From a private JWK (RFC 8037) on Ed25519; `Malformed` (code `bad_key`) when it is anything else."""
    return SigningKey(*_read_private(jwk, SIGN_ALG))


def read_decryption_key(jwk: Mapping[str, object]) -> DecryptionKey:
    """From a private JWK (RFC 8037) on X25519; `Malformed` (code `bad_key`) when it is anything else."""
    return DecryptionKey(*_read_private(jwk, EPHEMERAL_CRV))


def private_bytes(key: SigningKey) -> bytes:
    """The 32 secret bytes, for whoever signs something that is no envelope with a key read like one (log, witness)."""
    return decode_part(str(key.private.as_dict(private=True)["d"]))


def public_key(crv: str, raw: bytes) -> OKPKey:
    """The library's form of a public key. `ValueError` when the bytes are no key of that curve."""
    return OKPKey.import_key({"kty": "OKP", "crv": crv, "x": encode_part(raw)})


def _read_private(jwk: Mapping[str, object], crv: str) -> tuple[str, OKPKey]:
    kid, x, d = jwk.get("kid"), jwk.get("x"), jwk.get("d")
    if jwk.get("kty") != "OKP" or jwk.get("crv") != crv:
        raise Malformed("bad_key", f"The key is not a JWK of type OKP on the curve {crv}.")
    if not isinstance(kid, str) or KEY_ID.fullmatch(kid) is None:
        raise Malformed("bad_key", "The key has no usable kid.")
    if not isinstance(x, str) or not isinstance(d, str):
        raise Malformed("bad_key", f"The key {kid} lacks its public or its private half.")
    try:
        halves = decode_part(x), decode_part(d)
        key = OKPKey.import_key({"kty": "OKP", "crv": crv, "x": x, "d": d})
    except ValueError as fault:
        raise Malformed("bad_key", f"The key {kid} cannot be read.") from fault
    if any(len(half) != KEY_BYTES for half in halves) or key.public_key.public_bytes_raw() != halves[0]:
        raise Malformed("bad_key", f"The halves of the key {kid} do not belong together.")
    return kid, key
