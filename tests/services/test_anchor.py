"""The anchor file survives crashes, never goes back, and is believed only under the log's own signature."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from app.anchor import MAX_ANCHOR_BYTES, read_anchor, write_anchor
from app.audit.checkpoint import Checkpoint, sign_checkpoint
from app.audit.strict import NotVerified
from app.errors import LogBroken
from tests.audit.samples import KEY, LOG, ORIGIN, OTHER_KEY, log_of, public

if TYPE_CHECKING:
    from pathlib import Path

SAMPLE = log_of(9)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the anchor is to be."""
    return tmp_path / "anchor"


def test_without_a_file_there_is_no_anchor(path: Path) -> None:
    """Only a file that does not exist means that nothing was published."""
    assert read_anchor(path, (LOG,)) is None


def test_what_was_written_is_read(path: Path) -> None:
    """The file holds the signed note itself and nothing else."""
    write_anchor(path, SAMPLE.note(3), log=LOG)
    assert read_anchor(path, (LOG,)) == SAMPLE.checkpoint(3)
    assert path.read_text() == SAMPLE.note(3)


def test_the_anchor_never_goes_back(path: Path) -> None:
    """A slower process that writes an older head afterwards changes nothing."""
    for size in (5, 3, 5):
        write_anchor(path, SAMPLE.note(size), log=LOG)
    assert read_anchor(path, (LOG,)) == SAMPLE.checkpoint(5)


def test_many_writers_leave_the_newest_head(path: Path) -> None:
    """Writers at the same time take turns; the largest head wins and no half file is ever seen."""
    with ThreadPoolExecutor(8) as pool:
        for written in [pool.submit(write_anchor, path, SAMPLE.note(size), log=LOG) for size in [1, 9, 2, 8, 3, 7] * 4]:
            written.result()
    assert read_anchor(path, (LOG,)) == SAMPLE.checkpoint(9)


def test_a_second_root_for_one_size_is_a_fork(path: Path) -> None:
    """Two heads of one size can only come from two histories: the node stops."""
    write_anchor(path, SAMPLE.note(3), log=LOG)
    other = sign_checkpoint(Checkpoint(ORIGIN, 3, bytes(32)), KEY)
    with pytest.raises(LogBroken, match="log_forked"):
        write_anchor(path, other, log=LOG)


def test_an_interrupted_write_leaves_the_former_anchor(path: Path) -> None:
    """A half-written new file beside the anchor is not looked at, and the next write takes its place."""
    write_anchor(path, SAMPLE.note(3), log=LOG)
    path.with_name("anchor.new").write_text(SAMPLE.note(4)[:20])
    assert read_anchor(path, (LOG,)) == SAMPLE.checkpoint(3)
    write_anchor(path, SAMPLE.note(5), log=LOG)
    assert read_anchor(path, (LOG,)) == SAMPLE.checkpoint(5)
    assert not path.with_name("anchor.new").exists()


UNREADABLE = {
    "an empty file": b"",
    "half a note": SAMPLE.note(3).encode()[:-10],
    "no text": b"\xff\xfe\x00",
    "a head signed by another key": SAMPLE.note(3, OTHER_KEY).encode(),
    "a file without end": b"x" * (MAX_ANCHOR_BYTES * 2),
}


@pytest.mark.parametrize("raw", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_a_file_that_is_no_anchor_stops_the_node(path: Path, raw: bytes) -> None:
    """No guess is made about what a damaged anchor said."""
    path.write_bytes(raw)
    with pytest.raises(LogBroken, match="anchor_unreadable"):
        read_anchor(path, (LOG,))


def test_the_anchor_of_the_former_epoch_is_known_and_gives_way(path: Path) -> None:
    """A head of an earlier epoch is read under the same key; the new epoch's first head replaces it, though smaller."""
    next_origin = "counterpart.example/xa/2027"
    next_log = public(KEY, next_origin)
    write_anchor(path, SAMPLE.note(9), log=LOG)
    assert read_anchor(path, (next_log,)) == SAMPLE.checkpoint(9)
    first = Checkpoint(next_origin, 1, bytes(32))
    write_anchor(path, sign_checkpoint(first, KEY), log=next_log)
    assert read_anchor(path, (next_log,)) == first


def test_a_retired_key_is_known_while_it_is_named(path: Path) -> None:
    """After the log key was changed, an anchor under the former key is read by whoever still names that key."""
    write_anchor(path, SAMPLE.note(9), log=LOG)
    assert read_anchor(path, (public(OTHER_KEY), LOG)) == SAMPLE.checkpoint(9)


def test_only_a_head_of_this_log_becomes_the_anchor(path: Path) -> None:
    """A note that the log's key did not sign is not written."""
    with pytest.raises(NotVerified):
        write_anchor(path, SAMPLE.note(3, OTHER_KEY), log=LOG)
    assert list(path.parent.iterdir()) == []
