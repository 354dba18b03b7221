"""The audit interface: what an auditor gets verifies without us, and nobody else gets it."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from app.audit.checkpoint import open_checkpoint
from app.audit.merkle import verify_consistency
from app.audit.note import VerifierKey, verifier_key
from app.audit.proof import verify_proof
from app.db import audit_reading
from app.db.engine import reading
from app.workers import sequence, start_log
from tests.audit.samples import tree_of
from tests.routers.clients import assert_problem, new_key
from tests.support.postgres import SEQUENCER

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    import httpx

    from app.runtime import Runtime
    from tests.routers.clients import Clients

UNKNOWN = "0193523a-7a00-7000-8000-00000000ffff"
QUERIES = (
    "/v1/audit/checkpoint",
    f"/v1/audit/proofs?event_id={UNKNOWN}",
    "/v1/audit/consistency?from=1&to=2",
    "/v1/audit/events",
)


@pytest.fixture
def publish(runtime: Runtime) -> Callable[[], Awaitable[None]]:
    """Give everything recorded so far its place and publish it, as the sequencer's loop would."""
    working = replace(runtime, log_writer=replace(runtime.log_writer, role=SEQUENCER))

    async def rounds() -> None:
        await start_log(working)
        while await sequence(working):
            continue

    return rounds


@pytest.fixture
async def log(runtime: Runtime, tokens: Mapping[str, str], publish: Callable[[], Awaitable[None]]) -> VerifierKey:
    """The log of XA with everything the seeding recorded, published; its key."""
    await publish()
    return verifier_key(runtime.log_writer.origin, runtime.log_writer.key)


@pytest.fixture
async def case(client: Clients) -> str:
    """An exchange that the duty officer noted from a call."""
    exchange_id = str(uuid4())
    call = {"exchange_id": exchange_id, "requesting": "XT", "type": "PRESERVATION", "noted": "Asked for by telephone."}
    answer = await client("duty_officer").post("/v1/exchanges", json=call, headers=new_key())
    assert answer.status_code == 201, answer.text
    return exchange_id


async def everything(auditor: httpx.AsyncClient, path: str) -> list[dict[str, Any]]:
    """All entries of a list, page by page, by its `Link` headers."""
    found: list[dict[str, Any]] = []
    following: str | None = f"{path}?limit=5"
    while following is not None:
        answer = await auditor.get(following)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page["data"]
        following = answer.links["next"]["url"] if page["next"] else None
    return found


async def test_every_listed_entry_is_proven(client: Clients, log: VerifierKey) -> None:
    """For each entry of the list, `leaf` and the proof of `id` verify under the log's key, at the listed index."""
    auditor = client("auditor")
    entries = await everything(auditor, "/v1/audit/events")
    assert [entry["index"] for entry in entries] == list(range(len(entries)))
    assert entries[0]["type"] == "log.opened"
    for entry in entries[:12]:
        answer = await auditor.get("/v1/audit/proofs", params={"event_id": entry["id"]})
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        index, checkpoint = verify_proof(answer.text, entry["leaf"].encode(), log=log)
        assert (index, checkpoint.size) == (entry["index"], len(entries))


async def test_an_entry_shows_what_its_leaf_says(client: Clients, log: VerifierKey) -> None:
    """The members beside `leaf` are read from it, so nobody has to trust the listing."""
    for entry in await everything(client("auditor"), "/v1/audit/events"):
        leaf = json.loads(entry["leaf"])
        assert {name: entry[name] for name in ("id", "at", "type", "actor", "log")} == {
            name: leaf[name] for name in ("id", "at", "type", "actor", "log")
        }
        assert (entry["thread"], entry["jti"], entry["peer"]) == (leaf.get("thread"), leaf.get("jti"), leaf.get("peer"))
        assert entry["commitments"] == {item["f"]: item["v"] for item in leaf["c"]}


async def test_two_checkpoints_are_consistent(
    client: Clients, log: VerifierKey, case: str, publish: Callable[[], Awaitable[None]]
) -> None:
    """A checkpoint kept from before is proven to be the beginning of the one served later."""
    auditor = client("auditor")
    kept = open_checkpoint((await auditor.get("/v1/audit/checkpoint")).text, log).checkpoint
    await publish()
    newer = open_checkpoint((await auditor.get("/v1/audit/checkpoint")).text, log).checkpoint
    assert newer.size > kept.size
    answer = await auditor.get("/v1/audit/consistency", params={"from": kept.size, "to": newer.size})
    assert answer.json()["from"] == kept.size
    proof = [base64.b64decode(part) for part in answer.json()["proof"]]
    verify_consistency(kept.size, newer.size, proof=proof, old_root=kept.root, new_root=newer.root)


async def test_the_checkpoint_is_the_root_over_the_listed_leaves(client: Clients, log: VerifierKey) -> None:
    """Whoever lists all entries can compute the root alone."""
    auditor = client("auditor")
    leaves = [entry["leaf"].encode() for entry in await everything(auditor, "/v1/audit/events")]
    checkpoint = open_checkpoint((await auditor.get("/v1/audit/checkpoint")).text, log).checkpoint
    assert (checkpoint.size, checkpoint.root) == (len(leaves), tree_of(leaves).roots[-1])


@pytest.mark.parametrize("path", [*QUERIES, f"/v1/exchanges/{UNKNOWN}/audit"])
async def test_nobody_reads_the_log_without_a_token(client: Clients, path: str) -> None:
    """Without a token every path of the audit answers 401."""
    assert_problem(await client().get(path), 401, "not_authenticated")


