"""The way to the broker, as this process sees it."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Response

from app.db import quarantine
from app.domain.codes import Lane
from app.routers.advised import NOBODY, Advised, words_of
from app.routers.answers import answer_json
from app.routers.deps import MONITORING, ReadingOnly, needs
from app.routers.models import Moment
from app.routers.operations import ROLE_NOT_ALLOWED, Answered, Operation, Tag
from app.services.advise_on_quarantine import Advice
from app.services.quarantine import UNOPENED

router = APIRouter(dependencies=[Depends(needs(*sorted(MONITORING)))])


class BusStateView(Advised):
    """The way to the broker. `since`: when `connected` last changed.

    `consuming` says per lane whether the broker has our consumer, `dead_letters` the same of the queue for what broke
    its readers; `unopened` counts what came from there and nobody has dealt with.
    """

    time: Moment
    connected: bool
    since: Moment
    consuming: dict[Lane, bool]
    dead_letters: bool
    unopened: int
    reconnects: int
    last_error: str | None


BUS_EXAMPLE = {
    "time": "2026-11-22T03:40:00.000Z",
    "connected": True,
    "since": "2026-11-21T22:00:00.000Z",
    "consuming": {"urgent": True, "routine": True},
    "dead_letters": True,
    "unopened": 0,
    "reconnects": 1,
    "last_error": "AMQPConnectionError",
    "reason": "working",
    "meaning": "Both lanes publish and are consumed.",
    "next_act": NOBODY,
}

BUS = Operation(
    "readBus",
    Tag.MONITORING,
    "The way to the broker",
    {200: Answered("How things stand at this moment.", BusStateView, {"working": BUS_EXAMPLE})},
    errors=(ROLE_NOT_ALLOWED,),
)


@router.get("/v1/monitoring/bus", **BUS.route())
async def read_bus(view: ReadingOnly) -> Response:
    """Whether both lanes publish and are consumed, as this process sees it; and what came back as unreadable.

    For monitors, supervisors and administrators.
    """
    status = view.runtime.broker.status()
    advice = advise_on_bus(
        connected=status.connected, deaf=bool(view.runtime.beats) and not all(status.consuming.values())
    )
    shown = BusStateView(
        time=view.now,
        connected=status.connected,
        since=status.since,
        consuming={lane: status.consuming.get(lane, False) for lane in Lane},
        dead_letters=status.dead_letters,
        unopened=(await quarantine.count_open(view.session)).get(UNOPENED, 0),
        reconnects=status.reconnects,
        last_error=status.last_error,
        **words_of(advice),
    )
    return answer_json(200, shown)


def advise_on_bus(*, connected: bool, deaf: bool) -> Advice:
    """Say what is to be done about the connection; `deaf`: this process should consume and does not."""
    if not connected:
        return Advice(
            "disconnected",
            "This node has no connection to its broker: requests are taken, and wait to be sent.",
            "Telephone the broker's administrator: is it up, and is our account open? The node connects again by "
            "itself. `counterpart broker check` tries it from this machine. Is something urgent, use the telephone.",
        )
    if deaf:
        return Advice(
            "deaf",
            "This node can send, but the broker hands it nothing of at least one lane.",
            "The operator waits a minute, for it registers again by itself; then starts the node again, and tells the "
            "broker's administrator if that does not help. What is sent to us waits at the broker.",
        )
    return Advice("working", "Both lanes publish and are consumed.", NOBODY)
