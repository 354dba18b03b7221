"""What is proven but may not have its effect: each ends with a fate, or waits visibly, and is answered by a receipt."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.exc import IntegrityError

from app.db import threads
from app.db.engine import begin, reading
from app.db.threads import NewThread, ThreadKey
from app.domain.codes import MessageType
from app.domain.messages import ReceiptBody
from app.envelope.canonical import canonical
from app.services.retry_quarantined import retry_quarantined
from app.services.send import Outgoing
from tests.envelope.forging import inner_header, sign_raw
from tests.support.peer import Said, new_id
from tests.support.station import counting_effects

if TYPE_CHECKING:
    from tests.support.peer import Peer
    from tests.support.station import Station


async def receipted(station: Station) -> list[tuple[str, str, str | None]]:
    """Peer, status and reason of every receipt entry in the outbox."""
    query = """SELECT peer, entry ->> 'status', entry ->> 'reason' FROM outbox,
        jsonb_array_elements(convert_from(body, 'UTF8')::jsonb -> 'receipts') WITH ORDINALITY AS list(entry, place)
        WHERE type = 'receipt/1' ORDER BY id, place"""
    return [(peer, status, reason) for peer, status, reason in await station.rows(query)]


async def test_a_thread_belongs_to_two(station: Station, aurelia: Peer, sahran: Peer) -> None:
    """A third state that opens a thread of others is refused, answered in its own thread, and all later is stale."""
    thread = new_id()
    await station.take(aurelia.close(aurelia.say_next(thread)))
    station.answered.clear()
    await station.take(sahran.close(sahran.say_next(thread)), sahran.close(sahran.say_next(thread)))
    found = await station.rows("SELECT seq, state, code FROM inbox WHERE iss = 'XS' ORDER BY seq")
    assert found == [(1, "refused", "not_yours"), (2, "stale", None)]
    assert await station.effects_of(thread) == [1]
    assert [(key.id, key.peer) for key in station.answered] == [(thread, "XS")]


async def test_a_foreign_act_takes_no_number(station: Station, aurelia: Peer, sahran: Peer) -> None:
    """After a third state used number 2 in a thread, the owner's number 2 is still applied."""
    thread = new_id()
    await station.take(aurelia.close(aurelia.say_next(thread)))
    sahran.numbers[thread] = 1
    await station.take(sahran.close(sahran.say_next(thread)))
    await station.take(aurelia.close(aurelia.say_next(thread)))
    assert await station.effects_of(thread) == [1, 2]


async def test_a_thread_of_ours_is_not_opened_by_another(station: Station, sahran: Peer) -> None:
    """Who learns the id of an exchange that we opened towards XA cannot open it towards us."""
    thread = new_id()
    await station.put(Outgoing("XA", MessageType.EXCHANGE_OPEN, {}, thread=thread))
    await station.take(sahran.close(sahran.say_next(thread)))
    assert await station.fates_of(thread) == [(1, "refused", "not_yours")]


async def test_the_database_refuses_a_second_opening(station: Station) -> None:
    """(Control) Were the check forgotten, the same id cannot be stored as opened with two peers."""
    thread = new_id()
    async with begin(station.engine) as session:
        await threads.ensure(session, [NewThread(ThreadKey(thread, "XA"), None, "XA", None)], now=station.clock())
    with pytest.raises(IntegrityError):
        async with begin(station.engine) as session:
            await threads.ensure(session, [NewThread(ThreadKey(thread, "XS"), None, "XS", None)], now=station.clock())


async def test_a_noted_thread_takes_the_opening_of_its_state_alone(
    station: Station, aurelia: Peer, sahran: Peer
) -> None:
    """An exchange noted by voice as XA's is opened by XA's text; the same opening from XS is not XS's to make."""
    thread = new_id()
    async with begin(station.engine) as session:
        await threads.ensure(session, [NewThread(ThreadKey(thread, "XA"), None, "XA", None)], now=station.clock())
    await station.take(sahran.close(sahran.say_next(thread)), aurelia.close(aurelia.say_next(thread)))
    found = await station.rows("SELECT iss, state FROM inbox ORDER BY iss")
    assert found == [("XA", "applied"), ("XS", "refused")]


