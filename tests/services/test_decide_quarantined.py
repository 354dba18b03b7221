"""What officers may do with a thing in quarantine, alone and in pairs, and what follows for thread and sender."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from app.db.engine import begin
from app.db.tables_delivery import QuarantineState
from app.db.tables_evidence import QuarantineAct
from app.domain.codes import Fate, MessageType, Role
from app.errors import Conflict, CounterpartError, Forbidden, Refused, Unknown
from app.services.decide_quarantined import Decided, Wish, decide_quarantined
from app.services.enrol import enrol_person
from app.services.inbound import Applied
from app.services.node import SYSTEM, Acting, Actor
from tests.keys.rotation import rotation_of
from tests.services.test_receive_refusals import receipted
from tests.support.peer import impostor, new_id
from tests.support.station import counting_effects

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from app.db.engine import Session
    from app.services.inbound import Received
    from app.services.node import Node
    from tests.support.peer import Peer
    from tests.support.station import Station

RETRY, REJECT, VOID, DISCARD, ADMIT = (QuarantineAct(act) for act in ("retry", "reject", "void", "discard", "admit"))
DONE, PROPOSED = True, False
ACTIONS = """SELECT f.leaf ->> 'actor', convert_from(c.body, 'UTF8')::jsonb ->> 'act',
        convert_from(c.body, 'UTF8')::jsonb ->> 'step'
    FROM (SELECT id, event_id, convert_from(leaf, 'UTF8')::jsonb AS leaf FROM audit_pending) f
    JOIN commitment c ON c.event_id = f.event_id AND c.field = 'action'
    WHERE f.leaf ->> 'type' = 'operator.action' ORDER BY f.id"""


@pytest.fixture
async def people(station: Station) -> Mapping[str, Actor]:
    """Two duty officers, a supervisor, and an administrator."""
    seats = {"first": Role.DUTY_OFFICER, "second": Role.DUTY_OFFICER, "chief": Role.SUPERVISOR}
    found = {}
    for name, role in (seats | {"administrator": Role.ADMINISTRATOR}).items():
        async with begin(station.engine) as session:
            acting = Acting(session, station.node, SYSTEM, station.clock())
            person = await enrol_person(acting, name=name, role=role, agency_id=None)
        found[name] = Actor(person.id, person.pseudonym, person.role)
    return found


async def decide(
    station: Station, actor: Actor, act: QuarantineAct, *, number: int = 1, reasons: str = "Agreed by telephone."
) -> Decided:
    """One officer's command."""
    async with begin(station.engine) as session:
        acting = Acting(session, station.node, actor, station.clock())
        return await decide_quarantined(acting, Wish(number, act, reasons), effects=station.effects)


async def stop_thread(station: Station, aurelia: Peer) -> str:
    """A thread whose second message is not understood, and a third one that waits behind it."""
    thread = new_id()
    texts = [aurelia.say_next(thread), aurelia.say_next(thread, "exchange.sing/1"), aurelia.say_next(thread)]
    await station.take(*(aurelia.close(said) for said in texts))
    assert [state for _, state, _ in await station.fates_of(thread)] == ["applied", "quarantined", "held"]
    station.answered.clear()
    return thread


async def state_of(station: Station, number: int = 1) -> str:
    """How the quarantine of one thing stands."""
    ((state,),) = await station.rows("SELECT state FROM quarantine WHERE id = :number", number=number)
    return str(state)


async def test_one_officer_rejects(station: Station, aurelia: Peer, people: Mapping[str, Actor]) -> None:
    """A rejected text ends refused, its number is consumed, the thread is answered and goes on; on record."""
    thread = await stop_thread(station, aurelia)
    assert await decide(station, people["first"], REJECT) == Decided(DONE, QuarantineState.REJECTED)
    assert await station.sweep() == 2
    assert [fate for _, *fate in await station.fates_of(thread)] == [
        ["applied", None],
        ["refused", "rejected"],
        ["applied", None],
    ]
    assert await station.effects_of(thread) == [1, 3]
    assert {key.id for key in station.answered} == {thread}
    assert await state_of(station) == "rejected"
    assert await station.rows(ACTIONS) == [(people["first"].pseudonym, "quarantine.reject", "decided")]


async def test_a_rejected_text_is_receipted_as_stored(
    station: Station, aurelia: Peer, people: Mapping[str, Actor]
) -> None:
    """Its sender was told that it is in quarantine; sent again after the decision it is receipted like any other."""
    thread = new_id()
    said = aurelia.say("exchange.sing/1", thread=thread, seq=1)
    await station.take(aurelia.close(said))
    await decide(station, people["chief"], REJECT)
    await station.sweep()
    await station.take(aurelia.close(said, copy=2))
    statuses = [(status, reason) for _, status, reason in await receipted(station)]
    assert statuses == [("quarantined", "unknown_type"), ("stored", None)]


