"""Of the scripted day: test calls. They are about no case, are shown as tests, and cannot be mistaken for a request."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from app.demo.client import StepFailed

if TYPE_CHECKING:
    from app.demo.day import Day, Step

CALLS = "/v1/test-calls"


async def _not_filed(day: Day) -> str:
    document = {**day.documents["technical_advice"], "type": "PING"}
    code = await day.who("XA", "agency_officer").refused("/v1/requests", document, status=422)
    if not code.startswith("not_a_request"):
        raise StepFailed(f"filing a test call answers {code}")
    return "not_a_request"


async def _called(day: Day, kind: str, to: str) -> str:
    desk, there = day.who("XA", "duty_officer"), day.who(to, "duty_officer")
    call = await desk.post(f"/v1/directory/contact-points/{to}/test-calls", {"kind": kind})
    await there.get("/v1/me")  # whoever does not answer at all is not waited for
    heard = _one(call["id"])
    seen = await there.awaited(CALLS, heard, seconds=day.patience, what=f"{to} is called")
    (shown,) = [one for one in seen["data"] if one["id"] == call["id"]]
    if shown["is_test"] is not True:
        raise StepFailed(f"{to} takes a test call for real")
    await there.post(f"{CALLS}/{call['id']}/actions", {"action": "answer"})
    done = _one(call["id"], answered=True)
    await desk.awaited(CALLS, done, seconds=day.patience, what=f"XA learns that {to} has answered")
    return f"a person at {to} answered"


def _one(call_id: str, *, answered: bool = False) -> Any:  # noqa: ANN401 - a question about a JSON document
    return lambda seen: any(
        one["id"] == call_id and (one["answered_at"] is not None or not answered) for one in seen["data"]
    )


def calling() -> list[Step]:
    """A ping and a drill, each answered by a person; neither can be filed."""
    return [
        ("A test call cannot be filed as a request", _not_filed),
        ("XA pings the desk of XT", partial(_called, kind="PING", to="XT")),
        ("XA drills the desk of XS", partial(_called, kind="DRILL", to="XS")),
    ]
