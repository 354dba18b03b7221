"""A foreign contact point that keeps no rule unless a test wants it to: it forges, replays, backdates, is silent.

It has real keys, speaks through the real envelope and shares no other code with the node under test.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import uuid_utils

from app.domain.contact_points import ContactPoint, FormalConfirmation
from app.domain.directory import Directory
from app.domain.key_records import KeyRecord, KeyStatus, KeyUse, PublicJwk
from app.domain.moments import write_instant
from app.envelope.claims import Claims
from app.envelope.format import encode_part, inner_hash
from app.envelope.open import Opened, open_envelope
from app.envelope.seal import encrypt, sign
from tests.envelope.parties import NOW, KeyTable, Party, make_party

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from app.bus.broker import Broker, Delivery
    from app.domain.codes import Lane
    from tests.envelope.parties import Published


@dataclass(frozen=True, slots=True)
class Said:
    """One signed text of the peer, and what it says."""

    claims: Claims
    jws: str

    @property
    def hash(self) -> str:
        """The name of the text in receipts."""
        return inner_hash(self.jws)


@dataclass(slots=True)
class Clock:
    """The time of day of a test, which passes when the test says so."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Peer:
    """The foreign side of a test. `to` is the contact point it speaks to; `heard` is what reached it and opened."""

    party: Party
    to: Party
    clock: Clock
    heard: list[Opened] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)

    @property
    def code(self) -> str:
        """Its code."""
        return self.party.code

    def say(self, type_: str, body: Mapping[str, Any] | None = None, **claims: Any) -> Said:  # noqa: ANN401 - any claim
        """Sign a text; `claims` replaces what an honest peer would write: any `jti`, any `iat`."""
        plain: dict[str, Any] = {
            "iss": self.code,
            "aud": self.to.code,
            "jti": new_id(),
            "iat": int(self.clock().timestamp()),
            "type": type_,
            "body": dict(body or {}),
            "dir_version": 1,
        }
        made = Claims(**{**plain, **claims})
        return Said(made, sign(made, self.party.signing))

    def say_next(self, thread: str, type_: str = "exchange.action/1", **claims: Any) -> Said:  # noqa: ANN401 - any claim
        """Sign the next text of a thread; the first one opens the exchange."""
        seq = self.numbers[thread] = self.numbers.get(thread, 0) + 1
        type_ = "exchange.open/1" if seq == 1 else type_
        return self.say(type_, **{"body": {"step": seq}, "thread": thread, "seq": seq, **claims})

    def close(self, said: Said, *, copy: int = 1) -> bytes:
        """Close it as one more copy."""
        enc = self.to.enc
        return encrypt(said.jws, iss=said.claims.iss, aud=self.to.code, copy=copy, recipient=enc)

    def open(self, raw: bytes) -> Opened:
        """Open what the node under test has sent."""
        keys = KeyTable((self.to.code, self.to.sig))
        return open_envelope(raw, me=self.code, keyring=self.party.keyring, directory=keys, now=self.clock())

    async def hear(self, batch: Sequence[Delivery]) -> None:
        """Take deliveries from the broker and say nothing."""
        self.heard.extend(self.open(delivery.body) for delivery in batch)

    def receipts(self) -> list[dict[str, Any]]:
        """Every entry of every `receipt/1` heard so far."""
        lists = [opened.claims.body["receipts"] for opened in self.heard if opened.claims.type == "receipt/1"]
        return [entry for entries in lists for entry in entries]

    def messages(self) -> list[Opened]:
        """What was heard beside receipts."""
        return [opened for opened in self.heard if opened.claims.type != "receipt/1"]

    def receipt_for(self, *heard: Opened, **changes: Any) -> Said:  # noqa: ANN401 - any member of an entry
        """Sign a receipt for these, `changes` replacing members of every entry."""
        entries = [
            {
                "jti": opened.claims.jti,
                "copy": opened.copy,
                "inner_hash": opened.inner_hash,
                "status": "stored",
                "received_at": write_instant(self.clock()),
                **changes,
            }
            for opened in heard
        ]
        return self.say("receipt/1", {"receipts": entries})

    async def send(self, broker: Broker, lane: Lane, said: Said, *, copy: int = 1) -> None:
        """Put it on the broker as this contact point."""
        await broker.publish(lane, self.to.code, self.close(said, copy=copy))


def new_id() -> str:
    """A fresh UUID version 7, as text."""
    return str(uuid_utils.uuid7())


def make_peer(code: str, *, to: Party, clock: Clock) -> Peer:
    """A peer with keys of its own."""
    return Peer(make_party(code), to, clock)


def impostor(peer: Peer) -> Peer:
    """Somebody who claims the peer's code and key names, with keys of his own."""
    other = make_party(f"{peer.code}-FALSE")
    signing = replace(other.signing, kid=peer.party.signing.kid)
    return replace(peer, party=replace(other, code=peer.code, signing=signing), heard=[], numbers={})


def make_directory(*parties: Party) -> Directory:
    """A directory of these parties, with their keys and nothing else."""
    points = []
    for party in parties:
        keys = (_record(party.sig, KeyUse.SIG, "Ed25519"), _record(party.enc, KeyUse.ENC, "X25519"))
        entry: dict[str, Any] = {"code": party.code, "keys": keys}
        entry["requires_formal_confirmation"] = FormalConfirmation(required=False)
        points.append(ContactPoint.model_construct(**entry))
    return Directory.model_construct(version=1, issued_at=NOW, contact_points=tuple(points))


def _record(published: Published, use: KeyUse, crv: str) -> KeyRecord:
    jwk = PublicJwk.model_validate({"kty": "OKP", "crv": crv, "x": encode_part(published.public)})
    return KeyRecord.model_validate(
        {
            "kid": published.kid,
            "use": use,
            "alg": published.alg,
            "jwk": jwk,
            "nbf": published.nbf,
            "exp": published.exp,
            "status": KeyStatus.ACTIVE,
        }
    )
