"""Ruling 14 line by line, between two living contact points: what becomes of an act while the other side went on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.emergency import EMERGENCY
from tests.world.journey import PRESERVING, Journey, advice, expect, preservation
from tests.world.mail import held_mail
from tests.world.test_crossing import fate
from tests.world.test_time_passes import fresh

if TYPE_CHECKING:
    from tests.support.world import World
    from tests.world.ledger import Ledger

Said = tuple[str, dict[str, Any]]
"""An act and its members; `seat` among them is who does it."""

TEXT = "The case goes on and this is known by now."
REASONS = "Considered in part and under conditions; the conduct is political in our law."
SOON = "2026-11-23T09:00:00Z"
RISK: Said = ("notify_risk", {"codes": ["W-CONF"], "text": "The provider must tell its customer."})
ASK: Said = ("ask", {"codes": ["C-VAGUE"], "text": "Which of the two accounts?"})
CONDITION: Said = ("propose_conditions", {"kind": "NO_OTHER_USE", "text": "For this investigation only."})
PROGRESS: Said = ("report_progress", {"text": TEXT})
NO_DATA: Said = ("not_executable", {"code": "N-NODATA", "reasons": "No log is kept."})
REFUSE: Said = (
    "refuse",
    {"code": "R-POL", "reasons": REASONS, "considered_partial": True, "instrument": "ETS185"},
)
CONFIRM_REFUSAL: Said = ("confirm_refusal", {"seat": "supervisor"})
LOSS: Said = ("report_loss", {"text": "The disk of the provider failed."})
RECEIVED: Said = ("confirm_mla_received", {"ca_reference": "ICA-77"})
PROCEED: Said = ("proceed", {})
STOP: Said = ("stop", {})
ACCEPT: Said = ("accept_condition", {"seat": "supervisor"})
DECLINE: Said = ("decline_condition", {"seat": "supervisor"})
MORE: Said = ("supplement", {"text": TEXT})
WITHDRAW: Said = ("withdraw", {"reasons": "The suspect was arrested."})
HURRY: Said = ("raise_tier", EMERGENCY)
CLOSE: Said = ("close", {})
CLAIM: Said = ("claim_mla_sent", {"ca_reference": "MOJ-1", "date": "2026-11-22"})
LONGER: Said = ("request_extension", {})
RELEASE: Said = ("release", {})
ANSWER: Said = ("answer", {"text": "Twelve months."})

HOLD_ACTS = frozenset({"report_loss", "confirm_mla_received", "claim_mla_sent", "request_extension", "release"})
TAKEN: Said = ("acknowledge", {})


@dataclass(frozen=True, slots=True)
class Crossing:
    """`before` is settled; then `wished` here and `meanwhile` there cross; `fates` are those of `wished`."""

    wished: tuple[Said, ...]
    meanwhile: tuple[Said, ...]
    fates: tuple[str, ...]
    state: str
    before: tuple[Said, ...] = (TAKEN,)
    advice: bool = False
    hold: tuple[str, bool] | None = None
    """The state of the one hold at the end, and whether it is releasing."""


START: tuple[Said, ...] = tuple((action, {}) for action in PRESERVING[:3])
HELD: tuple[Said, ...] = tuple((action, {}) for action in PRESERVING)

TABLE = {
    "a notice is answered with proceed while progress is reported": Crossing(
        (PROCEED,), (PROGRESS,), ("applied",), "ACCEPTED", before=(TAKEN, RISK)
    ),
    "a notice is answered with stop while progress is reported": Crossing(
        (STOP,), (PROGRESS,), ("applied",), "WITHDRAWN", before=(TAKEN, RISK)
    ),
    "two persons proceed: the notice is no longer open for the second": Crossing(
        (PROCEED, PROCEED), (), ("applied", "stale"), "ACCEPTED", before=(TAKEN, RISK)
    ),
    "stop after proceed: the notice is no longer open, so it is a withdrawal": Crossing(
        (PROCEED, STOP), (PROGRESS,), ("applied", "applied"), "WITHDRAWN", before=(TAKEN, RISK)
    ),
    "proceed after stop comes too late": Crossing(
        (STOP, PROCEED), (), ("applied", "stale"), "WITHDRAWN", before=(TAKEN, RISK)
    ),
    "a condition is accepted while progress is reported": Crossing(
        (ACCEPT,), (PROGRESS,), ("applied",), "ACCEPTED", before=(TAKEN, CONDITION), advice=True
    ),
    "a condition is declined while progress is reported": Crossing(
        (DECLINE,), (PROGRESS,), ("applied",), "ACKNOWLEDGED", before=(TAKEN, CONDITION), advice=True
    ),
    "declining after accepting: the condition is no longer open": Crossing(
        (ACCEPT, DECLINE), (), ("applied", "stale"), "ACCEPTED", before=(TAKEN, CONDITION), advice=True
    ),
    "accepting after declining: the condition is no longer open": Crossing(
        (DECLINE, ACCEPT), (), ("applied", "stale"), "ACKNOWLEDGED", before=(TAKEN, CONDITION), advice=True
    ),
    "a supplement meets the end: it is stored as a late fact": Crossing(
        (MORE,), (NO_DATA,), ("applied",), "NOT_EXECUTABLE"
    ),
    "a supplement meets the start of the work": Crossing(
        (MORE,), (("accept", {}), ("start", {})), ("applied",), "IN_EXECUTION"
    ),
    "two supplements answer one question: both are stored, the first answers": Crossing(
        (MORE, MORE), (PROGRESS,), ("applied", "applied"), "ACKNOWLEDGED", before=(TAKEN, ASK)
    ),
    "a withdrawal meets the acknowledgement": Crossing((WITHDRAW,), (TAKEN,), ("applied",), "WITHDRAWN", before=()),
    "a withdrawal meets a question": Crossing((WITHDRAW,), (ASK,), ("applied",), "WITHDRAWN"),
    "a withdrawal meets a notice": Crossing((WITHDRAW,), (RISK,), ("applied",), "WITHDRAWN"),
    "a withdrawal meets a result: the new hold is to be released": Crossing(
        (WITHDRAW,), (("preserve", {}),), ("applied",), "WITHDRAWN", before=START, hold=("TIMED", True)
    ),
    "a withdrawal meets a refusal": Crossing((WITHDRAW,), (REFUSE, CONFIRM_REFUSAL), ("stale",), "REFUSED"),
    "a withdrawal meets a refusal that one person has signed": Crossing(
        (WITHDRAW,), (REFUSE,), ("applied",), "WITHDRAWN"
    ),
    "a withdrawal meets what cannot be executed": Crossing((WITHDRAW,), (NO_DATA,), ("stale",), "NOT_EXECUTABLE"),
    "a withdrawal meets the answer": Crossing((WITHDRAW,), (ANSWER,), ("applied",), "WITHDRAWN", advice=True),
    "two persons withdraw": Crossing((WITHDRAW, WITHDRAW), (PROGRESS,), ("applied", "stale"), "WITHDRAWN"),
    "a withdrawal, then a supplement": Crossing((WITHDRAW, MORE), (), ("applied", "applied"), "WITHDRAWN"),
    "a raised tier meets the work": Crossing((HURRY,), (("accept", {}),), ("applied",), "ACCEPTED"),
    "a raised tier meets the end": Crossing((HURRY,), (NO_DATA,), ("stale",), "NOT_EXECUTABLE"),
    "a tier is raised twice to the same": Crossing((HURRY, HURRY), (), ("applied", "stale"), "ACKNOWLEDGED"),
    "closed by the one while the other reports": Crossing(
        (CLOSE,), (PROGRESS,), ("applied",), "CLOSED", before=(TAKEN, ANSWER), advice=True
    ),
    "closed by two persons": Crossing(
        (CLOSE, CLOSE), (), ("applied", "stale"), "CLOSED", before=(TAKEN, ANSWER), advice=True
    ),
    "a release meets a loss": Crossing((RELEASE,), (LOSS,), ("stale",), "CLOSED", before=HELD, hold=("LOST", False)),
    "a release meets the follow-up request": Crossing(
        (RELEASE,), (RECEIVED,), ("applied",), "PRESERVED", before=HELD, hold=("PENDING_DECISION", True)
    ),
    "a release is asked for twice": Crossing(
        (RELEASE, RELEASE), (), ("applied", "applied"), "PRESERVED", before=HELD, hold=("TIMED", True)
    ),
    "a claim meets a loss: it is stored": Crossing(
        (CLAIM,), (LOSS,), ("applied",), "CLOSED", before=HELD, hold=("LOST", False)
    ),
    "more time is asked for while a decision is pending: no clock is running": Crossing(
        (LONGER,), (RECEIVED,), ("stale",), "PRESERVED", before=HELD, hold=("PENDING_DECISION", False)
    ),
    "more time is asked for after the release: nothing prolongs the hold any more": Crossing(
        (RELEASE, LONGER), (), ("applied", "stale"), "PRESERVED", before=HELD, hold=("TIMED", True)
    ),
    "the request is withdrawn, then its hold released": Crossing(
        (WITHDRAW, RELEASE), (), ("applied", "applied"), "WITHDRAWN", before=HELD, hold=("TIMED", True)
    ),
}


@pytest.mark.parametrize("row", TABLE)
async def test_crossing_acts(edge_world: World, edge_ledger: Ledger, row: str) -> None:
    """Each act has the fate that ruling 14 gives it, the state is the other side's, and both sides end alike."""
    crossing = TABLE[row]
    journey = await (advice(edge_world) if crossing.advice else preservation(edge_world, **fresh(edge_world)))
    for said in crossing.before:
        await there(journey, said)
    before = await journey.settled()
    async with held_mail(edge_world, edge_ledger, to=journey.requested):
        wished = [await here(journey, said) for said in crossing.wished]
        for said in crossing.meanwhile:
            await there(journey, said)
    shown = await journey.settled()
    assert shown["state"] == crossing.state
    assert tuple([(await fate(journey, edge_ledger, act))[0] for act in wished]) == crossing.fates
    applied = crossing.fates.count("applied")
    assert shown["generation"] - before["generation"] == applied + len(crossing.meanwhile)
    if crossing.hold is not None:
        (hold,) = shown["holds"]
        assert (hold["state"], "releasing" in hold["flags"]) == crossing.hold


