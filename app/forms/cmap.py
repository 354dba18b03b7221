"""Which characters a font has: the `cmap` table of OpenType files and collections (ISO/IEC 14496-22), nothing else.

Fonts lie in folders that an operator names; one that cannot be read has no characters.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_BYTES = 8 * 2**20
"""Of a cmap table; the largest fonts of all have a tenth of it."""

_COLLECTION = b"ttcf"
_WINDOWS, _UNICODE = 3, 0
_SEGMENTS, _GROUPS = 4, 12
_LAST_OF_PLANE = 0xFFFF


@dataclass(frozen=True, slots=True)
class Ranges:
    """Characters as runs of code points, first and last included, in rising order."""

    runs: tuple[tuple[int, int], ...] = ()

    def has(self, character: str) -> bool:
        """Whether the character is in one of the runs."""
        point = ord(character)
        low, high = 0, len(self.runs)
        while low < high:
            middle = (low + high) // 2
            first, last = self.runs[middle]
            if first <= point <= last:
                return True
            low, high = (middle + 1, high) if point > last else (low, middle)
        return False


def read_ranges(path: Path, *, index: int = 0) -> Ranges:
    """The characters of one font of the file; none, where the file cannot be read as a font."""
    try:
        return Ranges(tuple(_merged(_runs_of(_table(path, index)))))
    except (OSError, struct.error, ValueError):
        return Ranges()


def _table(path: Path, index: int) -> bytes:
    """The bytes of the cmap table; ValueError where there is none."""
    with path.open("rb") as file:
        start = 0
        if file.read(4) == _COLLECTION:
            file.seek(12 + 4 * index)
            (start,) = struct.unpack(">I", file.read(4))
        file.seek(start + 4)
        (tables,) = struct.unpack(">H", file.read(2))
        file.seek(start + 12)
        for _ in range(tables):
            tag, _checksum, offset, length = struct.unpack(">4sIII", file.read(16))
            if tag == b"cmap" and length <= MOST_BYTES:
                file.seek(offset)
                return file.read(length)
    message = "no cmap table"
    raise ValueError(message)


def _runs_of(table: bytes) -> Iterator[tuple[int, int]]:
    """The runs of every subtable for Unicode whose form is known; together they are what the font has."""
    (_version, count) = struct.unpack_from(">HH", table, 0)
    seen = set()
    for at in range(count):
        platform, encoding, offset = struct.unpack_from(">HHI", table, 4 + 8 * at)
        is_for_unicode = platform == _UNICODE or (platform == _WINDOWS and encoding in {1, 10})
        if not is_for_unicode or offset in seen:
            continue
        seen.add(offset)
        (form,) = struct.unpack_from(">H", table, offset)
        if form == _SEGMENTS:
            yield from _segments(table, offset)
        elif form == _GROUPS:
            yield from _groups(table, offset)


def _groups(table: bytes, offset: int) -> Iterator[tuple[int, int]]:
    """Format 12: groups of characters that follow one another, as their glyphs do."""
    (count,) = struct.unpack_from(">I", table, offset + 12)
    for first, last, glyph in struct.iter_unpack(">III", table[offset + 16 : offset + 16 + 12 * count]):
        yield (first, last) if glyph else (first + 1, last)


def _segments(table: bytes, offset: int) -> Iterator[tuple[int, int]]:
    """Format 4: segments of the first plane; in each a delta, or a place in a list of glyphs."""
    (doubled,) = struct.unpack_from(">H", table, offset + 6)
    count = doubled // 2
    ends = struct.unpack_from(f">{count}H", table, offset + 14)
    starts = struct.unpack_from(f">{count}H", table, offset + 16 + doubled)
    deltas = struct.unpack_from(f">{count}H", table, offset + 16 + 2 * doubled)
    places_at = offset + 16 + 3 * doubled
    places = struct.unpack_from(f">{count}H", table, places_at)
    for at, (first, last, delta, place) in enumerate(zip(starts, ends, deltas, places, strict=True)):
        for point in range(first, min(last, _LAST_OF_PLANE - 1) + 1):
            if place == 0:
                glyph = point + delta & _LAST_OF_PLANE
            else:
                (glyph,) = struct.unpack_from(">H", table, places_at + 2 * at + place + 2 * (point - first))
            if glyph:
                yield point, point


def _merged(runs: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The same characters in as few runs as there can be."""
    open_run: tuple[int, int] | None = None
    for first, last in sorted(run for run in runs if run[0] <= run[1]):
        if open_run is not None and first <= open_run[1] + 1:
            open_run = (open_run[0], max(open_run[1], last))
            continue
        if open_run is not None:
            yield open_run
        open_run = (first, last)
    if open_run is not None:
        yield open_run
