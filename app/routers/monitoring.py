"""The state of the node as documented JSON, so that a ministry's own tools can read it."""

from __future__ import annotations

import platform
from datetime import datetime

from fastapi import APIRouter, Depends, Request, Response

from app import __version__
from app.db import overview
from app.migrate import current_revision
from app.routers.answers import answer_json
from app.routers.deps import MONITORING, Caller, ReadingOnly, needs, runtime_of
from app.routers.health import count
from app.routers.models import Moment, View
from app.routers.operations import ROLE_NOT_ALLOWED, Answered, Operation, Tag
from app.services.effects import EFFECTS

router = APIRouter(dependencies=[Depends(needs(*sorted(MONITORING)))])

READ = list(EFFECTS.reads)
"""Types of message that this release understands; others wait in quarantine for one that does."""


class OpenView(View):
    """How many are open in one state. `direction`: `domestic` (not yet sent), `outgoing` or `incoming`."""

    direction: str
    state: str
    tier: str
    count: int


class WaitingView(View):
    """Exchanges that no person at the requested side has acknowledged."""

    direction: str
    tier: str
    count: int
    oldest_since: Moment
    oldest_seconds: float


class BacklogView(View):
    """Messages of one lane (outbox) or one state (inbox) that wait."""

    name: str
    count: int
    oldest_seconds: float


class PeerView(View):
    """A counterpart: when its latest message came, and how many of ours wait for its receipt."""

    code: str
    last_seen: Moment | None
    pending: int


class BusView(View):
    """The connection to the broker. `since`: when `connected` last changed."""

    connected: bool
    consuming: dict[str, bool]
    reconnects: int
    last_error: str | None
    since: Moment


class AuditView(View):
    """The audit log: entries, how many a published checkpoint covers, facts not in the tree yet, that head's age."""

    size: int
    published_size: int
    pending: int
    checkpoint_at: Moment | None
    checkpoint_age_seconds: float | None


class OverviewView(View):
    """The front page of a node's state: counts and ages, no content."""

    contact_point: str
    time: Moment
    open: list[OpenView]
    unacknowledged: list[WaitingView]
    outbox: list[BacklogView]
    inbox: list[BacklogView]
    quarantine_open: int
    peers: list[PeerView]
    bus: BusView
    audit: AuditView


class VersionView(View):
    """What runs here, the edition of the law it goes by, and its clock."""

    version: str
    python: str
    schema_revision: str | None
    schema_expected: str
    message_types: list[str]
    contact_point: str
    directory_version: int
    law_version: str
    law_digest: str
    time: Moment


OVERVIEW_EXAMPLE = {
    "contact_point": "XA",
    "time": "2026-11-22T09:30:00.000Z",
    "open": [
        {"direction": "domestic", "state": "TRIAGE", "tier": "URGENT", "count": 2},
        {"direction": "outgoing", "state": "ACKNOWLEDGED", "tier": "URGENT", "count": 1},
    ],
    "unacknowledged": [
        {
            "direction": "outgoing",
            "tier": "EMERGENCY",
            "count": 1,
            "oldest_since": "2026-11-22T09:27:00.000Z",
            "oldest_seconds": 180.0,
        }
    ],
    "outbox": [
        {"name": "urgent", "count": 1, "oldest_seconds": 0.4},
        {"name": "routine", "count": 0, "oldest_seconds": 0.0},
    ],
    "inbox": [
        {"name": "held", "count": 0, "oldest_seconds": 0.0},
        {"name": "quarantined", "count": 0, "oldest_seconds": 0.0},
    ],
    "quarantine_open": 0,
    "peers": [{"code": "XT", "last_seen": "2026-11-22T09:29:41.020Z", "pending": 1}],
    "bus": {
        "connected": True,
        "consuming": {"urgent": True, "routine": True},
        "reconnects": 0,
        "last_error": None,
        "since": "2026-11-22T08:00:00.000Z",
    },
    "audit": {
        "size": 812,
        "published_size": 812,
        "pending": 0,
        "checkpoint_at": "2026-11-22T09:29:58.100Z",
        "checkpoint_age_seconds": 1.9,
    },
}
VERSION_EXAMPLE = {
    "version": __version__,
    "python": "3.11.9",
    "schema_revision": "20261122_0900",
    "schema_expected": "20261122_0900",
    "message_types": READ,
    "contact_point": "XA",
    "directory_version": 7,
    "law_version": "1",
    "law_digest": "f56e1e6f775597e07857536a49fc3abc7567081716d31f9db20e9c2e6a9ba3d2",
    "time": "2026-11-22T09:30:00.000Z",
}

