"""A silent peer stays closed while the others go on; two that were restored at once help each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.domain.codes import RequestType
from tests.recovery.equal import equal
from tests.world.documents import document
from tests.world.journey import advice, delivered, expect

if TYPE_CHECKING:
    from tests.recovery.ground import Ground


@pytest.mark.long
async def test_a_silent_peer_stays_closed_and_the_others_open(three: Ground) -> None:
    """XA is restored while XS is away: with XT it works again, with XS it answers 503 and whom to call."""
    with_xt = await delivered(three.world, document(RequestType.PRESERVATION))
    await with_xt.do("acknowledge")
    await with_xt.settled()
    with_xs = await advice(three.world, "acknowledge")
    backup = await three["XA"].back_up()
    await with_xt.wish("supplement", text="The address was used again on Saturday.")
    await with_xs.wish("supplement", text="The question is about court orders alone.")
    await three.quiet()

    await three["XA"].restore(backup)
    await three["XS"].stop()
    await three["XA"].start(log_epoch=2)
    await three.recovered("XA", but=["XS"])
    await equal(three, "XA", "XT")
    await with_xt.wish("supplement", text="And once more on Sunday.")
    refused = expect(await with_xs.ours().act(with_xs.exchange, "supplement", text="In plain words."), 503)
    assert (refused["code"], refused["peer"]) == ("recovering", "XS")
    phones = [phone["number"] for phone in refused["fallback"]["phones"]]
    assert phones
    assert phones[0].startswith("+")
    expect(await with_xs.ours().get(with_xs.exchange), 200)
    assert (await with_xt.ours().get("/readyz")).json()["status"] == "degraded"

    await three["XS"].start()
    await three.recovered("XA")
    await three.quiet()
    await equal(three, "XA", "XS")
    await with_xs.wish("supplement", text="In plain words, if possible.")


@pytest.mark.long
async def test_two_restored_at_once_agree_on_what_is_left(pair: Ground) -> None:
    """XA and XT lose different times of one exchange: what either remembers of the other comes back, and they agree."""
    journey = await delivered(pair.world, document(RequestType.PRESERVATION))
    await pair.quiet()
    older = await pair["XT"].back_up()
    await journey.do("acknowledge")
    await journey.settled()
    await pair.quiet()
    newer = await pair["XA"].back_up()
    await journey.wish("supplement", text="The address was used again on Saturday.")
    await journey.do("accept")
    await journey.settled()
    await pair.quiet()

    await pair["XA"].restore(newer)
    await pair["XT"].restore(older)
    await pair["XT"].start(log_epoch=2)
    await pair["XA"].start(log_epoch=2)
    await pair.recovered("XA")
    await pair.recovered("XT")
    await pair.quiet()
    (one,) = (await equal(pair, "XA", "XT")).values()
    assert one["state"] in {"ACKNOWLEDGED", "ACCEPTED"}
    await journey.do({"ACKNOWLEDGED": "accept", "ACCEPTED": "start"}[one["state"]])
    await journey.settled()


async def test_several_processes_take_each_step_once(pair: Ground) -> None:
    """Three working processes of the restored node, and two of its peer, come to the same end as one."""
    journey = await delivered(pair.world, document(RequestType.PRESERVATION))
    await pair.quiet()
    backup = await pair["XT"].back_up()
    await journey.do("acknowledge", "accept", "start", "preserve")
    await journey.settled()
    await pair.quiet()

    await pair["XT"].restore(backup)
    await pair["XA"].start()
    await pair["XT"].start(log_epoch=2, processes=3)
    await pair.recovered("XT")
    await pair.quiet()
    await equal(pair, "XA", "XT")
    assert await pair["XT"].rows("SELECT count(*) FROM recovery") == [(1,)]
    asks = "SELECT count(*), count(DISTINCT lane) FROM outbox WHERE type = 'resync/1'"
    assert await pair["XT"].rows(asks) == [(2, 2)]
    assert await pair["XA"].rows(asks) == [(2, 2)]
    assert await pair["XT"].lost() == []
