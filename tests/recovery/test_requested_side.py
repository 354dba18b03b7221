"""The node at which requests arrive is put back to a backup: what it had answered is its answer again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.codes import RequestType
from tests.recovery.equal import equal
from tests.world.documents import document
from tests.world.journey import delivered, expect

if TYPE_CHECKING:
    from tests.recovery.ground import Ground


async def test_everything_said_after_the_backup_is_known_again(pair: Ground) -> None:
    """Exchanges that went on, ended or began after the backup are equal on both sides again, and go on."""
    going = await delivered(pair.world, document(RequestType.PRESERVATION))
    await going.do("acknowledge")
    await going.settled()
    backup = await pair["XT"].back_up()
    await going.do("accept", "start", "preserve")
    await going.settled()
    await going.wish("supplement", text="The address was used again on Saturday, from the same provider.")
    begun = await delivered(pair.world, document(RequestType.PRESERVATION))
    await begun.do("acknowledge")
    await begun.settled()
    await pair.quiet()
    before = await equal(pair, "XA", "XT")

    await pair["XT"].restore(backup)
    await pair["XT"].start()
    assert await pair["XT"].rows("SELECT proof FROM recovery") == [("anchor",)]
    expect(await going.theirs().get(going.exchange), 200)
    refused = expect(await going.theirs().act(going.exchange, "report_progress", text="Nothing yet."), 503)
    assert refused["code"] == "recovering"
    await pair["XT"].stop()
    await pair["XT"].start(log_epoch=2)
    await pair.recovered("XT")
    await pair.quiet()

    assert await equal(pair, "XA", "XT") == before
    assert await pair["XT"].lost() == []
    await begun.do("accept")
    await begun.settled()
