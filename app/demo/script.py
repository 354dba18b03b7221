"""The scripted day: what happens, step by step, and what must then be seen on both sides."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from app.audit.note import parse_verifier_key
from app.audit.proof import verify_proof
from app.audit.strict import NotVerified
from app.demo.client import Person, StepFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

ADVICE = "Hosting companies keep sign-in logs for twelve months; the public prosecutor orders their preservation."

MINIMUM_DAYS = 60
"""Art. 29(7) of the Budapest Convention."""


@dataclass(slots=True)
class Day:
    """The people of the three nodes, the documents to file, the keys of the logs, and what earlier steps found out.

    `patience` is how many seconds a step waits for what the other node must do by itself.
    """

    people: Mapping[str, Mapping[str, Person]]
    documents: Mapping[str, Mapping[str, Any]]
    log_keys: Mapping[str, str]
    patience: float = 15.0
    found: dict[str, str] = field(default_factory=dict)

    def who(self, node: str, role: str) -> Person:
        """The person of that role at that node."""
        return self.people[node][role]


Step = tuple[str, "Callable[[Day], Awaitable[str]]"]
"""What happens, and the deed; the deed returns what was seen, or raises `StepFailed`."""


async def _act(person: Person, path: str, action: str, **members: Any) -> Any:  # noqa: ANN401 - a JSON document
    return await person.post(f"{path}/actions", {"action": action, **members})


async def _file(day: Day, name: str) -> str:
    filed = await day.who("XA", "agency_officer").post("/v1/requests", day.documents[name])
    day.found[name] = filed["id"]
    day.found[f"{name}.reference"] = filed["reference"]
    return f"{filed['reference']} {filed['state']}"


async def _desk(day: Day, name: str, role: str, action: str) -> str:
    done = await _act(day.who("XA", role), f"/v1/requests/{day.found[name]}", action)
    if done.get("exchange_id"):
        day.found[f"{name}.exchange"] = done["exchange_id"]
    return str(done["state"])


async def _delivered(day: Day, name: str, to: str) -> str:
    path = f"/v1/exchanges/{day.found[f'{name}.exchange']}"
    desk = day.who("XA", "duty_officer")
    await day.who(to, "duty_officer").get("/v1/me")  # whoever does not answer at all is not waited for
    await desk.awaited(path, lambda seen: seen["state"] != "DISPATCHED", seconds=day.patience, what="delivery")
    there = await day.who(to, "duty_officer").get(path)
    if (there["state"], there["direction"]) != ("DELIVERED", "incoming"):
        raise StepFailed(f"{to} shows {there['direction']} {there['state']}")
    return f"DELIVERED at {to}"


async def _foreign(day: Day, name: str, to: str, action: str, **members: Any) -> str:  # noqa: ANN401 - members of an act
    path = f"/v1/exchanges/{day.found[f'{name}.exchange']}"
    desk = day.who(to, "duty_officer")
    before = await desk.get(path)
    done = await _act(desk, path, action, generation=before["generation"], **members)
    await day.who("XA", "duty_officer").awaited(
        path,
        lambda seen: (seen["state"], seen["generation"]) == (done["state"], done["generation"]),
        seconds=day.patience,
        what=f"XA learns of {action}",
    )
    return f"{done['state']}, generation {done['generation']} on both sides"


async def _same_hold(day: Day, name: str, to: str) -> str:
    path = f"/v1/exchanges/{day.found[f'{name}.exchange']}"
    ours = (await day.who("XA", "duty_officer").get(path))["holds"]
    theirs = (await day.who(to, "duty_officer").get(path))["holds"]
    facts = ("id", "state", "preserved_at", "days_granted", "expires_at", "generation")
    if not ours or [[h[f] for f in facts] for h in ours] != [[h[f] for f in facts] for h in theirs]:
        raise StepFailed("the two sides show different holds")
    start, end = (datetime.fromisoformat(ours[0][f]) for f in ("preserved_at", "expires_at"))
    if end - start < timedelta(days=MINIMUM_DAYS):
        raise StepFailed(f"the hold ends after {(end - start).days} days")
    return f"held until {ours[0]['expires_at']}, the same at XA and {to}"


async def _agency_reads(day: Day, name: str, state: str) -> str:
    seen = await day.who("XA", "agency_officer").get(f"/v1/requests/{day.found[name]}")
    if seen["exchange"]["state"] != state:
        raise StepFailed(f"the agency sees {seen['exchange']['state']}")
    return f"the agency sees {state}"


async def _count_abroad(day: Day) -> str:
    lists = [await day.who(node, "duty_officer").get("/v1/exchanges", limit="200") for node in ("XT", "XS")]
    return " and ".join(str(len(one["data"])) for one in lists)


async def _declined(day: Day) -> str:
    day.found["abroad"] = await _count_abroad(day)
    await _file(day, "civil")
    await _desk(day, "civil", "duty_officer", "open")
    await _act(
        day.who("XA", "duty_officer"),
        f"/v1/requests/{day.found['civil']}",
        "decline",
        code="D-NOTCRIM",
        text="A civil dispute; no criminal investigation is named.",
    )
    return await _desk(day, "civil", "supervisor", "confirm_decline")


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


def steps() -> list[Step]:
    """The day in order."""
    pres, adv = "preservation", "advice"
    return [
        ("An agency of XA files an urgent preservation", lambda d: _file(d, pres)),
        ("XA's duty officer opens it", lambda d: _desk(d, pres, "duty_officer", "open")),
        ("XA's duty officer approves it", lambda d: _desk(d, pres, "duty_officer", "approve")),
        ("A second person at XA signs it", lambda d: _desk(d, pres, "supervisor", "sign")),
        ("It is delivered to XT", lambda d: _delivered(d, pres, "XT")),
        ("A person at XT acknowledges it", lambda d: _foreign(d, pres, "XT", "acknowledge")),
        ("XT accepts", lambda d: _foreign(d, pres, "XT", "accept")),
        ("XT starts execution", lambda d: _foreign(d, pres, "XT", "start")),
        ("XT reports the data preserved", lambda d: _foreign(d, pres, "XT", "preserve")),
        ("Both sides show one hold of at least 60 days", lambda d: _same_hold(d, pres, "XT")),
        ("The agency reads the outcome", lambda d: _agency_reads(d, pres, "PRESERVED")),
        ("An agency of XA asks for technical advice", lambda d: _file(d, adv)),
        ("XA's duty officer opens it", lambda d: _desk(d, adv, "duty_officer", "open")),
        ("XA's duty officer approves it", lambda d: _desk(d, adv, "duty_officer", "approve")),
        ("A second person at XA signs it", lambda d: _desk(d, adv, "supervisor", "sign")),
        ("It is delivered to XS", lambda d: _delivered(d, adv, "XS")),
        ("A person at XS acknowledges it", lambda d: _foreign(d, adv, "XS", "acknowledge")),
        ("XS answers", lambda d: _foreign(d, adv, "XS", "answer", text=ADVICE)),
        ("A third request is declined at home", _declined),
        ("Nobody abroad learns of it", _nobody_abroad_knows),
        *[(f"The audit log of {node} can be proven", lambda d, n=node: _provable(d, n)) for node in ("XA", "XT", "XS")],
    ]
