"""Why something does not get out or does not get its turn, and who does what about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from app.db.tables_delivery import Trouble
from app.domain.calling import how_to_call
from app.domain.codes import Lane
from app.services.advise_on_quarantine import Advice, Words

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from app.db.passages import Way
    from app.db.waiting import Gap, Unreceipted, WayOut
    from app.domain.directory import Directory

LATE: Mapping[Lane, timedelta] = {Lane.URGENT: timedelta(minutes=1), Lane.ROUTINE: timedelta(minutes=10)}
"""How long a message may be without a receipt before somebody has to look."""

GAP_ALARM = timedelta(hours=1)
"""How long a message may wait for a missing one before the desk is told."""


class Waits(StrEnum):
    """Why a message has no receipt, beside the troubles of its latest attempt."""

    MOVING = "moving"
    NOT_TRIED = "not_tried"
    STUCK = "stuck"
    NO_RECEIPT = "no_receipt"
    PEER_CLOSED = "peer_closed"


@dataclass(frozen=True, slots=True)
class Case:
    """What speaks against a way or a message: the worst of it, and since when."""

    reason: Trouble | Waits
    since: datetime


_ALONE = "Nobody has to do anything."
_GOES_ON = "Nothing is lost: sending goes on by itself."
_KNOWN: Mapping[Trouble | Waits, Words] = {
    Waits.MOVING: Words("It is on its way.", _ALONE),
    Waits.NOT_TRIED: Words(
        "It has not been tried although it is due.",
        "The operator looks whether the node's loops run: `/readyz?verbose`, then `counterpart serve` or "
        "`counterpart work`.",
    ),
    Waits.STUCK: Words(
        "Nothing gets out to {peer} on this lane, so it is left alone for a while and tried again now and then.",
        "The operator looks at `/v1/monitoring/bus`. Not connected: the broker's administrator. Connected: telephone "
        f"{{call}}, their node takes nothing out. {_GOES_ON} `counterpart outbox retry` tries it at once.",
    ),
    Waits.NO_RECEIPT: Words(
        "It was sent, and the node of {peer} has not receipted it.",
        f"Telephone {{call}}: is their node running? {_GOES_ON} One message is tried now and then, and everything "
        "follows with the first receipt.",
    ),
    Waits.PEER_CLOSED: Words(
        "This node was restored and waits for {peer} to say what it holds of us; until then it is sent nothing else.",
        "Nobody has to do anything while their node answers. Does it not, telephone {call}; "
        "`counterpart recovery show` tells how far it is.",
    ),
    Trouble.UNKNOWN_PEER: Words(
        "{peer} is not in our directory.",
        "The registrar finds out whether {peer} left the network or our directory is old, and the operator puts the "
        f"newest one in its place: the node reads it by itself. {_GOES_ON}",
    ),
    Trouble.NO_KEY: Words(
        "There is no valid key to close letters to {peer} with, or none of ours to sign with.",
        "The operator looks at `/v1/monitoring/peers` for the keys that have ended, asks the registrar for the newest "
        f"directory and puts it in its place. {_GOES_ON} Is it urgent, telephone {{call}}.",
    ),
    Trouble.UNROUTABLE: Words(
        "The broker has no queue for {peer}.",
        "The operator tells the broker's administrator: the account of {peer} was removed or never opened "
        f"(`counterpart broker definitions`). {_GOES_ON} Is it urgent, telephone {{call}}.",
    ),
    Trouble.NOT_TAKEN: Words(
        "The broker did not take it: we have no connection, or the queue of {peer} is full.",
        "The operator looks at `/v1/monitoring/bus`. Not connected: the broker's administrator. Connected: the queue "
        f"is full because their node takes nothing out; telephone {{call}}. {_GOES_ON}",
    ),
    Trouble.OUTCOME_UNKNOWN: Words(
        "The broker did not say in time whether it has it.",
        f"{_GOES_ON} Does it last, the operator looks at `/v1/monitoring/bus` and tells the broker's administrator. Is "
        "it urgent, telephone {call}.",
    ),
    Trouble.UNSEALABLE: Words(
        "Our own program could not put it into an envelope.",
        "The operator sends the log of that time to whoever maintains the software. Telephone {call} and pass it on by "
        "voice: this message does not leave before that is repaired.",
    ),
}
_WORST = (
    Trouble.UNSEALABLE,
    Trouble.UNKNOWN_PEER,
    Trouble.NO_KEY,
    Trouble.UNROUTABLE,
    Trouble.NOT_TAKEN,
    Trouble.OUTCOME_UNKNOWN,
)


def judge_way(way: WayOut, *, closed: bool, stuck: bool, now: datetime) -> Case:
    """Tell the worst that holds messages of one way back.

    `closed`: its peer is one whose resync we wait for; `stuck`: nothing is tried on it for a while.
    """
    late = LATE[way.way.lane]
    trouble = next((one for one in _WORST if one in way.troubles), None)
    if closed:
        return Case(Waits.PEER_CLOSED, way.oldest_at)
    if trouble is not None:
        return Case(trouble, way.oldest_at)
    if stuck and way.confirmed < way.count:
        return Case(Waits.STUCK, way.oldest_at)
    if way.confirmed_since is not None and now - way.confirmed_since > late:
        return Case(Waits.NO_RECEIPT, way.confirmed_since)
    if way.oldest_untried_at is not None and now - way.oldest_untried_at > late:
        return Case(Waits.NOT_TRIED, way.oldest_untried_at)
    # Under way once more at this moment: that is no reason to be calm about it.
    return Case(Waits.NO_RECEIPT if now - way.oldest_at > late else Waits.MOVING, way.oldest_at)


def judge_message(one: Unreceipted, *, closed: bool, stuck: bool, now: datetime) -> Case:
    """The same about one message."""
    if closed:
        return Case(Waits.PEER_CLOSED, one.queued_at)
    if one.trouble is not None:
        return Case(one.trouble, one.queued_at)
    if stuck and one.next_at is not None:
        return Case(Waits.STUCK, one.queued_at)
    if one.next_at is None and one.confirmed_at is not None and now - one.confirmed_at > LATE[one.way.lane]:
        return Case(Waits.NO_RECEIPT, one.confirmed_at)
    if one.tries == 0 and now - one.queued_at > LATE[one.way.lane]:
        return Case(Waits.NOT_TRIED, one.queued_at)
    return Case(Waits.NO_RECEIPT if now - one.queued_at > LATE[one.way.lane] else Waits.MOVING, one.queued_at)


def advise_on_case(directory: Directory, way: Way, case: Case) -> Advice:
    """Say what it means and what is to be done."""
    call = how_to_call(directory, way.peer)
    return _KNOWN[case.reason].about(case.reason.value, peer=way.peer, call=call)


def advise_on_gap(directory: Directory, gap: Gap, *, now: datetime) -> Advice:
    """Say what is to be done about numbers of a thread that have not come."""
    peer = gap.key.peer
    what = "a message" if gap.missing_count == 1 else f"{gap.missing_count} messages"
    meaning = f"{what.capitalize()} of {peer} did not arrive; what came after waits for it. Other threads go on."
    if now - gap.since < GAP_ALARM:
        return Advice("gap", meaning, f"{_ALONE} Their node has been asked for it and sends it again.")
    return Advice(
        "gap",
        meaning,
        f"Telephone {how_to_call(directory, peer)}: their operator runs `counterpart outbox list --peer` with our "
        "code, then `counterpart outbox retry`. Nothing that waits here is lost.",
    )
