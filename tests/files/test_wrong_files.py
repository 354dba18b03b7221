"""Files that are not what was signed, chunks that are nobody's, and how much of both a peer may leave here."""

from __future__ import annotations

import hashlib
import os
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from app.db import incidents
from app.db.engine import begin
from app.db.incidents import IncidentRecord
from app.domain.codes import Direction, Lane, MessageType
from app.domain.delivery_messages import ChunkBody
from app.domain.files import MAX_UNNAMED_BYTES, PLAIN_BYTES, UNNAMED_KEPT
from app.domain.messages import write_body
from app.envelope.file_cipher import close_chunk
from app.envelope.format import decode_part, encode_part
from app.feeding import tidy_files
from app.services.identifiers import new_id
from app.services.send import Outgoing, put
from tests.files.sending import attach, is_complete, is_wrong, name, prepare, shown, until
from tests.support.world import seen
from tests.world.journey import Journey, expect, preservation
from tests.world.test_time_passes import fresh

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from uuid import UUID

    from app.domain.delivery_messages import FileBody
    from tests.support.world import World
    from tests.world.ledger import Ledger

SPARE = 10_000
"""Bytes below the limit that are left free."""

CONTENT = b"Order of the prosecutor." * 20_000


async def case(world: World) -> Journey:
    """An exchange that files can belong to."""
    return await preservation(world, **fresh(world))


async def send_chunk(journey: Journey, body: ChunkBody, *, at: str = "XA", thread: UUID | None = None) -> UUID:
    """Queue one chunk as no node of ours would; the message's id."""
    node = journey.world[at]
    peer = "XT" if at == "XA" else "XA"
    chunk = Outgoing(
        peer=peer,
        type=MessageType.ATTACHMENT_CHUNK,
        body=write_body(body),
        thread=f"att:{thread or body.file_id}",
        lane=Lane.URGENT,
    )
    async with begin(node.runtime.engine) as session:
        jti = await put(session, node.runtime.node, chunk, now=node.runtime.clock())
    node.runtime.wake.ring()
    return jti


def a_chunk(file_id: UUID, *, number: int = 1, chunks: int = 1, content: bytes = b"x") -> ChunkBody:
    """A chunk of some bytes."""
    return ChunkBody(file_id=file_id, number=number, chunks=chunks, ciphertext=encode_part(content))


async def fate_of(ledger: Ledger, jti: UUID, *, at: str = "XT") -> tuple[str, str | None]:
    """How a message ended at its receiver."""
    query = "SELECT state, code FROM inbox WHERE jti = $1 AND applied_at IS NOT NULL"
    (row,) = await seen(partial(ledger.rows, at, query, jti), bool)
    return row["state"], row["code"]


async def alarms(journey: Journey, event: str) -> list[dict[str, Any]]:
    """The lines of this event in the timeline of XT's desk."""
    return [line for line in await journey.timeline(journey.theirs()) if line["event"] == event]


def other_hash(told: FileBody) -> FileBody:
    """The description with the hash of something else."""
    return told.model_copy(update={"sha256": encode_part(hashlib.sha256(b"something else").digest())})


def other_key(told: FileBody) -> FileBody:
    """The description with another key."""
    return told.model_copy(update={"key": encode_part(os.urandom(32))})


def other_size(told: FileBody) -> FileBody:
    """The description of a file one byte shorter, which has as many chunks."""
    return told.model_copy(update={"size": told.size - 1})


def other_count(told: FileBody) -> FileBody:
    """The description of a file whose number of chunks does not go with its size."""
    return told.model_copy(update={"chunks": told.chunks + 1})


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (other_hash, "other_content"),
        (other_key, "undecipherable"),
        (other_size, "other_size"),
        (other_count, "misdescribed"),
    ],
)
async def test_file_that_is_not_what_was_signed(files_world: World, change: Any, fault: str) -> None:  # noqa: ANN401 - a function
    """It is `wrong`, alarmed once, kept as evidence, and never complete; the exchange goes on."""
    journey = await case(files_world)
    told = await prepare(journey, CONTENT)
    await name(journey, change(told))
    ended = await until(journey, told, is_wrong)
    assert ended["arrived"] >= 0
    (alarm,) = await seen(partial(alarms, journey, "attachment_wrong"), bool)
    assert alarm["detail"]["fault"] == fault
    assert await alarms(journey, "attachment_complete") == []
    await name(journey, told)
    await seen(partial(alarms, journey, "attachment_refused"), bool)
    await journey.do("acknowledge")
    assert (await journey.settled())["state"] == "ACKNOWLEDGED"
    assert (await until(journey, told, is_wrong))["state"] == "wrong"


async def test_file_that_is_what_was_signed(files_world: World) -> None:
    """Control: the same file, described as it is."""
    journey = await case(files_world)
    told = await prepare(journey, CONTENT)
    await name(journey, told)
    await until(journey, told, is_complete)
    assert await alarms(journey, "attachment_wrong") == []


async def test_naming_a_file_twice_changes_nothing(files_world: World) -> None:
    """The same description in two messages is one file; another description under that id is refused and alarmed."""
    journey = await case(files_world)
    told = await attach(journey, CONTENT)
    await until(journey, told, is_complete)
    await name(journey, told)
    await name(journey, other_hash(told))
    (refused,) = await seen(partial(alarms, journey, "attachment_refused"), bool)
    assert refused["detail"]["fault"] == "file_id_taken"
    exchange = expect(await journey.theirs().get(journey.exchange), 200)
    assert [one["state"] for one in exchange["attachments"]] == ["complete"]