async def test_a_decision_waits_for_the_turn(station: Station, aurelia: Peer, people: Mapping[str, Actor]) -> None:
    """A rejected text behind a gap ends when the gap is filled, not before, and never gets its effect."""
    thread = new_id()
    first, second, third = (
        aurelia.say_next(thread),
        aurelia.say_next(thread, "exchange.sing/1"),
        aurelia.say_next(thread),
    )
    await station.take(aurelia.close(second), aurelia.close(third))
    await decide(station, people["first"], REJECT)
    station.effects = counting_effects(*MessageType)
    assert await station.sweep() == 0
    assert await station.fates_of(thread) == [(2, "held", "rejected"), (3, "held", None)]
    await station.take(aurelia.close(first))
    await station.sweep()
    assert [state for _, state, _ in await station.fates_of(thread)] == ["applied", "refused", "applied"]
    assert await station.effects_of(thread) == [1, 3]


async def test_voiding_needs_two(station: Station, aurelia: Peer, people: Mapping[str, Actor]) -> None:
    """The first officer's word changes nothing but that it is proposed; the second's voids; both are on record."""
    thread = await stop_thread(station, aurelia)
    assert await decide(station, people["first"], VOID) == Decided(PROPOSED, QuarantineState.OPEN)
    assert await station.sweep() == 0
    assert await state_of(station) == "open"
    assert await decide(station, people["second"], VOID) == Decided(DONE, QuarantineState.VOIDED)
    await station.sweep()
    assert await station.fates_of(thread) == [(1, "applied", None), (2, "void", None), (3, "applied", None)]
    assert await station.rows(ACTIONS) == [
        (people["first"].pseudonym, "quarantine.void", "proposed"),
        (people["second"].pseudonym, "quarantine.void", "decided"),
    ]


async def test_one_person_twice_is_not_two(station: Station, aurelia: Peer, people: Mapping[str, Actor]) -> None:
    """The officer who proposed it cannot agree with themselves, however often they try; the table refuses it too."""
    await stop_thread(station, aurelia)
    await decide(station, people["first"], VOID)
    for _ in range(2):
        with pytest.raises(Forbidden, match="four_eyes"):
            await decide(station, people["first"], VOID)
    assert await state_of(station) == "open"
    with pytest.raises(Exception, match="four_eyes"):
        await station.change("UPDATE quarantine_decision SET confirmed_by = proposed_by, decided_at = now()")


async def test_two_officers_must_mean_the_same(station: Station, aurelia: Peer, people: Mapping[str, Actor]) -> None:
    """Two words on different things, or on different acts, are not one decision."""
    await stop_thread(station, aurelia)
    await stop_thread(station, aurelia)
    await decide(station, people["first"], VOID)
    assert await decide(station, people["second"], VOID, number=2) == Decided(PROPOSED, QuarantineState.OPEN)
    with pytest.raises(Conflict, match="revoked"):
        await decide(station, people["second"], ADMIT)
    assert await state_of(station) == await state_of(station, 2) == "open"


async def test_an_old_proposal_does_not_stand(station: Station, aurelia: Peer, people: Mapping[str, Actor]) -> None:
    """A second word a day later is a first one again: much may have changed."""
    await stop_thread(station, aurelia)
    await decide(station, people["first"], VOID)
    station.clock.now += timedelta(hours=24)
    assert (await decide(station, people["second"], VOID)).done is PROPOSED
    assert (await decide(station, people["first"], VOID)).done is DONE


async def test_it_is_decided_once(station: Station, aurelia: Peer, people: Mapping[str, Actor]) -> None:
    """After a decision there is nothing left to decide."""
    await stop_thread(station, aurelia)
    await decide(station, people["first"], REJECT)
    for act in QuarantineAct:
        with pytest.raises(Conflict, match="already_decided"):
            await decide(station, people["second"], act)


async def forge(station: Station, aurelia: Peer) -> None:
    """A text under XA's name that XA never signed."""
    false = impostor(aurelia)
    await station.take(false.close(false.say_next(new_id())))


async def contradict(station: Station, aurelia: Peer) -> None:
    """A second text in one place of a thread."""
    thread = new_id()
    await station.take(aurelia.close(aurelia.say_next(thread)))
    await station.take(aurelia.close(aurelia.say("exchange.open/1", {"other": 1}, thread=thread, seq=1)))


@pytest.mark.parametrize("keep_aside", [forge, contradict])
async def test_what_nobody_waits_for_is_discarded(
    station: Station, aurelia: Peer, people: Mapping[str, Actor], keep_aside: object
) -> None:
    """One officer discards a forgery, or a second text; nothing is sent, and it stays as evidence."""
    assert callable(keep_aside)
    await keep_aside(station, aurelia)
    sent = await station.rows("SELECT count(*) FROM outbox")
    assert await decide(station, people["first"], DISCARD) == Decided(DONE, QuarantineState.DISCARDED)
    assert await station.rows("SELECT count(*) FROM outbox") == sent
    assert await station.rows("SELECT count(*), min(length(raw)) > 0 FROM quarantine") == [(1, True)]


async def test_a_text_that_its_thread_waits_for_is_not_discarded(
    station: Station, aurelia: Peer, people: Mapping[str, Actor]
) -> None:
    """The text of a proven sender cannot vanish: its number would be missing for ever."""
    thread = await stop_thread(station, aurelia)
    with pytest.raises(Conflict, match="action_not_allowed"):
        await decide(station, people["first"], DISCARD)
    assert [state for _, state, _ in await station.fates_of(thread)] == ["applied", "quarantined", "held"]
    assert await station.rows(ACTIONS) == []


