"""An opening that nobody at the other node can read: officers end it, and its sender is told all the same."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.db.engine import begin
from app.db.tables_evidence import QuarantineAct
from app.domain.codes import Role
from app.services.decide_quarantined import Wish, decide_quarantined
from app.services.effects import EFFECTS
from app.services.node import Acting, Actor
from tests.support.world import seen
from tests.world.journey import expect, sent
from tests.world.mail import held_mail
from tests.world.test_crossing import fate
from tests.world.test_time_passes import fresh

if TYPE_CHECKING:
    from tests.support.world import World
    from tests.world.ledger import Ledger

UNREADABLE = """
    UPDATE outbox SET body = convert_to(jsonb_set(convert_from(body, 'UTF8')::jsonb, '{marking}', '7')::text, 'UTF8')
    WHERE thread = $1 AND seq = 1 RETURNING 1
"""


async def test_rejected_opening_is_answered(edge_world: World, edge_ledger: Ledger) -> None:
    """Rejected by an officer it consumes its number; the thread says CLOSED, `not_opened:refused`; acts are stale."""
    async with held_mail(edge_world, edge_ledger, to="XT"):
        journey = await sent(edge_world, fresh(edge_world))
        act = await journey.wish_only("withdraw")
        assert await edge_ledger.value("XA", UNREADABLE, journey.exchange_id)
    query = "SELECT id FROM quarantine WHERE thread = $1 AND state = 'open'"
    number = await seen(partial(edge_ledger.value, "XT", query, journey.exchange_id), bool)
    there = edge_world["XT"]
    me = expect(await journey.theirs().get("/v1/me"), 200)
    actor = Actor(UUID(me["id"]), "officer", Role.DUTY_OFFICER)
    async with begin(there.runtime.engine) as session:
        acting = Acting(session, there.runtime.node, actor, there.runtime.clock())
        wish = Wish(number, QuarantineAct.REJECT, "It cannot be read here; they will send it anew.")
        assert (await decide_quarantined(acting, wish, effects=EFFECTS)).done

    async def here() -> dict[str, Any]:
        return dict((await journey.ours().get(journey.exchange)).json())

    ended = await seen(here, lambda shown: shown["state"] == "CLOSED" and not shown["under_way"])
    assert (ended["generation"], ended["details"]["reason"]) == (1, "not_opened:refused")
    assert (await fate(journey, edge_ledger, act["act_id"]))[0] == "stale"
    shown = expect(await journey.theirs().get(journey.exchange), 200)
    assert (shown["requesting"], shown["requested"], shown["document"]) == ("XA", "XT", {})
