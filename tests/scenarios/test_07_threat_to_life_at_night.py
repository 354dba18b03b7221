"""Scenario 07: a threat to life reaches a contact point at 03:00 local, and nobody takes it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from standardwebhooks import Webhook

from app.db.engine import begin
from app.db.notifications import Channel, add_channel
from app.db.tables_clocks import ChannelKind
from app.domain.codes import Tier
from app.domain.deadlines import Audience
from app.notify.webhook import write_secret
from tests.notify.receiver import open_hook
from tests.support.world import seen
from tests.world.journey import delivered, expect
from tests.world.test_time_passes import fresh

if TYPE_CHECKING:
    from pathlib import Path

    from tests.notify.receiver import Hook, Posted
    from tests.support.world import Caller, World
    from tests.world.journey import Journey
    from tests.world.ledger import Ledger

MINUTE = timedelta(minutes=1)
NIGHT = time(3, 0)


def until_three_at(zone: str, now: datetime) -> timedelta:
    """How long it is until the next 03:00 on the wall there."""
    local = now.astimezone(ZoneInfo(zone))
    night = datetime.combine(local.date() + timedelta(days=1), NIGHT, local.tzinfo)
    return night.astimezone(UTC) - now


async def test_nobody_takes_it_and_people_are_paged(
    scenario_world: World, scenario_ledger: Ledger, tmp_path: Path
) -> None:
    """Second contact at half the time, the list and A's telephone at 15 min, registrar at 30; it stays DELIVERED."""
    world = scenario_world
    world.clock.advance(until_three_at("Asia/Tokyo", world.clock()))
    async with open_hook() as hook:
        secret = await add_channels(world, hook, tmp_path)
        journey = await delivered(world, emergency(world))
        sheet = expect(await journey.ours().get(f"{journey.exchange}/fallback-sheet"), 200)
        assert (sheet["call"]["attendance"], sheet["call"]["local_time"][11:13]) == ("ON_CALL", "03")

        world.clock.advance(8 * MINUTE)
        second = await told(journey.theirs(), journey, "second_contact")
        assert second["detail"]["told"] == ["second_contact"]
        assert await posted(hook, journey, audience="XT-second_contact", event="escalation.second_contact")
        assert not await lines_of(journey.ours(), journey, "overdue")

        world.clock.advance(8 * MINUTE)
        there, here = [await told(caller, journey, "overdue") for caller in (journey.theirs(), journey.ours())]
        assert (there["detail"]["whose"], here["detail"]["whose"]) == ("ours", "theirs")
        for code in ("XT", "XA"):
            paged = await posted(hook, journey, audience=f"{code}-escalation", event="exchange.overdue")
            assert paged["reference"] == (await journey.settled())["request_reference"]
        # The telephone script: whom to ask for, and who is above them.
        point = world["XA"].runtime.node.directory.point("XT")
        assert point is not None
        assert point.ask_for is not None
        assert point.ask_for in here["detail"]["telephone"]
        sheet = expect(await journey.ours().get(here["detail"]["sheet"]), 200)
        assert sheet["call"]["ask_for"] == point.ask_for
        assert "no person at your desk has acknowledged it" in sheet["say"][1]
        assert [one["role"] for one in sheet["call"]["escalation"]] == [one.role for one in point.escalation]

        world.clock.advance(15 * MINUTE)
        for code, caller in (("XT", journey.theirs()), ("XA", journey.ours())):
            await told(caller, journey, "registrar")
            notice = await posted(hook, journey, audience=f"{code}-registrar", event="escalation.registrar")
            assert notice["exchange_id"] == journey.exchange_id
            assert notice.keys() <= METADATA, "the registrar learns more than metadata"
        assert all(is_signed(one, secret) for one in hook.came)

        shown = await journey.settled()
        assert (shown["state"], shown["flags"], shown["generation"]) == ("DELIVERED", ["OVERDUE"], 1)
        for code in ("XA", "XT"):
            rows = await scenario_ledger.rows(
                code, "SELECT level FROM escalation WHERE subject = $1 ORDER BY level", UUID(journey.exchange_id)
            )
            assert [row["level"] for row in rows] == ([100, 200] if code == "XA" else [50, 100, 200])
        taken = await journey.do("acknowledge")
        assert (taken["state"], (await journey.settled())["flags"]) == ("ACKNOWLEDGED", [])
        assert hook.came == [one for one in hook.came if FACTS not in one.body]


METADATA = {
    "do", "contact_point", "exchange_id", "requesting", "requested",
    "tier", "state", "step", "whose", "due_at", "level",
}  # fmt: skip
FACTS = (
    "The caller said twice within the hour, from the number below, that he would come back with a gun before morning; "
    "he knows where she lives."
)


def emergency(world: World) -> dict[str, Any]:
    """A preservation, because a person's life is threatened."""
    made = fresh(world)
    made["urgency"] = {"tier": "EMERGENCY", "reasons": "A person's life is threatened tonight."}
    made["emergency"] = {
        "threat_kind": "LIFE",
        "persons_at_risk": "A woman of 34 years",
        "facts": FACTS,
        "link_to_data": "The address from which he called shows where he is.",
    }
    return made


async def add_channels(world: World, hook: Hook, folder: Path) -> str:
    """Who is to be paged at both contact points, each at an address of their own; returns the secret."""
    file, secret = folder / "secret", write_secret(b"0123456789abcdef0123456789abcdef")
    file.write_text(secret)
    for code in ("XA", "XT"):
        async with begin(world[code].runtime.chores) as session:
            for audience in (Audience.SECOND_CONTACT, Audience.ESCALATION, Audience.REGISTRAR):
                url = hook.url(f"/{code}-{audience}")
                new = Channel(uuid4(), ChannelKind.WEBHOOK, url, audience, tuple(Tier), str(file), world.clock())
                assert await add_channel(session, new)
    return secret


async def lines_of(caller: Caller, journey: Journey, event: str) -> list[dict[str, Any]]:
    """The lines of the exchange's timeline that say so."""
    lines = expect(await caller.get(f"{journey.exchange}/timeline"), 200)["data"]
    return [line for line in lines if line["event"] == event]


async def told(caller: Caller, journey: Journey, event: str) -> dict[str, Any]:
    """The one line of the exchange's timeline that says so, once it is there."""
    (line,) = await seen(partial(lines_of, caller, journey, event), bool)
    return line


async def posted(hook: Hook, journey: Journey, *, audience: str, event: str) -> dict[str, Any]:
    """What that audience was sent about this exchange, once it has come, and only once."""
    reference = (expect(await journey.ours().get(journey.exchange), 200))["request_reference"]

    def is_about(data: dict[str, Any]) -> bool:
        return data.get("exchange_id") == journey.exchange_id or data.get("reference") == reference

    async def look() -> list[dict[str, Any]]:
        came = [json.loads(one.body) for one in hook.came if one.path == f"/{audience}"]
        return [one["data"] for one in came if one["type"] == event and is_about(one["data"])]

    (found,) = await seen(look, bool)
    return found


def is_signed(one: Posted, secret: str) -> bool:
    """Whether it bears the signature that Standard Webhooks' own library makes."""
    at = datetime.fromtimestamp(int(one.headers["webhook-timestamp"]), UTC)
    return one.headers["webhook-signature"] == Webhook(secret).sign(one.headers["webhook-id"], at, one.body)
