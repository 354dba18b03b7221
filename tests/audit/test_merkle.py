"""The tree of RFC 6962, held against a second implementation that is the RFC's text and nothing else."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.audit.merkle import (
    EMPTY_ROOT,
    consistency_ranges,
    fold,
    inclusion_ranges,
    leaf_hash,
    places,
    range_hash,
    verify_consistency,
    verify_inclusion,
)
from app.audit.strict import NotVerified
from tests.audit.samples import tree_of

if TYPE_CHECKING:
    from collections.abc import Callable

MOST = 130
ENTRIES = [f"entry {number}".encode() for number in range(MOST)]
TREE = tree_of(ENTRIES)


def split(size: int) -> int:
    """The largest power of two smaller than `size`."""
    return 1 << ((size - 1).bit_length() - 1)


@cache
def mth(start: int, end: int) -> bytes:
    """MTH(D[start:end]) by RFC 6962 section 2.1."""
    if end == start:
        return hashlib.sha256(b"").digest()
    if end - start == 1:
        return hashlib.sha256(b"\x00" + ENTRIES[start]).digest()
    middle = start + split(end - start)
    return hashlib.sha256(b"\x01" + mth(start, middle) + mth(middle, end)).digest()


@cache
def path(index: int, start: int, end: int) -> tuple[bytes, ...]:
    """PATH(m, D[n]) by RFC 6962 section 2.1.1."""
    if end - start == 1:
        return ()
    middle = start + split(end - start)
    if index < middle:
        return (*path(index, start, middle), mth(middle, end))
    return (*path(index, middle, end), mth(start, middle))


@cache
def subproof(old: int, start: int, end: int, *, known: bool) -> tuple[bytes, ...]:
    """SUBPROOF(m, D[n], b) by RFC 6962 section 2.1.2."""
    if old == end:
        return () if known else (mth(start, end),)
    middle = start + split(end - start)
    if old <= middle:
        return (*subproof(old, start, middle, known=known), mth(middle, end))
    return (*subproof(old, middle, end, known=False), mth(start, middle))


def inclusion(index: int, size: int) -> list[bytes]:
    return [range_hash(span, TREE.lookup) for span in inclusion_ranges(index, size)]


def consistency(old: int, new: int) -> list[bytes]:
    return [range_hash(span, TREE.lookup) for span in consistency_ranges(old, new)]


def test_roots_are_those_of_the_rfc() -> None:
    """The root of every size up to 130 equals the recursive definition, the empty one SHA-256 of nothing."""
    assert TREE.roots == [mth(0, size) for size in range(MOST + 1)]
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_leaf_and_node_hashes_have_their_prefixes() -> None:
    """The hashes of the empty leaf and of a two-leaf tree are those printed in implementations of RFC 6962."""
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert tree_of([b"", b"\x00"]).roots[2].hex() == "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"


def test_only_complete_subtrees_are_produced_and_each_once() -> None:
    """Growing to n leaves makes exactly the complete subtrees below n, so stored rows never change."""
    for size in (1, 2, 3, 64, 100, MOST):
        nodes = tree_of(ENTRIES[:size]).nodes
        assert set(nodes) == {(level, at) for level in range(8) for at in range(size >> level)}
        assert [nodes[place] for place in places(0, size)] == [TREE.nodes[place] for place in places(0, size)]


def test_every_inclusion_proof_up_to_130() -> None:
    """For every (i, n) the proof equals the RFC's PATH and verifies."""
    for size in range(1, MOST + 1):
        for index in range(size):
            proof = inclusion(index, size)
            assert tuple(proof) == path(index, 0, size)
            verify_inclusion(leaf_hash(ENTRIES[index]), index, size=size, proof=proof, root=TREE.roots[size])


def test_every_consistency_proof_up_to_130() -> None:
    """For every (m, n) the proof equals the RFC's PROOF and verifies."""
    for new in range(1, MOST + 1):
        for old in range(1, new + 1):
            proof = consistency(old, new)
            assert tuple(proof) == subproof(old, 0, new, known=True)
            verify_consistency(old, new, proof=proof, old_root=TREE.roots[old], new_root=TREE.roots[new])


def test_an_inclusion_proof_is_not_valid_for_any_other_leaf() -> None:
    """No leaf of a tree verifies with the proof of another one."""
    size = 37
    for index in range(size):
        for other in range(size):
            if other != index:
                with pytest.raises(NotVerified):
                    verify_inclusion(
                        leaf_hash(ENTRIES[other]), index, size=size, proof=inclusion(index, size), root=TREE.roots[size]
                    )


def test_consistency_from_nothing_is_refused() -> None:
    """Pitfall (a): old size 0 is refused, in proving and in verifying."""
    with pytest.raises(NotVerified, match="sizes"):
        consistency_ranges(0, 5)
    with pytest.raises(NotVerified, match="sizes"):
        verify_consistency(0, 5, proof=[], old_root=EMPTY_ROOT, new_root=TREE.roots[5])


def test_proofs_for_what_is_not_there_are_refused() -> None:
    """An index at or beyond the size, and an old size above the new one, have no proof."""
    for ranges, numbers in ((inclusion_ranges, (5, 5)), (inclusion_ranges, (-1, 5)), (consistency_ranges, (6, 5))):
        with pytest.raises(NotVerified):
            ranges(*numbers)


