"""Notifications on their way: claimed for a while, sent, and noted as taken, or tried again at growing intervals."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from app.db import notifications
from app.db.engine import begin
from app.db.tables_clocks import ChannelKind
from app.notify.collect import announce_failure
from app.notify.faults import FINAL, NotTaken, Trouble
from app.notify.letter import Letter
from app.notify.mail import send_mail
from app.notify.webhook import post_webhook
from app.notify.wording import FAILED

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncEngine

    from app.db.notifications import Notification
    from app.notify.means import Means

AT_ONCE = 8
"""Sent side by side: one address that does not answer keeps no other waiting."""

LEASE = timedelta(minutes=1)
"""Longer than any sending takes; when a process dies with some in hand, they are due again after it."""

FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=15)
ALARM_TRIES = 3
"""After so many the desk is alarmed, some twenty seconds after the first; it is tried on all the same."""

GIVEN_UP_AFTER = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one attempt: `sent`, or the trouble."""

    kind: ChannelKind
    outcome: str


@dataclass(frozen=True, slots=True)
class Post:
    """What is sent from and with; `stopping` ends what an address holds up: no stop waits for one that is silent."""

    engine: AsyncEngine
    means: Means
    clock: Callable[[], datetime]
    stopping: asyncio.Event


async def deliver(post: Post) -> list[Done]:
    """Send what is due, at most `AT_ONCE`.

    Commit points: the claim before sending, one transaction per message after it. A crash or a stop between them sends
    the same message again when the lease is over, under the same id, by which the other end knows it.
    """
    async with begin(post.engine) as session:
        taken = await notifications.claim(session, now=post.clock(), lease=LEASE, limit=AT_ONCE)
    done = await asyncio.gather(*(_deliver_one(post, one) for one in taken))
    return [one for one in done if one is not None]


async def _deliver_one(post: Post, one: Notification) -> Done | None:
    kind = one.kind or ChannelKind.MAIL
    try:
        if not await _ended(send(post.means, one, now=post.clock()), post.stopping):
            return None
    except NotTaken as fault:
        await _note_trouble(post.engine, one, fault.trouble, now=post.clock())
        return Done(kind, fault.trouble)
    async with begin(post.engine) as session:
        await notifications.mark_sent(session, one, now=post.clock())
    return Done(kind, "sent")


async def _ended(sending: Coroutine[None, None, None], stopping: asyncio.Event) -> bool:
    """Whether it came to its end, good or bad, before the stop; what did not is given up."""
    task, stop = asyncio.create_task(sending), asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            return False
        await task
        return True
    finally:
        task.cancel()
        stop.cancel()
        await asyncio.gather(task, stop, return_exceptions=True)


async def send(means: Means, one: Notification, *, now: datetime) -> None:
    """Send one message; returns once it was taken. Raises `NotTaken`."""
    letter = Letter(one.id, one.target, one.title, one.body)
    if one.kind is ChannelKind.WEBHOOK:
        if one.secret_file is None:
            raise NotTaken(Trouble.GONE)
        await post_webhook(letter, secret_file=one.secret_file, plain=means.plain, now=now)
    elif means.mail is None:
        raise NotTaken(Trouble.NO_MAIL_SERVER)
    else:
        await send_mail(means.mail, letter, now=now)


async def _note_trouble(engine: AsyncEngine, one: Notification, trouble: Trouble, *, now: datetime) -> None:
    """Due again, or given up; from the third time on the desk knows. An alarm about an alarm is not made."""
    ended = trouble in FINAL or now - one.created_at >= GIVEN_UP_AFTER
    async with begin(engine) as session:
        next_at = None if ended else now + pause_after(one.tries)
        if not await notifications.mark_troubled(session, one, trouble=trouble, next_at=next_at, now=now):
            return
        if trouble is Trouble.GONE and one.channel_id is not None:
            await notifications.stop_channel(session, one.channel_id, now=now)
        alarming = (ended or one.tries >= ALARM_TRIES) and await notifications.mark_alarmed(session, one, now=now)
        if alarming and one.event != FAILED:
            await announce_failure(session, one, trouble, now=now)


def pause_after(tries: int) -> timedelta:
    """How long after so many attempts: twice as long each time, up to a quarter of an hour."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(tries - 1, 10))
