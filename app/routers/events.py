"""The feed: what changed, in one order and without a gap, by cursor, by long poll or as a stream.

It holds ids and states only. The id of an event is its sealed place in the feed; it serves as cursor and as
`Last-Event-ID`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from app.db.events import Position, StoredEvent
from app.routers.answers import NO_STORE, answer_json, json_bytes
from app.routers.deps import Caller, runtime_of
from app.routers.feed import MAX_WAIT_SECONDS, Feed, asked_wait, scope_of
from app.routers.listing import DEFAULT_LIMIT, MAX_CURSOR_LENGTH, Limit
from app.routers.models import Listed, Moment, View
from app.routers.operations import Answered, Fault, Operation, Tag

router = APIRouter()

STREAM = "text/event-stream"
STREAM_HEADERS = {**NO_STORE, "X-Accel-Buffering": "no"}


class SubjectView(View):
    """The thing it happened to."""

    kind: str
    id: str


class EventView(View):
    """One event. `data` holds ids and states; the content is to be fetched from the subject."""

    id: str
    kind: str
    at: Moment
    subject: SubjectView
    data: dict[str, str | int | None]


EXAMPLE = {
    "id": "tV3Xk1mJ0mQv3mXn2kq8c2N4b0pYb2ZkY2hqa3dxZXI",
    "kind": "request.signed",
    "at": "2026-11-22T09:41:07.412Z",
    "subject": {"kind": "request", "id": "0193503e-7a52-7c1e-9d0b-3f3c6f6b2f11"},
    "data": {"state": "SIGNED", "generation": 4},
}
STREAM_EXAMPLE = f"""id: {EXAMPLE["id"]}
event: request.signed
data: {{"id":"{EXAMPLE["id"]}","kind":"request.signed","at":"2026-11-22T09:41:07.412Z","subject":{{"kind":"request",\
"id":"0193503e-7a52-7c1e-9d0b-3f3c6f6b2f11"}},"data":{{"state":"SIGNED","generation":4}}}}

"""

TOO_MANY_STREAMS = Fault(
    "too_many_streams",
    429,
    "You have 8 streams or waiting polls of events open: close one, or ask without waiting.",
    {"retry_after": 5},
)

READ_EVENTS = Operation(
    "readEvents",
    Tag.EVENTS,
    "Read the feed of events",
    {
        200: Answered(
            "Events behind `after`, oldest first. `next` is never null: it is where to go on, after an empty page too.",
            Listed[EventView],
            {"signed": {"data": [EXAMPLE], "next": EXAMPLE["id"]}, "nothing_new": {"data": [], "next": EXAMPLE["id"]}},
            also={STREAM: {"one_event": STREAM_EXAMPLE}},
            headers={"Preference-Applied": "The wait that was granted, as `wait=30`."},
        )
    },
    errors=(TOO_MANY_STREAMS,),
)

After = Annotated[
    str | None,
    Query(
        max_length=MAX_CURSOR_LENGTH,
        description="Id of the last event you have; `latest` for what comes from now on; without it, from the oldest.",
    ),
]
LastEventId = Annotated[
    str | None, Header(max_length=MAX_CURSOR_LENGTH, description="As `after`; browsers send it when a stream resumes.")
]
Prefer = Annotated[
    str | None, Header(max_length=200, description=f"`wait=N`: hold an empty answer back for N ≤ {MAX_WAIT_SECONDS} s.")
]


@dataclass(frozen=True, slots=True)
class Following:
    """From where, how much at a time, and how long to wait for it."""

    after: str | None
    limit: int
    wait: int


def asked_following(
    after: After = None, limit: Limit = DEFAULT_LIMIT, *, prefer: Prefer = None, last_event_id: LastEventId = None
) -> Following:
    """What the query and the headers ask for; a stream that resumes knows better than its address."""
    return Following(last_event_id or after, limit, asked_wait(prefer))


@router.get("/v1/events", **READ_EVENTS.route())
async def read_events(
    request: Request, caller: Caller, asked: Annotated[Following, Depends(asked_following)]
) -> Response:
    """What changed in the things you may see, complete and in one order.

    Ask again with `after` set to `next`. With `Prefer: wait=30` an answer without events waits up to that long for one.
    With `Accept: text/event-stream` the events come as a stream; it ends after some minutes, and goes on from
    `Last-Event-ID`. One person has a limited number of streams and waiting polls open at once; one more is a 429, and
    `Retry-After` says when to try again. Asking without waiting is never counted.
    """
    runtime = runtime_of(request)
    feed = Feed(runtime, scope_of(caller))
    seat = runtime.readers.seat(caller.person_id)
    position = await feed.place(asked.after)
    if STREAM in request.headers.get("accept", ""):
        return Seated(seat, _stream(feed, position, asked.limit), media_type=STREAM, headers=STREAM_HEADERS)
    with seat if asked.wait else nullcontext():
        found = await feed.wait(position, asked.limit, seconds=asked.wait)
    following = feed.seal(found[-1].position if found else position)
    applied = {"Preference-Applied": f"wait={asked.wait}"} if asked.wait else {}
    return answer_json(200, {"data": [_view(feed, one) for one in found], "next": following}, headers=applied)


class Seated(StreamingResponse):
    """A stream that has a place of its person's from its first byte to its last, however it ends."""

    def __init__(
        self,
        seat: AbstractContextManager[None],
        content: AsyncIterator[bytes],
        *,
        media_type: str,
        headers: dict[str, str],
    ) -> None:
        super().__init__(content, media_type=media_type, headers=headers)
        self._seat = seat

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._seat:
            await super().__call__(scope, receive, send)


async def _stream(feed: Feed, position: Position, limit: int) -> AsyncIterator[bytes]:
    """The feed as server-sent events. A comment opens it at once: the reader knows that it is connected."""
    with feed.runtime.metrics.sse_clients.track_inprogress():
        yield b"retry: 2000\n: connected\n\n"
        async for found in feed.stream(position, limit):
            yield b"".join(_sent(_view(feed, one)) for one in found) or b": still here\n\n"


def _sent(event: EventView) -> bytes:
    return f"id: {event.id}\nevent: {event.kind}\ndata: ".encode() + json_bytes(event) + b"\n\n"


def _view(feed: Feed, stored: StoredEvent) -> EventView:
    return EventView(
        id=feed.seal(stored.position),
        kind=stored.event.kind,
        at=stored.at,
        subject=SubjectView(kind=stored.event.subject_kind, id=stored.event.subject_id),
        data=dict(stored.event.data),
    )
