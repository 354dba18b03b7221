"""What a living node tells its desk of its holds while its clock jumps: each thing once, the nearest first."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from app.workers import run_timers
from tests.support.world import seen
from tests.world.holding import DAY, HeldBy, held_by, told, until
from tests.world.journey import expect

if TYPE_CHECKING:
    from tests.support.world import World
    from tests.world.ledger import Ledger

BOTH = ("XA", "XT")
LEFT = timedelta(days=31, hours=12)


def days(events: list[dict[str, Any]]) -> list[int]:
    """The days before the end, event by event."""
    return [int(json.loads(event["data"])["days"]) for event in events]


async def warned(ledger: Ledger, hold: HeldBy, wanted: list[int]) -> None:
    """Wait until both desks were warned of exactly these days, in this order."""
    for code in BOTH:
        look = partial(told, ledger, code, hold.journey.exchange_id, "hold.expiring")
        await seen(look, lambda events: days(events) == wanted, seconds=20)


async def test_warnings_come_once_on_both_sides_whatever_the_clock_does(edge_world: World, edge_ledger: Ledger) -> None:
    """Thirty days before; after a jump the nearest only; a look from scratch repeats nothing; a new end counts anew."""
    hold = await held_by(edge_world, left=LEFT)
    await until(edge_world, hold.end - 30 * DAY + timedelta(seconds=5))
    await warned(edge_ledger, hold, [30])
    await until(edge_world, hold.end - 5 * DAY)
    await warned(edge_ledger, hold, [30, 7])
    for code in BOTH:
        # As after a restart: no loop remembers anything, and every hold is looked at.
        await edge_ledger.value(code, "UPDATE hold SET look_at = updated_at WHERE id = $1 RETURNING 1", hold.id)
        await run_timers(edge_world[code].runtime, {})
    await warned(edge_ledger, hold, [30, 7])
    shown = [(await hold.here())["warnings"], (await hold.there())["warnings"]]
    assert [[one["days"] for one in warnings] for warnings in shown] == [[30, 7], [30, 7]]
    await hold.wish("request_extension", days=60)
    extended = await hold.do("grant_extension", days=30)
    assert extended["warnings"] == []
    later = datetime.fromisoformat(extended["expires_at"])
    await until(edge_world, later - 13 * DAY)
    await warned(edge_ledger, hold, [30, 7, 14])
    query = "SELECT days, told FROM hold_warning WHERE hold_id = $1 ORDER BY expires_at, days DESC"
    for code in BOTH:
        rows = [tuple(row.values()) for row in await edge_ledger.rows(code, query, hold.id)]
        assert rows == [(30, True), (14, False), (7, True), (30, False), (14, True)]


async def test_control_without_its_row_a_warning_is_told_again(edge_world: World, edge_ledger: Ledger) -> None:
    """Negative control: the row is what makes it once; with the row taken away the same warning comes a second time."""
    hold = await held_by(edge_world, left=timedelta(days=2, hours=12))
    await warned(edge_ledger, hold, [3])
    await edge_ledger.value("XT", "DELETE FROM hold_warning WHERE hold_id = $1 RETURNING 1", hold.id)
    await edge_ledger.value("XT", "UPDATE hold SET look_at = updated_at WHERE id = $1 RETURNING 1", hold.id)
    look = partial(told, edge_ledger, "XT", hold.journey.exchange_id, "hold.expiring")
    await seen(look, lambda events: days(events) == [3, 3], seconds=20)


async def test_who_is_told(edge_world: World, edge_ledger: Ledger) -> None:
    """At home also for the central authority and the agency; at the other side the desk alone, in the timeline too."""
    hold = await held_by(edge_world, left=timedelta(days=2, hours=12))
    await warned(edge_ledger, hold, [3])
    exchange_id = hold.journey.exchange_id
    ((here,), (there,)) = [await told(edge_ledger, code, exchange_id, "hold.expiring") for code in BOTH]
    assert json.loads(here["data"])["to"] == "duty_officer central_authority"
    assert json.loads(there["data"])["to"] == "duty_officer"
    assert (here["agency_id"], there["agency_id"]) == ("federal-police-cyber", None)
    (line,) = [one for one in await hold.journey.timeline(hold.journey.ours()) if one["event"] == "hold_expiring"]
    assert (line["party"], line["actor"], line["detail"]["days"]) == ("XA", "system", 3)
    assert set(line["detail"]["central_authority"]) == {"name", "role", "phone", "email"}
    (line,) = [one for one in await hold.journey.timeline(hold.journey.theirs()) if one["event"] == "hold_expiring"]
    assert (line["party"], line["detail"]["to"]) == ("XT", ["duty_officer"])


async def test_a_claim_is_a_task_until_it_is_confirmed(edge_world: World, edge_ledger: Ledger) -> None:
    """The requested side is asked at once and again after three working days; the other learns nobody confirmed."""
    hold = await held_by(edge_world)
    claimed = await hold.wish("claim_mla_sent", ca_reference="MOJ-1", date="2026-11-22")
    (task,) = claimed["tasks"]
    assert (task["task"], task["due_at"]) == ("receipt_to_confirm", claimed["mla"]["confirm_by"])
    assert (await hold.here())["tasks"] == []
    asked = partial(told, edge_ledger, "XT", hold.journey.exchange_id, "hold.receipt_to_confirm")
    (first,) = await seen(asked, lambda events: len(events) == 1, seconds=20)
    assert json.loads(first["data"])["to"] == "duty_officer central_authority"
    await until(edge_world, datetime.fromisoformat(claimed["mla"]["confirm_by"]) + timedelta(seconds=5))
    _, again = await seen(asked, lambda events: len(events) == 2, seconds=20)
    assert json.loads(again["data"])["number"] == 2
    home = partial(told, edge_ledger, "XA", hold.journey.exchange_id, "hold.receipt_unconfirmed")
    await seen(home, lambda events: len(events) == 1, seconds=20)
    assert (await hold.do("confirm_mla_received", ca_reference="ICA-1"))["tasks"] == []


@pytest.mark.parametrize("seat", ["agency_officer", "monitor", "registrar"])
async def test_the_export_is_the_desks(edge_world: World, seat: str) -> None:
    """Nobody else reads contacts and references of a case out of a hold, whether or not there is one."""
    answer = await edge_world["XA"].as_(seat).get("/v1/holds/0193503e-7a52-7c1e-9d0b-3f3c6f6b2f11/mla-export")
    assert expect(answer, 403)["code"] == "role_not_allowed"


async def test_the_export_has_five_items_and_nothing_else(edge_world: World, edge_ledger: Ledger) -> None:
    """Date, reference, who asked, who executed, channel: alike on both sides, as JSON and as text, and on record."""
    hold = await held_by(edge_world)
    here = expect(await hold.journey.ours().get(f"{hold.path}/mla-export"), 200)
    there = expect(await hold.journey.theirs().get(f"{hold.path}/mla-export"), 200)
    assert here == there
    (block,) = here["blocks"]
    assert set(block["section_10"]) == {"date", "reference", "requested_by", "executed_by", "channel"}
    exchange = expect(await hold.journey.ours().get(hold.journey.exchange), 200)
    assert block["section_10"]["reference"] == {
        "ticket": exchange["b_reference"],
        "request": exchange["request_reference"],
    }
    assert block["section_10"]["requested_by"]["contact_point"] == "XA"
    assert block["section_10"]["requested_by"]["organisation"] == "Aurelia Federal Police, Cyber Unit"
    assert block["section_10"]["executed_by"]["contact_point"] == "XT"
    assert block["section_10"]["channel"]["exchange_id"] == hold.journey.exchange_id
    text = await hold.journey.ours().get(f"{hold.path}/mla-export", format="text")
    assert text.headers["content-type"] == "text/plain; charset=utf-8"
    assert [line.split(":")[0] for line in text.text.strip().splitlines()[1:]] == [
        "Date",
        "Reference",
        "Requested by",
        "Executed by",
        "Channel",
    ]
    recorded = "SELECT count(*) FROM audit_leaf WHERE convert_from(leaf, 'UTF8') LIKE '%case.exported%'"
    await seen(partial(edge_ledger.value, "XA", recorded), bool)
