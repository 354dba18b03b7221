"""A request that does not get through: the alarm, the statement anyone can verify, the sheet for the telephone."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from jwcrypto import jwk, jws

from app.domain.codes import RequestType
from tests.routers.clients import assert_problem
from tests.support.world import seen
from tests.world.documents import document
from tests.world.journey import Journey, expect, sent
from tests.world.test_crossing import silence
from tests.world.test_time_passes import fresh

if TYPE_CHECKING:
    from tests.support.world import World
    from tests.world.ledger import Ledger

CLOCK = timedelta(hours=4)
"""Within which an URGENT request should be delivered."""


async def alarmed(world: World, journey: Journey) -> dict[str, Any]:
    """Let the delivery clock run out once a copy was tried, and wait for the alarm."""
    sheet = partial(journey.ours().get, f"{journey.exchange}/fallback-sheet")
    await seen(sheet, lambda answer: answer.json()["sending"]["copies"] > 0)
    world.clock.advance(CLOCK + timedelta(minutes=1))
    look = partial(journey.ours().get, journey.exchange)
    return dict((await seen(look, lambda answer: "UNDELIVERABLE" in answer.json()["flags"])).json())


async def statements(journey: Journey) -> list[dict[str, Any]]:
    """What the requesting node has stated."""

    async def stated() -> list[dict[str, Any]]:
        return list(expect(await journey.ours().get(f"{journey.exchange}/statements"), 200)["data"])

    return await seen(stated, bool)


def verify(world: World, text: str) -> dict[str, Any]:
    """What a third party reads with the directory and a library of its own; raises if it was not signed by XA."""
    token = jws.JWS()
    token.deserialize(text)
    header = token.jose_header
    assert (header["typ"], header["alg"]) == ("cp-statement+jws", "Ed25519")
    record = world["XT"].runtime.node.directory.signing_key("XA", header["kid"])
    assert record is not None
    token.allowed_algs = ["Ed25519", "EdDSA"]
    token.verify(jwk.JWK(**record.jwk.model_dump()))
    return dict(json.loads(token.payload))


async def test_failure_is_stated_and_can_be_verified(edge_world: World, edge_ledger: Ledger) -> None:
    """The statement names the request, the copies, the clock and the head of the log, under a key of the directory."""
    with silence(edge_world, "XT"):
        journey = await sent(edge_world, fresh(edge_world))
        before = expect(await journey.ours().get(f"{journey.exchange}/statements"), 200)
        assert before == {"data": [], "next": None}
        await alarmed(edge_world, journey)
        (one,) = await statements(journey)
        told = verify(edge_world, one["jws"])
        assert told == one["content"]
        assert (told["kind"], told["exchange_id"], told["iss"]) == ("undeliverable", journey.exchange_id, "XA")
        assert (told["requesting"], told["requested"], told["type"], told["tier"]) == (
            "XA",
            "XT",
            "PRESERVATION",
            "URGENT",
        )
        assert told["clock"]["seconds"] == CLOCK.total_seconds()
        assert told["clock"]["began_at"] < told["clock"]["ran_out_at"] <= told["made_at"]
        assert told["copies_in_all"] == len(told["copies"]) > 0
        assert [copy["copy"] for copy in told["copies"]] == list(range(1, len(told["copies"]) + 1))
        query = "SELECT jti::text FROM outbox WHERE thread = $1 AND type = 'exchange.open/1'"
        assert told["jti"] == await edge_ledger.value("XA", query, journey.exchange_id)
        assert told["log"]["origin"] == edge_world["XA"].runtime.log_writer.origin
        assert told["log"]["size"] > 0
    late = await journey.settled()
    assert (late["state"], late["flags"]) == ("DELIVERED", ["late"])
    assert await statements(journey) == [one]


async def test_altered_statement_is_not_ours(edge_world: World) -> None:
    """One character more in the text, or another key of the directory, and no one takes it for ours."""
    with silence(edge_world, "XT"):
        journey = await sent(edge_world, fresh(edge_world))
        await alarmed(edge_world, journey)
        (one,) = await statements(journey)
        header, payload, signature = one["jws"].split(".")
        changed = payload[:-4] + ("AAAA" if payload[-4:] != "AAAA" else "BBBB")
        with pytest.raises(jws.InvalidJWSSignature):
            verify(edge_world, f"{header}.{changed}.{signature}")
        await journey.wish_only("withdraw")


async def test_statement_belongs_to_the_alarm(edge_world: World, edge_ledger: Ledger) -> None:
    """It is made with the mark, once: the event, the line of the timeline and the row are there together."""
    with silence(edge_world, "XT"):
        journey = await sent(edge_world, fresh(edge_world))
        await alarmed(edge_world, journey)
        (one,) = await statements(journey)
        (line,) = [line for line in await journey.timeline(journey.ours()) if line["event"] == "undeliverable"]
        assert len(line["detail"]["statement"]) == 43
        edge_world.clock.advance(timedelta(hours=1))
        assert await statements(journey) == [one]
        query = "SELECT count(*) FROM statement WHERE exchange_id::text = $1"
        assert await edge_ledger.value("XA", query, journey.exchange_id) == 1
        await journey.wish_only("withdraw")


async def test_only_the_desk_reads_statements_and_sheets(edge_world: World) -> None:
    """An agency and a monitor may not; what is not there is 404; the other side has stated nothing."""
    journey = await sent(edge_world, fresh(edge_world))
    await journey.settled()
    for leaf in ("statements", "fallback-sheet"):
        for seat in ("agency_officer", "monitor"):
            assert_problem(await journey.ours(seat).get(f"{journey.exchange}/{leaf}"), 403, "role_not_allowed")
        missing = await journey.ours().get(f"/v1/exchanges/{journey.request_id}/{leaf}")
        assert_problem(missing, 404, "not_found")
    assert expect(await journey.theirs().get(f"{journey.exchange}/statements"), 200)["data"] == []


async def test_sheet_says_whom_to_call_and_what_to_say(edge_world: World) -> None:
    """Numbers by priority, the time there now, the id in groups with its check, and nothing of the case itself."""
    with silence(edge_world, "XT"):
        journey = await sent(edge_world, document(RequestType.PRESERVATION))
        await alarmed(edge_world, journey)
        sheet = expect(await journey.ours().get(f"{journey.exchange}/fallback-sheet"), 200)
        point = edge_world["XA"].runtime.node.directory.point("XT")
        assert point is not None
        assert "".join(sheet["groups"]) == journey.exchange_id.replace("-", "")
        assert [one["number"] for one in sheet["call"]["phones"]] == [
            one.number for one in sorted(point.phones, key=lambda one: one.priority)
        ]
        assert sheet["call"]["local_time"].endswith("+09:00")
        assert len(sheet["call"]["escalation"]) == len(point.escalation)
        assert sheet["sending"]["copies"] >= 1
        printed = await journey.ours().get(f"{journey.exchange}/fallback-sheet", format="text")
        assert printed.headers["content-type"].startswith("text/plain")
        for wanted in (" ".join(sheet["groups"]), f"check {sheet['check']}", point.phones[0].number, "/v1/exchanges"):
            assert wanted in printed.text
        shown = expect(await journey.ours().get(journey.exchange), 200)
        secrets = (shown["document"]["facts_summary"], "203.0.113")
        for secret in secrets:
            assert secret in json.dumps(shown["document"]), "the document has nothing that could leak"
            assert secret not in printed.text
            assert secret not in json.dumps(sheet)
        await journey.wish_only("withdraw")


async def test_sheet_is_what_the_other_desk_notes(edge_world: World) -> None:
    """What was read aloud is noted, unless its check digits are wrong; the opening attaches and the alarm is over."""
    with silence(edge_world, "XT"):
        journey = await sent(edge_world, fresh(edge_world))
        await alarmed(edge_world, journey)
        sheet = expect(await journey.ours().get(f"{journey.exchange}/fallback-sheet"), 200)
        note = sheet["note"]
        assert (note["method"], note["path"]) == ("POST", "/v1/exchanges")
        wrong = {**note["body"], "check": "00" if sheet["check"] != "00" else "01"}
        answer = await journey.theirs().post(note["path"], wrong)
        assert [fault["code"] for fault in assert_problem(answer, 422, "document_invalid")["errors"]] == ["check_wrong"]
        noted = expect(await journey.theirs().post(note["path"], note["body"]), 201)
        assert (noted["id"], noted["state"], noted["flags"]) == (journey.exchange_id, "DELIVERED", ["noted"])
        await journey.do("acknowledge")
    look = partial(journey.theirs().get, journey.exchange)
    await seen(look, lambda answer: "noted" not in answer.json()["flags"])
    shown = await journey.settled()
    assert (shown["state"], shown["type"]) == ("ACKNOWLEDGED", "PRESERVATION")
