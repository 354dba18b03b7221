"""What both sides of many exchanges say happened, as sets that are compared and printed: never as counts alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support.processes import until

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.support.processes import Site
    from tests.support.world import Caller

PAGE = 200
SHOWN = 20
"""Lines of a set that are printed."""


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """One exchange, or one of its holds, as one side shows it."""

    exchange: str
    state: str
    generation: int
    hold: str = ""
    hold_state: str = ""
    expires_at: str = ""


async def lines_of(caller: Caller, *, direction: str, peer: str) -> frozenset[Line]:
    """Everything that this side shows of its exchanges with `peer`, read through its public interface."""
    found: set[Line] = set()
    other = "requested" if direction == "outgoing" else "requesting"
    query = {"direction": direction, "limit": PAGE}
    while True:
        answer = await caller.get("/v1/exchanges", **query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        for shown in page["data"]:
            if shown[other] == peer:
                found |= _lines(shown)
        if page["next"] is None:
            return frozenset(found)
        query["cursor"] = page["next"]


def _lines(shown: Mapping[str, object]) -> set[Line]:
    whole = Line(str(shown["id"]), str(shown["state"]), int(str(shown["generation"])))
    holds = shown["holds"]
    assert isinstance(holds, list)
    return {whole} | {
        Line(
            whole.exchange,
            whole.state,
            int(hold["generation"]),
            hold=str(hold["id"]),
            hold_state=str(hold["state"]),
            expires_at=str(hold["expires_at"]),
        )
        for hold in holds
    }


def difference(ours: frozenset[Line], theirs: frozenset[Line]) -> str:
    """What only one side shows, printed; empty when both show the same."""
    parts = {"only the requesting side shows": ours - theirs, "only the requested side shows": theirs - ours}
    return "\n".join(_printed(what, lines) for what, lines in parts.items() if lines)


def wrong_effects(wanted: Iterable[str], effects: Iterable[str]) -> str:
    """What did not take effect exactly once, printed; `effects` names an exchange once per effect."""
    asked, counted = set(wanted), Counter(effects)
    parts = {
        "never took effect": asked - set(counted),
        "took effect more than once": {name for name, times in counted.items() if times > 1},
        "nobody asked for": set(counted) - asked,
    }
    return "\n".join(_printed(what, names) for what, names in parts.items() if names)


async def deliveries_at(site: Site, exchanges: Iterable[str] | None = None) -> list[str]:
    """The exchanges that were opened at this node, each as often as its opening had an effect."""
    found = await site.rows("SELECT subject_id::text FROM timeline WHERE event IN ('delivered', 'arrived_withdrawn')")
    wanted = None if exchanges is None else set(exchanges)
    return [name for (name,) in found if wanted is None or name in wanted]


async def heartbeats_left(site: Site) -> None:
    """Wait until the heartbeats that a node begins with are at the broker: for minutes there are no others."""
    query = "SELECT count(*), count(left_at) FROM outbox WHERE type = 'heartbeat/1'"

    async def all_gone() -> bool:
        ((queued, left),) = await site.rows(query)
        return bool(queued) and int(queued) == int(left)

    await until(all_gone, what="the first heartbeats leave")


async def is_quiet(*sites: Site) -> bool:
    """Whether nothing of these nodes is under way any more and nothing waits for its turn."""
    for site in sites:
        overview = (await site.as_("monitor").get("/v1/monitoring/overview")).json()
        if any(waiting["count"] for waiting in (*overview["outbox"], *overview["inbox"])):
            return False
    return True


def _printed(what: str, names: Iterable[object]) -> str:
    ordered = sorted(map(str, names))
    more = [f"  … and {len(ordered) - SHOWN} more"] if len(ordered) > SHOWN else []
    return "\n".join([f"{what} ({len(ordered)}):", *(f"  {name}" for name in ordered[:SHOWN]), *more])
