"""Both tables over HTTP: every row that a person walks is walked once between living nodes, and seen by both."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from app.domain.codes import RequestType
from app.domain.documents import example
from app.domain.hold_transitions import HOLD_ROWS
from app.domain.moments import write_instant
from tests.domain.exchange.oracle import WANTED
from tests.scenarios.walking import Walk
from tests.support.emergency import EMERGENCY
from tests.world.documents import document
from tests.world.holding import about, sent_from
from tests.world.test_time_passes import fresh, shows

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from tests.support.world import World
    from tests.world.ledger import Ledger

OWN_ORDER = "SELECT DISTINCT o.peer FROM outbox o JOIN exchange e ON e.id = o.exchange_id AND e.direction = 'outgoing'"
NOT_CHOSEN = f"{OWN_ORDER} WHERE o.peer <> e.requested"
RISK: dict[str, Any] = {"codes": ["W-CONF"], "text": "The provider tells its users."}
CONDITION = {"kind": "NO_OTHER_USE", "text": "For this case only."}
REASONS = "The data are asked for in order to prosecute a political opinion."


def soon(world: World) -> str:
    """A minute from now."""
    return write_instant(world.clock() + timedelta(minutes=1))


async def begun(world: World, kind: RequestType = RequestType.PRESERVATION, **members: object) -> Walk:
    """A request of this type from XA, delivered."""
    made = fresh(world) if kind is RequestType.PRESERVATION else document(kind, requested="XT")
    return Walk(await sent_from(world, "XA", {**made, **members}))


async def preserving(world: World) -> Walk:
    """A preservation with all that can happen on the way, and two holds with all that can become of them."""
    made = deepcopy(fresh(world))
    made["targets"] = [about(made, address)["targets"][0] for address in ("192.0.2.81", "192.0.2.82")]
    walk = await begun(world, **made)
    await walk.a("M-SUPPLEMENT", "supplement", text="One more address.")
    await walk.b("X3", "acknowledge")
    await walk.a("M-RAISE", "raise_tier", **EMERGENCY)
    await walk.b("M-LOWER", "downgrade", alternatives="Preservation is possible.")
    await walk.b("X4", "ask", codes=["C-PORT"], text="Which port?")
    await walk.a("X5", "supplement", text="Port 51544.")
    await walk.b("X14", "accept")
    await walk.b("X7", "notify_risk", **RISK)
    await walk.a("X8", "proceed")
    await walk.b("X15", "start")
    await walk.b("M-PROG", "report_progress", text="The order is with the judge.")
    await walk.b("M-TPD", "disclose_traffic_path", provider="Sahran Transit", country="XS")
    results = [{"target": 0, "outcome": "HELD"}, {"target": 1, "outcome": "N-NODATA"}]
    await walk.b("X17", "preserve", results=results)
    await walk.b("X18", "preserve", results=[{"target": 1, "outcome": "HELD"}])
    walk.walked.append("H1")
    await holding(walk)
    await shows(walk.journey, lambda exchange: exchange["state"] == "CLOSED")
    await walk.b("M-LATE-B", "report_progress", text="The disk was found again.")
    await walk.a("M-LATE-A", "supplement", text="The suspect has confessed.")
    return walk


async def holding(walk: Walk) -> None:
    """The first hold is extended, claimed, received, decided and let go; the second is lifted by two, and then lost."""
    await walk.on_hold("H2", "request_extension")
    await walk.on_hold("H3", "grant_extension", seat="duty_officer")
    await walk.on_hold("H4", "claim_mla_sent", ca_reference="MOJ-1", date="2026-12-01")
    received = await walk.on_hold("H5", "confirm_mla_received", seat="duty_officer", ca_reference="ICA-1")
    assert received == "PENDING_DECISION"
    await walk.on_hold("H6", "record_decision", seat="duty_officer", text="Granted.")
    await walk.on_hold("H9", "release")
    assert await walk.on_hold("H10", "release", seat="duty_officer") == "RELEASED"
    assert await walk.on_hold("", "lift", 1, seat="duty_officer", reason="COURT") == "TIMED"
    assert await walk.on_hold("H12", "lift", 1, seat="supervisor", reason="COURT") == "LIFTED"
    assert await walk.on_hold("H11", "report_loss", 1, seat="duty_officer", text="A disk failed.") == "LOST"


async def preserved_whole(world: World) -> Walk:
    """Everything held at once, and withdrawn."""
    walk = await begun(world)
    for row, action in (("X3", "acknowledge"), ("X14", "accept"), ("X15", "start"), ("X16", "preserve")):
        await walk.b(row, action)
    assert (await walk.a("X29", "withdraw"))["state"] == "WITHDRAWN"
    return walk


async def stopped(world: World) -> Walk:
    """A risk is notified, and the requesting side would rather not."""
    walk = await begun(world)
    await walk.b("X3", "acknowledge")
    await walk.b("X7", "notify_risk", **RISK)
    assert (await walk.a("X9", "stop"))["state"] == "WITHDRAWN"
    return walk


async def refused(world: World) -> Walk:
    """Proposed by one, confirmed by another."""
    walk = await begun(world)
    await walk.b("X3", "acknowledge")
    await walk.b("M-REFUSE", "refuse", code="R-POL", reasons=REASONS, considered_partial=True)
    assert (await walk.b("X20", "confirm_refusal", seat="supervisor"))["state"] == "REFUSED"
    return walk


async def referred(world: World) -> Walk:
    """Handed to the competent authority, brought back, and then not to be had."""
    walk = await begun(world)
    await walk.b("X3", "acknowledge")
    await walk.b("X23", "refer", authority="Prosecutor General")
    await walk.b("X24", "start")
    await walk.b("X19", "not_executable", code="N-NODATA", reasons="Nothing is there.")
    return walk


async def gone_elsewhere(world: World) -> Walk:
    """Handed on, and out of the network."""
    walk = await begun(world)
    await walk.b("X3", "acknowledge")
    await walk.b("X23", "refer", authority="Prosecutor General")
    assert (await walk.b("X25", "close", reference="PG-77"))["state"] == "CLOSED"
    return walk


async def postponed(world: World) -> Walk:
    """Evidence, for which art. 27(5) knows postponement."""
    walk = await begun(world, RequestType.EVIDENCE_COLLECTION)
    await walk.b("X3", "acknowledge")
    review = write_instant(world.clock() + timedelta(days=9))
    await walk.b("X21", "postpone", code="P-OWN", review_at=review, considered_partial=True)
    await walk.b("X22", "resume")
    return walk


async def advised(world: World) -> Walk:
    """Advice under a condition, used, passed on by leave, confirmed formally (Sahran asks for that), and closed."""
    walk = Walk(await sent_from(world, "XA", document(RequestType.TECHNICAL_ADVICE, requested="XS")))
    await walk.b("X3", "acknowledge")
    await walk.b("X11", "propose_conditions", **CONDITION)
    await walk.a("X13", "decline_condition", seat="supervisor")
    await walk.b("X11", "propose_conditions", **CONDITION)
    await walk.a("X12", "accept_condition", seat="supervisor")
    await walk.b("X15", "start")
    await walk.b("X26", "answer", text="Ninety days.")
    await walk.a("M-FC", "confirm_formally", reference="MOJ-7", date="2026-12-01")
    asked = await walk.a("M-OTR-A", "request_onward_transfer", to="XT", purpose="The account is used there as well.")
    await walk.b("M-OTR-GIVER-B", "decide_onward_transfer", **of_the_last(asked, granted=True))
    asking = await walk.b("M-USE-GIVER-B", "ask_use", text="What was it used for?")
    await walk.a("M-USE-A", "explain_use", **of_the_last(asking), text="To find the owner.")
    assert (await walk.a("X27", "close"))["state"] == "CLOSED"
    return walk


def of_the_last(exchange: dict[str, Any], *, granted: bool = False) -> dict[str, Any]:
    """What names the transfer asked for last, with its grant, or the question after the use."""
    details = exchange["details"]
    if granted:
        return {"transfer_id": details["onward_transfers"][-1]["id"], "decision": "GRANTED"}
    return {"question_id": details["use_questions"][-1]["id"]}


def offer() -> dict[str, Any]:
    """Information on a condition."""
    condition = {"kind": "COURT_CONSENT", "text": "Not in court."}
    return example(RequestType.SPONTANEOUS_INFORMATION) | {"condition": condition, "requested": "XT"}


async def given(world: World) -> Walk:
    """Offered, accepted, sent; and then what the receiver may do with it."""
    walk = Walk(await sent_from(world, "XA", offer()))
    await walk.b("X3", "acknowledge")
    await walk.b("S-ACCEPT", "accept_information")
    await walk.a("S-CONTENT", "send_content")
    asked = await walk.b("M-OTR-B", "request_onward_transfer", to="XS", purpose="It is used there as well.")
    await walk.a("M-OTR-GIVER-A", "decide_onward_transfer", **of_the_last(asked, granted=True))
    asking = await walk.a("M-USE-GIVER-A", "ask_use", text="What was it used for?")
    await walk.b("M-USE-B", "explain_use", **of_the_last(asking), text="To find the owner.")
    return walk


async def given_anyway(world: World) -> Walk:
    """The receiver cannot comply, and the giver gives it all the same."""
    walk = Walk(await sent_from(world, "XA", offer()))
    await walk.b("X3", "acknowledge")
    await walk.b("S-CANNOT", "cannot_comply")
    await walk.a("S-ANYWAY", "provide_anyway")
    return walk


async def withheld(world: World) -> Walk:
    """The receiver cannot comply, and the giver keeps it."""
    walk = Walk(await sent_from(world, "XA", offer()))
    await walk.b("X3", "acknowledge")
    await walk.b("S-CANNOT", "cannot_comply")
    assert (await walk.a("S-WITHHOLD", "withhold"))["state"] == "CLOSED"
    return walk


async def by_voice(world: World) -> Walk:
    """An emergency between two states whose law has that: first by voice, then in writing."""
    walk = Walk(await sent_from(world, "XA", document(RequestType.EMERGENCY_DISCLOSURE, requested="XS")))
    made_at = write_instant(world.clock() - timedelta(minutes=5))
    await walk.b("M-ORAL", "record_oral", made_at=made_at, made_by="Duty officer XA", received_by="Desk XS")
    await walk.b("M-REGULAR", "regularise")
    return walk


def has_been_reminded(exchange: dict[str, Any]) -> bool:
    """Whether the requesting side was asked once more for its answer."""
    details = exchange["details"]
    return (details["question"] or details["condition"])["reminded_at"] is not None


async def silent(world: World) -> list[Walk]:
    """A question, a notice and a condition that nobody answers: after twice the term a person may say so."""
    asked, warned = await begun(world), await begun(world)
    on_condition = await begun(world, RequestType.TECHNICAL_ADVICE)
    for walk in (asked, warned, on_condition):
        await walk.b("X3", "acknowledge")
    await on_condition.a("M-RAISE", "raise_tier", **EMERGENCY)
    await asked.b("X4", "ask", codes=["C-PORT"], text="Which port?", due_at=soon(world))
    await warned.b("X7", "notify_risk", **RISK, due_at=soon(world))
    await on_condition.b("X11", "propose_conditions", **CONDITION)
    world.clock.advance(timedelta(hours=1, minutes=5))
    for walk, row in ((asked, "X6"), (warned, "X10"), (on_condition, "X30")):
        await shows(walk.journey, has_been_reminded)
        assert (await walk.b(row, "not_executable", code="N-NOANSWER"))["state"] == "NOT_EXECUTABLE"
    return [asked, warned, on_condition]


WALKS: tuple[Callable[[World], Coroutine[Any, Any, Walk]], ...] = (
    preserving,
    preserved_whole,
    stopped,
    refused,
    referred,
    gone_elsewhere,
    postponed,
    advised,
    given,
    given_anyway,
    withheld,
    by_voice,
)


async def test_every_row_that_people_walk_is_walked_between_nodes(
    scenario_world: World, scenario_ledger: Ledger
) -> None:
    """One walk of each row at least, in both tables, offered before it is done and refused where no row leads on.

    And of all that the asking state sent, nothing went to a state that it had not chosen.
    """
    quiet = await silent(scenario_world)
    walks = [*quiet, *[await walk(scenario_world) for walk in WALKS]]
    for walk in walks:
        await walk.journey.settled()
    walked = {row for walk in walks for row in walk.walked if row}
    by_people = {row.id for row in WANTED} | {row.id for row in HOLD_ROWS if row.action is not None}
    assert walked == by_people
    assert sum(walk.refused for walk in walks) > len(by_people) // 3
    assert await scenario_ledger.rows("XA", NOT_CHOSEN) == []
    assert await scenario_ledger.rows("XA", OWN_ORDER) != [], "control: the same question finds what was sent"
