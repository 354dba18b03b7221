"""What a client sends: what cannot be read, and what breaks a rule, is refused by name and leaves nothing behind."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, NamedTuple

import pytest
from sqlalchemy import text
from starlette.requests import Request

from app.db.engine import reading
from app.routers.bodies import MAX_BODY_BYTES, read_body
from tests.routers.clients import assert_problem, new_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import Message

    from app.runtime import Runtime
    from tests.routers.clients import Clients

JSON = {"Content-Type": "application/json"}
SECRET = "Erika Mustermann"
FOUNDING = {"action": "found", "id": "coastguard", "name": "Coast Guard"}


class Unreadable(NamedTuple):
    """A body, how it is announced, and how it is refused."""

    content: bytes
    status: int
    code: str
    headers: dict[str, str] = JSON


def as_bytes(document: object) -> bytes:
    """A body without the niceties of a client."""
    return json.dumps(document).encode()


UNREADABLE = {
    "nothing at all": Unreadable(b"", 400, "body_missing"),
    "not JSON": Unreadable(f"name={SECRET}".encode(), 400, "not_json"),
    "JSON cut off": Unreadable(as_bytes(FOUNDING)[:-1], 400, "not_json"),
    "two documents": Unreadable(as_bytes(FOUNDING) * 2, 400, "not_json"),
    "invalid UTF-8": Unreadable(b'{"name": "\xff\xfe"}', 400, "not_utf8"),
    "UTF-16": Unreadable(json.dumps(FOUNDING).encode("utf-16"), 400, "not_utf8"),
    "a byte order mark": Unreadable(b"\xef\xbb\xbf" + as_bytes(FOUNDING), 400, "bad_characters"),
    "a NUL": Unreadable(b'{"name": "a\\u0000b"}', 400, "bad_characters"),
    "half a surrogate pair": Unreadable(b'{"name": "\\ud800"}', 400, "bad_characters"),
    "a member twice": Unreadable(b'{"action": "found", "action": "close"}', 400, "duplicate_member"),
    "NaN": Unreadable(b'{"generation": NaN}', 400, "not_finite"),
    "a number beyond all doubles": Unreadable(b'{"generation": 1e999}', 400, "not_finite"),
    "an integer beyond 2^53": Unreadable(b'{"generation": 9007199254740993}', 400, "integer_too_large"),
    "an integer of ten thousand digits": Unreadable(
        b'{"generation": ' + b"9" * 10_000 + b"}", 400, "integer_too_large"
    ),
    "nested too deeply": Unreadable(b"[" * 100 + b"]" * 100, 400, "too_deep"),
    "nested far too deeply": Unreadable(b"[" * 100_000 + b"]" * 100_000, 400, "too_deep"),
    "one byte too many": Unreadable(b'"' + b"a" * (MAX_BODY_BYTES - 1) + b'"', 413, "body_too_large"),
    "ten megabytes": Unreadable(b" " * 10_000_000, 413, "body_too_large"),
    "a form": Unreadable(b"a=b", 415, "content_type_not_json", {"Content-Type": "application/x-www-form-urlencoded"}),
    "plain text": Unreadable(as_bytes(FOUNDING), 415, "content_type_not_json", {"Content-Type": "text/plain"}),
    "another charset": Unreadable(
        as_bytes(FOUNDING), 415, "content_type_not_json", {"Content-Type": "application/json; charset=latin-1"}
    ),
    "no type": Unreadable(as_bytes(FOUNDING), 415, "content_type_not_json", {}),
    "a type that is none": Unreadable(as_bytes(FOUNDING), 415, "content_type_not_json", {"Content-Type": ";;;"}),
    "compressed": Unreadable(
        as_bytes(FOUNDING), 415, "content_encoding_not_supported", {**JSON, "Content-Encoding": "gzip"}
    ),
    "an absurd length": Unreadable(as_bytes(FOUNDING), 413, "body_too_large", {**JSON, "Content-Length": "9" * 40}),
}


class Invalid(NamedTuple):
    """A JSON body that breaks one rule: what is changed in a good one, where that is pointed at, and by which code."""

    change: dict[str, object]
    pointer: str
    code: str


ABSENT = object()
INVALID = {
    "a member is missing": Invalid({"name": ABSENT}, "/name", "missing"),
    "a member nobody knows": Invalid({"nmae": SECRET}, "/nmae", "unknown_field"),
    "a member with a slash": Invalid({"a/b~c": SECRET}, "/a~1b~0c", "unknown_field"),
    "a number for text": Invalid({"name": 7}, "/name", "wrong_type"),
    "text for a number": Invalid({"generation": "7"}, "/generation", "wrong_type"),
    "a fraction for a whole number": Invalid({"generation": 1.5}, "/generation", "wrong_type"),
    "null for text": Invalid({"name": None}, "/name", "wrong_type"),
    "too long": Invalid({"name": SECRET * 10}, "/name", "too_long"),
    "too short": Invalid({"name": ""}, "/name", "too_short"),
    "of another form": Invalid({"id": "Erika"}, "/id", "malformed"),
    "below the range": Invalid({"generation": 0}, "/generation", "out_of_range"),
    "another word than the listed": Invalid({"action": SECRET}, "/action", "unknown_value"),
    "a time without offset": Invalid({"since": "2026-11-22T09:30:00"}, "/since", "not_a_time"),
    "a day for a time": Invalid({"since": "2026-11-22"}, "/since", "not_a_time"),
    "a number for a time": Invalid({"since": 1700000000}, "/since", "not_a_time"),
    "digits for a time": Invalid({"since": "1700000000"}, "/since", "not_a_time"),
    "a month that does not exist": Invalid({"since": "2026-13-22T09:30:00Z"}, "/since", "not_a_time"),
}


async def nothing_stored(runtime: Runtime) -> bool:
    """Whether no command left anything."""
    async with reading(runtime.engine) as session:
        found = "SELECT (SELECT count(*) FROM idempotency) + (SELECT count(*) FROM agency WHERE id = 'coastguard')"
        return bool(await session.scalar(text(found)) == 0)


@pytest.mark.parametrize("what", UNREADABLE)
async def test_unreadable_body_is_refused(client: Clients, runtime: Runtime, what: str) -> None:
    """A body that cannot be read is refused with the status and code of what is wrong, and nothing is stored."""
    case = UNREADABLE[what]
    answer = await client("duty_officer").post(
        "/probe/here", content=case.content, headers={**new_key(), **case.headers}
    )
    assert_problem(answer, case.status, case.code)
    assert SECRET not in answer.text
    assert await nothing_stored(runtime)


@pytest.mark.parametrize("what", INVALID)
async def test_broken_rule_is_pointed_at(client: Clients, runtime: Runtime, what: str) -> None:
    """A member that breaks a rule is named by pointer and code; its value is not repeated, and nothing is stored."""
    case = INVALID[what]
    document = {name: value for name, value in {**FOUNDING, **case.change}.items() if value is not ABSENT}
    answer = await client("duty_officer").post("/probe/here", json=document, headers=new_key())
    problem = assert_problem(answer, 422, "document_invalid")
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [(case.pointer, case.code)]
    assert SECRET not in answer.text
    assert await nothing_stored(runtime)


async def test_not_an_object(client: Clients) -> None:
    """A body that must be an object and is another value is refused at its root."""
    answer = await client("duty_officer").post("/probe/here", json=[FOUNDING], headers=new_key())
    problem = assert_problem(answer, 422, "document_invalid")
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [("", "wrong_type")]


async def test_chunks_are_counted(client: Clients, runtime: Runtime) -> None:
    """A body without a declared length is cut off at the limit, and not read to its end."""
    sent = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1_000):
            sent += 10_000
            yield b" " * 10_000

    answer = await client("duty_officer").post("/probe/here", content=chunks(), headers={**new_key(), **JSON})
    assert_problem(answer, 413, "body_too_large")
    assert sent < MAX_BODY_BYTES + 100_000
    assert await nothing_stored(runtime)


async def test_good_body_at_the_limit(client: Clients) -> None:
    """A body of exactly the allowed size is read."""
    content = as_bytes(FOUNDING).ljust(MAX_BODY_BYTES)
    answer = await client("duty_officer").post("/probe/here", content=content, headers={**new_key(), **JSON})
    assert answer.status_code == 201


async def test_many_faults_are_not_all_told(client: Clients) -> None:
    """A body wrong in five thousand places is answered with the first hundred of them."""
    document = FOUNDING | {f"m{number}": SECRET for number in range(5_000)}
    answer = await client("duty_officer").post("/probe/here", json=document, headers=new_key())
    assert len(assert_problem(answer, 422, "document_invalid")["errors"]) == 100


async def test_slow_body_is_given_up() -> None:
    """A body that does not arrive in time is given up; the same client with time enough is heard."""

    async def drip() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send_at_once() -> Message:
        return {"type": "http.request", "body": as_bytes(FOUNDING), "more_body": False}

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"content-type", b"application/json")]}
    slow = await read_body(Request(scope, drip), seconds=0.01)
    assert slow.fault is not None
    assert slow.fault.code == "body_too_slow"
    assert (await read_body(Request(scope, send_at_once), seconds=0.01)).json() == FOUNDING


async def test_interrupted_body_is_none() -> None:
    """A body whose connection ended before it did is not taken for the whole."""

    async def leave() -> Message:
        return {"type": "http.disconnect"}

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"content-type", b"application/json")]}
    body = await read_body(Request(scope, leave))
    assert body.fault is not None
    assert body.fault.code == "body_incomplete"
