"""Errors come in the order of the contract: 401, 404, 403, 409 stale, 409 not allowed, 422."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from app.db.engine import begin, make_engine
from app.domain.codes import Role
from app.services.create_token import create_token
from app.services.enrol import enrol_person
from app.services.node import SYSTEM, Acting
from app.services.revoke_token import revoke_token
from tests.routers.clients import assert_problem, new_key

if TYPE_CHECKING:
    from datetime import datetime

    from fastapi import FastAPI

    from app.runtime import Runtime
    from tests.routers.clients import Clients

NONSENSE = b"{not json"
JSON = {"Content-Type": "application/json"}
GOOD = {"action": "found", "id": "coastguard", "name": "Coast Guard"}

UNKNOWN_TOKENS = {
    "another scheme": "Basic YTpi",
    "no scheme": "cp_0123456789abcdef_" + "a" * 43,
    "an unknown id": "Bearer cp_0123456789abcdef_" + "a" * 43,
    "not one of ours": "Bearer abc",
    "no secret": "Bearer cp_0123456789abcdef_",
    "letters beyond ASCII": "Bearer cp_0123456789abcdéf_" + "a" * 43,
    "a NUL": "Bearer cp_\x000123456789abcdef",
    "very long": "Bearer " + "a" * 20_000,
}


async def test_no_token_comes_first(client: Clients) -> None:
    """Without a token nothing else is said: not that the thing is missing, nor that the body is none."""
    answer = await client().post("/probe/missing", content=NONSENSE)
    assert_problem(answer, 401, "not_authenticated")
    assert answer.headers["www-authenticate"] == 'Bearer realm="counterpart"'


@pytest.mark.parametrize("what", UNKNOWN_TOKENS)
async def test_unknown_token(client: Clients, what: str) -> None:
    """A token that this node did not make is refused, in the same words whatever is wrong with it."""
    headers = [(b"authorization", UNKNOWN_TOKENS[what].encode("utf-8"))]
    answer = await client().post("/probe/missing", content=NONSENSE, headers=headers)
    code = "token_not_valid" if UNKNOWN_TOKENS[what].startswith("Bearer ") else "not_authenticated"
    assert_problem(answer, 401, code)


async def test_wrong_secret(client: Clients) -> None:
    """The id of a real token with another secret opens nothing."""
    name, token_id, _secret = client.tokens["duty_officer"].split("_", 2)
    forged = {"Authorization": f"Bearer {name}_{token_id}_{'A' * 43}"}
    answer = await client().get("/v1/me", headers=forged)
    assert_problem(answer, 401, "token_not_valid")
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_revoked_token(client: Clients, runtime: Runtime, now: datetime) -> None:
    """A token lets in until it is revoked, and from then on no more."""
    officer = client("duty_officer")
    assert (await officer.get("/v1/me")).status_code == 200
    async with begin(runtime.engine) as session:
        await revoke_token(session, runtime.node, client.tokens["duty_officer"].split("_")[1], now=now)
    assert_problem(await officer.get("/v1/me"), 401, "token_not_valid")


@pytest.mark.parametrize(("lasts", "status"), [(timedelta(seconds=1), 200), (timedelta(seconds=-1), 401)])
async def test_token_ends(client: Clients, runtime: Runtime, now: datetime, lasts: timedelta, status: int) -> None:
    """A token is good until the moment it ends."""
    made = now - timedelta(days=1)
    async with begin(runtime.engine) as session:
        acting = Acting(session, runtime.node, SYSTEM, made)
        person = await enrol_person(acting, name="Duty officer 9", role=Role.DUTY_OFFICER, agency_id=None)
        created = await create_token(session, runtime.node, person.id, expires_at=now + lasts, now=made)
    answer = await client().get("/v1/me", headers={"Authorization": f"Bearer {created.secret}"})
    assert answer.status_code == status


async def test_404_before_403_and_body(client: Clients) -> None:
    """What is not there is not there, whoever asks and whatever they send."""
    for seat in ("agency_viewer", "duty_officer"):
        answer = await client(seat).post("/probe/missing", content=NONSENSE, headers={**new_key(), **JSON})
        assert_problem(answer, 404, "not_found")


async def test_403_before_409_and_body(client: Clients) -> None:
    """Who may not act learns nothing of the state and gets no lesson in JSON."""
    for content in (NONSENSE, b'{"generation": 7}'):
        answer = await client("agency_officer").post("/probe/here", content=content, headers={**new_key(), **JSON})
        assert_problem(answer, 403, "role_not_allowed")


async def test_stale_before_422(client: Clients) -> None:
    """A stale generation is told with the present form, before the rest of the body is judged."""
    answer = await client("duty_officer").post("/probe/here", json={"generation": 7}, headers=new_key())
    assert assert_problem(answer, 409, "stale_generation")["current"] == {"generation": 8}


async def test_key_is_required_of_the_known(client: Clients) -> None:
    """A command without a key is refused, though only after the caller is known."""
    answer = await client("duty_officer").post("/probe/here", json=GOOD)
    assert_problem(answer, 400, "idempotency_key_required")
    assert_problem(await client().post("/probe/here", json=GOOD), 401, "not_authenticated")


async def test_role_of_a_whole_route(client: Clients) -> None:
    """Who may not use a route at all is told so."""
    assert_problem(await client("duty_officer").get("/v1/monitoring/overview"), 403, "role_not_allowed")
    assert_problem(await client("agency_officer").get("/v1/monitoring/version"), 403, "role_not_allowed")
    for seat in ("monitor", "supervisor", "administrator"):
        assert (await client(seat).get("/v1/monitoring/version")).status_code == 200


async def test_framework_errors_are_problems(client: Clients) -> None:
    """What the framework refuses is refused in our form: no such address, no such method, a bad query."""
    officer = client("duty_officer")
    assert_problem(await officer.get("/v1/nothing"), 404, "not_found")
    assert_problem(await officer.get("/v1/me/"), 404, "not_found")
    answer = await officer.delete("/v1/me")
    assert_problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET"
    problem = assert_problem(await officer.get("/v1/events", params={"limit": "Erika"}), 422, "parameters_invalid")
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [("?limit", "wrong_type")]


async def test_unknown_parameter_is_refused(client: Clients) -> None:
    """A misspelt filter is refused by name: passed over, it would show everything as if it had been asked for."""
    answer = await client("duty_officer").get("/v1/events", params={"limit": 5, "aftr": "Erika", "x" * 99: "1"})
    problem = assert_problem(answer, 422, "parameters_invalid")
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [
        ("?aftr", "unknown_parameter"),
        ("?" + "x" * 40, "unknown_parameter"),
    ]
    assert "Erika" not in answer.text
    assert_problem(await client().get("/v1/events?aftr=1"), 401, "not_authenticated")


async def test_unexpected_error_tells_nothing(client: Clients, capsys: pytest.CaptureFixture[str]) -> None:
    """An error nobody foresaw is a problem without details: neither the answer nor our log repeats its text."""
    answer = await client("duty_officer").get("/probe/crash", params={"secret": "Erika"})
    assert_problem(answer, 500, "internal_error")
    assert "Erika" not in answer.text
    told = capsys.readouterr()
    assert answer.headers["x-request-id"] in told.out + told.err
    assert "Erika" not in told.out + told.err


async def test_database_away(client: Clients, gateway: FastAPI, runtime: Runtime) -> None:
    """While the database cannot be reached every command is answered by 503 with the advice to come again."""
    officer = client("duty_officer")
    nowhere = make_engine("postgresql+asyncpg://postgres@/none?host=/nonexistent", pool_size=1, name="nowhere")
    gateway.state.runtime = replace(runtime, engine=nowhere)
    answer = await officer.post("/probe/here", json=GOOD, headers=new_key())
    assert_problem(answer, 503, "storage_unavailable")
    assert answer.headers["retry-after"] == "2"