@pytest.mark.parametrize("seat", ["agency_officer", "duty_officer", "supervisor", "monitor", "administrator"])
async def test_only_auditors_read_the_log(client: Clients, log: VerifierKey, case: str, seat: str) -> None:
    """Every other role is refused, alike for what is there and what is not: nobody learns that there is an exchange."""
    for path in (*QUERIES, f"/v1/exchanges/{case}/audit", f"/v1/exchanges/{UNKNOWN}/audit"):
        assert_problem(await client(seat).get(path), 403, "role_not_allowed")


async def test_what_is_not_there_or_not_sensible_is_told(client: Clients, log: VerifierKey) -> None:
    """Unknown events and exchanges, sizes out of range, foreign cursors: each a problem that names the parameter."""
    auditor = client("auditor")
    for path, status, code in (
        (f"/v1/audit/proofs?event_id={UNKNOWN}", 404, "event_unknown"),
        (f"/v1/exchanges/{UNKNOWN}/audit", 404, "not_found"),
        ("/v1/exchanges/no-uuid/audit", 404, "not_found"),
        ("/v1/audit/consistency?from=1&to=9999999", 422, "sizes_out_of_range"),
        ("/v1/audit/consistency?from=3&to=2", 422, "sizes_out_of_range"),
        ("/v1/audit/consistency?from=0&to=2", 422, "parameters_invalid"),
        (f"/v1/audit/consistency?from=1&to={'9' * 30}", 422, "parameters_invalid"),
        ("/v1/audit/consistency", 422, "parameters_invalid"),
        ("/v1/audit/proofs", 422, "parameters_invalid"),
        ("/v1/audit/proofs?event_id=x", 422, "parameters_invalid"),
        ("/v1/audit/events?cursor=***", 422, "parameters_invalid"),
        ("/v1/audit/events?cursor=AAAA", 422, "parameters_invalid"),
        ("/v1/audit/events?limit=0", 422, "parameters_invalid"),
    ):
        problem = assert_problem(await auditor.get(path), status, code)
        assert (status != 422) or problem["errors"][0]["pointer"].startswith("?"), path


async def test_before_the_first_checkpoint_the_answer_is_to_come_back(client: Clients) -> None:
    """A log that is not published yet answers 503 with the time to wait, and lists nothing."""
    auditor = client("auditor")
    answer = await auditor.get("/v1/audit/checkpoint")
    assert_problem(answer, 503, "not_yet_published")
    assert answer.headers["retry-after"] == "2"
    assert (await auditor.get("/v1/audit/events")).json() == {"data": [], "next": None}


async def test_the_trail_of_an_exchange_is_shown_with_its_contents(
    client: Clients, case: str, publish: Callable[[], Awaitable[None]]
) -> None:
    """The auditor sees who did what in this exchange, opened, each entry in the log and none of another case."""
    await publish()
    entries = await everything(client("auditor"), f"/v1/exchanges/{case}/audit")
    assert {entry["thread"] for entry in entries} == {case}
    (noted,) = [entry for entry in entries if entry["type"] == "case.changed"]
    assert noted["contents"]["change"]["event"] == "noted"
    assert noted["actor"].startswith("u:")
    assert all(entry["erased"] == entry["altered"] == [] for entry in entries)


async def test_reading_a_trail_is_recorded_once(
    client: Clients, runtime: Runtime, case: str, publish: Callable[[], Awaitable[None]]
) -> None:
    """Each auditor who opens the trail leaves one fact within 15 minutes, under a pseudonym; lists leave none."""
    auditor = client("auditor")
    for _ in range(3):
        assert (await auditor.get(f"/v1/exchanges/{case}/audit")).status_code == 200
        assert (await auditor.get("/v1/audit/events")).status_code == 200
    await publish()
    pseudonym = (await auditor.get("/v1/me")).json()["pseudonym"]
    async with reading(runtime.engine) as session:
        leaves = await audit_reading.published_leaves(session, after=audit_reading.START, limit=1000)
    seen = [json.loads(leaf.leaf) for leaf in leaves]
    viewed = [(leaf["actor"], leaf["thread"]) for leaf in seen if leaf["type"] == "case.viewed"]
    assert viewed == [(pseudonym, case)]


async def test_erased_and_altered_contents_are_told_apart(
    client: Clients, owner_url: str, case: str, publish: Callable[[], Awaitable[None]]
) -> None:
    """Content that was deleted is named as erased, content that no longer fits its commitment as altered."""
    await publish()
    auditor = client("auditor")

    async def change() -> dict[str, Any]:
        entries = (await auditor.get(f"/v1/exchanges/{case}/audit")).json()["data"]
        (changed,) = [entry for entry in entries if entry["type"] == "case.changed"]
        return {name: changed[name] for name in ("contents", "erased", "altered")}

    owner = create_async_engine(owner_url)
    for statement, found in (
        ("UPDATE commitment SET body = '\"x\"'", {"contents": {}, "erased": [], "altered": ["change"]}),
        ("DELETE FROM commitment", {"contents": {}, "erased": ["change"], "altered": []}),
    ):
        async with owner.begin() as connection:
            await connection.execute(text("SET LOCAL session_replication_role = replica"))
            await connection.execute(text(statement))
        assert await change() == found
    await owner.dispose()
