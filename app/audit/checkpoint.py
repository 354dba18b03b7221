"""The signed head of a log as text (C2SP tlog-checkpoint): origin, size, root; no extension lines of ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.audit.merkle import HASH_BYTES
from app.audit.note import OpenedNote, SignatureType, VerifierKey, open_note, sign_note
from app.audit.strict import from_base64, from_decimal, require, to_base64

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_LINES = 3


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log claims: that its first `size` leaves have this root. Two roots for one size prove a fork."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class OpenedCheckpoint:
    """A checkpoint that its log has signed, and when each known witness cosigned it (unix time)."""

    checkpoint: Checkpoint
    witnessed: dict[VerifierKey, int]


def checkpoint_text(checkpoint: Checkpoint) -> str:
    """The bytes under every signature."""
    return f"{checkpoint.origin}\n{checkpoint.size}\n{to_base64(checkpoint.root)}\n"


def sign_checkpoint(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> str:
    """A note signed under the log's origin as key name.

    A signed checkpoint is a promise for ever: never call this for a size for which another root may have been signed.
    """
    return sign_note(checkpoint_text(checkpoint), name=checkpoint.origin, key=key)


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a note; lines after the third are tolerated, empty ones are not."""
    lines = text.split("\n")
    require(len(lines) > _LINES and lines[-1] == "" and all(lines[:-1]), "checkpoint_form", "not a checkpoint")
    root = from_base64(lines[2])
    require(len(root) == HASH_BYTES, "checkpoint_form", "a root of the wrong length")
    return Checkpoint(lines[0], from_decimal(lines[1]), root)


def open_checkpoint(note: str, log: VerifierKey, *, witnesses: Iterable[VerifierKey] = ()) -> OpenedCheckpoint:
    """Believe a note only if `log` itself signed it and it is about the log of that name.

    Cosignatures of `witnesses` are checked when present; how many are needed is the caller's policy. Raises
    `NotVerified`.
    """
    opened: OpenedNote = open_note(note, [log, *witnesses])
    require(log in opened.signed_by, "checkpoint_unsigned", "the log itself has not signed this")
    checkpoint = parse_checkpoint(opened.text)
    require(checkpoint.origin == log.name, "checkpoint_origin", "a checkpoint of another log")
    times = {key: at for key, at in opened.signed_by.items() if key.type is SignatureType.COSIGNATURE}
    return OpenedCheckpoint(checkpoint, {key: at for key, at in times.items() if at is not None})
