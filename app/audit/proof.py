"""The proof that goes to third parties: C2SP tlog-proof, one text that needs neither network nor database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.audit.checkpoint import Checkpoint, open_checkpoint
from app.audit.merkle import leaf_hash, verify_inclusion
from app.audit.strict import NotVerified, from_base64, from_decimal, require, to_base64

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.audit.note import VerifierKey

HEADER = "c2sp.org/tlog-proof@v1"
MAX_PROOF_CHARS = 1_100_000
MAX_HASHES = 63
"""A tree of 2^63 leaves is the largest a checkpoint of ours can name."""


@dataclass(frozen=True, slots=True)
class LogProof:
    """An inclusion proof with the checkpoint it leads to; `extra` is unauthenticated and proves nothing."""

    index: int
    hashes: tuple[bytes, ...]
    note: str
    extra: bytes | None = None


def format_proof(proof: LogProof) -> str:
    """The text form, to be stored as `*.tlog-proof`."""
    extra = [] if proof.extra is None else [f"extra {to_base64(proof.extra)}"]
    head = [HEADER, *extra, f"index {proof.index}", *map(to_base64, proof.hashes)]
    return "\n".join(head) + "\n\n" + proof.note


def parse_proof(text: str) -> LogProof:
    """Read the form, believing nothing of it. Raises `NotVerified` for whatever is not such a text."""
    require(len(text) <= MAX_PROOF_CHARS, "proof_form", "too long for a proof")
    head, blank, note = text.partition("\n\n")
    require(blank, "proof_form", "no blank line before the checkpoint")
    header, *lines = head.split("\n")
    require(header == HEADER, "proof_form", "not a proof of this version")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = from_base64(lines.pop(0).removeprefix("extra "))
    if not (lines and lines[0].startswith("index ")):
        raise NotVerified("proof_form", "no index line")
    index = from_decimal(lines.pop(0).removeprefix("index "))
    require(len(lines) <= MAX_HASHES, "proof_length", "more hashes than any tree has levels")
    return LogProof(index, tuple(map(from_base64, lines)), note, extra)


def verify_proof(
    text: str, leaf: bytes, *, log: VerifierKey, witnesses: Iterable[VerifierKey] = ()
) -> tuple[int, Checkpoint]:
    """Return the leaf's index and the checkpoint that vouches for it, or raise `NotVerified`.

    `leaf` are the bytes as logged; `log` is the key the reader already trusts, never one found in the proof.
    """
    proof = parse_proof(text)
    checkpoint = open_checkpoint(proof.note, log, witnesses=witnesses).checkpoint
    verify_inclusion(leaf_hash(leaf), proof.index, size=checkpoint.size, proof=proof.hashes, root=checkpoint.root)
    return proof.index, checkpoint
