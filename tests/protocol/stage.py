"""Two contact points whose every key, id, moment and byte is fixed, and a courier that notes what it carries."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from app.domain.directory import publish_directory
from app.domain.key_records import KeyRecord, KeyStatus, KeyUse, PublicJwk, RevocationReason
from app.domain.moments import write_instant
from app.envelope.claims import Claims
from app.envelope.format import encode_part, inner_hash
from app.envelope.keys import SigningKey
from app.envelope.seal import sign
from app.keystore import example_profile
from tests.envelope.parties import make_private
from tests.protocol.sealing import close_fixed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from joserfc.jwk import OKPKey

    from app.domain.directory import Directory

START = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
REVOKED_AT = START + timedelta(minutes=15)
CODES = ("XA", "XT")
SEEDS = {
    "XA-sig-2026a": ("Ed25519", "XA"),
    "XA-sig-2026b": ("Ed25519", "XA standby"),
    "XA-enc-2026a": ("X25519", "XA"),
    "XT-sig-2026a": ("Ed25519", "XT"),
    "XT-sig-2026b": ("Ed25519", "XT standby"),
    "XT-enc-2026a": ("X25519", "XT"),
}
"""Key id → curve and what its bytes are drawn from; those of `XA` and `XT` are the keys of envelopes.json too."""

PURPOSES = {"sig-2026a": "sig", "sig-2026b": "sig-standby", "enc-2026a": "enc"}
JSON = dict[str, Any]


def private_keys() -> dict[str, OKPKey]:
    """Every key by its id."""
    return {kid: make_private(curve, seed) for kid, (curve, seed) in SEEDS.items()}


def private_jwks() -> dict[str, JSON]:
    """Every key as it is published here, with its private half."""
    found = {}
    for kid, key in private_keys().items():
        members = key.as_dict(private=True)
        jwk = {name: members[name] for name in ("kty", "crv", "x", "d")}
        found[kid] = {"kid": kid, "purpose": PURPOSES[kid[3:]], **jwk}
    return found


def directory(version: int) -> Directory:
    """Version 41, or 42, in which XA's first signing key is revoked."""
    revoked = version == 42
    records: dict[str, list[KeyRecord]] = {code: [] for code in CODES}
    for kid, key in private_keys().items():
        curve = SEEDS[kid][0]
        standby, is_gone = kid.endswith("b"), revoked and kid == "XA-sig-2026a"
        jwk = {"kty": "OKP", "crv": curve, "x": key.as_dict(private=False)["x"]}
        status = KeyStatus.STANDBY if standby else KeyStatus.ACTIVE
        if is_gone:
            status = KeyStatus.REVOKED
        elif revoked and kid == "XA-sig-2026b":
            status = KeyStatus.ACTIVE
        record = KeyRecord(
            kid=kid,
            use=KeyUse.SIG if curve == "Ed25519" else KeyUse.ENC,
            alg="Ed25519" if curve == "Ed25519" else "ECDH-ES+A256KW",
            jwk=PublicJwk.model_validate(jwk),
            nbf=START - timedelta(days=100),
            exp=START + timedelta(days=265),
            status=status,
            revoked_at=REVOKED_AT if is_gone else None,
            reason=RevocationReason.COMPROMISE if is_gone else None,
        )
        records[kid[:2]].append(record)
    issued_at = REVOKED_AT + timedelta(seconds=30) if revoked else START - timedelta(days=1)
    return publish_directory([example_profile(code) for code in CODES], records, version=version, issued_at=issued_at)


@dataclass(frozen=True)
class Message:
    """One message of the conversation; `act` is what a person of the requested side did to cause it."""

    sender: str
    to: str
    claims: JSON
    kid: str
    text: str
    lane: str
    act: JSON | None = None

    @property
    def jti(self) -> str:
        """Its name."""
        return str(self.claims["jti"])

    @property
    def hash(self) -> str:
        """The name of its text."""
        return inner_hash(self.text)


@dataclass
class Stage:
    """Who has which directory and key in use, the counters, the time, and all that was carried so far."""

    now: datetime = START
    steps: list[JSON] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CODES, 41))
    signing: dict[str, str] = field(default_factory=lambda: {code: f"{code}-sig-2026a" for code in CODES})
    last: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)
    copies: dict[str, int] = field(default_factory=dict)
    made: int = 0

    def wait(self, **time: int) -> None:
        """Let time pass."""
        self.now += timedelta(**time)

    def new_id(self) -> str:
        """A UUIDv7 of the present moment whose random part counts."""
        self.made += 1
        head = f"{int(self.now.timestamp() * 1000):012x}"
        return f"{head[:8]}-{head[8:]}-7000-8000-{self.made:012x}"

    def say(
        self,
        sender: str,
        type_: str,
        body: Mapping[str, Any],
        *,
        thread: str | None = None,
        **more: Any,  # noqa: ANN401 - `lane`, or any claim
    ) -> Message:
        """Sign the next message of a side."""
        to, lane = ("XT", "XA")[sender == "XT"], more.pop("lane", "urgent")
        claims: JSON = {"iss": sender, "aud": to, "jti": self.new_id(), "type": type_, "body": dict(body)}
        if thread is not None:
            seq, before = self.last.get((sender, thread), (0, ""))
            seq = more.pop("seq", seq + 1)
            claims |= {"thread": thread, "seq": seq} | ({"prev": before} if seq > 1 else {})
            self.last[sender, thread] = (seq, claims["jti"])
        return self.signed(Message(sender, to, claims | more, "", "", lane))

    def signed(self, message: Message) -> Message:
        """The text of these claims, now, under the key in use."""
        kid, sender = self.signing[message.sender], message.sender
        claims = message.claims | {"iat": int(self.now.timestamp())}
        plain = {name: value for name, value in claims.items() if name not in {"dir", "v", "suite"}}
        value = Claims(**plain, dir_version=self.versions[sender])
        text = sign(value, SigningKey(kid, private_keys()[kid]))
        return Message(sender, message.to, value.to_members(), kid, text, message.lane)

    def carry(self, message: Message, about: str, *, lane: str | None = None, **expect: Any) -> JSON:  # noqa: ANN401 - what the receiver does
        """One publication. Without `expect` the broker loses it."""
        copy = self.copies[message.jti] = self.copies.get(message.jti, 0) + 1
        names = {"iss": message.sender, "aud": message.to, "copy": copy}
        kid = f"{message.to}-enc-2026a"
        recipient = {"kid": kid, "x": encode_part(private_keys()[kid].public_key.public_bytes_raw())}
        closed = close_fixed(message.text, names, recipient, seed=f"{message.jti} {copy} {message.kid}")
        step = {
            "about": about,
            "at": write_instant(self.now),
            "from": message.sender,
            "to": message.to,
            "lane": lane or message.lane,
            "type": message.claims["type"],
            "copy": copy,
            "kid": message.kid,
            "claims": message.claims,
            "text": message.text,
            "inner_hash": message.hash,
            "envelope": closed["envelope"],
            "ephemeral_private": closed["ephemeral_private"],
            "content_key": closed["content_key"],
            "nonce": closed["nonce"],
            "directory": self.versions[message.to],
            **({"act": message.act} if message.act is not None and copy == 1 else {}),
            "arrives": bool(expect),
            "then": expect,
        }
        self.steps.append(step)
        self.wait(seconds=1)
        return step

    def event(self, about: str, **facts: Any) -> None:  # noqa: ANN401 - any fact
        """Something that is no message."""
        self.steps.append({"about": about, "at": write_instant(self.now), "event": facts})
        self.wait(seconds=1)
