"""A command sent twice under one key takes effect once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from app.db.engine import begin, reading
from app.db.idempotency import Claim, forget_expired, try_claim
from app.main import create_app
from tests.routers import probe
from tests.routers.clients import Clients, assert_problem, new_key

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import httpx
    from fastapi import FastAPI

    from app.runtime import Runtime

FOUNDING = {"action": "found", "id": "coastguard", "name": "Coast Guard"}
KEYS_REFUSED = {
    "empty": "",
    "too long": "k" * 256,
    "a space": "a b",
    "a letter beyond ASCII": "clé",
}


def without_changing_headers(answer: httpx.Response) -> dict[str, str]:
    """The headers that a repetition has to repeat."""
    return {
        name: value for name, value in answer.headers.items() if name not in {"x-request-id", "idempotency-replayed"}
    }


async def count(runtime: Runtime, table: str) -> int:
    """Rows of a table."""
    async with reading(runtime.engine) as session:
        return int((await session.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())


async def test_repetition_gets_the_same_answer(client: Clients, runtime: Runtime) -> None:
    """The second time the same status, headers and bytes come back, marked as a repetition, and nothing happens."""
    officer, key = client("duty_officer"), new_key()
    first = await officer.post("/probe/here", json=FOUNDING, headers=key)
    again = await officer.post("/probe/here", json=FOUNDING, headers=key)
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert without_changing_headers(first) == without_changing_headers(again)
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert await count(runtime, "event") == 1


async def test_without_key_it_would_happen_twice(client: Clients) -> None:
    """The same command under another key is judged anew: the kept answer, and nothing else, made the difference."""
    officer = client("duty_officer")
    assert (await officer.post("/probe/here", json=FOUNDING, headers=new_key())).status_code == 201
    assert_problem(await officer.post("/probe/here", json=FOUNDING, headers=new_key()), 409, "action_not_allowed")


async def test_key_for_another_body(client: Clients) -> None:
    """A key that was used for another body is refused, and the first answer stays."""
    officer, key = client("duty_officer"), new_key()
    first = await officer.post("/probe/here", json=FOUNDING, headers=key)
    other = await officer.post("/probe/here", json=FOUNDING | {"name": "Other"}, headers=key)
    assert_problem(other, 422, "idempotency_key_reused")
    assert (await officer.post("/probe/here", json=FOUNDING, headers=key)).content == first.content


async def test_key_for_another_query(client: Clients) -> None:
    """The query is part of the command."""
    officer, key = client("duty_officer"), new_key()
    assert (await officer.post("/probe/here?x=1", json=FOUNDING, headers=key)).status_code == 201
    assert_problem(await officer.post("/probe/here?x=2", json=FOUNDING, headers=key), 422, "idempotency_key_reused")


async def test_keys_belong_to_their_person_and_address(client: Clients) -> None:
    """The same key of another person, or for another address, is another key."""
    key = new_key()
    assert (await client("duty_officer").post("/probe/here", json=FOUNDING, headers=key)).status_code == 201
    for seat, path in (("duty_officer_2", "/probe/here"), ("duty_officer", "/probe/there")):
        answer = await client(seat).post(path, json=FOUNDING | {"id": "other"}, headers=key)
        assert answer.status_code in {201, 409}
        assert "idempotency-replayed" not in answer.headers


async def test_errors_are_not_kept(client: Clients) -> None:
    """After an error the same key may be used again, with a better body."""
    officer, key = client("duty_officer"), new_key()
    assert_problem(await officer.post("/probe/here", json={"id": 7}, headers=key), 422, "document_invalid")
    assert_problem(await officer.post("/probe/divide", json=FOUNDING, headers=key), 500, "internal_error")
    assert (await officer.post("/probe/here", json=FOUNDING, headers=key)).status_code == 201


async def test_at_work_elsewhere(client: Clients, runtime: Runtime) -> None:
    """While the command is at work in another transaction, its repetition is told to come back."""
    officer, key = client("duty_officer"), new_key()
    me = (await officer.get("/v1/me")).json()["id"]
    claim = Claim(me, "POST /probe/here", key["Idempotency-Key"], b"")
    async with begin(runtime.engine) as session:
        assert await try_claim(session, claim)
        answer = await officer.post("/probe/here", json=FOUNDING, headers=key)
        assert_problem(answer, 409, "idempotency_in_progress")
        assert answer.headers["retry-after"] == "1"
    assert (await officer.post("/probe/here", json=FOUNDING, headers=key)).status_code == 201


async def test_many_at_once(client: Clients, runtime: Runtime) -> None:
    """Of twenty repetitions sent at once exactly one acts; each of the others gets its answer or is told to wait."""
    officer, key = client("duty_officer"), new_key()
    sent = [officer.post("/probe/here", json=FOUNDING, headers=key) for _ in range(20)]
    answers = await asyncio.gather(*sent)
    assert {answer.status_code for answer in answers} <= {201, 409}
    acted = [each for each in answers if each.status_code == 201 and "idempotency-replayed" not in each.headers]
    assert len(acted) == 1
    assert all(each.json()["code"] == "idempotency_in_progress" for each in answers if each.status_code == 409)
    assert await count(runtime, "event") == 1


@pytest.mark.parametrize("what", KEYS_REFUSED)
async def test_key_has_a_form(client: Clients, what: str) -> None:
    """A key is 1 to 255 visible ASCII characters."""
    headers = [(b"idempotency-key", KEYS_REFUSED[what].encode())]
    answer = await client("duty_officer").post("/probe/here", json=FOUNDING, headers=headers)
    assert_problem(answer, 400, "idempotency_key_malformed")


async def test_kept_for_seven_days(client: Clients, runtime: Runtime, tokens: Mapping[str, str]) -> None:
    """A key is remembered for seven days, and free again after them."""
    key = new_key()
    assert (await client("duty_officer").post("/probe/here", json=FOUNDING, headers=key)).status_code == 201
    for days, replayed in ((6.9, True), (7.1, False)):
        later = Clients(gateway_at(runtime, runtime.clock() + timedelta(days=days)), tokens)
        answer = await later("duty_officer").post("/probe/here", json=FOUNDING, headers=key)
        assert ("idempotency-replayed" in answer.headers) is replayed
        assert answer.status_code == (201 if replayed else 409)


async def test_what_is_over_is_forgotten(client: Clients, runtime: Runtime, now: datetime) -> None:
    """Kept answers are dropped when their time is over, and not before."""
    await client("duty_officer").post("/probe/here", json=FOUNDING, headers=new_key())
    for days, dropped in ((6.9, 0), (7.1, 1), (7.1, 0)):
        async with begin(runtime.engine) as session:
            assert await forget_expired(session, now=now + timedelta(days=days)) == dropped


async def test_replays_are_counted(client: Clients, runtime: Runtime) -> None:
    """Repetitions show in the metrics."""
    officer, key = client("duty_officer"), new_key()
    for _ in range(3):
        await officer.post("/probe/here", json=FOUNDING, headers=key)
    assert runtime.metrics.registry.get_sample_value("counterpart_idempotent_replays_total") == 2


def gateway_at(runtime: Runtime, moment: datetime) -> FastAPI:
    """The same node with another clock."""
    app = create_app(replace(runtime, clock=lambda: moment))
    app.include_router(probe.router)
    return app