async def test_chunks_out_of_place(files_world: World, files_ledger: Ledger) -> None:
    """In another file's thread, beyond the count, of another count than was named, under a number that is taken."""
    journey = await case(files_world)
    one, other = new_id(), new_id()
    wrong = await send_chunk(journey, a_chunk(one), thread=other)
    assert await fate_of(files_ledger, wrong) == ("refused", "misnumbered")
    beyond = await send_chunk(journey, a_chunk(one, number=3, chunks=2))
    assert await fate_of(files_ledger, beyond) == ("refused", "misnumbered")
    first = await send_chunk(journey, a_chunk(one, chunks=2))
    assert await fate_of(files_ledger, first) == ("applied", None)
    again = await send_chunk(journey, a_chunk(one, chunks=2))
    assert await fate_of(files_ledger, again) == ("applied", None)
    taken = await send_chunk(journey, a_chunk(one, chunks=2, content=b"y"))
    assert await fate_of(files_ledger, taken) == ("refused", "number_taken")
    told = await attach(journey, CONTENT)
    await until(journey, told, is_complete)
    longer = await send_chunk(journey, a_chunk(told.file_id, number=told.chunks + 1, chunks=told.chunks + 1))
    assert await fate_of(files_ledger, longer) == ("refused", "misnumbered")


async def test_thread_of_a_file_belongs_to_its_sender(files_world: World, files_ledger: Ledger) -> None:
    """The other side can put no chunk into it: neither into one that is known there, nor change a byte of it."""
    journey = await case(files_world)
    told = await attach(journey, CONTENT)
    await until(journey, told, is_complete)
    foreign = await send_chunk(journey, a_chunk(told.file_id, number=1, chunks=told.chunks), at="XT")
    assert await fate_of(files_ledger, foreign, at="XA") == ("refused", "not_yours")
    query = "SELECT ciphertext FROM attachment_chunk WHERE file_id = $1 AND number = 1"
    expected = close_chunk(
        CONTENT[:PLAIN_BYTES], decode_part(told.key), file_id=told.file_id, number=1, chunks=told.chunks
    )
    assert await files_ledger.value("XA", query, told.file_id) == expected


async def test_unnamed_chunks_have_their_measure(files_world: World, files_ledger: Ledger) -> None:
    """With 256 MiB of one peer that no message names, its next such chunk is refused; a named file still arrives."""
    journey = await case(files_world)
    room = "INSERT INTO attachment_chunk SELECT 'XA', $1, n, 4096, decode(repeat('00', 196608), 'hex'), $2, false"
    filled = MAX_UNNAMED_BYTES // 196608
    heap = new_id()
    where = " FROM generate_series(1, $3::int) AS n RETURNING 1"
    now = files_world.clock()
    await files_ledger.value("XT", room + where, heap, now, filled)
    # Other tests have left a few bytes: what fits is taken, what does not is refused.
    rest = MAX_UNNAMED_BYTES - filled * 196608 - SPARE
    fits = await send_chunk(journey, a_chunk(new_id(), content=bytes(rest)))
    assert await fate_of(files_ledger, fits) == ("applied", None)
    over = await send_chunk(journey, a_chunk(new_id(), content=bytes(SPARE + 1)))
    assert await fate_of(files_ledger, over) == ("refused", "too_much")
    told = await attach(journey, CONTENT)
    await until(journey, told, is_complete)
    early = new_id()
    files_world.clock.advance(UNNAMED_KEPT - timedelta(minutes=1))
    await tidy_files(files_world["XT"].runtime)
    assert await files_ledger.value("XT", UNNAMED, heap) == filled
    files_world.clock.advance(timedelta(minutes=2))
    async with under_incident(files_world, "XT", peer="XA"):
        await tidy_files(files_world["XT"].runtime)
        assert await files_ledger.value("XT", UNNAMED, heap) == filled, "it may be evidence"
    await tidy_files(files_world["XT"].runtime)
    assert await files_ledger.value("XT", UNNAMED, heap) == 0
    assert await shown(journey, told) is not None
    assert (await until(journey, told, is_complete))["arrived"] == told.chunks
    taken = await send_chunk(journey, a_chunk(early))
    assert await fate_of(files_ledger, taken) == ("applied", None)


@asynccontextmanager
async def under_incident(world: World, code: str, *, peer: str) -> AsyncIterator[None]:
    """An incident that the peer told of, for the time of the block."""
    chores, now = world[code].runtime.chores, world.clock()
    said = ("A disk is missing.", "None.", "+99900555099")
    told = IncidentRecord(uuid4(), peer, Direction.INCOMING, now, now, *said, [], limit_onward=False)
    async with begin(chores) as session:
        await incidents.add(session, told)
    yield
    async with begin(chores) as session:
        await incidents.end(session, replace(told, over_at=now, over_note="It was found."))


UNNAMED = "SELECT count(*) FROM attachment_chunk WHERE file_id = $1"


async def test_chunk_and_name_at_one_moment(files_world: World, files_ledger: Ledger) -> None:
    """Where neither transaction saw the other, all chunks are here and nobody compared: the next look does."""
    journey = await case(files_world)
    told = await attach(journey, CONTENT)
    await until(journey, told, is_complete)
    unseen = "UPDATE attachment SET state = 'arriving', complete_at = NULL WHERE id = $1 RETURNING 1"
    assert await files_ledger.value("XT", unseen, told.file_id)
    await files_ledger.value(
        "XT", "UPDATE attachment_chunk SET named = false WHERE file_id = $1 RETURNING 1", told.file_id
    )
    assert (await shown(journey, told) or {})["state"] == "arriving"
    await tidy_files(files_world["XT"].runtime)
    assert (await shown(journey, told) or {})["state"] == "complete"
    query = "SELECT bool_and(named) FROM attachment_chunk WHERE file_id = $1"
    assert await files_ledger.value("XT", query, told.file_id) is True
