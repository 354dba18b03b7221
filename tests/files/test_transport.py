"""Files between two living contact points: whole, once, in order or not, and never in the way of a message."""

from __future__ import annotations

import os
import time
from collections import Counter
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from app.db.tables_files import FileState
from app.domain.files import MAX_FILE_BYTES, MAX_UNRECEIPTED, PLAIN_BYTES, chunks_of
from app.services.identifiers import new_id
from tests.files.sending import answer_with, attach, is_complete, name, prepare, shown, until
from tests.files.test_wrong_files import a_chunk, send_chunk
from tests.support.world import seen
from tests.world.journey import delivered, expect, preservation
from tests.world.mail import held_mail
from tests.world.test_time_passes import fresh

if TYPE_CHECKING:
    from uuid import UUID

    from app.domain.delivery_messages import FileBody
    from tests.support.world import World
    from tests.world.ledger import Ledger

SOME = 5 * PLAIN_BYTES + 17
"""Bytes of six chunks."""

MOST_WORK_S = 45.0
"""Of processor time for 25 MiB, both nodes together; about a third of it is used. The clock on the wall is not asked:
it runs on while others work."""


async def most_under_way(ledger: Ledger, *, at: str = "XA") -> int:
    """How many chunks were in the outbox without receipt at one time, at most, over all that has happened."""
    moments = await ledger.rows(
        at, "SELECT created_at, left_at FROM outbox WHERE type = 'attachment.chunk/1' AND left_at IS NOT NULL"
    )
    # A receipt frees its place before the next chunk takes it: at one instant departures are counted first.
    steps = sorted([(one["created_at"], 1) for one in moments] + [(one["left_at"], -1) for one in moments])
    most = present = 0
    for _, step in steps:
        present += step
        most = max(most, present)
    return most


async def numbers(ledger: Ledger, told: FileBody) -> list[int]:
    """The chunks of a file that XT has."""
    query = "SELECT number FROM attachment_chunk WHERE peer = 'XA' AND file_id = $1 ORDER BY number"
    return [row["number"] for row in await ledger.rows("XT", query, told.file_id)]


@pytest.mark.long
async def test_largest_file_arrives(files_world: World, files_ledger: Ledger) -> None:
    """25 MiB cost seconds of work, are what was signed, never more than eight chunks under way; progress shows."""
    journey = await preservation(files_world, **fresh(files_world))
    content = os.urandom(MAX_FILE_BYTES)
    began = time.process_time()
    told = await attach(journey, content)
    arriving = await until(journey, told, lambda one: 0 < one["arrived"] < one["chunks"])
    assert (arriving["state"], arriving["chunks"]) == ("arriving", chunks_of(MAX_FILE_BYTES))
    done = await until(journey, told, is_complete, seconds=150)
    worked = time.process_time() - began
    assert worked < MOST_WORK_S, f"both nodes together worked for {worked:.1f} s"
    assert (done["arrived"], done["size"], done["name"]) == (told.chunks, MAX_FILE_BYTES, "order.pdf")
    there = await until(journey, told, is_complete, at="XA")
    assert (there["direction"], there["arrived"]) == ("outgoing", told.chunks)
    assert await numbers(files_ledger, told) == list(range(1, told.chunks + 1))
    assert 0 < await most_under_way(files_ledger) <= MAX_UNRECEIPTED


async def test_message_never_waits(files_world: World) -> None:
    """The supplement that names a file is applied, and shows it as arriving, while no chunk has come."""
    journey = await preservation(files_world, **fresh(files_world))
    told = await attach(journey, os.urandom(SOME))
    named = await until(journey, told, bool)
    assert named["chunks"] == 6
    shown_there = expect(await journey.theirs().get(journey.exchange), 200)
    assert [one["text"] for one in shown_there["details"]["supplements"]] == ["See the attachment."]
    await until(journey, told, is_complete)
    events = [line["event"] for line in await journey.timeline(journey.theirs())]
    assert events.count("attachment_complete") == 1


async def test_chunks_before_their_message(files_world: World, files_ledger: Ledger) -> None:
    """Chunks that no message names yet are kept and not shown; named, they are compared at once."""
    journey = await preservation(files_world, **fresh(files_world))
    told = await prepare(journey, os.urandom(SOME))
    await seen(partial(numbers, files_ledger, told), lambda here: here == [1, 2, 3, 4, 5, 6])
    assert await shown(journey, told) is None
    query = "SELECT bool_or(named) FROM attachment_chunk WHERE file_id = $1"
    assert await files_ledger.value("XT", query, told.file_id) is False
    await name(journey, told)
    done = await until(journey, told, bool)
    assert done["state"] == FileState.COMPLETE
    assert await files_ledger.value("XT", query, told.file_id) is True


