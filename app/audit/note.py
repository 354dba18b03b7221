"""Signed notes (C2SP signed-note) and the timestamped cosignatures of witnesses (C2SP tlog-cosignature, type 0x04).

The type byte travels with every key, so a further type is one more member of `SignatureType` and one more branch in
`_signed_bytes`; nothing else changes. An Ed25519 cosignature does not sign the cosigner's name: never share such a
key between two names, nor between a log and a witness.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from app.audit.strict import NotVerified, from_base64, require, to_base64

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MAX_NOTE_CHARS = 1_000_000
MAX_SIGNATURES = 100
"""Signature lines per note: above the 16 every reader must take, far below what would keep a core busy."""
MAX_TIMESTAMP = 2**63 - 1
KEY_ID_BYTES = 4
PUBLIC_KEY_BYTES = 32
TIMESTAMP_BYTES = 8

_NAME = r"[^\s+]+"
_LINE = re.compile(rf"— ({_NAME}) ([A-Za-z0-9+/=]+)")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class SignatureType(IntEnum):
    """The algorithm byte that is hashed into every key id."""

    ED25519 = 0x01
    COSIGNATURE = 0x04


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A name, an algorithm and 32 public bytes. `str()` gives the one-line form that other tools read."""

    name: str
    type: SignatureType
    public: bytes

    @property
    def key_id(self) -> bytes:
        """Short and not collision resistant: it finds a key among known ones and proves nothing."""
        material = self.name.encode() + b"\n" + bytes([self.type]) + self.public
        return hashlib.sha256(material).digest()[:KEY_ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{to_base64(bytes([self.type]) + self.public)}"


@dataclass(frozen=True, slots=True)
class OpenedNote:
    """A text that at least one known key has signed. The value per key is the cosigner's unix time, or None."""

    text: str
    signed_by: Mapping[VerifierKey, int | None]


def verifier_key(
    name: str, key: Ed25519PrivateKey | Ed25519PublicKey, type_: SignatureType = SignatureType.ED25519
) -> VerifierKey:
    """The public side of a key under a name; names have no spaces and no plus sign."""
    require(re.fullmatch(_NAME, name), "key_name", "a key name is not empty and has neither spaces nor plus signs")
    public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
    return VerifierKey(name, type_, public.public_bytes_raw())


def parse_verifier_key(text: str) -> VerifierKey:
    """Read the one-line form; the key id in it has to fit the key."""
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    material = from_base64(encoded)
    require(re.fullmatch(_NAME, name), "key_name", "a key name is not empty and has neither spaces nor plus signs")
    require(len(material) == 1 + PUBLIC_KEY_BYTES, "key_form", "not a public key of 32 bytes")
    require(material[0] in SignatureType.__members__.values(), "key_type", "a signature type this reader does not know")
    key = VerifierKey(name, SignatureType(material[0]), material[1:])
    require(key_id == key.key_id.hex(), "key_id", "the key id does not belong to this key")
    return key


def sign_note(text: str, *, name: str, key: Ed25519PrivateKey) -> str:
    """The text, a blank line and one plain signature; further signature lines may be appended."""
    require(text.endswith("\n") and not _CONTROL.search(text), "note_form", "a note is lines of text")
    public = verifier_key(name, key)
    return f"{text}\n" + _line(public, key.sign(_signed_bytes(text, None)))


def cosign(text: str, *, name: str, key: Ed25519PrivateKey, at: int) -> str:
    """One signature line by which a witness says: at unix time `at` this was the largest consistent head I knew."""
    public = verifier_key(name, key, SignatureType.COSIGNATURE)
    return _line(public, at.to_bytes(TIMESTAMP_BYTES) + key.sign(_signed_bytes(text, at)))


def open_note(note: str, keys: Iterable[VerifierKey]) -> OpenedNote:
    """Verify every signature by a known key; unknown keys are ignored.

    Raises `NotVerified` when no known key signed, and also when one known key signed well and another one badly:
    a note that lies in one place is believed in none.
    """
    require(len(note) <= MAX_NOTE_CHARS and not _CONTROL.search(note), "note_form", "too long, or control characters")
    cut = note.rfind("\n\n")
    require(cut > 0 and note.endswith("\n"), "note_form", "no blank line between text and signatures")
    text, lines = note[: cut + 1], note[cut + 2 :].split("\n")[:-1]
    require(0 < len(lines) <= MAX_SIGNATURES, "note_signatures", "no signature line, or too many")
    known = {(key.name, key.key_id): key for key in keys}
    signed_by: dict[VerifierKey, int | None] = {}
    for line in lines:
        name, raw = _parse_line(line)
        key = known.get((name, raw[:KEY_ID_BYTES]))
        if key is not None and key not in signed_by:
            signed_by[key] = _verify(text, key, raw[KEY_ID_BYTES:])
    require(signed_by, "note_unsigned", "no known key has signed this")
    return OpenedNote(text, signed_by)


def _line(key: VerifierKey, signature: bytes) -> str:
    return f"— {key.name} {to_base64(key.key_id + signature)}\n"


def _parse_line(line: str) -> tuple[str, bytes]:
    match = _LINE.fullmatch(line)
    if match is None:
        raise NotVerified("note_signature_line", "a line among the signatures is not a signature")
    raw = from_base64(match[2])
    require(len(raw) > KEY_ID_BYTES, "note_signature_line", "a signature of no bytes")
    return match[1], raw


def _verify(text: str, key: VerifierKey, signature: bytes) -> int | None:
    at = None
    if key.type is SignatureType.COSIGNATURE:
        require(len(signature) > TIMESTAMP_BYTES, "note_signature", "a cosignature without its time")
        at = int.from_bytes(signature[:TIMESTAMP_BYTES])
        require(at <= MAX_TIMESTAMP, "note_signature", "a cosignature at an impossible time")
        signature = signature[TIMESTAMP_BYTES:]
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, _signed_bytes(text, at))
    except (InvalidSignature, UnicodeEncodeError) as cause:
        raise NotVerified("note_signature", f"the signature of {key.name} does not fit the text") from cause
    return at


def _signed_bytes(text: str, at: int | None) -> bytes:
    return text.encode() if at is None else f"cosignature/v1\ntime {at}\n{text}".encode()
