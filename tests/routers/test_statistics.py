"""Figures of cooperation over HTTP: who sees them, of which months, and that a month once counted stays as it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from sqlalchemy import delete, insert

from app.db.engine import begin, reading
from app.db.tables_directory import test_call as call_table
from app.db.tables_domestic import timeline
from app.db.tables_exchange import exchange
from app.services.count_months import count_months, must_count
from app.watching import count
from tests.routers.clients import assert_problem

if TYPE_CHECKING:
    from app.runtime import Runtime
    from tests.routers.clients import Clients

PATH = "/v1/monitoring/statistics"
MARCH = datetime(2026, 3, 10, 8, tzinfo=UTC)
ROAD = (("delivered", 0), ("acknowledge", 1), ("not_executable", 5))
"""What happened to each exchange of the tests, and after how many hours."""


async def opened(runtime: Runtime, at: datetime, number: int, *, is_test: bool = False) -> None:
    """So many exchanges that XT opened towards us, which ended with N-EXPIRED within hours."""
    document = {"language": "en", "is_test": is_test}
    sent = (at - timedelta(seconds=30)).isoformat()
    async with begin(runtime.engine) as session:
        for _ in range(number):
            id_ = uuid4()
            row: dict[str, Any] = {
                "id": id_, "direction": "incoming", "requesting": "XT", "requested": "XA", "type": "PRESERVATION",
                "tier": "ROUTINE", "state": "NOT_EXECUTABLE", "generation": 3, "request_reference": "XT-2026-7K3QF9D",
                "opening": {"document": document, "tier": "URGENT", "opened_at": sent},
                "body": {"snapshot": {"reason": "N-EXPIRED", "holds": [], "traffic_paths": []}},
                "not_understood": [], "undeliverable": False, "created_at": at, "updated_at": at,
            }  # fmt: skip
            await session.execute(insert(exchange).values(**row))
            for event, hours in ROAD:
                line = {"at": at + timedelta(hours=hours), "party": "XT", "actor": "XT", "event": event}
                await session.execute(
                    insert(timeline).values(subject_id=id_, detail={}, for_agency=False, **line),
                )


async def called(runtime: Runtime, number: int) -> None:
    """So many test calls to XT in March, each answered."""
    rows = [
        {"id": uuid4(), "peer": "XT", "direction": "outgoing", "kind": "PING", "planned_at": MARCH}
        | {"called_at": MARCH, "due_at": MARCH + timedelta(minutes=15), "answered_at": MARCH + timedelta(minutes=2)}
        for _ in range(number)
    ]
    async with begin(runtime.engine) as session:
        await session.execute(insert(call_table), rows)


async def read(client: Clients, **query: str) -> dict[str, Any]:
    """What a monitor reads."""
    answer = await client("monitor").get(PATH, params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def by_measure(shown: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The figures by their measure; each measure may come once."""
    found = {one["measure"]: one for one in shown["figures"]}
    assert len(found) == len(shown["figures"])
    return found


@pytest.fixture
async def of_march(runtime: Runtime) -> None:
    """Six real exchanges and five test calls in March, tests among both months, four real ones in April; counted."""
    await opened(runtime, MARCH, 6)
    await opened(runtime, MARCH, 7, is_test=True)
    await opened(runtime, MARCH + timedelta(days=30), 4)
    await called(runtime, 5)
    await count(runtime)


@pytest.mark.usefixtures("of_march")
async def test_figures_of_a_month(client: Clients) -> None:
    """Openings, times and outcomes of the real cases; calls apart; what is small is withheld; the directory's age."""
    shown = await read(client)
    assert (shown["first_month"], shown["final_month"], shown["least"]) == ("2025-01", "2026-10", 5)
    found = by_measure(shown)
    assert set(found) == {"opened", "receipt", "acknowledgement", "first_substance", "result", "test_call"}
    assert {one["count"] for name, one in found.items() if name != "test_call"} == {6}
    result = found["result"]
    assert (result["direction"], result["contact_point"]) == ("incoming", "XT")
    assert (result["first_month"], result["last_month"]) == ("2026-01", "2026-03")
    assert result["times"] == {"median_seconds": 18000, "p95_seconds": None}
    assert found["receipt"]["times"]["median_seconds"] == 30
    assert result["mixes"] == {
        "outcome": [{"value": "N-EXPIRED", "count": 6}],
        "type": [{"value": "PRESERVATION", "count": 6}],
    }
    assert found["opened"]["mixes"]["tier"] == [{"value": "URGENT", "count": 6}], "as it was opened"
    assert found["opened"]["mixes"]["language"] == [{"value": "read_there", "count": 6}]
    assert found["test_call"]["mixes"]["outcome"] == [{"value": "answered", "count": 5}]
    assert {one["contact_point"]: one["stale"] for one in shown["directory"]} == dict.fromkeys(
        ("XA", "XT", "XS"), False
    )


@pytest.mark.usefixtures("of_march")
async def test_a_counted_month_stays(client: Clients, runtime: Runtime) -> None:
    """What comes to be known of it later, and the erasure of its cases, change nothing: nothing can be subtracted."""
    before = (await read(client))["figures"]
    await opened(runtime, MARCH, 3)
    async with begin(runtime.engine) as session:
        await session.execute(delete(timeline).where(timeline.c.at < MARCH + timedelta(days=20)))
        assert not await must_count(session, now=runtime.clock())
        assert not await count_months(session, runtime.node, now=runtime.clock()), "another process has counted it"
    await count(runtime)
    assert (await read(client))["figures"] == before
    assert before, "the control: there is something to change"


@pytest.mark.usefixtures("of_march")
async def test_months_asked_for(client: Clients) -> None:
    """Only periods that lie in what was asked for, never other ones: the choice of months makes no difference."""
    everything = (await read(client))["figures"]
    assert (await read(client, **{"from": "2026-01", "to": "2026-03"}))["figures"] == everything
    assert (await read(client, **{"from": "2026-02", "to": "2026-03"}))["figures"] == []
    assert (await read(client, to="2026-02"))["figures"] == []
    for query in ({"from": "2026-03", "to": "2026-02"}, {"from": "2024-12"}, {"from": "2026-13"}, {"to": "March"}):
        assert_problem(await client("monitor").get(PATH, params=query), 422, "parameters_invalid")


@pytest.mark.usefixtures("of_march")
async def test_figures_as_lines(client: Clients) -> None:
    """The same as CSV: one line per figure, one per part."""
    answer = await client("registrar").get(PATH, params={"format": "csv"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    lines = answer.text.splitlines()
    assert lines[0].startswith("measure,direction,contact_point,first_month")
    assert "result,incoming,XT,2026-01,2026-03,,,6,18000," in lines
    assert "result,incoming,XT,2026-01,2026-03,outcome,N-EXPIRED,6,," in lines


async def test_who_reads_figures(client: Clients, runtime: Runtime) -> None:
    """Monitoring roles and the registrar; nobody of an agency. Before the first count there is none."""
    for seat in ("agency_officer", "agency_viewer", "duty_officer", "auditor"):
        assert_problem(await client(seat).get(PATH), 403, "role_not_allowed")
    for seat in ("monitor", "supervisor", "registrar", "administrator"):
        answer = (await client(seat).get(PATH)).json()
        assert (answer["final_month"], answer["figures"]) == (None, [])
    async with reading(runtime.engine) as session:
        assert await must_count(session, now=runtime.clock())
