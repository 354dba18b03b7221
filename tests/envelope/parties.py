"""Three contact points with keys made from fixed seeds, so that every run signs the same texts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc.jwk import OKPKey

from app.envelope.claims import Claims
from app.envelope.format import AGREE_ALG, EPHEMERAL_CRV, SIGN_ALG, encode_part
from app.envelope.keys import DecryptionKey, Keyring, SigningKey, make_keyring
from app.envelope.open import Opened, open_envelope
from app.envelope.reasons import Rejected
from app.envelope.seal import encrypt, sign

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
JTI = "019a9f5e-7c00-7000-8000-000000000001"
THREAD = "019a9f5e-7c00-7000-8000-00000000000a"


@dataclass(frozen=True)
class Published:
    """A published key as the envelope needs to see it; satisfies its protocols without any class of the domain."""

    kid: str
    alg: str
    public: bytes
    nbf: datetime = NOW - timedelta(days=100)
    exp: datetime = NOW + timedelta(days=265)
    retired_at: datetime | None = None
    revoked_at: datetime | None = None


class KeyTable:
    """A directory that is nothing but a table."""

    def __init__(self, *records: tuple[str, Published]) -> None:
        self._records = {(iss, record.kid): record for iss, record in records}

    def signing_key(self, iss: str, kid: str) -> Published | None:
        """What `iss` published under `kid`."""
        return self._records.get((iss, kid))


@dataclass(frozen=True)
class Party:
    """A contact point: its private keys and what it publishes."""

    code: str
    signing: SigningKey
    keyring: Keyring
    sig: Published
    enc: Published


def make_private(curve: str, seed: str) -> OKPKey:
    """The same key for the same seed."""
    d = hashlib.sha256(f"{curve} {seed}".encode()).digest()
    raw = OKPKey.binding.from_private_bytes(curve, d)  # type: ignore[arg-type]
    x = encode_part(raw.public_key().public_bytes_raw())
    return OKPKey.import_key({"kty": "OKP", "crv": curve, "x": x, "d": encode_part(d)})


def make_party(code: str) -> Party:
    """A contact point with one signing key and one encryption key."""
    sig, enc = make_private(SIGN_ALG, code), make_private(EPHEMERAL_CRV, code)
    signing = SigningKey(f"{code}-sig-2026a", sig)
    decryption = DecryptionKey(f"{code}-enc-2026a", enc)
    return Party(
        code,
        signing,
        make_keyring(signing, [decryption]),
        Published(signing.kid, SIGN_ALG, sig.public_key.public_bytes_raw()),
        Published(decryption.kid, AGREE_ALG, enc.public_key.public_bytes_raw()),
    )


AURELIA = make_party("XA")
KITANO = make_party("XT")
SAHRAN = make_party("XS")
DIRECTORY = KeyTable(*((party.code, party.sig) for party in (AURELIA, KITANO, SAHRAN)))


def make_claims(**changes: Any) -> Claims:  # noqa: ANN401 - any claim of any value
    """What Aurelia says to Kitano, changed where the test needs it."""
    plain: dict[str, Any] = {
        "iss": "XA",
        "aud": "XT",
        "jti": JTI,
        "iat": int(NOW.timestamp()) - 2,
        "type": "exchange.open/1",
        "body": {"subject": "preserve", "days": 90, "note": "Straße, 北, ق"},
        "dir_version": 41,
        "thread": THREAD,
        "seq": 1,
    }
    return Claims(**{**plain, **changes})


def seal(claims: Claims | None = None, *, sender: Party = AURELIA, receiver: Party = KITANO, copy: int = 1) -> bytes:
    """A well-made envelope."""
    claims = claims or make_claims()
    text = sign(claims, sender.signing)
    return encrypt(text, iss=claims.iss, aud=claims.aud, copy=copy, recipient=receiver.enc)


def open_at(receiver: Party, raw: bytes, *, directory: KeyTable = DIRECTORY, now: datetime = NOW) -> Opened:
    """Open it as `receiver` would."""
    return open_envelope(raw, me=receiver.code, keyring=receiver.keyring, directory=directory, now=now)


def reject(raw: bytes, *, receiver: Party = KITANO, directory: KeyTable = DIRECTORY) -> Rejected:
    """Open it as `receiver` would and return the fault; any other end fails the test."""
    with pytest.raises(Rejected) as caught:
        open_at(receiver, raw, directory=directory)
    return caught.value
