"""What the relay is given so that it can publish without being able to read: sign once, close for each copy."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.db.outbox import SignedText
from app.db.tables_delivery import Trouble
from app.envelope.claims import Claims
from app.envelope.format import inner_hash
from app.envelope.seal import encrypt, sign
from app.errors import StorageInconsistent

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.outbox import Letter
    from app.domain.directory import Directory
    from app.envelope.keys import Keyring, SigningKey


def choose_signing_key(keyring: Keyring, directory: Directory, *, code: str, now: datetime) -> SigningKey | None:
    """Return the key to sign with: ours if the directory publishes it and it is valid now, else the standby key.

    None when it is neither: nothing can be signed that anybody would believe.
    """
    for key in (keyring.signing, keyring.standby):
        record = None if key is None else directory.signing_key(code, key.kid)
        if key is None or record is None or not record.is_valid_at(now):
            continue
        if record.public == key.private.public_key.public_bytes_raw():
            return key
    return None


@dataclass(frozen=True, slots=True)
class Sealing:
    """The signing key and the directory of one moment; each round of the relay is given those of its own."""

    code: str
    signing_key: SigningKey | None
    directory: Directory

    def obstacle(self, peer: str, now: datetime) -> Trouble | None:
        """Return why nothing can be signed, or closed for this peer, now, or None. The row stays and shows it."""
        if self.directory.point(peer) is None:
            return Trouble.UNKNOWN_PEER
        ready = self.signing_key is not None and self.directory.encryption_key(peer, now) is not None
        return None if ready else Trouble.NO_KEY

    def sign(self, letter: Letter, now: datetime) -> SignedText:
        """Make the text of this message; to be stored before anybody sees it, and never to be made again."""
        if self.signing_key is None:
            raise StorageInconsistent("no_signing_key", "There is no key to sign with that anybody would believe.")
        claims = Claims(
            iss=self.code,
            aud=letter.peer,
            jti=str(letter.jti),
            iat=int(now.timestamp()),
            exp=None if letter.exp is None else int(letter.exp.timestamp()),
            type=letter.type,
            body=json.loads(letter.body),
            dir_version=self.directory.version,
            thread=letter.thread,
            seq=letter.seq,
            prev=None if letter.prev is None else str(letter.prev),
        )
        jws = sign(claims, self.signing_key)
        return SignedText(jws, self.signing_key.kid, inner_hash(jws))

    def close(self, jws: str, peer: str, *, copy: int, now: datetime) -> bytes:
        """Return copy number `copy` of a stored text, readable for `peer` alone; different bytes each time."""
        recipient = self.directory.encryption_key(peer, now)
        if recipient is None:
            raise StorageInconsistent("no_recipient_key", f"There is no key to close an envelope for {peer} with.")
        return encrypt(jws, iss=self.code, aud=peer, copy=copy, recipient=recipient)
