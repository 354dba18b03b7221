"""Our own signing key is revoked: what has no receipt yet goes out again under the next key, and nothing is lost."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from app.db import resigning
from app.db.engine import begin
from app.db.tables_delivery import Trouble, outbox
from app.domain.codes import Lane, MessageType
from app.domain.key_records import KeyStatus
from app.envelope.format import SIGN_ALG
from app.envelope.keys import SigningKey, make_keyring
from app.envelope.open import open_envelope
from app.envelope.reasons import Reason, Rejected
from app.services.inbound import claims_of
from app.services.seal import Sealing, choose_signing_key
from app.services.second_text import says_the_same
from app.services.send import Outgoing
from app.services.sign_again import sign_again
from app.services.trust import Trust
from tests.envelope.parties import AURELIA, KITANO, NOW, SAHRAN, make_private
from tests.keys.rotation import directory_of, record
from tests.services.test_receive_evidence import facts
from tests.support.courier import Courier
from tests.support.peer import Peer, new_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.db.resigning import Outworn
    from app.domain.directory import Directory, KeyRecord
    from tests.support.peer import Clock
    from tests.support.station import Station

STANDBY = SigningKey("XT-sig-2026b", make_private(SIGN_ALG, "XT standby"))
OTHER = SigningKey("XT-sig-2026c", make_private(SIGN_ALG, "XT other"))
KEYRING = replace(KITANO.keyring, standby=STANDBY)
HOUR = timedelta(hours=1)


def published(version: int, *keys: KeyRecord) -> Directory:
    """A directory with these signing keys of Kitano's."""
    return directory_of(version, {"XT": list(keys)}, KITANO, AURELIA, SAHRAN)


def revoked(version: int = 2) -> Directory:
    """The directory in which Kitano's first key is revoked, and its standby key takes over."""
    return published(version, record(KITANO.signing, revoked_at=NOW), record(STANDBY, status=KeyStatus.STANDBY))


@pytest.fixture
def peer(clock: Clock) -> Peer:
    """Aurelia, as somebody who is written to."""
    return Peer(AURELIA, KITANO, clock)


async def write(station: Station, *numbers: int) -> str:
    """Queue as many messages of one thread to Aurelia as there are numbers; returns the thread."""
    thread = new_id()
    for number in numbers:
        type_ = MessageType.EXCHANGE_OPEN if number == 1 else MessageType.EXCHANGE_ACTION
        exp = NOW + HOUR if number == 1 else None
        await station.put(Outgoing("XA", type_, {"step": number, "yes": True}, thread=thread, exp=exp))
    return thread


async def again(station: Station) -> int:
    """Sign again until nothing is left to be signed."""
    done = 0
    while True:
        async with begin(station.engine) as session:
            count = await sign_again(session, station.node, station.sealing, now=station.clock())
        if not count:
            return done
        done += count


def trust(station: Station, directory: Directory) -> None:
    """Let the node believe another directory from now on."""
    believed = Trust(station.node, KEYRING)
    believed.adopt(directory)
    station.node, station.sealing = believed.node, believed.sealing(station.clock())


async def texts(station: Station) -> list[str]:
    """The texts in the outbox, in order."""
    return [jws for (jws,) in await station.rows("SELECT jws FROM outbox WHERE type <> 'receipt/1' ORDER BY id")]


async def test_unreceipted_texts_are_signed_again(station: Station, clock: Clock) -> None:
    """Same name, place, type, end and body; new key and time; due at once; the old text is kept and it is a fact."""
    thread = await write(station, 1, 2)
    await station.relay(Courier())
    first = await texts(station)
    clock.now += 10 * HOUR
    trust(station, revoked())
    assert await again(station) == 2
    second = await texts(station)
    for old, new in zip(map(claims_of, first), map(claims_of, second), strict=True):
        assert says_the_same(old, new)
        assert (new.jti, new.thread, new.iat) == (old.jti, thread, int(clock().timestamp()))
    assert await station.rows("SELECT jws FROM signed_text ORDER BY jti") == [(jws,) for jws in first]
    assert await station.rows("SELECT DISTINCT jws_kid, resigned, next_at FROM outbox") == [(STANDBY.kid, 1, clock())]
    assert (await facts(station)).count("envelope.signed_again") == 2


async def test_the_copy_that_follows_is_believed(station: Station, peer: Peer, clock: Clock) -> None:
    """A peer with the new directory opens the next copy, whose number goes on."""
    await write(station, 1)
    await station.relay(Courier())
    trust(station, revoked())
    await again(station)
    courier = Courier()
    await station.relay(courier)
    (raw,) = courier.bodies
    opened = open_envelope(raw, me="XA", keyring=AURELIA.keyring, directory=station.node.directory, now=clock())
    assert (opened.kid, opened.copy) == (STANDBY.kid, 2)