async def test_supplement_after_the_end_is_shown_to_both(edge_world: World, edge_ledger: Ledger) -> None:
    """Stored is not lost: it stands under the late facts on both sides, and the end state stays."""
    journey = await preservation(edge_world, "acknowledge", **fresh(edge_world))
    async with held_mail(edge_world, edge_ledger, to="XT"):
        await here(journey, MORE)
        await there(journey, NO_DATA)
    shown = await journey.settled()
    assert [fact["text"] for fact in shown["details"]["late_facts"]] == [TEXT]


async def here(journey: Journey, said: Said) -> str:
    """An act of the requesting side; its id."""
    taken = await _act(journey, said, ours=True)
    return str(taken["act_id"])


async def there(journey: Journey, said: Said) -> None:
    """An act of the requested side."""
    await _act(journey, said, ours=False)


async def _act(journey: Journey, said: Said, *, ours: bool) -> dict[str, Any]:
    action, members = said[0], dict(said[1])
    seat = members.pop("seat", "duty_officer")
    caller = journey.ours(seat) if ours else journey.theirs(seat)
    path = journey.exchange
    if action in HOLD_ACTS:
        (hold,) = expect(await caller.get(path), 200)["holds"]
        path = f"/v1/holds/{hold['id']}"
    return expect(await caller.act(path, action, **members), 202 if ours else 200)
