"""Whose act it is: each side's desk can do its own acts only, whatever the state, and nothing of an attempt travels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.domain.exchange.onward import ONWARD_ACTS
from app.domain.hold_transitions import HOLD_ROWS, REQUESTING_HOLD_ACTS
from app.domain.transitions import EXCHANGE_ROWS, REQUESTING_ACTS
from tests.routers.clients import assert_problem
from tests.world.journey import PRESERVING, Journey, expect, preservation

if TYPE_CHECKING:
    from tests.support.world import Caller, World
    from tests.world.ledger import Ledger

ACTS = {row.action for row in EXCHANGE_ROWS if row.action is not None}
HOLD_ACTS = {row.action for row in HOLD_ROWS if row.action is not None and row.sources}

BOTH = {"close", *ONWARD_ACTS}
"""Acts of both sides: `close` from different states, the others each about what it holds of the other's."""

OURS = ACTS & REQUESTING_ACTS
THEIRS = (ACTS - REQUESTING_ACTS) | BOTH

HOLD_OURS = HOLD_ACTS & REQUESTING_HOLD_ACTS
HOLD_THEIRS = (HOLD_ACTS - REQUESTING_HOLD_ACTS) | {"release"}


@pytest.fixture(scope="module")
async def journey(world: World) -> Journey:
    """A preservation at XT with one hold."""
    return await preservation(world, *PRESERVING)


async def refused(caller: Caller, path: str, actions: set[str]) -> None:
    """Each of these acts must be 403 role_not_allowed for this person, and not be among those offered."""
    shown = expect(await caller.get(path), 200)
    assert actions.isdisjoint(shown["allowed_actions"])
    for action in sorted(actions):
        answer = await caller.act(path, action, generation=shown["generation"])
        assert answer.status_code == 403, f"{action}: {answer.text}"
        assert_problem(answer, 403, "role_not_allowed")


@pytest.mark.parametrize("seat", ["duty_officer", "supervisor"])
async def test_other_sides_acts_are_refused(journey: Journey, ledger: Ledger, seat: str) -> None:
    """Every act of the other side is 403 on both sides, for the exchange and for its hold, and leaves nothing."""
    await ledger.calm()
    before = {code: await ledger.counts(code, ("outbox", "act", "timeline", "event")) for code in ("XA", "XT")}
    (hold,) = expect(await journey.ours().get(journey.exchange), 200)["holds"]
    await refused(journey.ours(seat), journey.exchange, THEIRS - OURS)
    await refused(journey.theirs(seat), journey.exchange, OURS - THEIRS)
    await refused(journey.ours(seat), f"/v1/holds/{hold['id']}", HOLD_THEIRS - HOLD_OURS)
    await refused(journey.theirs(seat), f"/v1/holds/{hold['id']}", HOLD_OURS - HOLD_THEIRS)
    assert {code: await ledger.counts(code, ("outbox", "act", "timeline", "event")) for code in before} == before


async def test_every_act_is_somebodys(journey: Journey) -> None:
    """The lists that the test goes through hold every act there is, and both sides have some."""
    assert ACTS == OURS | THEIRS
    assert HOLD_ACTS == HOLD_OURS | HOLD_THEIRS
    assert min(len(OURS), len(THEIRS), len(HOLD_OURS), len(HOLD_THEIRS)) >= 3


async def test_duty_officer_does_no_supervisors_act(journey: Journey) -> None:
    """Accepting or declining a condition is a supervisor's at home, confirming a refusal a supervisor's abroad."""
    for caller, action in (
        (journey.ours(), "accept_condition"),
        (journey.ours(), "decline_condition"),
        (journey.theirs(), "confirm_refusal"),
    ):
        assert_problem(await caller.act(journey.exchange, action), 403, "role_not_allowed")


async def test_uninvolved_state_has_no_such_exchange(world: World, journey: Journey) -> None:
    """A third contact point answers 404 for the exchange and its hold, and lists neither."""
    (hold,) = expect(await journey.ours().get(journey.exchange), 200)["holds"]
    desk = world["XS"].as_("duty_officer")
    for path in (journey.exchange, f"{journey.exchange}/timeline", f"/v1/holds/{hold['id']}"):
        assert_problem(await desk.get(path), 404, "not_found")
    assert_problem(await desk.act(journey.exchange, "acknowledge", generation=1), 404, "not_found")
    listed = expect(await desk.get("/v1/exchanges", limit=200), 200)["data"]
    assert journey.exchange_id not in {one["id"] for one in listed}
    assert hold["id"] not in {one["id"] for one in expect(await desk.get("/v1/holds", limit=200), 200)["data"]}


async def test_token_of_another_state_is_no_token(world: World, journey: Journey) -> None:
    """An agency, or a desk, of one state is nobody at the contact point of another: 401, and nothing is stored."""
    for seat in ("agency_officer", "duty_officer", "supervisor"):
        headers = {"Authorization": f"Bearer {world['XA'].tokens[seat]}", "Idempotency-Key": f"foreign-{seat}"}
        foreign = world["XT"].http
        assert_problem(await foreign.get(journey.exchange, headers=headers), 401, "token_not_valid")
        answer = await foreign.post("/v1/requests", json={"type": "PRESERVATION"}, headers=headers)
        assert_problem(answer, 401, "token_not_valid")
