"""Files of a case: announced, sent piece by piece, seen on their way, downloaded."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from app.db import requests, uploads
from app.db.engine import begin, reading
from app.db.tables_uploads import UploadState
from app.db.uploads import Case
from app.domain.codes import Direction, IntakeState, Role
from app.domain.exchange.marking_guards import C_MARKING, file_marking_errors
from app.domain.exchange.values import Exchange
from app.domain.files import name_to_save
from app.domain.marking_bodies import read_marking, write_marking
from app.domain.markings import Destination, Marking
from app.envelope.format import decode_part, encode_part
from app.errors import Conflict, Refused, Unknown
from app.routers import attachment_operations as told
from app.routers.answers import NO_STORE, Answer, answer_json
from app.routers.attachment_operations import AttachmentFile, NewAttachment
from app.routers.bodies import parse_model, read_bytes
from app.routers.deps import AGENCY, DESK, Caller, Command, Commanding, ReadingOnly, require_role, runtime_of
from app.routers.exchanges import find_exchange
from app.routers.exports import State
from app.routers.idempotency import once
from app.routers.listing import parse_id
from app.routers.reading import remember_reading
from app.routers.requests import find_request
from app.services.add_piece import add_piece
from app.services.ask_extension import asks_extension
from app.services.begin_upload import Announced, begin_upload
from app.services.find_file import CaseFile, files_of_case, find_file, read_content
from app.services.node import Actor
from app.services.recovery.closed import refuse_shut
from app.services.release_file import check_release

router = APIRouter()

READERS = AGENCY | DESK
WRITERS = READERS - {Role.AGENCY_VIEWER}

STILL_AT_HOME = frozenset({IntakeState.INTAKE, IntakeState.TRIAGE, IntakeState.RETURNED})
"""Once approved, a request is what another person signs: its files too."""

Offset = Annotated[
    int, Query(ge=0, le=2**53 - 1, description="Where this piece begins: how many bytes came before it.")
]

Recipient = Annotated[
    Destination | None, Query(description="For whom it is fetched: refused where the file may not go there.")
]


@router.post("/v1/requests/{request_id}/attachments", **told.FOR_REQUEST.route())
async def announce_for_request(command: Commanding, request_id: str) -> Response:
    """Announce a file before its bytes. It leaves with the signed request, encrypted, and bound into it by its hash."""

    async def make() -> Answer:
        require_role(command.actor, *READERS)
        record = await find_request(command, request_id, for_update=True)
        require_role(command.actor, *WRITERS)
        if record.state not in STILL_AT_HOME:
            raise Conflict("action_not_allowed", f"No file can be added to a request in the state {record.state}.")
        if asks_extension(record):
            # It becomes an act on a hold, which brings none: the file would be left behind silently.
            raise Refused("attachments_not_here", "An extension brings no files; add them to the exchange it is about.")
        return await _begin(command, Case(request_id=record.id), answering=None)

    return await once(command, make)


@router.get("/v1/requests/{request_id}/attachments", **told.OF_REQUEST.route())
async def list_of_request(command: Commanding, request_id: str) -> Response:
    """The files that were handed over for a request, and how far each has come; then those that came with an answer."""
    require_role(command.actor, *READERS)
    record = await find_request(command, request_id)
    found = await files_of_case(command.session, Case(request_id=record.id))
    if record.exchange_id is not None:
        beyond = await files_of_case(command.session, Case(exchange_id=record.exchange_id))
        known = {one.id for one in found}
        found += [one for one in beyond if one.for_agency and one.id not in known]
    return _listed([one for one in found if _is_shown(one, command.actor)])


@router.post("/v1/exchanges/{exchange_id}/attachments", **told.FOR_EXCHANGE.route())
async def announce_for_exchange(command: Commanding, exchange_id: str) -> Response:
    """Announce a file for an act: `attachments` of a supplement, an answer or a report names it, and it leaves then."""

    async def make() -> Answer:
        require_role(command.actor, *DESK)
        record = await find_exchange(command, exchange_id, for_update=True)
        answering = record.value if record.direction is Direction.INCOMING else None
        return await _begin(command, Case(exchange_id=record.value.id), answering=answering)

    return await once(command, make)


@router.get("/v1/exchanges/{exchange_id}/attachments", **told.OF_EXCHANGE.route())
async def list_of_exchange(command: Commanding, exchange_id: str) -> Response:
    """The files of an exchange, of both sides; those that were handed over here and not yet sent are among them."""
    require_role(command.actor, *DESK)
    record = await find_exchange(command, exchange_id)
    return _listed(await files_of_case(command.session, Case(exchange_id=record.value.id)))


@router.get("/v1/attachments/{attachment_id}", **told.READ.route())
async def read(view: ReadingOnly, attachment_id: str) -> Response:
    """How far a file has come. After a broken connection `received` is the offset to go on from."""
    require_role(view.actor, *READERS)
    return answer_json(200, _show(_allowed(await find_file(view.session, parse_id(attachment_id)), view.actor)))


@router.patch("/v1/attachments/{attachment_id}/content", **told.ADD.route())
async def upload(request: Request, caller: Caller, attachment_id: str, offset: Offset = 0) -> Response:
    """Send the bytes from `offset` on, at most 4 MiB at once.

    A piece that was kept and whose answer was lost is answered 409 `upload_offset`; `received` says where to go on.
    After the last one the file is `ready`, or `wrong` with a fault: its hash or its kind is not what was announced.
    """
    require_role(caller, *READERS)
    runtime = runtime_of(request)
    body = await read_bytes(request, max_bytes=told.MAX_PIECE_BYTES)
    async with begin(runtime.engine) as session:
        await refuse_shut(session)
        file = _allowed(await find_file(session, parse_id(attachment_id)), caller)
        require_role(caller, *WRITERS)
        content = body.octets()
        record = await uploads.load(session, file.id, for_update=True)
        if record is None:
            raise Conflict("upload_ended", "This file is whole already, or was given up.", received=file.received)
        await add_piece(session, record, content, start=offset, now=runtime.clock())
        shown = _show(_allowed(await find_file(session, file.id), caller))
    return answer_json(200, shown)


@router.get("/v1/attachments/{attachment_id}/content", **told.CONTENT.route())
async def download(
    command: Commanding, attachment_id: str, recipient: Recipient = None, code: State = None
) -> Response:
    """The content of a whole file. Whoever opens it leaves a fact in the audit log, as with every case.

    With `recipient` it is refused where marking, conditions or a missing grant keep it from there.
    """
    require_role(command.actor, *READERS)
    file = _allowed(await find_file(command.session, parse_id(attachment_id)), command.actor)
    if not file.is_whole:
        raise Conflict("attachment_not_whole", "The file is not whole yet, or not what was signed.")
    if recipient is not None:
        await check_release(command.session, command.node, file, to=recipient, code=code)
    await remember_reading(command, file.exchange_id or file.request_id or file.id)
    engine = command.runtime.engine
    headers = {
        **NO_STORE,
        **_marking_header(file.marking),
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name_to_save(file.name), safe='')}",
        "Content-Length": str(file.size),
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Repr-Digest": f"sha-256=:{base64.b64encode(decode_part(file.sha256)).decode()}:",
    }
    return StreamingResponse(
        read_content(lambda: reading(engine), file), media_type="application/octet-stream", headers=headers
    )


@router.delete("/v1/attachments/{attachment_id}", **told.DELETE.route())
async def delete(command: Commanding, attachment_id: str) -> Response:
    """Take back a file that no message names yet, whole or not."""
    require_role(command.actor, *READERS)
    file = _allowed(await find_file(command.session, parse_id(attachment_id)), command.actor)
    require_role(command.actor, *WRITERS)
    # The case before its files, as everywhere: whoever signs the request meanwhile holds its row and wants this one.
    case = file.request_id
    request = None if case is None else await requests.load(command.session, case, for_update=True)
    record = await uploads.load(command.session, file.id, for_update=True)
    if record is None or record.state is UploadState.SENT:
        raise Conflict("attachment_sent", "A signed message names this file; it stays.")
    if case is not None and (request is None or request.state not in STILL_AT_HOME):
        raise Conflict("action_not_allowed", "Once approved, the files of a request stay as they are.")
    await uploads.drop(command.session, record.id)
    return Response(status_code=204, headers=NO_STORE)


async def _begin(command: Command, case: Case, *, answering: Exchange | None) -> Answer:
    new = parse_model(NewAttachment, command.body.json())
    errors = file_marking_errors(answering, new.marking)
    if errors:
        raise Refused(C_MARKING, "The file cannot bear this marking.", errors=errors)
    marking = read_marking(new.marking)
    file = Announced(new.name, new.size, encode_part(bytes.fromhex(new.sha256)), new.media_type, marking)
    begun = await begin_upload(command.acting, case, file)
    shown = await find_file(command.session, begun.id)
    if shown is None:
        raise Unknown("not_found", "There is no such thing, or it is not yours.")
    return Answer(201, _show(shown), {"Location": f"/v1/attachments/{begun.id}"})


def _marking_header(marking: Marking | None) -> dict[str, str]:
    """The codes; the text of H3 is in what is shown of the file."""
    return {} if marking is None else {"Marking": ", ".join((marking.tlp, marking.pap, *marking.handling))}


def _listed(found: Sequence[CaseFile]) -> Response:
    return answer_json(200, {"data": [_show(one).model_dump(mode="json") for one in found], "next": None})


def _allowed(file: CaseFile | None, actor: Actor) -> CaseFile:
    if file is None or not _is_shown(file, actor):
        raise Unknown("not_found", "There is no such thing, or it is not yours.")
    return file


def _is_shown(file: CaseFile, actor: Actor) -> bool:
    """An agency has its own cases' files and knows of no others; what comes from abroad, once there is an answer."""
    return actor.agency_id is None or (file.agency_id == actor.agency_id and file.for_agency)


def _show(file: CaseFile) -> AttachmentFile:
    return AttachmentFile(
        id=file.id,
        request_id=file.request_id,
        exchange_id=file.exchange_id,
        direction=file.direction,
        name=file.name,
        media_type=file.media_type,
        size=file.size,
        sha256=decode_part(file.sha256).hex(),
        received=file.received,
        state=file.state,
        fault=file.fault,
        marking=None if file.marking is None else write_marking(file.marking),
        warnings=[told.MIXED] if file.mixed else [],
        created_at=file.created_at,
    )
