"""The markings of files: never more open than what brings them, and inherited by all that is said afterwards."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.domain.marking_bodies import read_marking
from app.domain.markings import DEFAULT, combined, strictest
from app.domain.wire import MAX_SHORT_TEXT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from app.domain.delivery_messages import FileBody
    from app.domain.exchange.values import Exchange
    from app.domain.markings import Marking


def marking_of_file(own: Marking | None, message: Marking | None) -> Marking:
    """What a file bears that a message brings: the stricter of its own marking and the message's, part by part."""
    brought_by = message or DEFAULT
    return brought_by if own is None else strictest(brought_by, own)


def markings_told(files: Iterable[FileBody] | None) -> list[Marking]:
    """The markings that a message tells of its files; a file without one bears the message's and adds nothing."""
    told = [read_marking(one.marking) for one in files or ()]
    return [one for one in told if one is not None]


def marking_with_files(told: Marking | None, files: Iterable[FileBody] | None) -> Marking | None:
    """What a message bears together with its files; None where neither it nor any of them says anything."""
    brought = markings_told(files)
    return combined(told or DEFAULT, _bounded(brought)) if brought else told


def with_files(exchange: Exchange, files: Iterable[FileBody] | None) -> Exchange:
    """The exchange once an act has brought these files; the same one where they are no stricter than it was."""
    brought = markings_told(files)
    if not brought or combined(exchange.marking, _bounded(brought)) == exchange.marking:
        return exchange
    before = () if exchange.files_marking is None else (exchange.files_marking,)
    return replace(exchange, files_marking=_bounded([*before, *brought]))


def _bounded(markings: Sequence[Marking]) -> Marking:
    """The strictest of them; of its text as much as a snapshot can carry for good. Each file still bears its own."""
    strictest_of_all = combined(markings[0], *markings[1:])
    text = strictest_of_all.text
    return strictest_of_all if text is None else replace(strictest_of_all, text=text[:MAX_SHORT_TEXT])
