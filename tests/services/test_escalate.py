"""Escalation: each level of a deadline once, whoever looks and however often; the state stays what it is."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from app.db import escalations, exchanges, watched
from app.db.engine import begin, reading
from app.db.exchanges import ExchangeRecord
from app.domain.codes import Direction, State, Tier
from app.domain.deadlines import Deadline, Level, Step, Subject, Whose
from app.domain.directory import publish_directory
from app.domain.messages import write_body
from app.keystore import create_keys, example_profile
from app.services.escalate import escalate, find_watched
from app.services.identifiers import new_id
from tests.domain.exchange.build import in_state, opening

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path
    from uuid import UUID

    from app.domain.exchange.values import Exchange
    from tests.support.station import Station

MINUTE = timedelta(minutes=1)


def taken_in(value: Exchange, direction: Direction, now: datetime) -> ExchangeRecord:
    """An exchange as this node stores it."""
    return ExchangeRecord(
        value=value,
        direction=direction,
        request_id=None,
        opening=write_body(opening(value.type, tier=value.tier)),
        not_understood=[],
        undeliverable=False,
        delivery_due_at=None,
        due_at=None,
        created_at=now,
    )


async def put_in(station: Station, direction: Direction = Direction.INCOMING, tier: Tier = Tier.EMERGENCY) -> UUID:
    """An exchange that was delivered now and that nobody has taken; its id."""
    now = station.clock()
    value = in_state(State.DELIVERED, tier=tier)
    value = replace(value, id=new_id(), opened_at=now, changed_at=now, state_since=now)
    async with begin(station.engine) as session:
        await exchanges.add(session, taken_in(value, direction, now), now=now)
    return value.id


def pass_by(station: Station, time: timedelta) -> None:
    """Let time pass."""
    station.clock.now += time


async def look(station: Station) -> int:
    """One round of the loop; how many subjects it looked at."""
    now = station.clock()
    async with reading(station.engine) as session:
        found = await find_watched(session, now=now)
    for subject in found:
        async with begin(station.engine) as session:
            await escalate(session, station.node, subject, now=now)
    return len(found)


async def levels(station: Station) -> list[int]:
    """Every level that was told, in order."""
    return [level for (level,) in await station.rows("SELECT level FROM escalation ORDER BY at, level")]


async def events(station: Station) -> list[tuple[str, str]]:
    """The events of the clocks, with whom they are for."""
    query = "SELECT kind, data->>'audience' FROM event WHERE kind ~ '^escalation|overdue$' ORDER BY id"
    return [(kind, audience) for kind, audience in await station.rows(query)]


async def test_each_level_is_told_once_when_it_is_reached(station: Station) -> None:
    """At half, whole and double the time, with timeline and fact; the exchange is untouched."""
    exchange_id = await put_in(station)
    before = await station.rows("SELECT state, generation, body FROM exchange")
    seen = []
    for _ in range(36):
        await look(station)
        await look(station)
        seen.append(await levels(station))
        pass_by(station, MINUTE)
    assert [len(found) for found in seen] == [0] * 8 + [1] * 7 + [2] * 15 + [3] * 6
    assert await events(station) == [
        ("escalation.second_contact", "second_contact"),
        ("exchange.overdue", "desk,escalation"),
        ("escalation.registrar", "registrar"),
    ]
    query = "SELECT event, for_agency FROM timeline WHERE subject_id = :id ORDER BY id"
    lines = await station.rows(query, id=exchange_id)
    assert lines == [("second_contact", False), ("overdue", False), ("registrar", False)]
    details = await station.rows("SELECT detail->>'directory_contact' FROM timeline ORDER BY id")
    assert details == [("roster_not_kept",), (None,), (None,)], "who the second contact is, and why not from the roster"
    counting = "SELECT count(*) FROM audit_pending WHERE convert_from(leaf, 'utf8') LIKE '%case.escalated%'"
    assert await station.rows(counting) == [(3,)]
    assert await station.rows("SELECT state, generation, body FROM exchange") == before


async def test_after_a_night_without_the_node_only_the_highest_level_is_told(station: Station) -> None:
    """Everybody who should have been told of the lower ones is told of this one, once."""
    await put_in(station)
    pass_by(station, 90 * MINUTE)
    await look(station)
    await look(station)
    assert await levels(station) == [200]
    assert await events(station) == [("escalation.registrar", "second_contact,desk,escalation,registrar")]


async def test_a_restart_tells_nothing_again(station: Station) -> None:
    """Everything is looked at anew after a start, and nothing that was told is told again."""
    await put_in(station)
    pass_by(station, 16 * MINUTE)
    await look(station)
    for _ in range(3):
        async with begin(station.engine) as session:
            await watched.look_at_all(session, now=station.clock())
        assert await look(station) == 1
    assert await levels(station) == [100]


async def test_several_processes_tell_it_once(station: Station) -> None:
    """Six looks at the same moment: one tells, the others pass."""
    exchange_id = await put_in(station)
    pass_by(station, 16 * MINUTE)
    now = station.clock()

    async def once() -> None:
        async with begin(station.engine) as session:
            await escalate(session, station.node, exchange_id, now=now)

    await asyncio.gather(*(once() for _ in range(6)))
    assert await levels(station) == [100]
    assert len(await events(station)) == 1


async def both_remember(station: Station) -> list[bool]:
    """Two processes that reach the same level without seeing each other; which of them may tell it."""
    now = station.clock()
    one = Deadline(Subject.EXCHANGE, new_id(), Step.ANSWER, Tier.URGENT, Whose.OURS, now, now)

    async def remember() -> bool:
        async with begin(station.engine) as session:
            allowed = await escalations.remember(session, one, Level.DUE, now=now)
            await asyncio.wait([asyncio.create_task(meeting.wait())], timeout=0.2)
            meeting.set()
            return allowed

    meeting = asyncio.Event()
    return sorted(await asyncio.gather(remember(), remember()))


async def test_the_key_lets_one_of_two_tell(station: Station) -> None:
    """Subject, step, due time and level are the key: the second one is told that it was told."""
    assert await both_remember(station) == [False, True]


async def test_control_without_the_key_both_tell(station: Station) -> None:
    """Control: with the key of the table dropped, the same level is told twice."""
    await station.change("ALTER TABLE escalation DROP CONSTRAINT pk_escalation")
    assert await both_remember(station) == [True, True]
    assert await levels(station) == [100, 100]


async def test_the_requesting_side_is_shown_whom_to_call(station: Station, tmp_path: Path) -> None:
    """No half-time page for another state's work; at the whole time the telephone and the sheet."""
    now = station.clock()
    keys = create_keys(tmp_path / "XT", "XT", now=now, validity=timedelta(days=30))
    directory = publish_directory([example_profile("XT")], {"XT": keys}, version=1, issued_at=now)
    station.node = replace(station.node, directory=directory)
    exchange_id = await put_in(station, Direction.OUTGOING)
    for after in (8, 8):
        pass_by(station, after * MINUTE)
        await look(station)
    assert await levels(station) == [100]
    query = "SELECT detail->>'telephone', detail->>'sheet' FROM timeline WHERE event = 'overdue'"
    ((telephone, sheet),) = await station.rows(query)
    assert telephone.startswith("XT on +")
    assert sheet == f"/v1/exchanges/{exchange_id}/fallback-sheet"


