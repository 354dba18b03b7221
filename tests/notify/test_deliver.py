"""What is to be told is sent until it is taken: again after trouble, once by many, and its failure is an alarm."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from app.domain.deadlines import Audience
from app.notify import deliver as delivering
from app.notify.deliver import GIVEN_UP_AFTER, LEASE, LONGEST_PAUSE, pause_after
from app.notify.means import MailServer, Tls
from tests.notify.receiver import HERE
from tests.support.world import seen

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from tests.notify.conftest import Desk
    from tests.notify.receiver import Hook, Mailbox

STATES = "SELECT state, tries, trouble FROM notification WHERE kind IS NOT NULL ORDER BY id"


async def arrived(came: Sequence[object], count: int) -> None:
    """Wait until so many have come."""

    async def look() -> int:
        return len(came)

    await seen(look, lambda found: found >= count)


async def due(desk: Desk, hook: Hook) -> None:
    """One notification that is to go to the hook now."""
    await desk.add(hook.url())
    await desk.announce()
    await desk.collect()


async def test_it_is_sent_once(desk: Desk, hook: Hook) -> None:
    """Taken is taken: nothing is sent in later rounds."""
    await due(desk, hook)
    assert [one.outcome for one in await desk.deliver()] == ["sent"]
    assert await desk.deliver(after=timedelta(days=1)) == []
    assert len(hook.came) == 1
    assert await desk.rows(STATES) == [("sent", 1, None)]


async def test_several_processes_send_it_once(desk: Desk, hook: Hook) -> None:
    """Whoever claims it sends it; the others find nothing, also while it is under way."""
    await due(desk, hook)
    hook.wait = asyncio.Event()
    rounds = [asyncio.create_task(desk.deliver()) for _ in range(4)]
    await arrived(hook.came, 1)
    assert await desk.deliver() == []
    hook.wait.set()
    done = [one for found in await asyncio.gather(*rounds) for one in found]
    assert [one.outcome for one in done] == ["sent"]
    assert len(hook.came) == 1


async def test_control_without_the_claim_everybody_sends_it(
    desk: Desk, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: with a lease of no length, what one has in hand is everybody's."""
    await due(desk, hook)
    monkeypatch.setattr(delivering, "LEASE", timedelta())
    hook.wait = asyncio.Event()
    rounds = []
    for number in (1, 2):
        rounds.append(asyncio.create_task(desk.deliver()))
        await arrived(hook.came, number)
    hook.wait.set()
    await asyncio.gather(*rounds)
    assert len(hook.came) == 2


async def test_after_a_crash_it_is_sent_again_under_its_id(desk: Desk, hook: Hook) -> None:
    """A process that dies with it in hand keeps it for a minute; then the same goes out, under the same id."""
    await due(desk, hook)
    hook.wait = asyncio.Event()
    dying = asyncio.create_task(desk.deliver())
    await arrived(hook.came, 1)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    hook.wait.set()
    assert await desk.deliver(after=LEASE - timedelta(seconds=1)) == []
    assert [one.outcome for one in await desk.deliver(after=timedelta(seconds=1))] == ["sent"]
    first, second = hook.came
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body


async def test_a_stop_waits_for_no_silent_address(desk: Desk, hook: Hook) -> None:
    """What is in hand is given up at once, counts as no failure, and is sent when its lease is over."""
    await due(desk, hook)
    hook.wait = asyncio.Event()
    sending = asyncio.create_task(desk.deliver())
    await arrived(hook.came, 1)
    desk.stopping.set()
    async with asyncio.timeout(6):
        assert await sending == []
    assert await desk.rows(STATES) == [("pending", 1, None)]
    desk.stopping = asyncio.Event()
    hook.wait.set()
    assert [one.outcome for one in await desk.deliver(after=LEASE)] == ["sent"]


async def test_trouble_is_tried_again_and_alarmed_once(desk: Desk, hook: Hook) -> None:
    """After three times, within half a minute, the desk knows; sending goes on and may yet be taken."""
    await due(desk, hook)
    hook.statuses = [500, 500, 500, 500, 204]
    alarms = []
    for tries in range(1, 6):
        await desk.deliver(after=timedelta() if tries == 1 else pause_after(tries - 1))
        alarms.append(len(await desk.failures()))
    assert alarms == [0, 0, 1, 1, 1]
    assert pause_after(1) + pause_after(2) < timedelta(seconds=30)
    assert await desk.rows(STATES) == [("sent", 5, None)]
    assert len({one.headers["webhook-id"] for one in hook.came}) == 1


def test_pauses_grow_to_a_quarter_of_an_hour() -> None:
    """Twice as long each time, and no longer than that."""
    pauses = [pause_after(tries) for tries in range(1, 500)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (timedelta(seconds=5), LONGEST_PAUSE)


async def test_nobody_is_tried_for_ever(desk: Desk, hook: Hook) -> None:
    """After a day it is a failure, and the desk has long known."""
    await due(desk, hook)
    hook.statuses = [503]
    await desk.deliver()
    await desk.deliver(after=GIVEN_UP_AFTER)
    assert await desk.rows(STATES) == [("failed", 2, "refused")]
    assert await desk.failures() == [("refused", "escalation")]
    assert await desk.deliver(after=GIVEN_UP_AFTER) == []


async def test_gone_stops_the_channel(desk: Desk, hook: Hook) -> None:
    """410: an alarm at once, nothing is sent there again, and later events find nobody."""
    await due(desk, hook)
    hook.statuses = [410]
    await desk.deliver()
    assert await desk.failures() == [("gone", "escalation")]
    await desk.announce()
    await desk.collect()
    assert await desk.deliver(after=timedelta(hours=1)) == []
    assert len(hook.came) == 1
    assert await desk.failures() == [("gone", "escalation"), ("no_channel", "escalation")]


async def test_an_alarm_does_not_breed(desk: Desk, hook: Hook) -> None:
    """The dead channel is not told of its own death, and a message about a failure that fails makes no further one."""
    await desk.add(hook.url("/same"), Audience.OPERATOR)
    await desk.add(hook.url("/other"), Audience.DESK)
    await desk.add(hook.url("/same"))
    await desk.announce()
    hook.statuses = [410, 500]
    for _ in range(8):
        await desk.collect()
        await desk.deliver(after=LONGEST_PAUSE)
    assert await desk.failures() == [("gone", "escalation")]
    assert {one.path for one in hook.came[1:]} == {"/other"}


async def test_one_slow_address_keeps_no_other_waiting(desk: Desk, hook: Hook, mailbox: Mailbox) -> None:
    """They are sent side by side."""
    server = MailServer(HERE, mailbox.port, Tls.NONE, "node@desk.xt.example")
    desk.teller = replace(desk.teller, means=replace(desk.teller.means, mail=server))
    hook.wait = asyncio.Event()
    await due(desk, hook)
    sending = asyncio.create_task(desk.deliver())
    await arrived(mailbox.came, 2)
    assert not sending.done()
    hook.wait.set()
    assert sorted(one.outcome for one in await sending) == ["sent"] * 3


async def test_mail_without_a_server_is_a_trouble(desk: Desk) -> None:
    """The server was taken out of the settings: what is still to go by mail says so, and is alarmed."""
    await desk.add("chief@desk.xt.example")
    await desk.announce()
    await desk.collect()
    for tries in range(1, 4):
        await desk.deliver(after=pause_after(tries))
    assert await desk.failures() == [("no_mail_server", "escalation")]
