"""Of the scripted day: what stays at home, and what an auditor can prove at the end."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from app.audit.note import parse_verifier_key
from app.audit.proof import verify_proof
from app.audit.strict import NotVerified
from app.demo.client import StepFailed
from app.demo.day import Matter
from app.demo.deeds import desk, file

if TYPE_CHECKING:
    from app.demo.day import Day, Step

CIVIL = Matter("civil", "XT")


async def _count_abroad(day: Day) -> str:
    lists = [await day.who(node, "duty_officer").get("/v1/exchanges", limit="200") for node in ("XT", "XS")]
    return " and ".join(str(len(one["data"])) for one in lists)


async def _declined(day: Day) -> str:
    day.found["abroad"] = await _count_abroad(day)
    await file(day, CIVIL)
    await desk(day, CIVIL, "open")
    reasons = "A civil dispute; no criminal investigation is named."
    await desk(day, CIVIL, "decline", code="D-NOTCRIM", text=reasons)
    return await desk(day, CIVIL, "confirm_decline")


async def _nobody_abroad_knows(day: Day) -> str:
    if (now := await _count_abroad(day)) != day.found["abroad"]:
        raise StepFailed(f"exchanges abroad went from {day.found['abroad']} to {now}")
    return "XT and XS learned nothing"


async def _provable(day: Day, node: str) -> str:
    auditor = day.who(node, "auditor")
    events = (await auditor.get("/v1/audit/events", limit="1"))["data"]
    if not events:
        raise StepFailed(f"the log of {node} is empty")
    proof = await auditor.text("/v1/audit/proofs", event_id=events[0]["id"])
    try:
        _, checkpoint = verify_proof(proof, events[0]["leaf"].encode(), log=parse_verifier_key(day.log_keys[node]))
    except NotVerified as fault:
        raise StepFailed(f"the proof of {node} does not hold: {fault.detail}") from fault
    return f"{checkpoint.size} leaves, proof checks"


def declining() -> list[Step]:
    """What is not for this network never leaves the state."""
    return [
        ("A request in a civil matter is declined at home", _declined),
        ("Nobody abroad learns of it", _nobody_abroad_knows),
    ]


def proving() -> list[Step]:
    """Each node's log."""
    return [(f"The audit log of {node} can be proven", partial(_provable, node=node)) for node in ("XA", "XT", "XS")]
