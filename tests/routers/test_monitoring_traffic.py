"""Operational data: one record per message, none missed and none twice, and nothing of what it says."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from tests.routers.clients import assert_problem
from tests.routers.stuck import come_in, publish, put_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.runtime import Runtime
    from tests.routers.clients import Clients

PATH = "/v1/monitoring/operational-data"
MINUTE = timedelta(minutes=1)


async def read(client: Clients, **query: Any) -> dict[str, Any]:  # noqa: ANN401 - values of any query
    """One page."""
    answer = await client("monitor").get(PATH, params=query)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


async def read_all(client: Clients, start: datetime, limit: int) -> list[str]:
    """The ids of all records, page by page, until a page is empty."""
    ids: list[str] = []
    place = start.isoformat()
    while page := await read(client, **{"from": place, "limit": limit}):
        if not page["data"]:
            return ids
        ids += [one["message_id"] for one in page["data"]]
        place = page["next_from"]
    return ids


async def test_the_way_of_a_message(client: Clients, runtime: Runtime, now: datetime) -> None:
    """What was sent: queued, published, confirmed, receipted, how large, how often, and that it succeeded."""
    since = now - 10 * MINUTE
    await put_out(
        runtime,
        since,
        next_at=None,
        confirmed_at=since,
        jws="x" * 300,
        jws_kid="k",
        jws_hash="h",
        copy=1,
        receipted_at=since + timedelta(seconds=2),
        receipt_status="stored",
        left_at=since,
        left_by="receipt",
    )
    await publish(runtime, since + timedelta(milliseconds=57), since + timedelta(milliseconds=90))
    (record,) = (await read(client))["data"]
    assert record | {"message_id": ""} == {
        "message_id": "",
        "direction": "outgoing",
        "peer": "XT",
        "message_type": "exchange.open/1",
        "lane": "urgent",
        "at": "2026-11-22T09:20:00.000Z",
        "published_at": "2026-11-22T09:20:00.057Z",
        "confirmed_at": "2026-11-22T09:20:00.090Z",
        "receipted_at": "2026-11-22T09:20:02.000Z",
        "processed_at": None,
        "text_bytes": 300,
        "copies": 1,
        "duplicates": 0,
        "succeeded": True,
        "fault_code": None,
        "fault_origin": None,
    }


Outcome = tuple[bool | None, str | None, str | None]
SENT: dict[str, tuple[dict[str, Any], Outcome]] = {
    "waiting": ({}, (None, None, None)),
    "without a queue": ({"trouble": "unroutable"}, (None, "unroutable", "broker")),
    "without a key": ({"trouble": "no_key"}, (None, "no_key", "this_node")),
    "not understood there": (
        {"receipt_status": "quarantined", "receipt_reason": "unknown_type"},
        (False, "unknown_type", "peer"),
    ),
    "held there": ({"receipt_status": "held"}, (True, None, None)),
}
RECEIVED: dict[str, tuple[dict[str, Any], Outcome]] = {
    "applied": ({}, (True, None, None)),
    "refused": ({"state": "refused", "code": "not_yours"}, (False, "not_yours", "this_node")),
    "too late": ({"state": "stale"}, (False, "stale", "this_node")),
    "behind a gap": ({"state": "held"}, (None, None, None)),
    "not understood": ({"state": "quarantined", "code": "unknown_type"}, (None, "unknown_type", "this_node")),
}


async def outcomes(client: Clients, names: Sequence[str]) -> dict[str, Outcome]:
    """How it went, by the names of the cases in the order in which they were stored."""
    found = [(one["succeeded"], one["fault_code"], one["fault_origin"]) for one in (await read(client))["data"]]
    return dict(zip(names, found, strict=True))


async def test_how_sending_went(client: Clients, runtime: Runtime, now: datetime) -> None:
    """Open, succeeded or failed; and where there is a fault, whose word it is."""
    for number, (values, _) in enumerate(SENT.values()):
        await put_out(runtime, now - (20 - number) * MINUTE, **values)
    assert await outcomes(client, list(SENT)) == {case: expected for case, (_, expected) in SENT.items()}


async def test_how_receiving_went(client: Clients, runtime: Runtime, now: datetime) -> None:
    """The same for what came in."""
    for number, (values, _) in enumerate(RECEIVED.values()):
        await come_in(runtime, now - (20 - number) * MINUTE, **values)
    assert await outcomes(client, list(RECEIVED)) == {case: expected for case, (_, expected) in RECEIVED.items()}


async def test_nothing_is_missed_and_nothing_comes_twice(client: Clients, runtime: Runtime, now: datetime) -> None:
    """Whatever the size of a page, also where many messages share a moment, following `next_from` gets each once."""
    start = now - 30 * MINUTE
    ids = []
    for step, many in enumerate((1, 4, 1, 5, 2)):
        for number in range(many):
            ids.append(str(uuid4()))
            into = put_out if number % 2 else come_in
            await into(runtime, start + step * timedelta(microseconds=1), jti=ids[-1])
    for limit in (1, 3, 7, 1_000):
        assert sorted(await read_all(client, start, limit)) == sorted(ids)


async def test_what_may_still_have_a_predecessor_is_not_given_out(
    client: Clients, runtime: Runtime, now: datetime
) -> None:
    """Records of the last minute wait, for a slower transaction may yet commit an earlier one; none is lost by it."""
    await put_out(runtime, now - timedelta(seconds=59))
    page = await read(client)
    assert (page["data"], page["next_from"]) == ([], "2026-11-22T09:29:00.000000Z")


async def test_one_peer_and_one_window(client: Clients, runtime: Runtime, now: datetime) -> None:
    """The window is closed at its beginning and open at its end; a peer leaves the others out."""
    for ago, peer in ((20, "XT"), (10, "XT"), (10, "XS"), (5, "XT")):
        await put_out(runtime, now - ago * MINUTE, peer=peer)
    window = {"from": (now - 10 * MINUTE).isoformat(), "to": (now - 5 * MINUTE).isoformat()}
    assert {one["peer"] for one in (await read(client, **window))["data"]} == {"XT", "XS"}
    page = await read(client, peer="XT", **window)
    assert [one["at"] for one in page["data"]] == ["2026-11-22T09:20:00.000Z"]
    assert page["next_from"] == "2026-11-22T09:25:00.000000Z"


async def test_receipts_and_heartbeats_have_no_record(client: Clients, runtime: Runtime, now: datetime) -> None:
    """They would be two records of three; what they say stands in the records of others, and under peers."""
    for type_ in ("receipt/1", "heartbeat/1"):
        await put_out(runtime, now - 2 * MINUTE, type=type_, thread=None, seq=None)
        await come_in(runtime, now - 2 * MINUTE, type=type_)
    assert (await read(client))["data"] == []


SENSELESS: dict[str, dict[str, str]] = {
    "an end before the beginning": {"from": "2026-11-22T09:00:00Z", "to": "2026-11-22T08:00:00Z"},
    "a time without a zone": {"from": "2026-11-22T09:00:00"},
    "a page of none": {"limit": "0"},
    "a page without end": {"limit": "1001"},
    "a filter there is not": {"thread": "x"},
}


async def test_senseless_questions(client: Clients) -> None:
    """They are refused, and not taken for others."""
    for query in SENSELESS.values():
        assert_problem(await client("monitor").get(PATH, params=query), 422, "parameters_invalid")
