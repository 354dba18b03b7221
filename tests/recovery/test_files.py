"""Files that messages named after the backup: what the other side sent comes again, what was ours waits as its upload.

Of what was neither sent nor handed over before the backup nothing is left here: that is listed.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from app.db import files, people, uploads
from app.db.engine import begin, reading
from app.db.people import Person
from app.db.tables_uploads import UploadState
from app.db.uploads import UploadRecord
from app.domain.codes import RequestType, Role
from app.domain.files import PLAIN_BYTES
from app.envelope.file_cipher import open_chunk
from app.envelope.format import encode_part
from app.services.recovery.remember_file import SENT_BEFORE_RESTORE
from tests.files.sending import answer_with, attach, is_complete, until
from tests.files.test_upload import arrived, handed_over
from tests.recovery.equal import equal
from tests.recovery.steps import lost, returned
from tests.support.peer import new_id
from tests.world.documents import document
from tests.world.journey import delivered

if TYPE_CHECKING:
    from tests.recovery.ground import Ground
    from tests.support.peer import Peer
    from tests.support.station import Station


@pytest.mark.long
async def test_files_of_the_other_side_are_whole_again(pair: Ground) -> None:
    """A file that XA attached after the backup is bound and complete at XT again, and so is what XT had handed over.

    It left with an act after the backup: it is sent as it was, and cannot be named a second time. Only a file of XT's
    own that was handed over after the backup is listed as lost.
    """
    journey = await delivered(pair.world, document(RequestType.TECHNICAL_ADVICE, requested="XT"))
    await journey.do("acknowledge")
    report = b"line of the report\n" * 20_000
    handed = await handed_over(journey.theirs(), journey.exchange, report, name="report.txt")
    await journey.settled()
    await pair.quiet()
    backup = await pair["XT"].back_up()
    await journey.do("report_progress", text="With a report.", attachments=[handed["id"]])
    await arrived(journey, journey.ours(), "report.txt")
    theirs = await attach(journey, os.urandom(2 * PLAIN_BYTES + 17))
    await until(journey, theirs, is_complete)
    ours = await answer_with(journey, os.urandom(17))
    await until(journey, ours, is_complete, at="XA")
    await pair.quiet()

    await pair["XT"].restore(backup)
    await pair["XT"].start(log_epoch=2)
    await pair.recovered("XT")
    await until(journey, theirs, is_complete)
    await pair.quiet()
    await equal(pair, "XA", "XT")
    assert [what for _, _, _, what in await pair["XT"].lost()] == ["file"]
    assert await until(journey, ours, is_complete, at="XA")
    content = f"/v1/attachments/{handed['id']}/content"
    assert [(await one.get(content)).content for one in (journey.theirs(), journey.ours())] == [report, report]
    await arrived(journey, journey.theirs(), "report.txt")
    again = await journey.theirs().act(
        journey.exchange, "report_progress", text="Once more.", attachments=[handed["id"]]
    )
    assert again.json()["code"] == "attachment_unknown"


ACT = {"action": "supplement", "generation": 1, "text": "See the file."}
FILES = "SELECT direction, state, queued, sha256 FROM attachment WHERE id::text = :id"
UPLOADS = "SELECT state, fault FROM upload WHERE id::text = :id"
PIECES = "SELECT count(*) FROM upload_piece"
SIGNED = b"who the seller is\n"
KEPT = {"not at all": None, "with another content": b"who the seller IS\n", "not whole": SIGNED[:5]}
"""What of a file is found in the backup that is not what was signed."""


async def hand_over(station: Station, name: str, kept: bytes) -> None:
    """A file of that name as far as it had come at the backup, announced as what was signed later."""
    now, person = station.clock(), Person(UUID(new_id()), f"u:{name}", "Sato", Role.DUTY_OFFICER, None)
    sha256, state = digest(SIGNED), UploadState.READY if len(kept) == len(SIGNED) else UploadState.UPLOADING
    begun = UploadRecord(
        UUID(name), None, UUID(new_id()), person.id, "a.txt", None, None, len(SIGNED), sha256, 0, state, None, now
    )
    async with begin(station.engine) as session:
        await people.add_person(session, person, now=now)
        await uploads.add(session, begun)
        await uploads.add_piece(session, begun, kept)
        await uploads.save(session, replace(begun, received=len(kept)))


def digest(content: bytes) -> str:
    """Its SHA-256 as messages have it."""
    return encode_part(hashlib.sha256(content).digest())


async def test_a_file_is_remembered_by_its_upload(station: Station, aurelia: Peer, kitano: Peer) -> None:
    """The same bytes under the key of the returned text: the file again. Anything else (control) is listed as lost."""
    threads = {found: new_id() for found in ("as it was signed", *KEPT)}
    for found, thread in threads.items():
        name, kept = new_id(), KEPT.get(found, SIGNED)
        if kept is not None:
            await hand_over(station, name, kept)
        told = {"file_id": name, "name": "a.txt", "media_type": "text/plain", "size": len(SIGNED), "chunks": 1}
        told |= {"sha256": digest(SIGNED), "key": encode_part(bytes(32))}
        body = {"act": ACT, "at": "2026-11-22T09:30:00.000Z", "attachments": [told]}
        await station.take(returned(aurelia, kitano.say("exchange.action/1", body, thread=thread, seq=1)))
        if found in KEPT:
            assert await station.rows(FILES, id=name) == []
            assert await station.rows(UPLOADS, id=name) == ([] if kept is None else [("wrong", SENT_BEFORE_RESTORE)])
            continue
        assert await station.rows(FILES, id=name) == [("outgoing", "arriving", 0, digest(SIGNED))]
        assert await station.rows(UPLOADS, id=name) == [("sent", None)]
        async with reading(station.engine) as session:
            closed = await files.stored_chunk(session, "XA", UUID(name), 1)
        assert open_chunk(closed or b"", bytes(32), file_id=UUID(name), number=1, chunks=1) == SIGNED
    assert await station.rows(PIECES) == [(0,)]
    assert sorted(await lost(station)) == sorted((threads[found], 1, "file") for found in KEPT)
