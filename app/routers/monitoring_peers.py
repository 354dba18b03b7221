"""The other contact points: their pulse, their clocks, their keys, and what stands between us."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Depends, Response

from app.db.pulses import Pulse
from app.domain.codes import Lane
from app.domain.directory import KeyUse
from app.errors import Unknown
from app.routers.advised import CALL, Advised, words_of
from app.routers.answers import answer_json
from app.routers.deps import MONITORING, ReadingOnly, needs
from app.routers.models import Moment, View
from app.routers.operations import ROLE_NOT_ALLOWED, Answered, Operation, Tag
from app.services.judge_peers import PeerState, Vitality, judge_peers

router = APIRouter(dependencies=[Depends(needs(*sorted(MONITORING)))])


class LaneView(View):
    """One lane with a peer. `heard_at`: its latest heartbeat; `answered_at`: its latest receipt for one of ours.

    `silent_seconds`: since when neither of them nor any other receipt came. `clock_skew_seconds` is its clock minus
    ours, positive when it is ahead, known to within half the round trip.
    """

    sent_at: Moment | None
    answered_at: Moment | None
    round_trip_seconds: float | None
    heard_at: Moment | None
    silent_seconds: float | None
    clock_skew_seconds: float | None
    software: str | None


NOTHING_KNOWN = LaneView(
    sent_at=None,
    answered_at=None,
    round_trip_seconds=None,
    heard_at=None,
    silent_seconds=None,
    clock_skew_seconds=None,
    software=None,
)


class PeerStateView(Advised):
    """A counterpart. `pending`: messages of ours without its receipt; `gaps`: threads that wait for one of its.

    `closed`: this node was restored and waits for it. `key_ends_at` says per use when its last usable key ends, null
    when it has none.
    """

    code: str
    state: Vitality
    closed: bool
    last_seen: Moment | None
    pending: int
    gaps: int
    quarantined: int
    lanes: dict[Lane, LaneView]
    key_ends_at: dict[KeyUse, Moment | None]


class PeersView(View):
    """Every other contact point of the directory, by code."""

    time: Moment
    peers: list[PeerStateView]


_LANE = {
    "sent_at": "2026-11-22T03:38:10.000Z",
    "answered_at": "2026-11-22T02:33:11.120Z",
    "round_trip_seconds": 0.24,
    "heard_at": "2026-11-22T02:33:05.000Z",
    "silent_seconds": 4008.88,
    "clock_skew_seconds": 0.031,
    "software": "counterpart 0.1.0",
}
PEER_EXAMPLE = {
    "code": "XT",
    "state": "silent",
    "closed": False,
    "last_seen": "2026-11-22T02:33:11.120Z",
    "pending": 3,
    "gaps": 0,
    "quarantined": 0,
    "lanes": {"urgent": _LANE, "routine": _LANE},
    "key_ends_at": {"sig": "2027-10-01T00:00:00.000Z", "enc": "2027-10-01T00:00:00.000Z"},
    "reason": "silent",
    "meaning": "Nothing was heard of XT on at least one lane for ten minutes, neither a heartbeat nor a receipt.",
    "next_act": f"Look at `/v1/monitoring/bus` first: is our own connection up? Then {CALL[0].lower()}{CALL[1:]}: is "
    "their node running? Nothing is lost; everything urgent needs the telephone until they are back.",
}

LIST = Operation(
    "readPeers",
    Tag.MONITORING,
    "How the counterparts are doing",
    {
        200: Answered(
            "All of them, silent ones too.",
            PeersView,
            {"one_silent": {"time": "2026-11-22T03:40:00.000Z", "peers": [PEER_EXAMPLE]}},
        )
    },
    errors=(ROLE_NOT_ALLOWED,),
)
ONE = Operation(
    "readPeer",
    Tag.MONITORING,
    "How one counterpart is doing",
    {200: Answered("What is known of it at this moment.", PeerStateView, {"silent": PEER_EXAMPLE})},
    errors=(ROLE_NOT_ALLOWED,),
)


@router.get("/v1/monitoring/peers", **LIST.route())
async def read_peers(view: ReadingOnly) -> Response:
    """Heartbeats, round trips, clocks, keys and what waits, per contact point, with what is to be done about it.

    For monitors, supervisors and administrators.
    """
    states = await judge_peers(view.session, view.node, now=view.now)
    return answer_json(200, PeersView(time=view.now, peers=[_peer(state, view.now) for state in states]))


@router.get("/v1/monitoring/peers/{code}", **ONE.route())
async def read_peer(code: str, view: ReadingOnly) -> Response:
    """The same of one contact point. 404 for a code that the directory does not have, and for our own.

    For monitors, supervisors and administrators.
    """
    states = await judge_peers(view.session, view.node, now=view.now)
    for state in states:
        if state.code == code:
            return answer_json(200, _peer(state, view.now))
    raise Unknown("not_found", "There is no such thing, or it is not yours.")


def _peer(state: PeerState, now: datetime) -> PeerStateView:
    return PeerStateView(
        code=state.code,
        state=state.vitality,
        closed=state.vitality is Vitality.CLOSED,
        last_seen=state.last_seen,
        pending=state.pending,
        gaps=state.gaps,
        quarantined=state.quarantined,
        lanes={lane: _lane(pulse, state.signs[lane], now) for lane, pulse in state.ways.items()},
        key_ends_at=dict(state.key_ends),
        **words_of(state.advice),
    )


def _lane(pulse: Pulse | None, sign: datetime | None, now: datetime) -> LaneView:
    silent = None if sign is None else max(0.0, (now - sign).total_seconds())
    if pulse is None:
        return NOTHING_KNOWN.model_copy(update={"silent_seconds": silent})
    return LaneView(
        sent_at=pulse.sent_at,
        answered_at=pulse.answered_at,
        round_trip_seconds=_seconds(pulse.round_trip_ms),
        heard_at=pulse.heard_at,
        silent_seconds=silent,
        clock_skew_seconds=_seconds(pulse.skew_ms),
        software=pulse.software,
    )


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000
