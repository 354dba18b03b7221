"""Texts that a peer gives back: only our own word, for just this peer, has any effect, and it has it once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from app.domain.key_records import KeyStatus, RevocationReason
from tests.envelope.parties import KITANO, SAHRAN
from tests.recovery.steps import closed, fates, lost, returned
from tests.support.peer import Peer, impostor, new_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.peer import Clock, Said
    from tests.support.station import Station

OUT = "SELECT seq, jws_hash, left_by, receipt_status FROM outbox WHERE thread = :thread ORDER BY seq"


def _state_of(peer: Peer) -> Said:
    return peer.say("void/1", {"step": 1}, thread=new_id(), seq=3)


STRANGE: dict[str, tuple[Callable[[Peer], Said], tuple[str, str | None]]] = {
    "said by the peer in our name": (
        lambda kitano: _state_of(replace(kitano, party=replace(kitano.to, code="XT"))),
        ("refused", "unknown_sender_key"),
    ),
    "signed by somebody who took our key's name": (
        lambda kitano: _state_of(impostor(kitano)),
        ("refused", "bad_signature"),
    ),
    "said to another peer": (
        lambda kitano: _state_of(Peer(KITANO, SAHRAN, kitano.clock)),
        ("refused", "mismatch"),
    ),
    "without a place in a thread": (
        lambda kitano: kitano.say("incident/1"),
        ("stale", None),
    ),
    "a chunk of a file": (
        lambda kitano: kitano.say("erase/1", thread=f"att:{new_id()}", seq=1),
        ("stale", None),
    ),
    "at a place that no database can store": (
        lambda kitano: kitano.say("void/1", thread=new_id(), seq=2**40),
        ("stale", None),
    ),
}


@pytest.mark.parametrize("case", STRANGE)
async def test_what_proves_nothing_has_no_effect(station: Station, aurelia: Peer, kitano: Peer, case: str) -> None:
    """A text that is not ours, not for this peer, or without a place begins no recovery and enters no outbox."""
    make, fate = STRANGE[case]
    await station.take(returned(aurelia, make(kitano)))
    assert await fates(station) == [fate]
    assert await closed(station) == []
    assert await station.rows("SELECT * FROM recovery") == []
    assert await station.rows("SELECT jti FROM outbox WHERE type <> 'receipt/1'") == []


async def test_a_text_that_we_do_not_remember_closes_every_peer(station: Station, aurelia: Peer, kitano: Peer) -> None:
    """One unknown text under our own signature begins a recovery, and is our word again, as the peer has it."""
    thread = new_id()
    said = kitano.say("void/1", {"step": 4}, thread=thread, seq=4)
    await station.take(returned(aurelia, said, "equivocation"))
    assert await closed(station) == ["XA", "XS"]
    assert await station.rows("SELECT proof, reopened_at FROM recovery") == [("text", None)]
    assert await station.rows(OUT, thread=thread) == [(4, said.hash, "receipt", "stored")]


async def test_a_copy_that_comes_twice_is_adopted_once(station: Station, aurelia: Peer, kitano: Peer) -> None:
    """Returned again, in the same batch or later, a text changes nothing."""
    thread = new_id()
    said = kitano.say("void/1", {"step": 1}, thread=thread, seq=1)
    await station.take(returned(aurelia, said), returned(aurelia, said))
    await station.take(returned(aurelia, said))
    assert sorted(state for state, _ in await fates(station)) == ["applied", "stale", "stale"]
    assert await station.rows(OUT, thread=thread) == [(1, said.hash, "receipt", "stored")]
    assert await station.rows("SELECT count(*) FROM recovery") == [(1,)]


async def test_two_unknown_texts_under_one_number(station: Station, aurelia: Peer, kitano: Peer) -> None:
    """Of two texts that we signed for one place the one the peer returns last has it; the other is listed and left."""
    thread = new_id()
    first = kitano.say("void/1", {"step": 1}, thread=thread, seq=1)
    second = kitano.say("void/1", {"step": 2}, thread=thread, seq=1)
    await station.take(returned(aurelia, first))
    await station.take(returned(aurelia, second))
    assert await station.rows(OUT, thread=thread) == [(1, second.hash, "receipt", "stored")]
    assert await station.rows("SELECT left_by FROM outbox WHERE jti = CAST(:jti AS uuid)", jti=first.claims.jti) == [
        ("superseded",)
    ]
    assert await lost(station) == [(thread, 1, "superseded")]


async def test_a_known_text_is_no_proof(station: Station, aurelia: Peer, kitano: Peer) -> None:
    """What we do remember to have signed proves nothing; it counts as a receipt."""
    thread = new_id()
    said = kitano.say("void/1", {"step": 1}, thread=thread, seq=1)
    await station.change(KNOWN, jti=said.claims.jti, thread=thread, jws=said.jws, hash=said.hash)
    await station.take(returned(aurelia, said))
    assert await closed(station) == []
    assert await station.rows(OUT, thread=thread) == [(1, said.hash, "receipt", "stored")]


KNOWN = """
INSERT INTO outbox (jti, peer, thread, seq, type, body, lane, created_at, next_at, jws, jws_kid, jws_hash)
VALUES (CAST(:jti AS uuid), 'XA', :thread, 1, 'exchange.action/1', '{}', 'urgent', now(), now(), :jws, 'kid', :hash)
"""


async def test_a_text_that_was_signed_for_its_message_again(station: Station, aurelia: Peer, kitano: Peer) -> None:
    """A message in the backup that got another text after the restore has its first text again; the other is kept."""
    thread = new_id()
    first = kitano.say("void/1", {"step": 1}, thread=thread, seq=1)
    again = kitano.say("void/1", {"step": 1}, thread=thread, seq=1, jti=first.claims.jti, log={"size": 2})
    await station.change(KNOWN, jti=first.claims.jti, thread=thread, jws=again.jws, hash=again.hash)
    await station.take(returned(aurelia, first, "equivocation"))
    assert await closed(station) == ["XA", "XS"]
    assert await station.rows(OUT, thread=thread) == [(1, first.hash, "receipt", "stored")]
    assert await station.rows("SELECT inner_hash FROM signed_text") == [(again.hash,)]


async def test_what_was_lost_before_the_last_recovery_is_no_new_proof(
    station: Station, aurelia: Peer, kitano: Peer, clock: Clock
) -> None:
    """A peer that returns later what it kept back cannot stop the node again: it is adopted and listed as late."""
    early, late = (kitano.say("void/1", {"step": 1}, thread=new_id(), seq=1) for _ in range(2))
    clock.now += timedelta(minutes=1)
    await station.take(returned(aurelia, early))
    await station.change("UPDATE recovering_peer SET done_at = now()")
    await station.change("UPDATE recovery SET reopened_at = now(), ended_at = now()")
    await station.take(returned(aurelia, late))
    assert await closed(station) == []
    assert await station.rows("SELECT count(*) FROM recovery") == [(1,)]
    assert late.claims.thread is not None
    assert await lost(station) == [(late.claims.thread, 1, "returned_late")]
    assert await station.rows("SELECT next_out FROM thread WHERE id = :id", id=late.claims.thread) == [(2,)]


async def test_what_our_revoked_key_signed_waits_for_people(
    station: Station, aurelia: Peer, kitano: Peer, clock: Clock
) -> None:
    """A text under a key of ours since revoked is not adopted; while the peer is closed its place is listed."""
    text = kitano.say("void/1", {"step": 1}, thread=new_id(), seq=1)
    await station.take(returned(aurelia, kitano.say("void/1", {"step": 1}, thread=new_id(), seq=1)))
    station.node = replace(station.node, directory=with_our_key_revoked(station))
    clock.now += timedelta(minutes=2)
    await station.take(returned(aurelia, text))
    assert (await fates(station))[-1] == ("refused", "key_revoked")
    assert text.claims.thread is not None
    assert await lost(station) == [(text.claims.thread, 1, "key_revoked")]
    assert await station.rows(OUT, thread=text.claims.thread) == []


def with_our_key_revoked(station: Station) -> Any:  # noqa: ANN401 - a directory made without its checks
    """The node's directory, in which the node's own signing key was revoked a minute after the test began."""
    directory, at = station.node.directory, station.clock() + timedelta(minutes=1)
    revoked = {"status": KeyStatus.REVOKED, "revoked_at": at, "reason": RevocationReason.COMPROMISE}
    points = []
    for point in directory.contact_points:
        keys = tuple(
            key.model_copy(update=revoked) if key.kid == station.party.signing.kid else key for key in point.keys
        )
        points.append(point.model_copy(update={"keys": keys}))
    return type(directory).model_construct(version=2, issued_at=directory.issued_at, contact_points=tuple(points))