WRONG: dict[str, tuple[str, int, bool]] = {
    "an act in a thread that nobody opened": ("exchange.action/1", 1, False),
    "a state in a thread that nobody opened": ("exchange.state/1", 1, False),
    "a state from the requesting side": ("exchange.state/1", 2, True),
    "a second opening": ("exchange.open/1", 2, True),
    "a chunk in the thread of an exchange": ("attachment.chunk/1", 2, True),
}


@pytest.mark.parametrize("case", WRONG)
async def test_wrong_side(station: Station, aurelia: Peer, case: str) -> None:
    """What is not the sender's to say in this place is refused and consumes its number."""
    type_, seq, opened = WRONG[case]
    station.effects = counting_effects(*MessageType)
    thread = new_id()
    if opened:
        await station.take(aurelia.close(aurelia.say_next(thread)))
    await station.take(aurelia.close(aurelia.say(type_, thread=thread, seq=seq)))
    assert (await station.fates_of(thread))[-1] == (seq, "refused", "not_yours")
    async with reading(station.engine) as session:
        found = await threads.load(session, ThreadKey(thread, "XA"))
    assert found is not None
    assert found.consumed_in == seq


async def test_the_requested_side_may_state(station: Station, aurelia: Peer) -> None:
    """In a thread that we opened, the peer's state is applied as its first number."""
    thread = new_id()
    await station.put(Outgoing("XA", MessageType.EXCHANGE_OPEN, {}, thread=thread))
    await station.take(aurelia.close(aurelia.say("exchange.state/1", thread=thread, seq=1)))
    assert await station.effects_of(thread) == [1]


EXPIRY = {
    "received one second before": (-1, "applied", [1]),
    "received at the very second": (0, "expired", []),
    "received one second after": (1, "expired", []),
}


@pytest.mark.parametrize("case", EXPIRY)
async def test_expiry_is_judged_at_first_receipt(station: Station, aurelia: Peer, case: str) -> None:
    """An opening received at or after its `exp` has no effect, consumes its number, and its thread is answered."""
    late_by, state, effects = EXPIRY[case]
    thread = new_id()
    said = aurelia.say_next(thread, exp=int(station.clock().timestamp()) + 60)
    station.clock.now += timedelta(seconds=60 + late_by)
    await station.take(aurelia.close(said))
    assert [fate for _, fate, _ in await station.fates_of(thread)] == [state]
    assert await station.effects_of(thread) == effects
    assert [key.id for key in station.answered] == [thread]
    assert [status for _, status, _ in await receipted(station)] == ["stored"]


async def test_acts_do_not_expire(station: Station, aurelia: Peer) -> None:
    """An act with an `exp` in the past is applied all the same: only openings and test calls expire."""
    thread = new_id()
    opening, act = aurelia.say_next(thread), aurelia.say_next(thread, exp=1)
    await station.take(aurelia.close(opening), aurelia.close(act))
    assert await station.effects_of(thread) == [1, 2]


NOT_UNDERSTOOD: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown type": ({"type": "exchange.sing/1"}, "unknown_type"),
    "an unknown major version": ({"type": "exchange.action/2"}, "unknown_type"),
    "a type this release has no effect for": ({"type": "hold.action/1"}, "unknown_type"),
    "an unknown version of the envelope": ({"v": 2}, "unknown_version"),
    "a type that has no thread": ({"type": "incident/1"}, "unknown_type"),
    "a test call in a thread": ({"type": "test-call/1"}, "misplaced"),
}


@pytest.mark.parametrize("case", NOT_UNDERSTOOD)
async def test_not_understood_stops_its_own_thread(station: Station, aurelia: Peer, case: str) -> None:
    """A proven text that we do not understand is quarantined, told so, and stops its thread; others flow."""
    claims, reason = NOT_UNDERSTOOD[case]
    thread, other = new_id(), new_id()
    texts = [aurelia.say_next(thread), aurelia.say_next(thread, **{"type_": "exchange.action/1", **renamed(claims)})]
    texts += [aurelia.say_next(thread), aurelia.say_next(other)]
    await station.take(*(aurelia.close(said) for said in texts))
    assert await station.fates_of(thread) == [(1, "applied", None), (2, "quarantined", reason), (3, "held", None)]
    assert await station.effects_of(other) == [1]
    assert await receipted(station) == [
        ("XA", "stored", None),
        ("XA", "quarantined", reason),
        ("XA", "held", None),
        ("XA", "stored", None),
    ]
    assert await station.rows("SELECT reason, authenticated, state FROM quarantine") == [(reason, True, "open")]