@pytest.mark.parametrize("fault", ["duplicate", "drop", "reorder"])
async def test_faults_of_the_bus_change_no_file(files_world: World, files_ledger: Ledger, fault: str) -> None:
    """Chunks lost, doubled and handed over backwards: the file is complete, each chunk is stored once."""
    journey = await preservation(files_world, **fresh(files_world))
    getattr(files_world.bus, fault)(6)
    told = await attach(journey, os.urandom(SOME))

    async def look() -> dict[str, Any] | None:
        files_world.clock.advance(timedelta(seconds=10))
        return await shown(journey, told)

    await seen(look, lambda one: one is not None and is_complete(one), seconds=60)
    setattr(files_world.bus.faults, fault, 0)
    assert await numbers(files_ledger, told) == [1, 2, 3, 4, 5, 6]
    query = "SELECT state FROM inbox WHERE thread = 'att:' || $1::text"
    states = Counter(row["state"] for row in await files_ledger.rows("XT", query, str(told.file_id)))
    assert states == {"applied": 6}
    await journey.settled()


async def test_answer_brings_a_file(files_world: World) -> None:
    """The requested side's state names a file too: the requesting desk has it, complete; files of states add up."""
    journey = await preservation(files_world, "acknowledge", **fresh(files_world))
    first = await answer_with(journey, b"The order.")
    second = await answer_with(journey, b"")
    for told in (first, second):
        done = await until(journey, told, is_complete, at="XA")
        assert (done["direction"], done["chunks"]) == ("incoming", 1)
        assert (await until(journey, told, is_complete, at="XT"))["direction"] == "outgoing"
    await journey.do("accept")
    after = expect(await journey.ours().get(journey.exchange), 200)
    assert [one["id"] for one in after["attachments"]] == [str(first.file_id), str(second.file_id)]


async def test_chunks_take_the_lane_of_their_exchange(files_world: World, files_ledger: Ledger) -> None:
    """A routine exchange sends its chunks on routine; raised, those without receipt go on urgent, as all others do."""
    made = fresh(files_world)
    made["urgency"] = {"tier": "ROUTINE", "reasons": "Nothing is about to be lost."}
    journey = await delivered(files_world, made)
    assert (await journey.settled())["tier"] == "ROUTINE"
    async with held_mail(files_world, files_ledger, to="XT"):
        told = await attach(journey, os.urandom(12 * PLAIN_BYTES))
        look = partial(lanes, files_ledger, told.file_id)
        assert await seen(look, lambda found: found.total() == MAX_UNRECEIPTED) == {"routine": MAX_UNRECEIPTED}
        await journey.wish_only("raise_tier", tier="URGENT", reasons="The logs are overwritten tonight.")
        assert await look() == {"urgent": MAX_UNRECEIPTED}
    await until(journey, told, is_complete)
    assert await look() == {"urgent": 12}
    await journey.settled()


async def lanes(ledger: Ledger, file_id: UUID) -> Counter[str]:
    """How many chunks of a file XA has queued on each lane so far."""
    query = "SELECT lane FROM outbox WHERE thread = 'att:' || $1::text"
    return Counter(row["lane"] for row in await ledger.rows("XA", query, str(file_id)))


async def test_no_more_than_eight_wait_for_a_silent_peer(files_world: World, files_ledger: Ledger) -> None:
    """While nothing gets out, two files together queue eight chunks and no more; afterwards both arrive."""
    journey = await preservation(files_world, **fresh(files_world))
    async with held_mail(files_world, files_ledger, to="XT"):
        files = [await attach(journey, os.urandom(SOME)) for _ in range(2)]

        async def queued() -> int:
            return sum([(await lanes(files_ledger, told.file_id)).total() for told in files])

        await seen(queued, lambda count: count == MAX_UNRECEIPTED)
        files_world["XA"].runtime.wake.ring()
        await journey.wish_only("supplement", text="Something else.")
        assert await queued() == MAX_UNRECEIPTED
    for told in files:
        await until(journey, told, is_complete)
    assert await queued() == 12
    await journey.settled()


async def test_only_feeding_keeps_the_measure(files_world: World, files_ledger: Ledger) -> None:
    """Control: chunks that are queued past the feeder stand in the outbox as many as they are."""
    journey = await preservation(files_world, **fresh(files_world))
    file_id = new_id()
    async with held_mail(files_world, files_ledger, to="XT"):
        for number in range(1, MAX_UNRECEIPTED + 2):
            await send_chunk(journey, a_chunk(file_id, number=number, chunks=MAX_UNRECEIPTED + 1))
        assert (await lanes(files_ledger, file_id)).total() == MAX_UNRECEIPTED + 1
