"""A command sent twice under one key takes effect once: filing, deciding, acting on exchanges and holds."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from app.domain.codes import RequestType
from tests.routers.clients import assert_problem
from tests.world.documents import document
from tests.world.journey import PRESERVING, Journey, expect, filed, preservation, taken

if TYPE_CHECKING:
    from tests.support.world import Caller, World
    from tests.world.ledger import Ledger

AT_ONCE = 50


@pytest.fixture
def agency(world: World) -> Caller:
    """An officer of an agency of XA."""
    return world["XA"].as_("agency_officer")


async def test_filing_twice_is_one_request(agency: Caller, ledger: Ledger) -> None:
    """The same key and body answer 201 with the same request, marked as a replay, and store nothing more."""
    key, body = str(uuid4()), document(RequestType.PRESERVATION)
    first = await agency.post("/v1/requests", body, key=key)
    await ledger.calm()
    before = await ledger.counts("XA")
    again = await agency.post("/v1/requests", body, key=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["location"] == first.headers["location"]
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert await ledger.counts("XA") == before


async def test_key_is_for_one_command(agency: Caller, ledger: Ledger) -> None:
    """The same key with another body is 422, and the first answer stays what it was."""
    key, body = str(uuid4()), document(RequestType.PRESERVATION)
    first = expect(await agency.post("/v1/requests", body, key=key), 201)
    other = await agency.post("/v1/requests", document(RequestType.TECHNICAL_ADVICE), key=key)
    assert_problem(other, 422, "idempotency_key_reused")
    assert expect(await agency.post("/v1/requests", body, key=key), 201)["id"] == first["id"]


async def test_refused_filing_frees_its_key(agency: Caller) -> None:
    """After a refusal the key may be used again, with the mended document."""
    key = str(uuid4())
    assert_problem(await agency.post("/v1/requests", {"type": "PRESERVATION"}, key=key), 422, "invalid_document")
    again = await agency.post("/v1/requests", document(RequestType.PRESERVATION), key=key)
    assert expect(again, 201)["state"] == "INTAKE"


async def test_fifty_at_once_are_one_request(agency: Caller, ledger: Ledger) -> None:
    """Fifty filings under one key at the same time make one request; each is told of it, or to try again."""
    key, body = str(uuid4()), document(RequestType.PRESERVATION)
    await ledger.calm()
    before = await ledger.counts("XA")
    answers = await asyncio.gather(*(agency.post("/v1/requests", body, key=key) for _ in range(AT_ONCE)))
    made = [answer.json()["id"] for answer in answers if answer.status_code == 201]
    busy = [answer for answer in answers if answer.status_code == 409]
    assert len(made) + len(busy) == AT_ONCE
    assert len(set(made)) == 1
    for answer in busy:
        assert_problem(answer, 409, "idempotency_in_progress")
        assert int(answer.headers["retry-after"]) > 0
    after = await ledger.counts("XA")
    assert {name: after[name] - before[name] for name in ("request", "timeline", "event", "facts")} == {
        "request": 1,
        "timeline": 1,
        "event": 1,
        "facts": 1,
    }
    assert expect(await agency.post("/v1/requests", body, key=key), 201)["id"] == made[0]


async def test_fifty_keys_are_fifty_requests(agency: Caller, ledger: Ledger) -> None:
    """Control: the same document under fifty keys at once makes fifty requests with fifty references."""
    body = document(RequestType.PRESERVATION)
    before = await ledger.counts("XA")
    answers = await asyncio.gather(*(agency.post("/v1/requests", body) for _ in range(AT_ONCE)))
    assert len({expect(answer, 201)["reference"] for answer in answers}) == AT_ONCE
    assert (await ledger.counts("XA"))["request"] == before["request"] + AT_ONCE


async def act(caller: Caller, path: str, key: str, **body: Any) -> Any:  # noqa: ANN401 - an answer
    """An act under this key."""
    return await caller.post(f"{path}/actions", body, key=key)


async def test_act_on_a_request_twice(world: World) -> None:
    """Signing again under the same key answers with the same exchange; under a new key it is 409."""
    made = await filed(world, document(RequestType.PRESERVATION))
    path = f"/v1/requests/{made['id']}"
    desk, supervisor = world["XA"].as_("duty_officer"), world["XA"].as_("supervisor")
    shown: dict[str, Any] = {}
    for caller, action in ((desk, "open"), (desk, "approve"), (supervisor, "sign")):
        key = str(uuid4())
        shown = expect(await act(caller, path, key, action=action), 200)
        again = await act(caller, path, key, action=action)
        assert shown == expect(again, 200)
        assert again.headers["idempotency-replayed"] == "true"
    assert shown["exchange_id"] is not None
    assert_problem(await act(supervisor, path, str(uuid4()), action="sign"), 409, "action_not_allowed")


async def test_wish_twice_is_one_act(world: World, ledger: Ledger) -> None:
    """A wish repeated under its key has one act's id, travels once, and moves the exchange by one generation."""
    journey = await preservation(world, "acknowledge")
    before = await journey.settled()
    key = str(uuid4())
    body = {"action": "supplement", "generation": before["generation"], "text": "A second session was seen."}
    first = expect(await act(journey.ours(), journey.exchange, key, **body), 202)
    again = expect(await act(journey.ours(), journey.exchange, key, **body), 202)
    assert first["act_id"] == again["act_id"]
    after = await journey.settled()
    assert after["generation"] == before["generation"] + 1
    assert len(after["details"]["supplements"]) == 1
    replayed = expect(await act(journey.ours(), journey.exchange, key, **body), 202)
    assert replayed["act_id"] == first["act_id"]
    query = "SELECT count(*) FROM act WHERE exchange_id::text = $1"
    assert await ledger.value("XA", query, journey.exchange_id) == 1


