"""The offline check of a whole log: what it passes, what it names, and what it will not be told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.audit.checkpoint import Checkpoint, sign_checkpoint
from app.audit.merkle import leaf_hash
from app.audit.strict import to_base64
from app.audit.verify import PROGRESS_EVERY, Report, Verdict, verify_export
from tests.audit.samples import KEY, LOG, OTHER_KEY, log_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SIZE = 20
HEADS = (1, 7, 13, SIZE)
SAMPLE = log_of(SIZE, {"reason": "handover", "subject": {"name": "Dupont"}})
NOTES = [SAMPLE.note(size) for size in HEADS]
OPENINGS = [
    json.dumps(
        {
            "index": index,
            "field": opening.field,
            "salt": to_base64(opening.salt),
            "body": opening.body.decode(),
        }
    ).encode()
    for index, opening in SAMPLE.openings
]


def check(
    leaves: Iterable[bytes] = SAMPLE.leaves, notes: Iterable[str] = NOTES, openings: Iterable[bytes] | None = OPENINGS
) -> Report:
    return verify_export([leaf + b"\n" for leaf in leaves], notes, log=LOG, openings=openings)


def pruned(leaf: bytes) -> bytes:
    return json.dumps({"pruned": to_base64(leaf_hash(leaf))}, separators=(",", ":")).encode()


def with_leaf(index: int, line: bytes) -> list[bytes]:
    return [*SAMPLE.leaves[:index], line, *SAMPLE.leaves[index + 1 :]]


def test_a_whole_log_is_valid() -> None:
    """All leaves, all checkpoints, all contents: valid, and the report counts them."""
    report = check()
    assert report.verdict is Verdict.VALID
    assert (report.leaves, report.checkpoints, report.opened, report.erased) == (SIZE, 4, 2 * SIZE, 0)
    assert "cosignatures of witnesses" in report.not_checked


def test_the_exit_codes_are_fixed() -> None:
    """0 valid, 1 invalid, 2 incomplete, 3 usage: scripts depend on them."""
    assert [verdict.value for verdict in Verdict] == [0, 1, 2, 3]
    assert [verdict.name for verdict in Verdict] == ["VALID", "INVALID", "INCOMPLETE", "USAGE"]


def test_what_was_not_checked_is_said() -> None:
    """Without openings the tree is verified and the report says that contents were not."""
    report = check(openings=None)
    assert report.verdict is Verdict.VALID
    assert any(text.startswith("contents") for text in report.not_checked)


def test_the_order_of_the_checkpoints_does_not_matter() -> None:
    """Checkpoints are found by their size, and the same one twice is one."""
    assert check(notes=[*reversed(NOTES), NOTES[0]]).checkpoints == 4


def test_a_changed_leaf_lies_between_the_checkpoints_that_enclose_it() -> None:
    """A leaf changed without trace is named as narrowly as the signed checkpoints allow."""
    changed = SAMPLE.leaves[9].replace(b"case.changed", b"case.created")
    report = check(with_leaf(9, changed))
    assert report.verdict is Verdict.INVALID
    assert (report.first_bad, report.last_bad) == (7, 12)


WHOLE: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "a leaf removed": lambda leaves: leaves[:9] + leaves[10:],
    "a leaf twice": lambda leaves: [*leaves[:9], leaves[8], *leaves[9:]],
    "two leaves exchanged": lambda leaves: [*leaves[:8], leaves[9], leaves[8], *leaves[10:]],
    "a pruned leaf with another hash": lambda leaves: [*leaves[:9], pruned(leaves[8]), *leaves[10:]],
}


@pytest.mark.parametrize("change", WHOLE.values(), ids=WHOLE.keys())
def test_a_rearranged_log_is_invalid(change: Callable[[list[bytes]], list[bytes]]) -> None:
    """Removing, repeating, exchanging leaves: the first checkpoint after it does not fit."""
    report = check(change(SAMPLE.leaves), openings=None)
    assert report.verdict is Verdict.INVALID
    assert (report.first_bad, report.last_bad) == (7, 12)


LINES = {
    "not JSON": b"leaf",
    "empty": b"",
    "a leaf of another log": SAMPLE.leaves[9].replace(b"/xa/", b"/xt/"),
    "a pruned hash of 31 bytes": b'{"pruned":"' + to_base64(bytes(31)).encode() + b'"}',
    "a pruned hash that is no text": b'{"pruned":7}',
    "a pruned line cut short": b'{"pruned":"',
    "a pruned line too deep": b'{"pruned":' + b"[" * 5000,
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES.keys())
def test_a_line_that_is_no_leaf_is_named_exactly(line: bytes) -> None:
    """A fault that shows in the line itself is reported at its index."""
    report = check(with_leaf(9, line), openings=None)
    assert report.verdict is Verdict.INVALID
    assert (report.first_bad, report.last_bad) == (9, 9)


def test_a_changed_content_is_named_exactly() -> None:
    """An opening that does not fit its commitment makes the log invalid at that leaf."""
    forged = [line.replace(b"handover", b"curiosity") if b'"index": 9' in line else line for line in OPENINGS]
    report = check(openings=forged)
    assert report.verdict is Verdict.INVALID
    assert report.first_bad == 9


def test_an_erased_content_makes_the_log_incomplete_not_invalid() -> None:
    """The third state: everything there is true, and what is gone is counted."""
    report = check(openings=[line for line in OPENINGS if b'"index": 9,' not in line])
    assert report.verdict is Verdict.INCOMPLETE
    assert (report.erased, report.first_bad) == (2, None)
    assert "erased" in str(report.problem)


def test_a_pruned_leaf_makes_the_log_incomplete_not_invalid() -> None:
    """With only its hash left, a leaf keeps its place and the roots still fit."""
    report = check(with_leaf(9, pruned(SAMPLE.leaves[9])), openings=None)
    assert report.verdict is Verdict.INCOMPLETE
    assert report.pruned == 1


def test_missing_leaves_at_the_end_make_the_log_incomplete() -> None:
    """A checkpoint beyond the last leaf names which leaves are missing."""
    report = check(SAMPLE.leaves[:13], openings=None)
    assert report.verdict is Verdict.INCOMPLETE
    assert "13 to 19" in str(report.problem)


def test_leaves_that_no_checkpoint_covers_make_the_log_incomplete() -> None:
    """What nobody signed yet is not passed as valid."""
    report = check(notes=NOTES[:3], openings=None)
    assert report.verdict is Verdict.INCOMPLETE
    assert "from 13" in str(report.problem)
    assert check(leaves=[], notes=[], openings=None).verdict is Verdict.INCOMPLETE


def test_checkpoints_of_others_are_not_believed() -> None:
    """One checkpoint signed by another key makes the export invalid."""
    report = check(notes=[*NOTES, SAMPLE.note(10, OTHER_KEY)])
    assert report.verdict is Verdict.INVALID


def test_two_roots_for_one_size_are_a_fork() -> None:
    """Both signatures being good is exactly what proves the fork."""
    other = log_of(SIZE, {"reason": "another history"})
    report = check(notes=[*NOTES, other.note(7)])
    assert report.verdict is Verdict.INVALID
    assert "two roots" in str(report.problem)


def test_a_signed_root_of_the_empty_log_has_to_be_the_empty_root() -> None:
    """Size 0 has one root only."""
    assert check(notes=[*NOTES, SAMPLE.note(0)]).verdict is Verdict.VALID
    forged = sign_checkpoint(Checkpoint(LOG.name, 0, bytes(32)), KEY)
    assert check(notes=[*NOTES, forged]).verdict is Verdict.INVALID


BAD_OPENINGS: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "out of order": lambda lines: [*lines[2:], *lines[:2]],
    "of no leaf": lambda lines: [*lines, lines[-1].replace(b'"index": 19', b'"index": 20')],
    "twice": lambda lines: [lines[0], *lines],
    "not JSON": lambda lines: [b"{", *lines],
    "too deep": lambda lines: [b"[" * 100_000, *lines],
    "without salt": lambda lines: [lines[0].replace(b'"salt"', b'"pepper"'), *lines[1:]],
    "with a salt that is not base64": lambda lines: [lines[0].replace(b'"salt": "', b'"salt": "*'), *lines[1:]],
    "with a lone surrogate": lambda lines: [lines[0].replace(b'"body": "', b'"body": "\\ud800'), *lines[1:]],
}


@pytest.mark.parametrize("change", BAD_OPENINGS.values(), ids=BAD_OPENINGS.keys())
def test_malformed_openings_make_the_export_invalid(change: Callable[[list[bytes]], list[bytes]]) -> None:
    """Openings that cannot be read, or belong to no leaf in order, are not passed over."""
    assert check(openings=change(OPENINGS)).verdict is Verdict.INVALID


def test_progress_is_told_while_counting() -> None:
    """Long logs report how far the count has come."""
    told: list[int] = []
    leaf = SAMPLE.leaves[0]
    verify_export([leaf] * (2 * PROGRESS_EVERY + 1), [], log=LOG, progress=told.append)
    assert told == [PROGRESS_EVERY, 2 * PROGRESS_EVERY]


@settings(deadline=None)  # a busy machine is no counterexample
@given(data=st.data())
def test_one_changed_byte_anywhere_is_found(data: st.DataObject) -> None:
    """Changing any one byte of any leaf makes the log invalid, in the range that holds the leaf."""
    index = data.draw(st.integers(0, SIZE - 1), "leaf")
    leaf = bytearray(SAMPLE.leaves[index])
    at = data.draw(st.integers(0, len(leaf) - 1), "byte")
    leaf[at] ^= data.draw(st.integers(1, 255), "mask")
    report = check(with_leaf(index, bytes(leaf)), openings=None)
    assert report.verdict is Verdict.INVALID
    assert report.first_bad is not None
    assert report.last_bad is not None
    assert report.first_bad <= index <= report.last_bad