WRONG_INCLUSION: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "a hash too many": lambda proof: [*proof, bytes(32)],
    "a hash too few": lambda proof: proof[:-1],
    "the first hash missing": lambda proof: proof[1:],
    "a hash of 31 bytes": lambda proof: [proof[0][:31], *proof[1:]],
    "a hash of 33 bytes": lambda proof: [proof[0] + b"\x00", *proof[1:]],
    "hashes in reverse": lambda proof: proof[::-1],
    "no hashes": lambda _: [],
}


@pytest.mark.parametrize("change", WRONG_INCLUSION.values(), ids=WRONG_INCLUSION.keys())
def test_a_malformed_inclusion_proof_is_refused(change: Callable[[list[bytes]], list[bytes]]) -> None:
    """Pitfall (d): too long, too short, wrong hash length."""
    with pytest.raises(NotVerified):
        verify_inclusion(leaf_hash(ENTRIES[5]), 5, size=13, proof=change(inclusion(5, 13)), root=TREE.roots[13])


@pytest.mark.parametrize("change", WRONG_INCLUSION.values(), ids=WRONG_INCLUSION.keys())
def test_a_malformed_consistency_proof_is_refused(change: Callable[[list[bytes]], list[bytes]]) -> None:
    """Pitfall (d) again: too long, too short, wrong hash length."""
    proof = change(consistency(6, 13))
    with pytest.raises(NotVerified):
        verify_consistency(6, 13, proof=proof, old_root=TREE.roots[6], new_root=TREE.roots[13])


def test_equal_sizes_need_equal_roots_and_no_proof() -> None:
    """A consistency proof between equal sizes is empty, and nothing else passes."""
    verify_consistency(7, 7, proof=[], old_root=TREE.roots[7], new_root=TREE.roots[7])
    with pytest.raises(NotVerified):
        verify_consistency(7, 7, proof=[bytes(32)], old_root=TREE.roots[7], new_root=TREE.roots[7])
    with pytest.raises(NotVerified):
        verify_consistency(7, 7, proof=[], old_root=TREE.roots[7], new_root=TREE.roots[8])


def test_a_leaf_cannot_pass_for_a_node() -> None:
    """Pitfall (c): without the prefixes the concatenation of two hashes would be a leaf with the root of two leaves."""
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    root = fold([left, right])
    assert leaf_hash(left + right) != root

    def unprefixed_node(one: bytes, two: bytes) -> bytes:
        return hashlib.sha256(one + two).digest()

    def unprefixed_leaf(entry: bytes) -> bytes:
        return hashlib.sha256(entry).digest()

    assert unprefixed_leaf(left + right) == unprefixed_node(left, right)


@settings(deadline=None)  # a busy machine is no counterexample
@given(data=st.data())
def test_one_flipped_bit_breaks_an_inclusion_proof(data: st.DataObject) -> None:
    """Flipping any bit of leaf, root or proof makes the proof fail."""
    size = data.draw(st.integers(2, MOST), "size")
    index = data.draw(st.integers(0, size - 1), "index")
    parts = [leaf_hash(ENTRIES[index]), TREE.roots[size], *inclusion(index, size)]
    which = data.draw(st.integers(0, len(parts) - 1), "part")
    parts[which] = flip(parts[which], data.draw(st.integers(0, 255), "bit"))
    with pytest.raises(NotVerified):
        verify_inclusion(parts[0], index, size=size, proof=parts[2:], root=parts[1])


@settings(deadline=None)  # a busy machine is no counterexample
@given(data=st.data())
def test_one_flipped_bit_breaks_a_consistency_proof(data: st.DataObject) -> None:
    """Flipping any bit of a root or of the proof makes the proof fail."""
    new = data.draw(st.integers(2, MOST), "new")
    old = data.draw(st.integers(1, new - 1), "old")
    parts = [TREE.roots[old], TREE.roots[new], *consistency(old, new)]
    which = data.draw(st.integers(0, len(parts) - 1), "part")
    parts[which] = flip(parts[which], data.draw(st.integers(0, 255), "bit"))
    with pytest.raises(NotVerified):
        verify_consistency(old, new, proof=parts[2:], old_root=parts[0], new_root=parts[1])


@settings(deadline=None)  # a busy machine is no counterexample
@given(
    old=st.integers(-2, 2**64),
    new=st.integers(-2, 2**64),
    proof=st.lists(st.binary(min_size=30, max_size=33), max_size=70),
)
def test_made_up_proofs_are_refused_and_never_crash(old: int, new: int, proof: list[bytes]) -> None:
    """Whatever the sizes and the hashes, a verifier answers with `NotVerified` alone."""
    with pytest.raises(NotVerified):
        verify_inclusion(bytes(32), old, size=new, proof=proof, root=b"\x01" * 32)
    with pytest.raises(NotVerified):
        verify_consistency(old, new, proof=proof, old_root=bytes(32), new_root=b"\x01" * 32)


def flip(raw: bytes, bit: int) -> bytes:
    changed = bytearray(raw)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)
