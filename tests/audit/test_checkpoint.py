"""The signed head of a log, and the proof that leads a leaf to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.audit.checkpoint import Checkpoint, checkpoint_text, open_checkpoint, parse_checkpoint, sign_checkpoint
from app.audit.merkle import inclusion_ranges, range_hash
from app.audit.note import SignatureType, cosign, sign_note, verifier_key
from app.audit.proof import HEADER, LogProof, format_proof, parse_proof, verify_proof
from app.audit.strict import NotVerified
from tests.audit.samples import KEY, LOG, ORIGIN, OTHER_KEY, log_of

if TYPE_CHECKING:
    from collections.abc import Callable

SAMPLE = log_of(11)
HEAD = SAMPLE.checkpoint(11)
NOTE = SAMPLE.note(11)
AT = 1_795_339_800
WITNESS = "counterpart.example/xt/witness"
COSIGNER = verifier_key(WITNESS, OTHER_KEY, SignatureType.COSIGNATURE)


def proof_of(index: int) -> str:
    hashes = tuple(range_hash(span, SAMPLE.tree.lookup) for span in inclusion_ranges(index, 11))
    return format_proof(LogProof(index, hashes, NOTE))


def test_a_checkpoint_is_three_lines() -> None:
    """Origin, decimal size and base64 root, each ended by a newline; nothing of ours after them."""
    lines = checkpoint_text(HEAD).split("\n")
    assert lines[:2] == [ORIGIN, "11"]
    assert len(lines[2]) == 44
    assert lines[3:] == [""]
    assert parse_checkpoint(checkpoint_text(HEAD)) == HEAD


BAD_TEXTS = {
    "nothing": "",
    "two lines": f"{ORIGIN}\n11\n",
    "no origin": "\n11\n" + "A" * 43 + "=\n",
    "a size with a leading zero": checkpoint_text(HEAD).replace("\n11\n", "\n011\n"),
    "a size with a sign": checkpoint_text(HEAD).replace("\n11\n", "\n+11\n"),
    "a size with a space": checkpoint_text(HEAD).replace("\n11\n", "\n 11\n"),
    "a size in other digits": checkpoint_text(HEAD).replace("\n11\n", "\n\u0661\u0661\n"),
    "a size of a million digits": checkpoint_text(HEAD).replace("\n11\n", "\n" + "9" * 1_000_000 + "\n"),
    "a root of 31 bytes": f"{ORIGIN}\n11\n{'A' * 42}==\n",
    "a root that is not base64": f"{ORIGIN}\n11\n!!!\n",
    "an empty line": checkpoint_text(HEAD) + "\n",
    "no final newline": checkpoint_text(HEAD)[:-1],
}


@pytest.mark.parametrize("text", BAD_TEXTS.values(), ids=BAD_TEXTS.keys())
def test_a_malformed_checkpoint_is_refused(text: str) -> None:
    """Pitfall (e) and its neighbours: one number has one spelling, one root 32 bytes."""
    with pytest.raises(NotVerified):
        parse_checkpoint(text)


def test_extension_lines_of_others_are_tolerated() -> None:
    """The format allows further lines; they are signed and mean nothing to us."""
    assert parse_checkpoint(checkpoint_text(HEAD) + "extension\n") == HEAD


def test_a_checkpoint_is_believed_from_its_own_log_only() -> None:
    """The right key under another origin, another key under the right origin, a witness alone: all refused."""
    other_log = sign_checkpoint(Checkpoint("counterpart.example/xt/2026", 11, HEAD.root), KEY)
    witness_only = checkpoint_text(HEAD) + "\n" + cosign(checkpoint_text(HEAD), name=WITNESS, key=OTHER_KEY, at=AT)
    crossed = sign_note(checkpoint_text(Checkpoint("elsewhere", 11, HEAD.root)), name=ORIGIN, key=KEY)
    assert open_checkpoint(NOTE, LOG).checkpoint == HEAD
    for note in (other_log, sign_checkpoint(HEAD, OTHER_KEY), witness_only, crossed):
        with pytest.raises(NotVerified):
            open_checkpoint(note, LOG, witnesses=[COSIGNER])


def test_cosignatures_are_reported_with_their_times() -> None:
    """Which witness saw the head, and when, comes from verified lines only."""
    note = NOTE + cosign(checkpoint_text(HEAD), name=WITNESS, key=OTHER_KEY, at=AT)
    assert open_checkpoint(note, LOG, witnesses=[COSIGNER]).witnessed == {COSIGNER: AT}
    assert open_checkpoint(note, LOG).witnessed == {}


def test_a_proof_leads_each_leaf_to_the_checkpoint() -> None:
    """For every leaf the text form verifies offline and names the leaf's index."""
    for index, leaf in enumerate(SAMPLE.leaves):
        assert verify_proof(proof_of(index), leaf, log=LOG) == (index, HEAD)