async def test_the_copy_of_an_old_text_is_not(station: Station, clock: Clock) -> None:
    """(Control) Not signed again, every further copy is refused by whoever knows of the revocation."""
    await write(station, 1)
    await station.relay(Courier())
    trust(station, revoked())
    await station.change("UPDATE outbox SET next_at = '2000-01-01Z'")
    courier = Courier()
    await station.relay(courier)
    (raw,) = courier.bodies
    with pytest.raises(Rejected) as refused:
        open_envelope(raw, me="XA", keyring=AURELIA.keyring, directory=station.node.directory, now=clock())
    assert refused.value.reason is Reason.KEY_REVOKED


@pytest.mark.parametrize("which", [0, 1], ids=["the first text", "the second text"])
async def test_a_receipt_for_either_text_counts(station: Station, peer: Peer, which: int) -> None:
    """A receipt for any text that was signed under this name ends the message."""
    await write(station, 1)
    courier = Courier()
    await station.relay(courier)
    old = peer.open(courier.bodies[0])
    trust(station, revoked())
    await again(station)
    new = claims_of((await texts(station))[0])
    names = await station.rows("SELECT inner_hash FROM signed_text UNION ALL SELECT jws_hash FROM outbox")
    receipt = peer.receipt_for(old, inner_hash=names[which][0])
    assert str(new.jti) == old.claims.jti
    await station.take(peer.close(receipt))
    assert await station.rows("SELECT left_by, receipt_status FROM outbox WHERE type <> 'receipt/1'") == [
        ("receipt", "stored")
    ]
    assert await station.rows("SELECT count(*) FROM quarantine") == [(0,)]


async def test_what_has_its_receipt_is_left_alone(station: Station, peer: Peer) -> None:
    """The peer has that text, and what it has stands."""
    await write(station, 1)
    courier = Courier()
    await station.relay(courier)
    await station.take(peer.close(peer.receipt_for(peer.open(courier.bodies[0]))))
    trust(station, revoked())
    assert await again(station) == 0


async def test_only_revoked_keys_are_replaced(station: Station) -> None:
    """What a retired or expired key signed in its time is still believed, and a revocation to come has not come."""
    await write(station, 1)
    await station.relay(Courier())
    retired = record(KITANO.signing, status=KeyStatus.RETIRED, retired_at=NOW)
    for version, key in enumerate([retired, record(KITANO.signing, revoked_at=NOW + HOUR)], start=2):
        trust(station, published(version, key, record(STANDBY)))
        assert await again(station) == 0


async def test_the_third_key_follows_the_second(station: Station) -> None:
    """If the standby key is revoked as well, the message is signed once more, and all three texts are kept."""
    await write(station, 1)
    await station.relay(Courier())
    trust(station, revoked())
    await again(station)
    keys = [record(KITANO.signing, revoked_at=NOW), record(STANDBY, revoked_at=NOW), record(OTHER)]
    directory = published(3, *keys)
    station.node = replace(station.node, directory=directory)
    station.sealing = Sealing("XT", OTHER, directory)
    assert await again(station) == 1
    assert await station.rows("SELECT jws_kid, resigned FROM outbox") == [(OTHER.kid, 2)]
    assert await station.rows("SELECT count(*) FROM signed_text") == [(2,)]


async def test_two_relays_sign_again_at_once(station: Station, clock: Clock) -> None:
    """Of two processes that sign the same message again at the same moment one text stays, and only one."""
    await write(station, *range(1, 31))
    await station.relay(Courier())
    trust(station, revoked())
    twin = replace(station, clock=type(clock)(clock.now + timedelta(seconds=7)))
    counts = await asyncio.gather(*(again(one) for one in (station, twin)))
    assert sum(counts) == 30
    assert await station.rows("SELECT count(*), max(resigned) FROM outbox") == [(30, 1)]
    assert await station.rows("SELECT count(*) FROM signed_text") == [(30,)]
    assert (await facts(station)).count("envelope.signed_again") == 30


async def test_without_the_guard_one_text_would_be_forgotten(station: Station, clock: Clock) -> None:
    """(Control) Were the count not compared, the second signature would bury the first, of which copies may be out."""
    await write(station, 1)
    await station.relay(Courier())
    trust(station, revoked())
    (old,) = await outworn(station)
    mine = station.sealing.sign(old.letter, clock())
    other = station.sealing.sign(old.letter, clock() + HOUR)
    async with begin(station.engine) as session:
        assert len(await resigning.replace_texts(session, [(old, mine)], now=clock())) == 1
    async with begin(station.engine) as session:
        assert await resigning.replace_texts(session, [(old, other)], now=clock()) == []
    known = "SELECT jws_hash FROM outbox UNION SELECT inner_hash FROM signed_text"
    assert (mine.inner_hash,) in await station.rows(known)
    async with begin(station.engine) as session:
        await session.execute(update(outbox).values(jws=other.jws, jws_hash=other.inner_hash))
    assert (mine.inner_hash,) not in await station.rows(known)


async def outworn(station: Station) -> list[Outworn]:
    """What is under the revoked key."""
    async with begin(station.engine) as session:
        return await resigning.outworn(session, [KITANO.signing.kid], limit=10)


