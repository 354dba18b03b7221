"""Aurelia changes its signing key while Kitano, the node under test, learns of it sooner or later."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from app.db import directories
from app.db.engine import begin
from app.domain.contact_points import ContactPoint
from app.domain.directory import Directory, KeyRecord, KeyStatus, KeyUse, PublicJwk
from app.domain.key_records import RevocationReason
from app.envelope.format import SIGN_ALG, encode_part
from app.envelope.keys import SigningKey
from app.envelope.seal import sign
from app.keystore import read_directory, write_directory
from app.services.retry_quarantined import retry_with_directory
from tests.envelope.parties import AURELIA, KITANO, NOW, SAHRAN, make_private
from tests.support.peer import Peer, Said

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from tests.envelope.parties import Party
    from tests.support.station import Station

SECOND = SigningKey("XA-sig-2026b", make_private(SIGN_ALG, "XA second"))
THIRD = SigningKey("XA-sig-2026c", make_private(SIGN_ALG, "XA third"))
YEAR = timedelta(days=365)


def record(key: SigningKey, *, revoked_at: datetime | None = None, **changes: Any) -> KeyRecord:  # noqa: ANN401 - any member
    """A signing key as the directory publishes it, in use for months."""
    plain: dict[str, Any] = {
        "kid": key.kid,
        "use": KeyUse.SIG,
        "alg": "Ed25519",
        "jwk": _jwk("Ed25519", key.private.public_key.public_bytes_raw()),
        "nbf": NOW - YEAR / 2,
        "exp": NOW + YEAR,
        "status": KeyStatus.ACTIVE,
    }
    if revoked_at is not None:
        plain |= {"status": KeyStatus.REVOKED, "revoked_at": revoked_at, "reason": RevocationReason.COMPROMISE}
    return KeyRecord.model_validate(plain | changes)


def directory_of(version: int, signing: dict[str, list[KeyRecord]], *parties: Party) -> Directory:
    """A directory with these signing keys of each code; a party without an entry there has its first one."""
    points = []
    for party in parties:
        enc = KeyRecord.model_validate(
            {
                "kid": party.enc.kid,
                "use": KeyUse.ENC,
                "alg": party.enc.alg,
                "jwk": _jwk("X25519", party.enc.public),
                "nbf": NOW - YEAR / 2,
                "exp": NOW + YEAR,
                "status": KeyStatus.ACTIVE,
            }
        )
        entry: dict[str, Any] = {
            "code": party.code,
            "keys": (*signing.get(party.code, [record(party.signing)]), enc),
        }
        points.append(ContactPoint.model_construct(**entry))
    return Directory.model_construct(version=version, issued_at=NOW, contact_points=tuple(points))


@dataclass
class Rotation:
    """Kitano, and Aurelia under its first, second and third key."""

    station: Station
    first: Peer
    second: Peer
    third: Peer
    version: int = 1

    def believe(self, *keys: KeyRecord) -> None:
        """Give Kitano the next version of the directory, with these signing keys of Aurelia's."""
        self.version += 1
        directory = directory_of(self.version, {"XA": list(keys)}, KITANO, AURELIA, SAHRAN)
        self.station.node = replace(self.station.node, directory=directory)

    def believe_all(self) -> None:
        """Publish all three keys, none of them revoked."""
        self.believe(record(AURELIA.signing), record(SECOND), record(THIRD))

    def revoke_first(self, at: datetime) -> None:
        """Publish that the first key is revoked since `at`."""
        self.believe(record(AURELIA.signing, revoked_at=at), record(SECOND), record(THIRD))

    async def learn(self) -> list[str]:
        """Note the revocations as the adoption of a directory does; returns the ids of the keys that were news."""
        shown = [
            directories.Revocation(point.code, key.kid, key.revoked_at)
            for point in self.station.node.directory.contact_points
            for key in point.keys
            if key.revoked_at is not None
        ]
        async with begin(self.station.engine) as session:
            return [one.kid for one in await directories.learn(session, shown, now=self.station.clock())]

    async def look_again(self) -> None:
        """What the node does after a change of the directory: judge again what waited for it, then settle."""
        after: int | None = 0
        while after is not None:
            async with begin(self.station.engine) as session:
                after = await retry_with_directory(
                    session, self.station.node, effects=self.station.effects, after=after, now=self.station.clock()
                )
        await self.station.sweep()

    async def receipts(self) -> list[tuple[str, str, str | None]]:
        """Name of the text, status and reason of every receipt entry for Aurelia, in order."""
        query = """SELECT entry ->> 'inner_hash', entry ->> 'status', entry ->> 'reason' FROM outbox,
            jsonb_array_elements(convert_from(body, 'UTF8')::jsonb -> 'receipts') WITH ORDINALITY AS list(entry, place)
            WHERE type = 'receipt/1' AND peer = 'XA' ORDER BY id, place"""
        return [(name, status, reason) for name, status, reason in await self.station.rows(query)]

    async def beside(self) -> set[str]:
        """Names of the texts kept beside those in the inbox."""
        return {name for (name,) in await self.station.rows("SELECT inner_hash FROM replaced_text")}

    async def quarantined(self) -> list[tuple[str, bool]]:
        """Reason of everything open in quarantine, and whether it is authenticated."""
        query = "SELECT reason, authenticated FROM quarantine WHERE state = 'open' ORDER BY id"
        return [(reason, proven) for reason, proven in await self.station.rows(query)]


def rotation_of(station: Station, aurelia: Peer) -> Rotation:
    """Kitano with a directory that shows three keys of Aurelia's, none of them revoked."""
    second, third = (replace(aurelia, party=replace(AURELIA, signing=key)) for key in (SECOND, THIRD))
    made = Rotation(station, aurelia, second, third)
    made.believe_all()
    return made


def revoke_in(path: Path, kid: str, *, since: datetime) -> None:
    """Put the next version of that directory in place, in which the key is revoked."""
    present = read_directory(path)
    gone = {"status": KeyStatus.REVOKED, "revoked_at": since, "reason": RevocationReason.COMPROMISE}
    points = [
        point.model_copy(
            update={
                "keys": tuple(
                    KeyRecord.model_validate({**dict(key), **gone}) if key.kid == kid else key for key in point.keys
                )
            }
        )
        for point in present.contact_points
    ]
    newer = {"version": present.version + 1, "issued_at": since, "contact_points": tuple(points)}
    write_directory(path, present.model_copy(update=newer))


def again(said: Said, by: Peer, **changes: Any) -> Said:  # noqa: ANN401 - any claim
    """Sign the same message under this peer's key, with a new `iat`; `changes` is what must not change."""
    claims = replace(said.claims, **{"iat": int(by.clock().timestamp()), **changes})
    return Said(claims, sign(claims, by.party.signing))


def _jwk(crv: str, public: bytes) -> PublicJwk:
    return PublicJwk.model_validate({"kty": "OKP", "crv": crv, "x": encode_part(public)})
