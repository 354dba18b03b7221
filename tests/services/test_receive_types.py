"""Types that are not about an exchange's course: files, heartbeats, test calls; and types that a release forgot."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from app.db import inbox
from app.db.engine import begin, reading
from app.db.inbox import FateOf
from app.db.threads import ThreadKey
from app.domain.codes import Fate, MessageType
from app.errors import StorageInconsistent
from app.services.keep import keep
from app.services.retry_quarantined import retry_quarantined
from app.services.settle import settle
from tests.support.peer import new_id
from tests.support.station import counting_effects

if TYPE_CHECKING:
    from tests.support.peer import Peer
    from tests.support.station import Station

IN_A_FILE: dict[str, tuple[str, str]] = {
    "a chunk": ("attachment.chunk/1", "applied"),
    "an erasure": ("erase/1", "applied"),
    "an act": ("exchange.action/1", "refused"),
    "an opening": ("exchange.open/1", "refused"),
}


@pytest.mark.parametrize("case", IN_A_FILE)
async def test_the_thread_of_a_file(station: Station, aurelia: Peer, case: str) -> None:
    """A file's thread is its sender's from the first chunk on, holds nothing else, and is not answered."""
    type_, state = IN_A_FILE[case]
    station.effects = counting_effects(*MessageType)
    thread = f"att:{new_id()}"
    await station.take(aurelia.close(aurelia.say(type_, thread=thread, seq=1)))
    assert [fate for _, fate, _ in await station.fates_of(thread)] == [state]
    assert station.answered == []


async def test_an_expired_test_call(station: Station, aurelia: Peer) -> None:
    """A test call that comes too late is stored and receipted, and has no effect."""
    said = aurelia.say("test-call/1", exp=int(station.clock().timestamp()) + 30)
    station.clock.now += timedelta(minutes=1)
    await station.take(aurelia.close(said))
    assert await station.rows("SELECT state FROM inbox") == [("expired",)]
    assert await station.rows("SELECT count(*) FROM effect") == [(0,)]


async def test_a_release_that_forgot_a_type(station: Station, aurelia: Peer) -> None:
    """A message that was stored and that this release cannot apply raises, to be stopped visibly; it is not lost."""
    batch = [station.arrive(aurelia.close(aurelia.say("test-call/1")))]
    async with begin(station.engine) as session:
        (due,) = (await keep(session, station.node, batch, effects=station.effects, now=station.clock())).due
    forgetful = counting_effects(MessageType.EXCHANGE_OPEN)
    with pytest.raises(StorageInconsistent):
        async with begin(station.engine) as session:
            await settle(session, station.node, [due], effects=forgetful, now=station.clock())
    assert await station.rows("SELECT state FROM inbox") == [("held",)]


async def test_a_newer_version_of_the_envelope_stays(station: Station, aurelia: Peer) -> None:
    """A text of a version this release cannot read is not released by trying again."""
    await station.take(aurelia.close(aurelia.say_next(new_id(), v=2)))
    station.effects = counting_effects(*MessageType)
    async with begin(station.engine) as session:
        assert not await retry_quarantined(session, effects=station.effects, crashed=True, now=station.clock())


async def test_the_fates_of_a_thread(station: Station, aurelia: Peer) -> None:
    """All consumed messages of a thread are told with their fates, by number; what waits is not among them."""
    thread = new_id()
    bodies: list[dict[str, Any]] = [{}, {"stale": True}, {}, {}]
    texts = [aurelia.say_next(thread, body=body) for body in bodies]
    await station.take(*(aurelia.close(said) for said in (texts[1], texts[0], texts[3])))
    async with reading(station.engine) as session:
        told = await inbox.fates(session, ThreadKey(thread, "XA"))
    assert [(one.seq, one.type, one.fate, one.code) for one in told] == [
        (1, "exchange.open/1", Fate.APPLIED, None),
        (2, "exchange.action/1", Fate.STALE, "late"),
    ]
    assert isinstance(told[0], FateOf)
    assert [str(one.jti) for one in told] == [said.claims.jti for said in texts[:2]]


async def test_a_number_whose_text_is_gone(station: Station, aurelia: Peer) -> None:
    """A number that was consumed by a text no longer here is not given an effect a second time."""
    thread = new_id()
    await station.take(aurelia.close(aurelia.say_next(thread)))
    await station.change("DELETE FROM inbox")
    await station.take(aurelia.close(aurelia.say("exchange.open/1", thread=thread, seq=1)))
    assert await station.fates_of(thread) == [(1, "refused", "seq_taken")]
    assert await station.effects_of(thread) == [1]
