"""Checking a whole log without the node that wrote it: no network, no database, no clock.

An export is three sequences. *Leaves*: one line per leaf in order of index, the bytes exactly as hashed, or
`{"pruned":"<base64 of the leaf hash>"}` where the bytes are lawfully gone. *Notes*: every checkpoint the log signed.
*Openings*, optional: lines `{"index","field","salt","body"}` in order of index, the salt in base64, `body` the
canonical JSON as text. Everything trusted here is the log's public key, which the reader brings along.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING

from app.audit.checkpoint import Checkpoint, open_checkpoint
from app.audit.leaf import Opening
from app.audit.merkle import EMPTY_ROOT
from app.audit.recount import BadLeaves, Recount
from app.audit.strict import NotVerified, from_base64, require

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from app.audit.note import VerifierKey

PRUNED = b'{"pruned":'
PROGRESS_EVERY = 10_000


class Verdict(IntEnum):
    """The outcome, with the exit code that says it to a shell. INCOMPLETE: nothing false, but not everything there."""

    VALID = 0
    INVALID = 1
    INCOMPLETE = 2
    USAGE = 3


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, and what was and was not looked at.

    `first_bad` to `last_bad` are the leaf indexes among which the fault lies: one index where the fault can be pinned
    down, else all leaves since the last checkpoint that still fitted.
    """

    verdict: Verdict
    origin: str
    leaves: int = 0
    checkpoints: int = 0
    opened: int = 0
    erased: int = 0
    pruned: int = 0
    first_bad: int | None = None
    last_bad: int | None = None
    problem: str | None = None
    not_checked: tuple[str, ...] = ()


def verify_export(
    leaves: Iterable[bytes],
    notes: Iterable[str],
    *,
    log: VerifierKey,
    openings: Iterable[bytes] | None = None,
    progress: Callable[[int], None] | None = None,
) -> Report:
    """Recompute every root and hold every checkpoint against it; never raises for what the export contains.

    `progress` is told the number of leaves done, every `PROGRESS_EVERY` leaves.
    """
    recount = Recount(log.name)
    heads: list[Checkpoint] = []
    try:
        heads = _heads(notes, log)
        due = {head.size: head for head in heads}
        opened = None if openings is None else _Openings(openings)
        for line in leaves:
            _take(recount, line.removesuffix(b"\n"), opened)
            if recount.size in due:
                recount.compare(due[recount.size])
            if progress is not None and recount.size % PROGRESS_EVERY == 0:
                progress(recount.size)
        require(opened is None or opened.exhausted, "opening_order", "openings of no leaf, or out of order")
    except NotVerified as fault:
        return invalid(recount, fault, checkpoints=len(heads))
    return judge(recount, heads, contents=openings is not None)


def _take(recount: Recount, line: bytes, openings: _Openings | None) -> None:
    if line.startswith(PRUNED):
        recount.add_pruned(_pruned_hash(line))
    else:
        recount.add(line, None if openings is None else openings.of(recount.size))


def _heads(notes: Iterable[str], log: VerifierKey) -> list[Checkpoint]:
    """Every checkpoint once, by size; two roots for one size are a fork, signed and proven."""
    found: dict[int, Checkpoint] = {}
    for note in notes:
        checkpoint = open_checkpoint(note, log).checkpoint
        known = found.setdefault(checkpoint.size, checkpoint)
        require(known == checkpoint, "fork", f"the log signed two roots for size {checkpoint.size}")
    require(0 not in found or found[0].root == EMPTY_ROOT, "root_differs", "a signed root of no leaves that is not it")
    return [found[size] for size in sorted(found) if size]


def _pruned_hash(line: bytes) -> bytes:
    """What is not a hash at all comes back empty, and is refused as one of the wrong length."""
    try:
        match json.loads(line):
            case {"pruned": str(hashed)}:
                return from_base64(hashed)
            case _:
                return b""
    except (ValueError, RecursionError, NotVerified):
        return b""


def invalid(recount: Recount, fault: NotVerified, *, checkpoints: int) -> Report:
    """The report about a log that is not what it was signed to be."""
    found = replace(_count(recount, checkpoints), verdict=Verdict.INVALID, problem=fault.detail)
    return replace(found, first_bad=fault.first, last_bad=fault.last) if isinstance(fault, BadLeaves) else found


def judge(recount: Recount, heads: Sequence[Checkpoint], *, contents: bool) -> Report:
    """The report about a log in which nothing false was found: complete, or what is missing."""
    newest = heads[-1].size if heads else 0
    problem = None
    if newest > recount.size:
        problem = f"leaves {recount.size} to {newest - 1} are missing"
    elif recount.size > recount.vouched:
        problem = f"no checkpoint covers leaves from {recount.vouched}"
    elif not heads:
        problem = "no leaf and no checkpoint"
    elif recount.pruned:
        problem = f"{recount.pruned} leaves are pruned: their place is proven, their words are gone"
    elif recount.erased:
        problem = f"the content of {recount.erased} commitments is erased"
    unseen = () if contents else ("contents: no openings were given",)
    return replace(
        _count(recount, len(heads)),
        verdict=Verdict.VALID if problem is None else Verdict.INCOMPLETE,
        problem=problem,
        not_checked=(*unseen, "cosignatures of witnesses", "whether other checkpoints were signed elsewhere"),
    )


def _count(recount: Recount, checkpoints: int) -> Report:
    return Report(
        Verdict.VALID,
        recount.origin,
        leaves=recount.size,
        checkpoints=checkpoints,
        opened=recount.opened,
        erased=recount.erased,
        pruned=recount.pruned,
    )


class _Openings:
    """Opening lines read in step with the leaves, so that no more than one leaf's openings are in memory."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines: Iterator[bytes] = iter(lines)
        self._next = self._read()

    @property
    def exhausted(self) -> bool:
        return self._next is None

    def of(self, index: int) -> list[Opening]:
        found = []
        while self._next is not None and self._next[0] == index:
            found.append(self._next[1])
            self._next = self._read()
        return found

    def _read(self) -> tuple[int, Opening] | None:
        line = next(self._lines, None)
        if line is None:
            return None
        try:
            members = json.loads(line)
        except (ValueError, RecursionError) as cause:
            raise NotVerified("opening_form", "an opening that is not JSON") from cause
        match members:
            case {"index": int(index), "field": str(field), "salt": str(salt), "body": str(body)}:
                return index, Opening(field, from_base64(salt), body.encode(errors="surrogatepass"))
            case _:
                raise NotVerified("opening_form", "an opening out of form")
