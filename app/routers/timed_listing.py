"""Pages of lists whose entries got their ids from several contact points: a cursor names the time and the entry."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Protocol, TypeVar
from uuid import UUID

from fastapi import Depends, Request, Response

from app.db.placing import Place
from app.domain.codes import Direction
from app.envelope.format import decode_part, encode_part
from app.routers.listing import DEFAULT_LIMIT, Cursor, Limit, answer_page, bad_cursor

_HEAD = struct.Struct(">q16s?")
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class Placed(Protocol):
    """An entry of such a list."""

    @property
    def id(self) -> UUID:
        """Chosen by whoever made it."""

    @property
    def peer(self) -> str:
        """The other contact point."""

    @property
    def direction(self) -> Direction:
        """Whose it is."""


Entry = TypeVar("Entry", bound=Placed)


@dataclass(frozen=True, slots=True)
class TimedPage:
    """Which part of a list is asked for: at most `limit` entries older than `before` (None: from the newest on)."""

    limit: int
    before: Place | None

    @property
    def fetch(self) -> int:
        """How many rows to load: one more than is shown tells whether there is a next page."""
        return self.limit + 1


def asked_page(limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> TimedPage:
    """Raises Refused for a cursor that is none of ours."""
    return TimedPage(limit, None if cursor is None else _read(cursor))


AskedTimedPage = Annotated[TimedPage, Depends(asked_page)]


def listed_by_time(
    request: Request,
    page: TimedPage,
    found: Sequence[Entry],
    *,
    at: Callable[[Entry], datetime],
    show: Callable[[Entry], object],
) -> Response:
    """The page as an answer. `found` holds up to `page.fetch` rows; `at` is the time by which they are ordered."""
    shown = found[: page.limit]
    following = _write(shown[-1], at(shown[-1])) if len(found) > page.limit else None
    return answer_page(request, [show(entry) for entry in shown], following)


def _write(last: Placed, at: datetime) -> str:
    head = _HEAD.pack(
        (at - _BEGINNING) // timedelta(microseconds=1), last.id.bytes, last.direction is Direction.INCOMING
    )
    return encode_part(head + last.peer.encode())


def _read(cursor: str) -> Place:
    try:
        raw = decode_part(cursor)
        moment, key, incoming = _HEAD.unpack(raw[: _HEAD.size])
        direction = Direction.INCOMING if incoming else Direction.OUTGOING
        peer = raw[_HEAD.size :].decode("ascii")
        if not peer.isprintable():
            raise bad_cursor("cursor")
        return Place(_BEGINNING + timedelta(microseconds=moment), UUID(bytes=key), peer, direction)
    except (ValueError, OverflowError, struct.error):
        raise bad_cursor("cursor") from None
