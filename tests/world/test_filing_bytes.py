"""Filing over HTTP: bytes that are no document, and documents whose meaning two readers could dispute."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

import pytest

from app.domain.codes import RequestType
from app.routers.bodies import MAX_BODY_BYTES
from tests.routers.clients import assert_problem, new_key
from tests.world.documents import CANARY, document, put

if TYPE_CHECKING:
    from tests.support.world import World
    from tests.world.ledger import Ledger

GOOD = document(RequestType.PRESERVATION, facts_summary=f"{CANARY}. " + "An unknown person signed in. " * 3)
JSON = {"Content-Type": "application/json"}


def text(value: object) -> bytes:
    """A document as bytes, nothing escaped that need not be."""
    return json.dumps(value, ensure_ascii=False).encode()


def with_facts(written: bytes) -> bytes:
    """The document whose summary of facts is these bytes between quotes."""
    return text(GOOD).replace(CANARY.encode(), CANARY.encode() + written)


class Bytes(NamedTuple):
    """What is sent, and how it is refused."""

    sent: bytes
    status: int
    code: str
    headers: dict[str, str] = JSON


TEN_MEGABYTES = text(GOOD | {"special_procedures": CANARY * (10_000_000 // len(CANARY))})

BYTES = {
    "nothing": Bytes(b"", 400, "body_missing"),
    "blanks": Bytes(b" \n\t ", 400, "not_json"),
    "a form": Bytes(f"type=PRESERVATION&facts={CANARY}".encode(), 400, "not_json"),
    "a document cut off": Bytes(text(GOOD)[:-1], 400, "not_json"),
    "a document and more": Bytes(text(GOOD) + b"{}", 400, "not_json"),
    "single quotes": Bytes(text(GOOD).replace(b'"', b"'"), 400, "not_json"),
    "a comment": Bytes(b"// " + CANARY.encode() + b"\n" + text(GOOD), 400, "not_json"),
    "a comma too many": Bytes(text(GOOD)[:-1] + b",}", 400, "not_json"),
    "a line break in a text": Bytes(with_facts(b"\n"), 400, "not_json"),
    "invalid UTF-8": Bytes(with_facts(b"\xff"), 400, "not_utf8"),
    "UTF-8 that is too long for its character": Bytes(with_facts(b"\xc0\xaf"), 400, "not_utf8"),
    "half a surrogate pair as bytes": Bytes(with_facts(b"\xed\xa0\x80"), 400, "not_utf8"),
    "UTF-16": Bytes(json.dumps(GOOD).encode("utf-16"), 400, "not_utf8"),
    "a byte order mark": Bytes(b"\xef\xbb\xbf" + text(GOOD), 400, "bad_characters"),
    "a NUL, escaped": Bytes(with_facts(b"\\u0000"), 400, "bad_characters"),
    "a NUL as byte": Bytes(with_facts(b"\x00"), 400, "not_json"),
    "half a surrogate pair, escaped": Bytes(with_facts(b"\\ud800"), 400, "bad_characters"),
    "the other half first": Bytes(with_facts(b"\\udc00\\ud800"), 400, "bad_characters"),
    "half a surrogate pair in a member's name": Bytes(b'{"\\ud800": 1, ' + text(GOOD)[1:], 400, "bad_characters"),
    "a member twice": Bytes(b'{"requested": "XS", ' + text(GOOD)[1:], 400, "duplicate_member"),
    "a member twice, once escaped": Bytes(b'{"\\u0072equested": "XS", ' + text(GOOD)[1:], 400, "duplicate_member"),
    "a member twice, far inside": Bytes(
        text(GOOD).replace(b'"type": "ipv4"', b'"type": "ipv4", "type": "ipv6"'), 400, "duplicate_member"
    ),
    "NaN": Bytes(text(put(GOOD, "/requested_period_days", float("nan"))), 400, "not_finite"),
    "Infinity": Bytes(text(put(GOOD, "/requested_period_days", float("inf"))), 400, "not_finite"),
    "a number beyond all doubles": Bytes(
        text(GOOD).replace(b'"requested_period_days": 90', b'"requested_period_days": 9e999'), 400, "not_finite"
    ),
    "a number of a million digits": Bytes(
        text(GOOD).replace(b'"requested_period_days": 90', b'"requested_period_days": ' + b"9" * 200_000),
        400,
        "integer_too_large",
    ),
    "a hundred thousand brackets": Bytes(b"[" * 100_000 + b"]" * 100_000, 400, "too_deep"),
    "brackets that never close": Bytes(b'{"a":' * 40_000, 400, "too_deep"),
    "nesting inside a member": Bytes(
        text(put(GOOD, "/special_procedures", json.loads("[" * 40 + "]" * 40))), 400, "too_deep"
    ),
    "ten megabytes": Bytes(TEN_MEGABYTES, 413, "body_too_large"),
    "one byte more than is taken": Bytes(b" " * (MAX_BODY_BYTES + 1), 413, "body_too_large"),
    "a list": Bytes(text([GOOD]), 422, "document_invalid"),
    "a text": Bytes(text(CANARY), 422, "document_invalid"),
    "null": Bytes(b"null", 422, "document_invalid"),
    "another type of content": Bytes(text(GOOD), 415, "content_type_not_json", {"Content-Type": "text/json"}),
    "another alphabet": Bytes(
        text(GOOD), 415, "content_type_not_json", {"Content-Type": "application/json; charset=latin-1"}
    ),
    "no type of content": Bytes(text(GOOD), 415, "content_type_not_json", {}),
    "compressed": Bytes(text(GOOD), 415, "content_encoding_not_supported", JSON | {"Content-Encoding": "gzip"}),
}


@pytest.mark.parametrize("query", ["", "?validate_only=true"])
async def test_no_byte_of_it_is_taken(world: World, ledger: Ledger, query: str) -> None:
    """What is no JSON document of one meaning is refused by a code of its own, unrepeated, and nothing is stored."""
    await ledger.calm()
    before = await ledger.counts("XA")
    token = world["XA"].tokens["agency_officer"]
    for what, case in BYTES.items():
        headers = {"Authorization": f"Bearer {token}", **new_key(), **case.headers}
        answer = await world["XA"].http.post(f"/v1/requests{query}", content=case.sent, headers=headers)
        problem = assert_problem(answer, case.status, case.code)
        assert CANARY not in answer.text, what
        assert problem["detail"], what
    assert await ledger.counts("XA") == before


async def test_deep_but_lawful_nesting_is_looked_at(world: World) -> None:
    """Nesting that can be read is answered as a document, with the pointer of what is wrong in it."""
    body = put(GOOD, "/special_procedures", json.loads("[" * 20 + "]" * 20))
    answer = await world["XA"].as_("agency_officer").post("/v1/requests", body)
    problem = assert_problem(answer, 422, "invalid_document")
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [("/special_procedures", "wrong_type")]


async def test_very_many_faults_are_not_all_told(world: World) -> None:
    """A body made of faults gets an answer of bounded size, which still repeats nothing but names."""
    body = {"type": "PRESERVATION", **{f"surplus{number}": CANARY for number in range(5_000)}}
    answer = await world["XA"].as_("agency_officer").post("/v1/requests", body)
    problem = assert_problem(answer, 422, "invalid_document")
    assert len(problem["errors"]) < 300
    assert CANARY not in answer.text