@pytest.mark.parametrize("act", [REJECT, VOID, RETRY, ADMIT])
async def test_a_forgery_cannot_be_answered(
    station: Station, aurelia: Peer, people: Mapping[str, Actor], act: QuarantineAct
) -> None:
    """What no sender is proven to have said has no number to consume, and cannot be let in."""
    await forge(station, aurelia)
    with pytest.raises(Conflict, match="action_not_allowed"):
        await decide(station, people["first"], act)
    assert await state_of(station) == "open"


async def test_retrying(station: Station, aurelia: Peer, people: Mapping[str, Actor]) -> None:
    """A retry is refused while this release understands it no better, and gives it its turn when one does."""
    thread = new_id()
    texts = [aurelia.say_next(thread), aurelia.say_next(thread, "hold.action/1"), aurelia.say_next(thread)]
    await station.take(*(aurelia.close(said) for said in texts))
    with pytest.raises(Conflict, match="no better"):
        await decide(station, people["first"], RETRY)
    station.effects = counting_effects(*MessageType)
    assert await decide(station, people["first"], RETRY) == Decided(DONE, QuarantineState.RELEASED)
    await station.sweep()
    assert await station.effects_of(thread) == [1, 2, 3]


async def test_what_crashed_is_retried_at_the_word_of_one(
    station: Station, aurelia: Peer, people: Mapping[str, Actor]
) -> None:
    """A message on which our program failed gets its turn again, and its effect where the program fails no more."""
    thread = new_id()
    await station.take_singly(aurelia.close(aurelia.say_next(thread, body={"poison": True})))
    assert await station.fates_of(thread) == [(1, "quarantined", "crashed")]
    await decide(station, people["first"], RETRY)
    assert await station.fates_of(thread) == [(1, "held", None)]

    async def healed(_session: Session, _node: Node, _received: Received, _now: datetime) -> Applied:
        return Applied(Fate.APPLIED)

    station.effects = replace(station.effects, apply={MessageType.EXCHANGE_OPEN: healed})
    await station.sweep()
    assert await station.fates_of(thread) == [(1, "applied", None)]


async def test_outside_of_threads_it_ends_at_once(station: Station, aurelia: Peer, people: Mapping[str, Actor]) -> None:
    """A message without a thread has no turn to wait for."""
    await station.take(aurelia.close(aurelia.say("exchange.action/1")))
    await decide(station, people["first"], REJECT)
    assert await station.rows("SELECT state, code FROM inbox") == [("refused", "rejected")]


REFUSED: dict[str, tuple[str, str, int, type[CounterpartError]]] = {
    "an administrator": ("administrator", "Because.", 1, Forbidden),
    "an officer without reasons": ("first", "  ", 1, Refused),
    "reasons without end": ("first", "x" * 2_001, 1, Refused),
    "a thing that is not there": ("first", "Because.", 4711, Unknown),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_who_and_why(station: Station, aurelia: Peer, people: Mapping[str, Actor], case: str) -> None:
    """Officers decide, with reasons, on what is there; nothing else leaves a trace."""
    who, reasons, number, fault = REFUSED[case]
    await stop_thread(station, aurelia)
    with pytest.raises(fault):
        await decide(station, people[who], REJECT, number=number, reasons=reasons)
    assert await station.rows("SELECT count(*) FROM quarantine_decision") == [(0,)]
    assert await station.rows(ACTIONS) == []


async def test_admitting_needs_two(station: Station, aurelia: Peer, people: Mapping[str, Actor]) -> None:
    """What a revoked key signed is let in when two officers agree, and has its effect; one alone lets nothing in."""
    rotation, thread = rotation_of(station, aurelia), new_id()
    rotation.revoke_first(station.clock())
    await station.take(aurelia.close(aurelia.say_next(thread)))
    assert await decide(station, people["first"], ADMIT) == Decided(PROPOSED, QuarantineState.OPEN)
    with pytest.raises(Forbidden, match="four_eyes"):
        await decide(station, people["first"], ADMIT)
    assert await station.rows("SELECT count(*) FROM inbox") == [(0,)]
    assert await decide(station, people["chief"], ADMIT) == Decided(DONE, QuarantineState.ADMITTED)
    await station.sweep()
    assert await station.effects_of(thread) == [1]
    assert [status for _, status, _ in await receipted(station)] == ["stored"]


async def test_the_desk_learns_of_a_proposal(station: Station, aurelia: Peer, people: Mapping[str, Actor]) -> None:
    """The second officer finds it in the feed: which act, for what reason, from whom; no content."""
    await stop_thread(station, aurelia)
    await decide(station, people["first"], VOID)
    found = await station.rows("SELECT kind, subject_id, data FROM event WHERE subject_kind = 'quarantine'")
    data = {"act": "void", "reason": "unknown_type", "peer": "XA"}
    assert found == [("quarantine.proposed", "1", data)]
