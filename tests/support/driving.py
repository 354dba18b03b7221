"""People at both sides of an exchange, doing what they do through the public interface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.domain.codes import RequestType, Tier
from app.domain.documents import example
from tests.support.world import seen

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from tests.support.processes import Site

PATIENCE_SECONDS = 90.0
"""How long a test waits for what the other node must do by itself; longer than the second pause before a resend."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A request that has left its state."""

    request: str
    exchange: str


def preservation(reference: str, *, tier: Tier = Tier.URGENT, **members: Any) -> dict[str, Any]:  # noqa: ANN401 - members of a document
    """A request to preserve data in Kitano."""
    return _document(RequestType.PRESERVATION, reference, tier, members)


def advice(reference: str, *, tier: Tier = Tier.ROUTINE, **members: Any) -> dict[str, Any]:  # noqa: ANN401 - members of a document
    """A question to Kitano."""
    return _document(RequestType.TECHNICAL_ADVICE, reference, tier, members)


def _document(type_: RequestType, reference: str, tier: Tier, members: Mapping[str, Any]) -> dict[str, Any]:
    plain = dict(example(type_))
    urgency = {**plain["urgency"], "tier": tier.value}
    return {**plain, "requested": "XT", "reference": reference, "urgency": urgency, **members}


async def file(site: Site, document: Mapping[str, Any]) -> str:
    """An officer of an agency files it; returns the request's id."""
    answer = await site.as_("agency_officer").post("/v1/requests", document)
    return str(accepted(answer, 201)["id"])


async def approve(site: Site, request: str) -> None:
    """The duty officer opens and approves it."""
    desk, path = site.as_("duty_officer"), f"/v1/requests/{request}"
    for action in ("open", "approve"):
        accepted(await desk.act(path, action))


async def sign(site: Site, request: str) -> str:
    """The supervisor signs it; returns the id of the exchange that this opens."""
    answer = await site.as_("supervisor").act(f"/v1/requests/{request}", "sign")
    return str(accepted(answer)["exchange_id"])


async def send(site: Site, document: Mapping[str, Any]) -> Signed:
    """All of it: filed, opened, approved, signed."""
    request = await file(site, document)
    await approve(site, request)
    return Signed(request, await sign(site, request))


async def delivered(site: Site, exchange: str) -> None:
    """Wait until the requesting side shows that the exchange has arrived."""
    desk = site.as_("duty_officer")
    await seen(
        lambda: state_at(desk, exchange), lambda state: state not in {"DISPATCHED", None}, seconds=PATIENCE_SECONDS
    )


async def state_at(desk: Any, exchange: str) -> str | None:  # noqa: ANN401 - a Caller
    """The state that this desk is shown; None while it knows nothing of the exchange."""
    answer = await desk.get(f"/v1/exchanges/{exchange}")
    return str(answer.json()["state"]) if answer.status_code == 200 else None


async def act(site: Site, exchange: str, *actions: str, generation: int = 1, **members: Any) -> dict[str, Any]:  # noqa: ANN401 - members of an act
    """The duty officer of the requested side acts, one act after the other; `members` belong to the last one."""
    desk, path = site.as_("duty_officer"), f"/v1/exchanges/{exchange}"
    shown: dict[str, Any] = {"generation": generation}
    for action in actions:
        more = members if action == actions[-1] else {}
        shown = accepted(await desk.act(path, action, generation=shown["generation"], **more))
    return shown


async def preserve(site: Site, exchange: str) -> dict[str, Any]:
    """Everything that the requested side does with a preservation; returns the exchange with its hold."""
    return await act(site, exchange, "acknowledge", "accept", "start", "preserve")


async def answer(site: Site, exchange: str, text: str = "Twelve months.") -> dict[str, Any]:
    """The requested side answers a question."""
    return await act(site, exchange, "acknowledge", "answer", text=text)


async def withdraw(site: Site, exchange: str) -> None:
    """The duty officer of the requesting side withdraws; finding the exchange changed, they read it again."""
    desk, path = site.as_("duty_officer"), f"/v1/exchanges/{exchange}"
    wish = await desk.act(path, "withdraw")
    while wish.status_code == 409 and wish.json()["code"] == "stale_generation":
        wish = await desk.act(path, "withdraw", generation=wish.json()["generation"])
    accepted(wish, 202)


def accepted(answer: httpx.Response, status: int = 200) -> dict[str, Any]:
    """The document of an answer that must have this status."""
    assert answer.status_code == status, (
        f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text}"
    )
    document: dict[str, Any] = answer.json()
    return document
