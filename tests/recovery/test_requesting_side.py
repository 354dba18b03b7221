"""The node that opens exchanges is put back to a backup: what it had sent is known again, and nobody sends it twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.codes import RequestType
from tests.recovery.equal import equal
from tests.support.world import seen
from tests.world.documents import document
from tests.world.journey import DESK_ROAD, Journey, delivered, expect, filed, taken

if TYPE_CHECKING:
    from tests.recovery.ground import Ground


async def test_what_was_sent_after_the_backup_is_known_again(pair: Ground) -> None:
    """A request signed and an act done after the backup are there again, and both sides are equal."""
    going = await delivered(pair.world, document(RequestType.PRESERVATION))
    await going.do("acknowledge")
    await going.settled()
    waiting = await filed(pair.world, document(RequestType.PRESERVATION))
    backup = await pair["XA"].back_up()
    await going.wish("supplement", text="The address was used again on Saturday.")
    signed = await taken(pair.world, waiting["id"], *DESK_ROAD)
    sent = Journey(pair.world, waiting["id"], signed["exchange_id"], "XT")
    await seen(lambda: sent.theirs().get(sent.exchange), lambda answer: answer.status_code == 200)
    unknown = await delivered(pair.world, document(RequestType.PRESERVATION))
    for one in (sent, unknown):
        await one.do("acknowledge")
        await one.settled()
    await pair.quiet()
    before = await equal(pair, "XA", "XT")

    await pair["XA"].restore(backup)
    await pair["XA"].start(log_epoch=2)
    await pair.recovered("XA")
    await pair.quiet()

    assert await equal(pair, "XA", "XT") == before
    request = expect(await sent.ours().get(sent.request), 200)
    assert (request["state"], request["exchange_id"]) == ("SIGNED", sent.exchange_id)
    assert await pair["XA"].lost() == [("XT", unknown.exchange_id, 1, "request_unknown")]
    await going.wish("supplement", text="And once more on Sunday.")
    await sent.wish("withdraw", reasons="The person was identified by other means in the meantime.")
