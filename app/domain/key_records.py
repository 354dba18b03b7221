"""Published keys of a contact point: what each is for, and from when to when it is believed.

A key is used for one thing only: signing envelopes, receiving them, signing the log, or witnessing other logs. The
dates decide validity; `status` says why they are what they are.
"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints, model_validator

KEY_BYTES = 32
"""Length of every public key of suite cp1 (Ed25519 and X25519 alike)."""


def _to_utc(moment: datetime) -> datetime:
    try:
        in_utc = moment.astimezone(UTC)
    except OverflowError as fault:
        raise ValueError("is outside the years 1 to 9999 in UTC") from fault
    if in_utc.year == 1:  # what programs write that have no time to tell; a database reads it as "for ever before"
        raise ValueError("is the beginning of the calendar, which stands for no time")
    return in_utc


KeyId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
UtcTime = Annotated[AwareDatetime, AfterValidator(_to_utc)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$")]


class Entry(BaseModel):
    """A part of the directory: immutable, without conversion of types, and closed unless the reader opens it."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class KeyUse(StrEnum):
    """The one thing a key is for."""

    SIG = "sig"
    ENC = "enc"
    LOG = "log"
    WIT = "wit"


class KeyStatus(StrEnum):
    """STANDBY is published but not in use: its owner turns to it the moment the active key is revoked."""

    ACTIVE = "ACTIVE"
    STANDBY = "STANDBY"
    RETIRED = "RETIRED"
    REVOKED = "REVOKED"


class RevocationReason(StrEnum):
    """Why a key is no longer believed (domain.md 5.6)."""

    ROTATION = "ROTATION"
    COMPROMISE = "COMPROMISE"
    CP_CHANGE = "CP_CHANGE"


_ALGORITHM = {
    KeyUse.SIG: ("Ed25519", "Ed25519"),
    KeyUse.LOG: ("Ed25519", "Ed25519"),
    KeyUse.WIT: ("Ed25519", "Ed25519"),
    KeyUse.ENC: ("ECDH-ES+A256KW", "X25519"),
}


class PublicJwk(Entry):
    """A public key in the form of RFC 8037. There is no member for the private half, so it cannot be published."""

    kty: Literal["OKP"]
    crv: Literal["Ed25519", "X25519"]
    x: str

    @model_validator(mode="after")
    def _is_canonical(self) -> Self:
        try:
            raw = base64.b64decode(self.x + "=", b"-_", validate=True)
        except (binascii.Error, ValueError) as fault:
            raise ValueError("x is not base64url of a 32-byte key") from fault
        if len(raw) != KEY_BYTES or base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != self.x:
            raise ValueError("x is not the base64url form, without padding, of a 32-byte key")
        return self

    @property
    def public(self) -> bytes:
        """The 32 bytes of the key."""
        return base64.urlsafe_b64decode(self.x + "=")


class KeyRecord(Entry):
    """One published key. Valid at t when `nbf` ≤ t < `exp`, and t is before `retired_at` and `revoked_at` if set."""

    kid: KeyId
    use: KeyUse
    alg: Literal["Ed25519", "ECDH-ES+A256KW"]
    jwk: PublicJwk
    nbf: UtcTime
    exp: UtcTime
    status: KeyStatus
    retired_at: UtcTime | None = None
    revoked_at: UtcTime | None = None
    reason: RevocationReason | None = None

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        alg, crv = _ALGORITHM[self.use]
        wrong = {
            f"alg must be {alg} and crv {crv} for use {self.use}": (self.alg, self.jwk.crv) != (alg, crv),
            "exp must lie after nbf": self.exp <= self.nbf,
            "status REVOKED goes with revoked_at and reason, and only with them": len(
                {self.status is KeyStatus.REVOKED, self.revoked_at is not None, self.reason is not None}
            )
            != 1,
            "status RETIRED needs retired_at": self.status is KeyStatus.RETIRED and self.retired_at is None,
            "retired_at goes with status RETIRED or REVOKED": self.retired_at is not None
            and self.status not in {KeyStatus.RETIRED, KeyStatus.REVOKED},
            "status STANDBY is for signing keys": self.status is KeyStatus.STANDBY and self.use is not KeyUse.SIG,
        }
        for sentence, is_so in wrong.items():
            if is_so:
                raise ValueError(f"key {self.kid}: {sentence}")
        return self

    @property
    def public(self) -> bytes:
        """The 32 bytes of the public key."""
        return self.jwk.public

    def is_valid_at(self, moment: datetime) -> bool:
        """Whether the key is believed for something done at `moment`."""
        ends = [end for end in (self.exp, self.retired_at, self.revoked_at) if end is not None]
        return self.nbf <= moment < min(ends)
