"""A second text under one message id is the message signed again under another key, or it convicts its sender."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from app.domain.codes import Lane
from app.services.second_text import Second, says_the_same
from tests.envelope.parties import NOW
from tests.keys.rotation import again
from tests.services.test_receive_evidence import facts
from tests.support.peer import new_id

if TYPE_CHECKING:
    from tests.keys.rotation import Rotation
    from tests.support.peer import Clock

HOUR = timedelta(hours=1)


async def test_a_waiting_text_is_replaced(rotation: Rotation) -> None:
    """Behind a gap the text under the new key takes the place of the one under the revoked key, and has the effect."""
    station, thread = rotation.station, new_id()
    opening, act = rotation.first.say_next(thread), rotation.first.say_next(thread)
    await station.take(rotation.first.close(act))
    rotation.revoke_first(NOW + HOUR)
    second = again(act, rotation.second)
    await station.take(rotation.first.close(second))
    assert await station.rows("SELECT inner_hash, kid, state FROM inbox") == [(second.hash, "XA-sig-2026b", "held")]
    assert await rotation.beside() == {act.hash}
    await station.take(rotation.first.close(again(opening, rotation.second)))
    assert await station.effects_of(thread) == [1, 2]
    assert [(name, status) for name, status, _ in await rotation.receipts()][:2] == [
        (act.hash, "held"),
        (second.hash, "held"),
    ]


async def test_after_the_effect_it_is_a_duplicate(rotation: Rotation) -> None:
    """A message that was applied is not applied again; the second text is kept, receipted, and both are on record."""
    station, thread = rotation.station, new_id()
    said = rotation.first.say_next(thread)
    await station.take(rotation.first.close(said))
    rotation.revoke_first(NOW + HOUR)
    second = again(said, rotation.second)
    for _ in range(3):
        await station.take(rotation.first.close(second))
    assert await station.effects_of(thread) == [1]
    assert await station.rows("SELECT inner_hash, duplicates FROM inbox") == [(said.hash, 3)]
    assert await rotation.beside() == {second.hash}
    assert [entry[:2] for entry in await rotation.receipts()] == [(said.hash, "stored"), *[(second.hash, "stored")] * 3]
    assert (await facts(station)).count("envelope.signed_again") == 1
    assert await rotation.quarantined() == []


async def test_both_in_one_batch(rotation: Rotation) -> None:
    """Both texts in one batch, and copies of both: one effect, one row, every copy receipted by its own name."""
    station, thread = rotation.station, new_id()
    said = rotation.first.say_next(thread)
    second = again(said, rotation.second)
    rotation.revoke_first(NOW + HOUR)
    await station.take(*(rotation.first.close(text) for text in (said, second, said, second)))
    assert await station.effects_of(thread) == [1]
    assert await station.rows("SELECT inner_hash FROM inbox") == [(second.hash,)]
    assert [entry[:2] for entry in await rotation.receipts()] == [(text.hash, "stored") for text in (said, second)] * 2


async def test_it_waits_for_the_directory(rotation: Rotation) -> None:
    """While no key is shown revoked the second text is kept without receipt; the next directory lets it in."""
    station, thread = rotation.station, new_id()
    rotation.first.say_next(thread)
    act = rotation.first.say_next(thread)
    await station.take(rotation.first.close(act))
    second = again(act, rotation.second)
    for _ in range(2):
        await station.take(rotation.first.close(second))
    await rotation.look_again()
    assert await rotation.receipts() == [(act.hash, "held", None)]
    assert await rotation.quarantined() == [("awaiting_directory", True)]
    assert await station.rows("SELECT times FROM quarantine") == [(2,)], "looking again is no arrival"
    rotation.revoke_first(NOW + HOUR)
    await rotation.look_again()
    assert await station.rows("SELECT inner_hash, state FROM inbox") == [(second.hash, "held")]
    assert (await rotation.receipts())[1:] == [(second.hash, "held", None)]
    assert await rotation.quarantined() == []


async def test_a_copy_of_it_ends_the_waiting_too(rotation: Rotation) -> None:
    """If the next copy of a waiting text comes after the directory, nothing is left in quarantine."""
    station, thread = rotation.station, new_id()
    said = rotation.first.say_next(thread)
    second = again(said, rotation.second)
    await station.take(rotation.first.close(said))
    await station.take(rotation.first.close(second))
    rotation.revoke_first(NOW + HOUR)
    await station.take(rotation.first.close(second, copy=2))
    assert await rotation.quarantined() == []
    assert (await rotation.receipts())[-1] == (second.hash, "stored", None)
    assert await station.effects_of(thread) == [1]


async def test_without_thread(rotation: Rotation) -> None:
    """A message without thread is replaced or doubled by the same rules."""
    station = rotation.station
    said = rotation.first.say("test-call/1")
    second = again(said, rotation.second)
    rotation.revoke_first(NOW + HOUR)
    await station.take(rotation.first.close(said), rotation.first.close(second))
    await station.sweep()
    await station.take(rotation.first.close(second, copy=2))
    assert await station.rows("SELECT count(*) FROM effect") == [(1,)]
    assert await station.rows("SELECT inner_hash, state FROM inbox") == [(second.hash, "applied")]


CHANGES: dict[str, dict[str, Any]] = {
    "another number": {"seq": 3},
    "another thread": {"thread": "019a9f5e-7c00-7000-8000-0000000000ff"},
    "another predecessor": {"prev": "019a9f5e-7c00-7000-8000-0000000000fe"},
    "another type": {"type": "hold.action/1"},
    "an end it did not have": {"exp": 1_900_000_000},
    "another body": {"body": {"step": 3}},
    "a body that only looks equal": {"body": {"step": True}},
    "a body with one member more": {"body": {"step": 1, "more": None}},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
async def test_another_message_is_a_contradiction(rotation: Rotation, change: dict[str, Any]) -> None:
    """Whatever differs in what signing again leaves as it is: the second text is evidence, and the first stands."""
    station, thread = rotation.station, new_id()
    said = rotation.first.say_next(thread, body={"step": 1})
    await station.take(rotation.first.close(said))
    rotation.revoke_first(NOW + HOUR)
    forged = again(said, rotation.second, **({"seq": 2} if "prev" in change else {}), **change)
    await station.take(rotation.first.close(forged))
    assert await station.rows("SELECT inner_hash FROM inbox") == [(said.hash,)]
    assert (await rotation.receipts())[-1] == (forged.hash, "quarantined", "equivocation")
    assert await rotation.quarantined() == [("equivocation", True)]


async def test_the_same_key_signs_once(rotation: Rotation) -> None:
    """Two texts under one key contradict each other although only their time differs, revoked or not."""
    station, thread = rotation.station, new_id()
    said = rotation.first.say_next(thread)
    await station.take(rotation.first.close(said))
    rotation.revoke_first(NOW + HOUR)
    await station.take(rotation.first.close(again(said, rotation.first, iat=said.claims.iat - 1)))
    assert await rotation.quarantined() == [("equivocation", True)]


def test_without_comparing_any_text_would_do(rotation: Rotation) -> None:
    """(Control) A judge that looks at the keys alone lets a stolen successor change every waiting message."""
    said = rotation.first.say("exchange.action/1", {"step": 1}, thread=new_id(), seq=2)
    forged = again(said, rotation.second, body={"step": 666})
    rotation.revoke_first(NOW + HOUR)
    directory = rotation.station.node.directory

    def careless() -> Second:
        key = directory.signing_key("XA", rotation.first.party.signing.kid)
        return Second.REPLACES if key is not None and key.revoked_at is not None else Second.AWAITS

    assert careless() is Second.REPLACES
    assert not says_the_same(said.claims, forged.claims)


async def test_what_was_signed_too_early_is_put_right(rotation: Rotation, clock: Clock) -> None:
    """A first text from the future waits in quarantine; the second one, dated rightly, frees its thread."""
    station, thread = rotation.station, new_id()
    said = rotation.first.say_next(thread, iat=int(clock().timestamp()) + 600)
    await station.take(rotation.first.close(said))
    assert await rotation.quarantined() == [("from_the_future", True)]
    rotation.revoke_first(NOW + HOUR)
    await station.take(rotation.first.close(again(said, rotation.second)))
    assert await rotation.quarantined() == []
    assert await station.effects_of(thread) == [1]


async def test_what_raised_stays_stopped(rotation: Rotation) -> None:
    """A message whose effect raised is replaced, and still waits for another release: its effect would be the same."""
    station, thread = rotation.station, new_id()
    said = rotation.first.say_next(thread, body={"poison": True})
    await station.take_singly(rotation.first.close(said))
    assert await rotation.quarantined() == [("crashed", True)]
    rotation.revoke_first(NOW + HOUR)
    second = again(said, rotation.second)
    await station.take(rotation.first.close(second))
    assert await station.rows("SELECT inner_hash, state, code FROM inbox") == [(second.hash, "quarantined", "crashed")]
    assert await rotation.quarantined() == [("crashed", True)]
    assert (await rotation.receipts())[-1] == (second.hash, "quarantined", "crashed")


async def test_what_officers_decided_stays_decided(rotation: Rotation) -> None:
    """A message that waits to be refused, as officers decided, is replaced and still refused in its turn."""
    station, thread = rotation.station, new_id()
    rotation.first.say_next(thread)
    act = rotation.first.say_next(thread)
    await station.take(rotation.first.close(act))
    await station.change("UPDATE inbox SET code = 'rejected'")
    rotation.revoke_first(NOW + HOUR)
    second = again(act, rotation.second)
    await station.take(rotation.first.close(second))
    assert await station.rows("SELECT inner_hash, state, code FROM inbox") == [(second.hash, "held", "rejected")]


RETURNED = """SELECT convert_from(body, 'UTF8')::jsonb ->> 'text', lane FROM outbox
    WHERE type = 'resync.copy/1' ORDER BY id"""


async def test_the_first_text_is_given_back(rotation: Rotation, clock: Clock) -> None:
    """Who contradicts itself gets its own first text back, on the lane of the second, once an hour and not more."""
    station, thread = rotation.station, new_id()
    said = rotation.first.say_next(thread)
    await station.take(rotation.first.close(said))
    for _ in range(3):
        usurper = rotation.first.say("exchange.action/1", thread=thread, seq=1)
        await station.take(rotation.first.close(usurper), lane=Lane.ROUTINE)
    assert await station.rows(RETURNED) == [(said.jws, "routine")]
    clock.now += HOUR
    await station.take(rotation.first.close(rotation.first.say("exchange.action/1", thread=thread, seq=1)))
    assert await station.rows(RETURNED) == [(said.jws, "routine"), (said.jws, "urgent")]


async def test_contradicting_receipts_are_not_given_back(rotation: Rotation) -> None:
    """The first text of a receipt is of no use to anybody; the second one is evidence all the same."""
    station = rotation.station
    said = rotation.first.say("receipt/1", {"receipts": []})
    await station.take(rotation.first.close(said))
    await station.take(rotation.first.close(again(said, rotation.first, body={"receipts": [1]})))
    assert await rotation.quarantined() == [("equivocation", True)]
    assert await station.rows(RETURNED) == []


async def test_a_later_first_text_changes_nothing(rotation: Rotation) -> None:
    """If the text under the revoked key comes after the one under the new key, the newer one stands."""
    station, thread = rotation.station, new_id()
    rotation.first.say_next(thread)
    act = rotation.first.say_next(thread)
    second = again(act, rotation.second)
    await station.take(rotation.first.close(second))
    await station.take(rotation.first.close(act))
    assert await rotation.quarantined() == [("awaiting_directory", True)]
    rotation.revoke_first(NOW + HOUR)
    await rotation.look_again()
    assert await station.rows("SELECT inner_hash, state FROM inbox") == [(second.hash, "held")]
    assert await rotation.beside() == {act.hash}
    assert await rotation.quarantined() == []