OVERVIEW = Operation(
    "readOverview",
    Tag.MONITORING,
    "How this node is doing",
    {200: Answered("Counts and ages at this moment.", OverviewView, {"quiet_morning": OVERVIEW_EXAMPLE})},
    errors=(ROLE_NOT_ALLOWED,),
)
VERSION = Operation(
    "readVersion",
    Tag.MONITORING,
    "What runs here",
    {200: Answered("Versions and the node's clock.", VersionView, {"release": VERSION_EXAMPLE})},
    errors=(ROLE_NOT_ALLOWED,),
)


@router.get("/v1/monitoring/overview", **OVERVIEW.route())
async def read_overview(request: Request, _caller: Caller) -> Response:
    """What is open and for how long, what waits on its way, who was heard from last, how far the audit log is.

    For monitors, supervisors and administrators.
    """
    runtime = runtime_of(request)
    numbers, now, status = await count(runtime), runtime.clock(), runtime.broker.status()
    audit = numbers.audit
    shown = OverviewView(
        contact_point=runtime.node.code,
        time=now,
        open=[OpenView.model_validate(found) for found in numbers.open],
        unacknowledged=[_waiting(found, now) for found in numbers.unacknowledged],
        outbox=[_backlog(found, now) for found in numbers.outbox],
        inbox=[_backlog(found, now) for found in numbers.inbox],
        quarantine_open=numbers.quarantine_open,
        peers=[PeerView.model_validate(found) for found in numbers.peers],
        bus=BusView(
            connected=status.connected,
            consuming={str(lane): consuming for lane, consuming in status.consuming.items()},
            reconnects=status.reconnects,
            last_error=status.last_error,
            since=status.since,
        ),
        audit=AuditView(
            size=audit.size,
            published_size=audit.published_size,
            pending=audit.pending,
            checkpoint_at=audit.checkpoint_at,
            checkpoint_age_seconds=_age(audit.checkpoint_at, now) if audit.checkpoint_at else None,
        ),
    )
    return answer_json(200, shown)


@router.get("/v1/monitoring/version", **VERSION.route())
async def read_version(view: ReadingOnly) -> Response:
    """Software, schema and directory versions, the message types this node reads, and its time.

    For monitors, supervisors and administrators.
    """
    shown = VersionView(
        version=__version__,
        python=platform.python_version(),
        schema_revision=await current_revision(view.session),
        schema_expected=view.runtime.head_revision,
        message_types=READ,
        contact_point=view.node.code,
        directory_version=view.node.directory.version,
        law_version=view.node.law.version,
        law_digest=view.node.law.digest,
        time=view.now,
    )
    return answer_json(200, shown)


def _waiting(found: overview.Oldest, now: datetime) -> WaitingView:
    return WaitingView(
        direction=found.direction,
        tier=found.tier,
        count=found.count,
        oldest_since=found.since,
        oldest_seconds=_age(found.since, now),
    )


def _backlog(found: overview.Backlog, now: datetime) -> BacklogView:
    return BacklogView(
        name=found.name, count=found.count, oldest_seconds=_age(found.since, now) if found.since else 0.0
    )


def _age(since: datetime, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds())
