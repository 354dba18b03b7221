"""Deeds that recur in the scripted day: filing, the desk's three acts, delivery, acts of either side."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from app.demo.client import Person, StepFailed

if TYPE_CHECKING:
    from app.demo.day import Day, Matter, Step

DESK_ROAD = ("open", "approve", "sign")
SECOND_PERSON = frozenset({"sign", "confirm_decline"})
"""What another person decides than the duty officer who proposed it."""


async def act(person: Person, path: str, action: str, /, **members: Any) -> Any:  # noqa: ANN401 - a JSON document
    """Do that to what is at `path`."""
    return await person.post(f"{path}/actions", {"action": action, **members})


async def file(day: Day, matter: Matter, **members: object) -> str:
    """An agency of XA files the document of that name; `members` are put in."""
    filed = await day.who("XA", "agency_officer").post("/v1/requests", {**day.documents[matter.name], **members})
    day.found[matter.name] = filed["id"]
    day.found[f"{matter.name}.reference"] = filed["reference"]
    return f"{filed['reference']} {filed['state']}"


async def desk(day: Day, matter: Matter, action: str, **members: object) -> str:
    """A person at XA's desk does that with the request."""
    person = day.who("XA", "supervisor" if action in SECOND_PERSON else "duty_officer")
    done = await act(person, day.request(matter), action, **members)
    if done.get("exchange_id"):
        day.found[f"{matter.name}.exchange"] = done["exchange_id"]
    return str(done["state"])


async def forward(day: Day, matter: Matter, **members: object) -> str:
    """File it, and have it opened, approved and signed by two persons: it leaves the state."""
    filed = await file(day, matter, **members)
    states = [await desk(day, matter, action) for action in DESK_ROAD]
    return f"{filed.split()[0]} {states[-1]}"


async def delivered(day: Day, matter: Matter) -> str:
    """Wait until the other side has it; it must be shown there as what it is, a test."""
    path = day.exchange(matter)
    at_home = day.who("XA", "duty_officer")
    await day.who(matter.to, "duty_officer").get("/v1/me")  # whoever does not answer at all is not waited for
    await at_home.awaited(path, lambda seen: seen["state"] != "DISPATCHED", seconds=day.patience, what="delivery")
    there = await day.who(matter.to, "duty_officer").get(path)
    if (there["state"], there["direction"]) != ("DELIVERED", "incoming"):
        raise StepFailed(f"{matter.to} shows {there['direction']} {there['state']}")
    if there["is_test"] is not True:
        raise StepFailed(f"{matter.to} takes a test for real")
    return f"DELIVERED at {matter.to}"


async def foreign(day: Day, matter: Matter, action: str, /, **members: Any) -> str:  # noqa: ANN401 - members of an act
    """The requested side does that; XA must learn of it."""
    path = day.exchange(matter)
    there = day.who(matter.to, "duty_officer")
    before = await there.get(path)
    done = await act(there, path, action, generation=before["generation"], **members)
    await _alike(day.who("XA", "duty_officer"), path, done, seconds=day.patience, what=f"XA learns of {action}")
    return f"{done['state']}, generation {done['generation']} on both sides"


async def all_foreign(day: Day, matter: Matter, *actions: str) -> str:
    """The requested side does one after the other."""
    return [await foreign(day, matter, action) for action in actions][-1]


async def wish(day: Day, matter: Matter, action: str, /, **members: Any) -> str:  # noqa: ANN401 - members of an act
    """XA's side wishes that; both sides must show the same once the other has judged it."""
    path = day.exchange(matter)
    at_home = day.who("XA", members.pop("role", "duty_officer"))
    before = await at_home.get(path)
    await act(at_home, path, action, generation=before["generation"], **members)
    there = day.who(matter.to, "duty_officer")
    judged = await there.awaited(
        path,
        lambda seen: seen["generation"] > before["generation"],
        seconds=day.patience,
        what=f"{matter.to} learns of {action}",
    )
    await _alike(at_home, path, judged, seconds=day.patience, what=f"XA learns what became of {action}")
    return f"{judged['state']}, generation {judged['generation']} on both sides"


async def _alike(person: Person, path: str, told: Any, *, seconds: float, what: str) -> None:  # noqa: ANN401 - a JSON document
    state = (told["state"], told["generation"])
    await person.awaited(path, lambda seen: (seen["state"], seen["generation"]) == state, seconds=seconds, what=what)


async def agency_reads(day: Day, matter: Matter, state: str) -> str:
    """The agency that asked is shown how it stands."""
    seen = await day.who("XA", "agency_officer").get(day.request(matter))
    if seen["exchange"]["state"] != state:
        raise StepFailed(f"the agency sees {seen['exchange']['state']}")
    return f"the agency sees {state}"


async def no_basis(day: Day, matter: Matter) -> str:
    """File it, have it approved, and see that it cannot be signed: no instrument carries it to that state."""
    filed = await file(day, matter)
    for action in DESK_ROAD[:2]:
        await desk(day, matter, action)
    code = await day.who("XA", "supervisor").refused(f"{day.request(matter)}/actions", {"action": "sign"}, status=422)
    if code != "N-NOBASIS":
        raise StepFailed(f"signing answers {code}")
    return f"{filed.split()[0]} {code}: another road is needed"


def asked_and_answered(matter: Matter, what: str, answer: str) -> list[Step]:
    """A question that travels, is taken by a person there, and is answered: three steps."""

    async def answered(day: Day) -> str:
        await foreign(day, matter, "acknowledge")
        seen = await foreign(day, matter, "answer", text=answer)
        await agency_reads(day, matter, "ANSWERED")
        return seen

    return [
        (f"An agency of XA asks {matter.to} {what}; the desk forwards it", partial(forward, matter=matter)),
        (f"It is delivered to {matter.to}", partial(delivered, matter=matter)),
        (f"{matter.to} acknowledges and answers, and the agency reads it", answered),
    ]