def test_a_proof_is_for_its_leaf_alone() -> None:
    """A changed leaf, another leaf and a foreign key are all refused."""
    leaf = SAMPLE.leaves[4]
    attempts = [(leaf + b" ", LOG), (SAMPLE.leaves[5], LOG), (leaf, verifier_key(ORIGIN, OTHER_KEY))]
    for entry, log in attempts:
        with pytest.raises(NotVerified):
            verify_proof(proof_of(4), entry, log=log)


def test_a_proof_text_has_the_layout_of_the_specification() -> None:
    """Header, index, one hash per line, an empty line, then the checkpoint verbatim."""
    head, _, note = proof_of(4).partition("\n\n")
    assert head.split("\n")[:2] == [HEADER, "index 4"]
    assert len(head.split("\n")) == 2 + 4
    assert note == NOTE


def test_extra_data_is_carried_and_not_believed() -> None:
    """The optional line survives the round trip and does not take part in verification."""
    proof = parse_proof(proof_of(4))
    with_extra = LogProof(proof.index, proof.hashes, proof.note, b"context")
    assert parse_proof(format_proof(with_extra)) == with_extra
    assert verify_proof(format_proof(with_extra), SAMPLE.leaves[4], log=LOG)[0] == 4


CHANGES: dict[str, Callable[[str], str]] = {
    "nothing": lambda _: "",
    "another version": lambda text: text.replace("@v1", "@v2"),
    "no index": lambda text: text.replace("index 4\n", ""),
    "an index with a leading zero": lambda text: text.replace("index 4", "index 04"),
    "another index": lambda text: text.replace("index 4", "index 5"),
    "an index beyond the tree": lambda text: text.replace("index 4", "index 11"),
    "a hash twice": lambda text: text.replace("\n\n", "\n" + text.split("\n")[2] + "\n\n", 1),
    "hashes without end": lambda text: text.replace("\n\n", ("\n" + text.split("\n")[2]) * 100 + "\n\n", 1),
    "a hash missing": lambda text: text.replace(text.split("\n")[2] + "\n", "", 1),
    "a hash that is not base64": lambda text: text.replace(text.split("\n")[2], "*" * 44, 1),
    "no checkpoint": lambda text: text.split("\n\n")[0] + "\n\n",
    "no blank line": lambda text: text.replace("\n\n", "\n"),
    "too long": lambda text: text + "x" * 1_200_000,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_malformed_proof_is_refused(change: Callable[[str], str]) -> None:
    """Every way to bend the text ends in `NotVerified`."""
    with pytest.raises(NotVerified):
        verify_proof(change(proof_of(4)), SAMPLE.leaves[4], log=LOG)


@settings(deadline=None)  # a busy machine is no counterexample
@given(data=st.data())
def test_one_changed_character_never_leaves_a_proof_valid(data: st.DataObject) -> None:
    """Replacing any one character of a proof makes it invalid, whichever part it hits."""
    text = proof_of(4)
    at = data.draw(st.integers(0, len(text) - 1), "place")
    changed = text[:at] + data.draw(st.characters(), "character") + text[at + 1 :]
    if changed != text:
        with pytest.raises(NotVerified):
            verify_proof(changed, SAMPLE.leaves[4], log=LOG)