async def test_a_raised_tier_is_another_deadline(station: Station) -> None:
    """What was in time as URGENT is late as EMERGENCY, and is told so; the old deadline counts neither way."""
    exchange_id = await put_in(station, tier=Tier.URGENT)
    pass_by(station, 20 * MINUTE)
    await look(station)
    assert await levels(station) == []
    async with begin(station.engine) as session:
        record = await exchanges.load(session, exchange_id, for_update=True)
        assert record is not None
        raised = replace(record, value=replace(record.value, tier=Tier.EMERGENCY))
        await exchanges.save(session, raised, read_generation=record.value.generation, now=station.clock())
    await look(station)
    assert await levels(station) == [100]
    assert await station.rows("SELECT * FROM deadline_outcome") == []


@pytest.mark.parametrize(("after", "outcome"), [(10, (1, 0)), (16, (0, 1))])
async def test_what_is_done_is_counted_and_listed_no_more(
    station: Station, after: int, outcome: tuple[int, int]
) -> None:
    """In its time or after it, by when it was done and not by when the loop looked."""
    exchange_id = await put_in(station)
    await look(station)
    pass_by(station, after * MINUTE)
    async with begin(station.engine) as session:
        record = await exchanges.load(session, exchange_id, for_update=True)
        assert record is not None
        now = station.clock()
        ended = replace(record.value, state=State.CLOSED, changed_at=now, state_since=now)
        await exchanges.save(session, replace(record, value=ended), read_generation=record.value.generation, now=now)
    pass_by(station, 60 * MINUTE)
    await look(station)
    assert await station.rows("SELECT step, met, missed FROM deadline_outcome") == [("acknowledgement", *outcome)]
    assert await station.rows("SELECT * FROM deadline") == []
    assert await station.rows("SELECT * FROM watched") == [], "nothing is waited for, so nothing is looked at"


async def test_while_a_peer_is_asked_after_a_restore_nothing_is_told(station: Station) -> None:
    """What a restored node shows may be long past; it is looked at again when the peer has answered."""
    await put_in(station)
    recovery = "INSERT INTO recovery (id, began_at, proof, detail) VALUES (gen_random_uuid(), now(), 'anchor', '{}')"
    asked = "INSERT INTO recovering_peer (recovery_id, peer, resync_id) SELECT id, 'XA', id FROM recovery"
    await station.change(recovery)
    await station.change(asked)
    pass_by(station, 60 * MINUTE)
    await look(station)
    assert await levels(station) == []
    await station.change("UPDATE recovering_peer SET done_at = now()")
    pass_by(station, MINUTE)
    await look(station)
    assert await levels(station) == [200]
