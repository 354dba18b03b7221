"""Files over HTTP: announced, sent in pieces, bound into what is signed, downloaded on both sides."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from app.db import incidents
from app.db.engine import begin
from app.db.incidents import IncidentRecord
from app.domain.codes import Direction, RequestType
from app.domain.documents import example
from app.domain.files import name_to_save
from app.services.give_up_uploads import give_up_uploads
from tests.files.sending import is_complete
from tests.support.world import seen
from tests.world.documents import document
from tests.world.journey import DESK_ROAD, Journey, delivered, expect, filed, sent, taken

if TYPE_CHECKING:
    import httpx

    from tests.support.world import Caller, World

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 2_000
PIECE = 200_000
BYTES = {"content-type": "application/octet-stream"}


def announced(content: bytes, name: str = "order.pdf", **members: object) -> dict[str, Any]:
    """What is said of a file before its first byte."""
    return {"name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest(), **members}


async def announce(caller: Caller, case: str, content: bytes, **members: Any) -> str:  # noqa: ANN401 - members of the announcement
    """A file announced; its address."""
    begun = expect(await caller.post(f"{case}/attachments", announced(content, **members)), 201)
    return f"/v1/attachments/{begun['id']}"


async def piece(caller: Caller, file: str, content: bytes, offset: int) -> httpx.Response:
    """One piece, whatever the answer."""
    headers = {"Authorization": f"Bearer {caller.token}", **BYTES}
    return await caller.http.patch(f"{file}/content", params={"offset": offset}, content=content, headers=headers)


async def handed_over(caller: Caller, case: str, content: bytes, **members: Any) -> dict[str, Any]:  # noqa: ANN401 - members of the announcement
    """A file sent in pieces; what is shown of it after the last."""
    file = await announce(caller, case, content, **members)
    shown: dict[str, Any] = {}
    for offset in range(0, len(content), PIECE):
        shown = expect(await piece(caller, file, content[offset : offset + PIECE], offset), 200)
    return shown


async def remove(caller: Caller, file: str) -> int:
    """Take a file back; the status of the answer."""
    return (await caller.http.delete(file, headers={"Authorization": f"Bearer {caller.token}"})).status_code


def agency(world: World, seat: str = "agency_officer") -> Caller:
    """A person of an agency of XA."""
    return world["XA"].as_(seat)


async def arrived(journey: Journey, caller: Caller, name: str) -> dict[str, Any]:
    """The file of that name in the exchange, once it is whole there."""

    async def look() -> list[dict[str, Any]]:
        return list((await caller.get(journey.exchange)).json().get("attachments", []))

    found = await seen(look, lambda files: any(one["name"] == name and is_complete(one) for one in files))
    return next(one for one in found if one["name"] == name)


async def test_file_travels_with_the_request_that_names_it(files_world: World) -> None:
    """Sent in pieces, a piece twice, after a break from where it was: the other desk downloads the same bytes."""
    officer = agency(files_world)
    request = await filed(files_world, document(RequestType.PRESERVATION))
    case = f"/v1/requests/{request['id']}"
    file = await announce(officer, case, PDF)
    expect(await piece(officer, file, PDF[:PIECE], 0), 200)
    lost = await piece(officer, file, PDF[:PIECE], 0)
    assert (lost.status_code, lost.json()["code"], lost.json()["received"]) == (409, "upload_offset", PIECE)
    assert (await officer.get(file)).json()["received"] == PIECE
    expect(await piece(officer, file, PDF[PIECE : 2 * PIECE], PIECE), 200)
    whole = expect(await piece(officer, file, PDF[2 * PIECE :], 2 * PIECE), 200)
    assert (whole["state"], whole["media_type"]) == ("ready", "application/pdf")
    signed = await taken(files_world, request["id"], *DESK_ROAD)
    journey = Journey(files_world, request["id"], signed["exchange_id"], "XT")
    there = await arrived(journey, journey.theirs(), "order.pdf")
    content = await journey.theirs().get(f"/v1/attachments/{there['id']}/content")
    assert content.content == PDF
    assert content.headers["content-disposition"].startswith("attachment;")
    assert (await officer.get(f"{file}/content")).content == PDF
    listed = (await officer.get(f"{case}/attachments")).json()["data"]
    assert [(one["name"], one["state"]) for one in listed] == [("order.pdf", "sent")]


async def test_wrong_file_is_never_sent(files_world: World) -> None:
    """Other bytes than announced, or of another kind: `wrong`, and nothing is signed until it was taken back."""
    officer = agency(files_world)
    request = await filed(files_world, document(RequestType.PRESERVATION))
    case = f"/v1/requests/{request['id']}"
    file = await announce(officer, case, b"%PDF-1.7 as it was")
    other = expect(await piece(officer, file, b"%PDF-1.7 as it is ", 0), 200)
    assert (other["state"], other["fault"]) == ("wrong", "other_content")
    kind = await handed_over(officer, case, b"MZ\x90\x00 program", name="tool.pdf", media_type="application/pdf")
    assert (kind["state"], kind["fault"]) == ("wrong", "file_type_mismatch")
    assert (await piece(officer, file, b"more", 0)).json()["code"] == "upload_ended"
    await taken(files_world, request["id"], *DESK_ROAD[:2])
    refused = await files_world["XA"].as_("supervisor").act(case, "sign")
    assert (refused.status_code, refused.json()["code"]) == (409, "upload_unfinished")
    assert await remove(officer, file) == 409, "what was approved stays as it was"
    expect(await files_world["XA"].as_("duty_officer").act(case, "reopen", text="Two files are wrong."), 200)
    assert [await remove(officer, one) for one in (file, f"/v1/attachments/{kind['id']}")] == [204, 204]
    await taken(files_world, request["id"], *DESK_ROAD[1:])


async def test_announcements_have_their_rules(files_world: World) -> None:
    """Too large, of no type we take, with a path for a name: refused with the member, nothing echoed, nothing kept."""
    officer = agency(files_world)
    request = await filed(files_world, document(RequestType.PRESERVATION))
    case = f"/v1/requests/{request['id']}/attachments"
    for members, pointer in (
        ({"size": 26 * 1024 * 1024}, "/size"),
        ({"name": "../../etc/shadow"}, "/name"),
        ({"name": "order\u202efdp.exe"}, "/name"),
        ({"name": "order.pdf\u2028"}, "/name"),
        ({"media_type": "text/html"}, "/media_type"),
        ({"sha256": "none"}, "/sha256"),
    ):
        answer = await officer.post(case, announced(b"x") | members)
        assert answer.status_code == 422
        assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]
        assert "shadow" not in answer.text
    assert (await officer.get(case)).json()["data"] == []
    assert (await officer.post(case, announced(b"x", name="أمر الحفظ.txt"))).status_code == 201, "what may be announced"


def test_names_of_others_are_saved_harmless() -> None:
    """A name from abroad may turn its direction or be a folder: it is not saved under that (control: one from here)."""
    assert name_to_save("order\u202efdp.exe\r\n") == "order_fdp.exe__"
    assert name_to_save("..") == "_"
    assert name_to_save("أمر الحفظ.pdf") == "أمر الحفظ.pdf"


async def test_piece_must_be_what_it_says(files_world: World) -> None:
    """Compressed, or of another content type, a piece is refused; that the file is not yours is said before."""
    officer, stranger = agency(files_world), agency(files_world, "agency_officer_2")
    request = await filed(files_world, document(RequestType.PRESERVATION))
    file = await announce(officer, f"/v1/requests/{request['id']}", PDF)
    for headers, code in (
        ({"content-type": "text/plain"}, "content_type_not_binary"),
        (BYTES | {"content-encoding": "gzip"}, "content_encoding_not_supported"),
    ):
        for caller, expected in ((officer, (400, 415)), (stranger, (404,))):
            sent_with = headers | {"Authorization": f"Bearer {caller.token}"}
            answer = await caller.http.patch(f"{file}/content", content=b"x", headers=sent_with)
            assert answer.status_code in expected
            assert (answer.json()["code"] == code) == (caller is officer)


async def test_offer_keeps_its_files_until_its_content_leaves(files_world: World) -> None:
    """A wrong file stops the signature of an offer; ready ones leave with its content alone, not with a supplement."""
    officer = agency(files_world)
    request = await filed(files_world, example(RequestType.SPONTANEOUS_INFORMATION) | {"requested": "XT"})
    case = f"/v1/requests/{request['id']}"
    wrong = await handed_over(officer, case, b"MZ\x90\x00 program", name="tool.pdf", media_type="application/pdf")
    await handed_over(officer, case, PDF, name="kept.pdf")
    await taken(files_world, request["id"], *DESK_ROAD[:2])
    refused = await files_world["XA"].as_("supervisor").act(case, "sign")
    assert (refused.status_code, refused.json()["code"]) == (409, "upload_unfinished")
    expect(await files_world["XA"].as_("duty_officer").act(case, "reopen", text="A file is wrong."), 200)
    assert await remove(officer, f"/v1/attachments/{wrong['id']}") == 204
    signed = await taken(files_world, request["id"], *DESK_ROAD[1:])
    journey = Journey(files_world, request["id"], signed["exchange_id"], "XT")
    await seen(lambda: journey.theirs().get(journey.exchange), lambda answer: answer.status_code == 200)
    early = await handed_over(journey.ours(), journey.exchange, b"names\n", name="early.txt")
    told = await journey.ours().act(journey.exchange, "supplement", text="More.", attachments=[early["id"]])
    assert (told.status_code, told.json()["code"]) == (422, "attachments_not_here")
    assert expect(await journey.theirs().get(journey.exchange), 200)["attachments"] == []
    await journey.do("acknowledge")
    await journey.do("accept_information")
    await journey.settled()
    await journey.wish("send_content", attachments=[early["id"]])
    there = [await arrived(journey, journey.theirs(), name) for name in ("kept.pdf", "early.txt")]
    assert (await journey.theirs().get(f"/v1/attachments/{there[0]['id']}/content")).content == PDF


async def test_unfinished_file_is_given_up(files_world: World) -> None:
    """After a week its bytes are forgotten and it is `wrong`, and must be taken back (control: the day before)."""
    officer, node = agency(files_world), files_world["XA"].runtime
    request = await filed(files_world, document(RequestType.PRESERVATION))
    file = await announce(officer, f"/v1/requests/{request['id']}", PDF)
    expect(await piece(officer, file, PDF[:PIECE], 0), 200)
    for days, state in ((6, "uploading"), (8, "wrong")):
        async with begin(node.chores) as session:
            assert not await give_up_uploads(session, now=node.clock() + timedelta(days=days))
        assert expect(await officer.get(file), 200)["state"] == state
    assert (await piece(officer, file, PDF[PIECE:], PIECE)).json()["code"] == "upload_ended"
    assert await remove(officer, file) == 204


async def test_under_an_incident_nothing_is_given_up(files_world: World) -> None:
    """Unfinished files of an exchange that an incident touches stay until it is over (control: those of another)."""
    node, desk = files_world["XA"].runtime, files_world["XA"].as_("duty_officer")
    journeys = [await sent(files_world, document(RequestType.PRESERVATION)) for _ in range(2)]
    files = [await announce(desk, journey.exchange, PDF) for journey in journeys]
    now, touched = node.clock(), [UUID(journeys[1].exchange_id)]
    said = ("A disk is missing.", "None.", "+99900555099")
    told = IncidentRecord(uuid4(), "XT", Direction.OUTGOING, now, now, *said, touched, limit_onward=False)
    async with begin(node.chores) as session:
        await incidents.add(session, told)
    for ended, states in ((told, ["wrong", "uploading"]), (replace(told, over_at=now, over_note="-"), ["wrong"] * 2)):
        async with begin(node.chores) as session:
            await incidents.end(session, ended)
            await give_up_uploads(session, now=now + timedelta(days=8))
        assert [expect(await desk.get(file), 200)["state"] for file in files] == states


async def test_extension_brings_no_files(files_world: World) -> None:
    """More time is asked for by an act that carries no file: one is refused rather than left behind."""
    extension = await filed(files_world, example(RequestType.PRESERVATION_EXTENSION) | {"requested": "XT"})
    answer = await agency(files_world).post(f"/v1/requests/{extension['id']}/attachments", announced(b"x"))
    assert (answer.status_code, answer.json()["code"]) == (422, "attachments_not_here")


async def test_files_of_a_case_are_its_agencys(files_world: World) -> None:
    """Another agency, and the desk abroad before it was sent, find nothing; who only reads adds nothing."""
    officer = agency(files_world)
    request = await filed(files_world, document(RequestType.PRESERVATION))
    case = f"/v1/requests/{request['id']}"
    file = await announce(officer, case, PDF)
    stranger = agency(files_world, "agency_officer_2")
    asked = [await stranger.get(file), await stranger.get(f"{file}/content"), await piece(stranger, file, b"x", 0)]
    asked += [await stranger.post(f"{case}/attachments", announced(b"x")), await stranger.get(f"{case}/attachments")]
    assert {answer.status_code for answer in asked} == {404}
    assert (await files_world["XT"].as_("duty_officer").get(file)).status_code == 404
    assert (await agency(files_world, "agency_viewer").post(f"{case}/attachments", announced(b"x"))).status_code == 403
    assert (await files_world["XA"].as_("auditor").get(f"{file}/content")).status_code == 403


async def test_answer_brings_a_file_that_its_agency_may_read(files_world: World) -> None:
    """The desk asked attaches a report to its answer; the agency that asked downloads it through its own desk."""
    journey = await delivered(files_world, document(RequestType.TECHNICAL_ADVICE, requested="XT"))
    await journey.do("acknowledge")
    report = await handed_over(journey.theirs(), journey.exchange, b"line 1\n", name="report.txt")
    await journey.do("answer", text="See the report.", attachments=[report["id"]])
    there = await arrived(journey, journey.ours(), "report.txt")
    reader = journey.ours("agency_officer")
    assert [one["name"] for one in expect(await reader.get(f"{journey.request}/attachments"), 200)["data"]] == [
        "report.txt"
    ]
    assert (await reader.get(f"/v1/attachments/{there['id']}/content")).content == b"line 1\n"
    again = await journey.theirs().act(journey.exchange, "report_progress", text="Again.", attachments=[report["id"]])
    assert (again.status_code, again.json()["code"]) == (422, "attachment_unknown")


async def test_what_the_desks_say_to_one_another_is_not_the_agencys(files_world: World) -> None:
    """Of an exchange of its own case an agency neither reads nor deletes what its desk adds, nor what is no answer."""
    journey = await delivered(files_world, document(RequestType.TECHNICAL_ADVICE, requested="XT"))
    await journey.do("acknowledge")
    draft = await handed_over(journey.ours(), journey.exchange, b"internal\n", name="draft.txt")
    note = await handed_over(journey.theirs(), journey.exchange, b"our order\n", name="order.txt")
    await journey.do("report_progress", text="Ordered.", attachments=[note["id"]])
    await arrived(journey, journey.ours(), "order.txt")
    reader = journey.ours("agency_officer")
    for one in (draft, note):
        file = f"/v1/attachments/{one['id']}"
        answers = [await reader.get(file), await reader.get(f"{file}/content"), await piece(reader, file, b"x", 0)]
        assert {answer.status_code for answer in answers} == {404}
        assert await remove(reader, file) == 404
        assert (await journey.ours().get(f"{file}/content")).status_code == 200, "its desk reads it"
    assert expect(await reader.get(f"{journey.request}/attachments"), 200)["data"] == []


@pytest.mark.parametrize("side", ["theirs", "ours"])
async def test_a_preservation_hands_nothing_over(files_world: World, side: str) -> None:
    """Who holds the data attaches nothing to a preservation; who asks may add to its request (control)."""
    journey = await sent(files_world, document(RequestType.PRESERVATION))
    await seen(lambda: journey.theirs().get(journey.exchange), lambda answer: answer.status_code == 200)
    await journey.do("acknowledge")
    await journey.settled()
    caller: Caller = getattr(journey, side)()
    file = await handed_over(caller, journey.exchange, b"a,b\n", name="log.csv", media_type="text/csv")
    act = "report_progress" if side == "theirs" else "supplement"
    answer = await caller.act(journey.exchange, act, text="With a file.", attachments=[file["id"]])
    if side == "theirs":
        assert (answer.status_code, answer.json()["code"]) == (422, "attachments_not_here")
        assert (await caller.get(f"/v1/attachments/{file['id']}")).json()["state"] == "ready"
    else:
        expect(answer, 202)
        await arrived(journey, journey.theirs(), "log.csv")


async def test_act_without_files_brings_none(files_world: World) -> None:
    """Withdrawing with an attachment is refused, and so is what is no list of ids; the act does not happen."""
    journey = await delivered(files_world, document(RequestType.PRESERVATION))
    file = await handed_over(journey.ours(), journey.exchange, b"x", name="x.txt")
    answer = await journey.ours().act(journey.exchange, "withdraw", attachments=[file["id"]])
    assert (answer.status_code, answer.json()["code"]) == (422, "attachments_not_here")
    answer = await journey.ours().act(journey.exchange, "supplement", text="More.", attachments="all")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/attachments")
    assert (await journey.settled())["state"] == "DELIVERED"


RED = {"tlp": "TLP:RED", "pap": "PAP:RED", "handling": ["H1", "H3"], "text": "For the Cyber Unit alone."}
AMBER = {"tlp": "TLP:AMBER", "pap": "PAP:AMBER", "handling": ["H0"]}


async def test_a_file_bears_its_own_marking_to_the_end(files_world: World) -> None:
    """Stricter than its request it is warned of, proposed for the whole, enforced abroad; never more open (V-8)."""
    officer, desk = agency(files_world), files_world["XA"].as_("duty_officer")
    made = document(RequestType.TECHNICAL_ADVICE, requested="XT") | {"marking": AMBER}
    request = await filed(files_world, made)
    case = f"/v1/requests/{request['id']}"
    for wrong, pointer in ((AMBER | {"tlp": "TLP:CLEAR"}, "/marking/tlp"), (RED | {"text": None}, "/marking/text")):
        answer = await officer.post(f"{case}/attachments", announced(b"x") | {"marking": wrong})
        assert (answer.status_code, [one["pointer"] for one in answer.json()["errors"]]) == (422, [pointer])
    strict = await handed_over(officer, case, b"who the witness is\n", name="witness.txt", marking=RED)
    plain = await handed_over(officer, case, b"the log\n", name="log.txt")
    assert [[found["code"] for found in one["warnings"]] for one in (strict, plain)] == [["mixed_marking"], []]
    expect(await desk.act(case, "open"), 200)
    (doubt,) = [one for one in (await desk.get(case)).json()["desk"]["triage"] if one["test"] == "TRI-13"]
    assert "mixed_marking" in [because["code"] for because in doubt["because"]]
    opener = await desk.act(case, "approve", marking=AMBER)
    assert (opener.status_code, opener.json()["code"]) == (422, "C-MARKING")
    signed = await taken(files_world, request["id"], *DESK_ROAD[1:])
    whole = signed["approval"]["marking"]
    assert (whole["tlp"], whole["handling"], whole["handling_text"]) == ("TLP:RED", ["H0", "H1", "H3"], RED["text"])
    journey = Journey(files_world, request["id"], signed["exchange_id"], "XT")
    there = {name: await arrived(journey, journey.theirs(), name) for name in ("witness.txt", "log.txt")}
    assert {name: one["marking"]["tlp"] for name, one in there.items()} == dict.fromkeys(there, "TLP:RED")
    shown = await journey.settled()
    assert (shown["marking"]["tlp"], shown["marking"]["text"]) == ("TLP:RED", RED["text"])
    assert shown["not_understood"] == []
    content = f"/v1/attachments/{there['witness.txt']['id']}/content"
    assert (await journey.theirs().get(content)).headers["marking"] == "TLP:RED, PAP:RED, H0, H1, H3"
    refused = await journey.theirs().get(content, recipient="court")
    assert (refused.status_code, refused.json()["reason"]) == (409, "court_use_not_permitted")
    for caller, kept in ((journey.theirs(), {"request", "attachment"}), (journey.ours(), set())):
        block = expect(await caller.get(f"{journey.exchange}/export", recipient="court"), 200)
        assert {one["kind"] for one in block["withheld"]} == kept
        assert len(block["attachments"]) == (0 if kept else 2)


async def test_a_file_of_an_act_marks_what_follows(files_world: World) -> None:
    """What a report brought under RED makes the exchange RED on both sides; before it (control) it was not."""
    journey = await delivered(files_world, document(RequestType.TECHNICAL_ADVICE, requested="XT") | {"marking": AMBER})
    await journey.do("acknowledge")
    assert (await journey.settled())["marking"]["tlp"] == "TLP:AMBER"
    open_one = announced(b"x") | {"marking": AMBER | {"tlp": "TLP:GREEN"}}
    answer = await journey.theirs().post(f"{journey.exchange}/attachments", open_one)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/marking/tlp")
    report = await handed_over(journey.theirs(), journey.exchange, b"our source\n", name="source.txt", marking=RED)
    await journey.do("report_progress", text="See the file.", attachments=[report["id"]])
    await arrived(journey, journey.ours(), "source.txt")
    settled = await journey.settled()
    assert (settled["marking"]["tlp"], settled["marking"]["text"]) == ("TLP:RED", RED["text"])
    later = await handed_over(journey.ours(), journey.exchange, b"more\n", name="more.txt")
    await journey.wish("supplement", text="More.", attachments=[later["id"]])
    assert (await arrived(journey, journey.theirs(), "more.txt"))["marking"]["tlp"] == "TLP:RED"