async def test_a_receipt_that_comes_meanwhile_wins(station: Station, peer: Peer, clock: Clock) -> None:
    """If the receipt comes between signing and storing, the message is over and keeps its text."""
    await write(station, 1)
    courier = Courier()
    await station.relay(courier)
    trust(station, revoked())
    (old,) = await outworn(station)
    await station.take(peer.close(peer.receipt_for(peer.open(courier.bodies[0]))))
    async with begin(station.engine) as session:
        signed = [(old, station.sealing.sign(old.letter, clock()))]
        assert await resigning.replace_texts(session, signed, now=clock()) == []
    assert await station.rows("SELECT jws_kid FROM outbox WHERE type <> 'receipt/1'") == [(KITANO.signing.kid,)]


async def test_a_relay_in_the_middle_publishes_the_new_text(station: Station, peer: Peer) -> None:
    """A relay that has the row leased does not bury the new text; the row stays due for the next copy."""
    await write(station, 1)
    await station.relay(Courier())
    trust(station, revoked())
    await station.change("UPDATE outbox SET next_at = '2000-01-01Z'")
    await station.relay(Courier(before=lambda: again(station)))
    assert await station.rows("SELECT jws_kid, next_at FROM outbox") == [(STANDBY.kid, NOW)]


KEYS: dict[str, tuple[Callable[[], list[KeyRecord]], str | None]] = {
    "ours as long as it is valid": (lambda: [record(KITANO.signing), record(STANDBY)], KITANO.signing.kid),
    "the standby key once ours is revoked": (
        lambda: [record(KITANO.signing, revoked_at=NOW), record(STANDBY, status=KeyStatus.STANDBY)],
        STANDBY.kid,
    ),
    "ours until a revocation to come": (
        lambda: [record(KITANO.signing, revoked_at=NOW + HOUR), record(STANDBY)],
        KITANO.signing.kid,
    ),
    "the standby key once ours is expired": (
        lambda: [record(KITANO.signing, exp=NOW), record(STANDBY)],
        STANDBY.kid,
    ),
    "the standby key once ours is retired": (
        lambda: [record(KITANO.signing, status=KeyStatus.RETIRED, retired_at=NOW), record(STANDBY)],
        STANDBY.kid,
    ),
    "the standby key while ours is not valid yet": (
        lambda: [record(KITANO.signing, nbf=NOW + HOUR), record(STANDBY)],
        STANDBY.kid,
    ),
    "none when both are revoked": (
        lambda: [record(KITANO.signing, revoked_at=NOW), record(STANDBY, revoked_at=NOW)],
        None,
    ),
    "none when the standby key was never published": (lambda: [record(KITANO.signing, revoked_at=NOW)], None),
    "none under another key's name": (
        lambda: [record(KITANO.signing, revoked_at=NOW), record(OTHER, kid=STANDBY.kid)],
        None,
    ),
}


@pytest.mark.parametrize(("shown", "kid"), KEYS.values(), ids=KEYS.keys())
def test_which_key_is_in_use(shown: Callable[[], list[KeyRecord]], kid: str | None) -> None:
    """The signing key in use is ours while the directory lets it be believed, then the standby key, then none."""
    key = choose_signing_key(KEYRING, published(2, *shown()), code="XT", now=NOW)
    assert (None if key is None else key.kid) == kid
    lonely = make_keyring(KITANO.signing, [])
    assert choose_signing_key(lonely, published(2, record(STANDBY)), code="XT", now=NOW) is None


async def test_without_a_key_nothing_leaves(station: Station, clock: Clock) -> None:
    """When no key of ours is believed, messages wait and say so; a directory with a key lets them go."""
    await write(station, 1)
    trust(station, published(2, record(KITANO.signing, revoked_at=NOW)))
    courier = Courier()
    await station.relay(courier)
    assert await again(station) == 0
    assert courier.bodies == []
    assert await station.rows("SELECT trouble, jws FROM outbox") == [(Trouble.NO_KEY, None)]
    clock.now += HOUR
    trust(station, published(3, record(KITANO.signing, revoked_at=NOW), record(STANDBY)))
    await station.relay(courier, Lane.ROUTINE)
    assert len(courier.bodies) == 1


async def test_while_a_peer_is_closed_nothing_is_signed_again(station: Station) -> None:
    """What is for a peer that a recovering node has not resynced with keeps its text until that peer is open again."""
    await write(station, 1)
    await station.relay(Courier())
    trust(station, revoked())
    await station.change(
        """WITH begun AS (INSERT INTO recovery (id, began_at, proof, detail)
            VALUES (gen_random_uuid(), now(), 'anchor', '{}') RETURNING id)
        INSERT INTO recovering_peer (recovery_id, peer, resync_id) SELECT id, 'XA', gen_random_uuid() FROM begun"""
    )
    assert await again(station) == 0
    await station.change("UPDATE recovering_peer SET done_at = now()")
    assert await again(station) == 1
