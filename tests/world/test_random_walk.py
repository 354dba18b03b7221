"""Random legal acts of both sides, with their mail kept back and let go at random: both always end with the same."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.emergency import EMERGENCY
from tests.world.journey import Journey, expect, preservation
from tests.world.mail import keep_back, let_go
from tests.world.test_time_passes import fresh

if TYPE_CHECKING:
    from tests.support.world import World
    from tests.world.ledger import Ledger

SEEDS = range(4)
STEPS = 14
REASONS = "Considered in part and under conditions; the conduct is political in our law."

MEMBERS: dict[str, dict[str, Any]] = {
    "acknowledge": {},
    "accept": {},
    "start": {},
    "preserve": {},
    "ask": {"codes": ["C-VAGUE"], "text": "Which of the two accounts?"},
    "notify_risk": {"codes": ["W-CONF"], "text": "The provider must tell its customer."},
    "report_progress": {"text": "It goes on."},
    "supplement": {"text": "One more address."},
    "proceed": {},
    "raise_tier": EMERGENCY,
    "downgrade": {"alternatives": "Nobody is at risk; it goes on as urgent."},
    "refuse": {"code": "R-POL", "reasons": REASONS, "considered_partial": True, "instrument": "ETS185"},
    "confirm_refusal": {},
    "withdraw": {},
    "stop": {},
    "request_extension": {},
    "grant_extension": {},
    "claim_mla_sent": {"ca_reference": "MOJ-1", "date": "2026-11-22"},
    "confirm_mla_received": {"ca_reference": "ICA-7"},
    "record_decision": {"text": "Executed."},
    "release": {},
    "report_loss": {"text": "The disk failed."},
}
"""Every act of a preservation that needs no time to pass, with members that are always right."""

ENDING = frozenset({"withdraw", "stop", "refuse", "confirm_refusal", "report_loss"})
"""Acts that would end most walks at once; they are drawn ten times less often."""

LAWFUL = frozenset({"W-AVAIL", "stale_generation", "action_not_allowed", "hold_ended"})
"""What an act that was allowed a moment ago may still meet: mail came in between, or the law gives no more."""


async def step(journey: Journey, drawn: random.Random) -> None:
    """Somebody of either side, drawn at random, does one of the things that their own node lists as allowed."""
    seat = drawn.choice(("duty_officer", "duty_officer", "supervisor"))
    caller = journey.ours(seat) if drawn.random() < 0.5 else journey.theirs(seat)
    shown = expect(await caller.get(journey.exchange), 200)
    possible = [(journey.exchange, action) for action in shown["allowed_actions"] if action in MEMBERS]
    for hold in shown["holds"]:
        possible += [(f"/v1/holds/{hold['id']}", action) for action in hold["allowed_actions"] if action in MEMBERS]
    if not possible:
        return
    weights = [0.1 if action in ENDING else 1.0 for _, action in possible]
    ((path, action),) = drawn.choices(possible, weights)
    answer = await caller.act(path, action, **MEMBERS[action])
    if answer.status_code not in {200, 202}:
        assert answer.json()["code"] in LAWFUL, f"{action}: {answer.text}"


async def generations(journey: Journey) -> tuple[int, int]:
    """What the requesting side shows, and what the other side shows after that."""
    here = expect(await journey.ours().get(journey.exchange), 200)
    there = expect(await journey.theirs().get(journey.exchange), 200)
    return here["generation"], there["generation"]


@pytest.mark.parametrize("seed", SEEDS)
async def test_random_acts_end_equal(edge_world: World, edge_ledger: Ledger, seed: int) -> None:
    """Whatever both sides do while their mail waits, the requesting side never knows more, and in the end the same."""
    drawn = random.Random(seed)
    journey = await preservation(edge_world, **fresh(edge_world))
    ways = [("XA", "XT"), ("XT", "XA")]
    waiting: set[tuple[str, str]] = set()
    behind = 0
    try:
        for _ in range(STEPS):
            sender, to = way = drawn.choice(ways)
            if way in waiting:
                waiting.discard(way)
                await let_go(edge_world, edge_ledger, to=to, sender=sender)
            else:
                waiting.add(way)
                await keep_back(edge_ledger, to=to, sender=sender)
            await step(journey, drawn)
            here, there = await generations(journey)
            assert here <= there, "the requesting side knows what the other side does not"
            behind += here < there
    finally:
        for sender, to in waiting:
            await let_go(edge_world, edge_ledger, to=to, sender=sender)
    assert behind, "nothing ever waited: this walk shows nothing"
    await journey.settled()