async def test_act_abroad_twice(world: World) -> None:
    """An act of the requested side repeated under its key answers alike, though its generation has passed."""
    journey = await preservation(world)
    key = str(uuid4())
    first = await act(journey.theirs(), journey.exchange, key, action="acknowledge", generation=1)
    again = await act(journey.theirs(), journey.exchange, key, action="acknowledge", generation=1)
    assert expect(first, 200) == expect(again, 200)
    assert (await journey.settled())["generation"] == 2
    stale = await act(journey.theirs(), journey.exchange, str(uuid4()), action="acknowledge", generation=1)
    assert_problem(stale, 409, "stale_generation")


async def test_ten_preserve_at_once(world: World) -> None:
    """Ten persons, or one impatient one, who preserve at the same time under different keys make one hold."""
    journey: Journey = await preservation(world, *PRESERVING[:3])
    answers = await asyncio.gather(
        *(act(journey.theirs(), journey.exchange, str(uuid4()), action="preserve", generation=4) for _ in range(10))
    )
    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 9]
    shown = await journey.settled()
    assert (shown["state"], len(shown["holds"])) == ("PRESERVED", 1)
    (hold,) = shown["holds"]
    path, key = f"/v1/holds/{hold['id']}", str(uuid4())
    loss = {"action": "report_loss", "generation": shown["generation"], "text": "A disk array failed."}
    first = await act(journey.theirs(), path, key, **loss)
    again = await act(journey.theirs(), path, key, **loss)
    assert expect(first, 200) == expect(again, 200)


async def test_two_sign_at_once(world: World, ledger: Ledger) -> None:
    """Two supervisors who sign at the same time open one exchange: one is told so, the other that it is done."""
    made = await filed(world, document(RequestType.PRESERVATION))
    path = f"/v1/requests/{made['id']}"
    await taken(world, made["id"], ("duty_officer", "open"), ("duty_officer", "approve"))
    seats = ("supervisor", "supervisor_2") * 5
    answers = await asyncio.gather(*(world["XA"].as_(seat).act(path, "sign") for seat in seats))
    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 9]
    opened = "SELECT count(*) FROM exchange WHERE request_id::text = $1"
    assert await ledger.value("XA", opened, made["id"]) == 1
