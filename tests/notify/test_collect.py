"""The feed becomes notifications: each event once, to whom it concerns, without content; nobody is an alarm."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from app.db.engine import begin
from app.db.events import Event, append_event
from app.domain.codes import Tier
from app.domain.deadlines import Audience
from app.notify.collect import collect
from app.notify.means import MailServer, Means, Tls

if TYPE_CHECKING:
    from tests.notify.conftest import Desk

MAIL = Means(mail=MailServer("127.0.0.1", 1, Tls.NONE, "node@desk.xt.example"), link="https://desk.xt.example")
TARGETS = "SELECT target FROM notification WHERE kind IS NOT NULL ORDER BY target"


async def targets(desk: Desk) -> list[str]:
    """Where something is to go."""
    await desk.collect()
    return [target for (target,) in await desk.rows(TARGETS)]


async def test_each_event_is_turned_once(desk: Desk) -> None:
    """Reading again finds nothing; what comes later is read on from there."""
    await desk.add("https://pager.example/list")
    await desk.announce()
    assert await targets(desk) == await targets(desk) == ["https://pager.example/list"]
    await desk.announce()
    assert len(await targets(desk)) == 2


async def test_several_processes_turn_it_once(desk: Desk) -> None:
    """Eight readers at the same moment: one turns it, the others pass."""
    await desk.add("https://pager.example/list")
    await desk.announce()

    async def read() -> None:
        async with begin(desk.engine) as session:
            await collect(session, desk.teller, now=desk.now)

    await asyncio.gather(*(read() for _ in range(8)))
    assert len(await targets(desk)) == 1


async def test_a_crash_before_the_commit_loses_and_doubles_nothing(desk: Desk) -> None:
    """Position and notifications are one transaction: undone together, done together."""
    await desk.add("https://pager.example/list")
    await desk.announce()

    async def die() -> None:
        async with begin(desk.engine) as session:
            await collect(session, desk.teller, now=desk.now)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await die()
    assert await desk.rows(TARGETS) == []
    assert len(await targets(desk)) == 1


async def test_who_is_told_is_whom_the_event_names(desk: Desk) -> None:
    """One address per audience; an address that has two reasons is told once."""
    for audience in Audience:
        await desk.add(f"https://pager.example/{audience}", audience)
    await desk.add("https://pager.example/escalation", Audience.SECOND_CONTACT)
    await desk.announce(audience="second_contact,escalation")
    assert await targets(desk) == [
        "https://pager.example/escalation", "https://pager.example/second_contact",
    ]  # fmt: skip


async def test_most_events_concern_nobody_outside(desk: Desk) -> None:
    """What the desk does itself is told to nobody; the ends of holds and alarms of the node are."""
    await desk.add("https://pager.example/desk", Audience.DESK)
    for kind in (
        "exchange.acknowledge",
        "exchange.state",
        "request.approve",
        "hold.expiring",
        "contact_point.gap_alarmed",
    ):
        async with begin(desk.engine) as session:
            await append_event(session, Event(kind, "contact_point", "XA", None, {}), now=desk.now)
    assert len(await targets(desk)) == 2


async def test_a_channel_may_be_for_some_tiers(desk: Desk) -> None:
    """What has no tier goes through it all the same: better told too much."""
    await desk.add("https://pager.example/life", tiers=(Tier.EMERGENCY,))
    await desk.announce()
    assert len(await targets(desk)) == 1


async def test_the_directory_s_contacts_get_mail_without_a_channel(desk: Desk) -> None:
    """The first of the list is the second contact; at the whole time the whole list; none without a mail server."""
    point = desk.teller.point
    assert point is not None
    contacts = [one.email for one in point.escalation]
    await desk.announce(audience="second_contact")
    assert await targets(desk) == []
    desk.teller = replace(desk.teller, means=MAIL)
    await desk.announce("escalation.second_contact", audience="second_contact")
    assert await targets(desk) == contacts[:1]
    await desk.announce(audience="desk,escalation")
    assert await targets(desk) == sorted([*contacts[:1], *contacts])


async def test_the_central_authority_is_told_of_holds_that_concern_it(desk: Desk) -> None:
    """By mail to its contact in the own directory entry, beside the desk, without a link it could not follow."""
    point = desk.teller.point
    assert point is not None
    desk.teller = replace(desk.teller, means=MAIL)
    await desk.announce("hold.expiring", days=30, to="duty_officer")
    assert await targets(desk) == [], "the control: only where the event names it"
    await desk.announce("hold.expiring", days=30, to="duty_officer central_authority")
    assert await targets(desk) == [point.central_authorities[0].contact.email]
    ((body,),) = await desk.rows("SELECT body FROM notification")
    assert body.startswith("Data held abroad")
    assert "desk.xt.example" not in body
    assert await desk.failures() == [], "the desk was told, and can pass it on"


async def test_that_there_is_nobody_to_tell_is_an_alarm(desk: Desk) -> None:
    """For everybody who reads no feed; the desk does, so it needs no channel. Once per event and audience."""
    await desk.announce("escalation.registrar", audience="desk,escalation,registrar")
    await desk.collect()
    await desk.collect()
    assert await desk.failures() == [("no_channel", "escalation"), ("no_channel", "registrar")]
    states = await desk.rows("SELECT state, trouble FROM notification")
    assert states == [("failed", "no_channel")] * 2


async def test_an_alarm_about_a_failure_goes_elsewhere(desk: Desk) -> None:
    """Operators and the desk are told that nobody was; that nobody of these is there either is no further alarm."""
    await desk.announce("escalation.registrar", audience="registrar")
    await desk.collect()
    await desk.collect()
    assert len(await desk.failures()) == 1
    await desk.add("https://pager.example/operator", Audience.OPERATOR)
    await desk.announce("escalation.registrar", audience="registrar")
    await desk.collect()
    assert await targets(desk) == ["https://pager.example/operator"]


async def test_a_database_on_another_server_reads_from_its_present_end(desk: Desk) -> None:
    """After a restore the numbers of the feed mean nothing: a position beyond them would be silence for ever."""
    await desk.add("https://pager.example/list")
    await desk.announce()
    async with desk.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE notice_position SET txid = 9000000000000000")
    assert await targets(desk) == []
    await desk.announce()
    assert len(await targets(desk)) == 1


async def test_the_words_tell_what_to_do_and_nothing_of_the_case(desk: Desk) -> None:
    """Webhook and mail say the same; the registrar's have no link and no reference; no line can be forged."""
    await desk.add("https://pager.example/list")
    await desk.add("https://pager.example/registrar", Audience.REGISTRAR)
    desk.teller = replace(desk.teller, means=MAIL)
    await desk.announce(audience="escalation", state="DELIVERED\r\nBcc: all@example")
    await desk.announce("escalation.registrar", audience="registrar", level=200, whose="theirs")
    await desk.collect()
    bodies = dict(await desk.rows("SELECT target, body FROM notification WHERE kind = 'webhook'"))
    told = json.loads(bodies["https://pager.example/list"])
    assert told["type"] == "exchange.overdue"
    assert told["data"]["do"].startswith("Take it")
    assert told["data"]["link"].startswith("https://desk.xt.example/v1/exchanges/")
    assert told["data"]["state"] == "DELIVERED??Bcc: all@example"
    registered = json.loads(bodies["https://pager.example/registrar"])["data"]
    assert registered.keys() == {"do", "contact_point", "exchange_id", "state", "step", "whose", "due_at", "level"} - {
        "state"
    }
    mails = await desk.rows("SELECT title, body FROM notification WHERE kind = 'mail'")
    assert {title.count("\n") for title, _ in mails} == {0}
    assert all("Due: 2026-11-22T18:00:00.000Z" in body and "Bcc: all" not in body.splitlines() for _, body in mails)