def renamed(claims: dict[str, Any]) -> dict[str, Any]:
    """The claim `type` under the name of the argument."""
    return {"type_" if name == "type" else name: value for name, value in claims.items()}


MISPLACED: dict[str, dict[str, Any]] = {
    "an act without a thread": {"type_": "exchange.action/1"},
    "a thread that is no id": {"type_": "exchange.action/1", "thread": "case-7", "seq": 1},
    "an id in capital letters": {"type_": "exchange.open/1", "thread": new_id().upper(), "seq": 1},
}


@pytest.mark.parametrize("case", MISPLACED)
async def test_out_of_place(station: Station, aurelia: Peer, case: str) -> None:
    """A text whose thread cannot be one is quarantined without effect."""
    await station.take(aurelia.close(aurelia.say(**MISPLACED[case])))
    assert await receipted(station) == [("XA", "quarantined", "misplaced")]
    assert await station.rows("SELECT count(*) FROM effect") == [(0,)]


async def test_a_body_of_another_form(station: Station, aurelia: Peer) -> None:
    """A body that is not of the form of its type is quarantined before its effect sees it; a good one is applied."""
    forms = {MessageType.EXCHANGE_ACTION: ReceiptBody}
    station.effects = replace(station.effects, bodies=forms)
    thread = new_id()
    entry = {"jti": new_id(), "copy": 1, "inner_hash": "A" * 43, "status": "stored"}
    entry["received_at"] = "2026-11-22T09:30:00Z"
    texts = [aurelia.say_next(thread, body=body) for body in ({}, {"receipts": [entry]}, {"receipts": 7})]
    await station.take(*(aurelia.close(said) for said in texts))
    assert [fate for _, *fate in await station.fates_of(thread)] == [
        ["applied", None], ["applied", None], ["quarantined", "not_understood"]
    ]  # fmt: skip


async def test_a_new_release_takes_up_what_waited(station: Station, aurelia: Peer) -> None:
    """When the type is understood, the quarantined message and all that waited behind it are applied in order."""
    thread = new_id()
    texts = [aurelia.say_next(thread), aurelia.say_next(thread, "hold.action/1"), aurelia.say_next(thread)]
    await station.take(*(aurelia.close(said) for said in texts))
    async with begin(station.engine) as session:
        assert not await retry_quarantined(session, effects=station.effects, crashed=False, now=station.clock())
    station.effects = counting_effects(*MessageType)
    async with begin(station.engine) as session:
        assert await retry_quarantined(session, effects=station.effects, crashed=False, now=station.clock()) == 1
    assert await station.sweep() == 2
    assert await station.effects_of(thread) == [1, 2, 3]
    assert await station.rows("SELECT state FROM quarantine") == [("released",)]


async def test_a_fast_clock_stops_the_thread_until_ours_agrees(station: Station, aurelia: Peer) -> None:
    """A text signed in our future waits in quarantine and is released once its time has come."""
    thread = new_id()
    ahead = int(station.clock().timestamp()) + 3_600
    await station.take(aurelia.close(aurelia.say_next(thread, iat=ahead)))
    assert await station.fates_of(thread) == [(1, "quarantined", "from_the_future")]
    for wait, released in ((timedelta(minutes=50), 0), (timedelta(minutes=5), 1)):
        station.clock.now += wait
        async with begin(station.engine) as session:
            done = await retry_quarantined(session, effects=station.effects, crashed=False, now=station.clock())
        assert done == released
    await station.sweep()
    assert await station.effects_of(thread) == [1]


async def test_claims_beyond_us_are_receipted_by_their_name(station: Station, aurelia: Peer) -> None:
    """A proven sender whose claims cannot be read learns that they wait for a person, and need not send them again."""
    said = aurelia.say("exchange.action/1", thread=new_id(), seq=1)
    members = said.claims.to_members() | {"seq": "first"}
    header = inner_header(kid=aurelia.party.signing.kid)
    beyond = Said(said.claims, sign_raw(header, canonical(members), signer=aurelia.party))
    await station.take(aurelia.close(beyond))
    assert await receipted(station) == [("XA", "quarantined", "bad_claims")]
    assert await station.rows("SELECT count(*) FROM inbox") == [(0,)]
