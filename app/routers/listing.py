"""Lists in pages: `{"data": […], "next": …}` and `Link: <…>; rel="next"`, newest first.

A cursor is opaque and holds no more than the last entry shows anyway, its id. What must not be shown (positions of the
feed of events) is sealed by its own router.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from app.envelope.format import decode_part, encode_part
from app.errors import FieldError, Refused, Unknown
from app.routers.answers import answer_json

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
MAX_CURSOR_LENGTH = 200

Entry = TypeVar("Entry")

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="How many entries at most.")]
Cursor = Annotated[
    str | None, Query(max_length=MAX_CURSOR_LENGTH, description="`next` of the page before; leave it out to begin.")
]


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is asked for: at most `limit` entries older than `before` (None: from the newest on)."""

    limit: int
    before: UUID | None

    @property
    def fetch(self) -> int:
        """How many rows to load: one more than is shown tells whether there is a next page."""
        return self.limit + 1


def asked_page(limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Page:
    """Raises Refused for a cursor that is none of ours."""
    return Page(limit, None if cursor is None else _read_cursor(cursor))


AskedPage = Annotated[Page, Depends(asked_page)]


def listed(
    request: Request,
    page: Page,
    found: Sequence[Entry],
    *,
    key: Callable[[Entry], UUID],
    show: Callable[[Entry], object],
) -> Response:
    """The page as an answer. `found` holds up to `page.fetch` rows; `key` is the id that a cursor continues from."""
    shown = found[: page.limit]
    following = write_cursor(key(shown[-1])) if len(found) > page.limit else None
    return answer_page(request, [show(entry) for entry in shown], following)


def answer_page(request: Request, data: Sequence[object], following: str | None) -> Response:
    """`data` and the cursor behind it, also as a `Link` header with the filters of this request."""
    headers = {}
    if following is not None:
        target = request.url.include_query_params(cursor=following)
        headers["Link"] = f'<{target.path}?{target.query}>; rel="next"'
    return answer_json(200, {"data": list(data), "next": following}, headers=headers)


def write_cursor(last: UUID) -> str:
    """The cursor that continues behind the entry of id `last`."""
    return encode_part(last.bytes)


def parse_id(text: str, *, code: str = "not_found") -> UUID:
    """An id from a path. What is no UUID names nothing: Unknown, as for one that nobody has."""
    try:
        return UUID(text)
    except ValueError:
        raise Unknown(code, "There is no such thing, or it is not yours.") from None


def _read_cursor(cursor: str) -> UUID:
    try:
        return UUID(bytes=decode_part(cursor))
    except ValueError:
        raise bad_cursor("cursor") from None


def bad_cursor(parameter: str) -> Refused:
    """For a cursor that this node did not make."""
    detail = "This is no cursor of this list."
    return Refused("parameters_invalid", detail, errors=(FieldError(f"?{parameter}", "bad_cursor", detail),))
