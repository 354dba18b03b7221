"""The steps of a recovery, each in a transaction of its own; and the start, at which the loss is noticed.

Any number of processes may run the loop: one of them takes a step at a time, and every step may be taken again.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from app.audit.strict import to_base64
from app.db import recoveries
from app.db.engine import begin, reading
from app.domain.resync import Proof
from app.services.recovery.answer import answer_list, find_answerable
from app.services.recovery.begin import Evidence, begin_recovery
from app.services.recovery.bring_on import bring_on, end_recoveries
from app.services.sequence import BEHIND, find_loss

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from app.audit.checkpoint import Checkpoint
    from app.audit.facts import JSON
    from app.db.engine import Session
    from app.runtime import Runtime

    Step = Callable[[Session], Awaitable[bool]]


async def notice_loss(runtime: Runtime, anchored: Checkpoint | None) -> bool:
    """Begin a recovery when the database lacks what this node's word was given for; True when it lacks it.

    To be done at every start, before anything is signed. A log that contradicts the anchor is not noticed here: that is
    no loss, and no recovery mends it.
    """
    if anchored is None:
        return False
    now = runtime.clock()
    known: dict[str, JSON] = {"origin": anchored.origin, "size": anchored.size, "root": to_base64(anchored.root)}
    async with begin(runtime.chores) as session:
        fault = await find_loss(session, anchored)
        if fault is None or fault.code != BEHIND:
            return False
        begun = await begin_recovery(session, runtime.node, Evidence(Proof.ANCHOR, known), now=now)
    # Commit point. A crash here leaves every peer closed; the loop, or that of the next start, asks them.
    if begun.began_at == now:
        runtime.log.error("recovering", proof=begun.proof, remembers_until=begun.remembers_until)
    return True


async def recover(runtime: Runtime) -> bool:
    """Take every step that can be taken now, for ourselves and for peers that ask; True while there may be more."""
    node, now = runtime.node, runtime.clock()
    async with reading(runtime.chores) as session:
        if await recoveries.are_all_over(session):
            return False
        answerable = await find_answerable(session, now=now)
        closed = await recoveries.all_closed(session)
        is_under_way = await recoveries.are_under_way(session)
    steps: list[Step] = [partial(answer_list, node=node, key=key, now=now) for key in answerable]
    steps += [partial(bring_on, node=node, peer=one.peer, now=now) for one in closed]
    if is_under_way:
        steps.append(partial(end_recoveries, node=node, now=now))
    return any([await _step(runtime, step) for step in steps])


async def _step(runtime: Runtime, step: Step) -> bool:
    """Do one step unless another process is at one; what it queued leaves after its commit."""
    async with begin(runtime.chores) as session:
        moved = await recoveries.try_turn(session) and await step(session)
    # Commit point. A crash before it leaves the step undone, for whoever comes next; after it, relays find it.
    if moved:
        runtime.wake.ring()
    return moved
