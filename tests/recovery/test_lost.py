"""What nobody holds any more: its number is filled, it is listed, and its thread goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.codes import RequestType
from tests.recovery.equal import difference, equal, shown
from tests.support.world import seen
from tests.world.documents import document
from tests.world.journey import delivered

if TYPE_CHECKING:
    from tests.recovery.ground import Ground
    from tests.world.journey import Journey

OUT = "SELECT seq, type FROM outbox WHERE thread = $1 AND type <> 'receipt/1' ORDER BY seq"
HELD = "SELECT seq FROM inbox WHERE thread = $1 AND applied_at IS NULL"

SWALLOW_VOID = """
CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER swallow BEFORE INSERT ON outbox FOR EACH ROW WHEN (NEW.type = 'void/1') EXECUTE FUNCTION swallow();
"""
"""Switches the filling of holes off."""


async def with_a_hole(ground: Ground) -> tuple[Journey, str]:
    """An exchange in which XA holds XT's second state but never got the first one, and a backup from before both."""
    journey = await delivered(ground.world, document(RequestType.PRESERVATION))
    await ground.quiet()
    backup = await ground["XT"].back_up()
    # The broker confirms the next state and loses it; what follows arrives, and waits behind the gap.
    ground.world.bus.drop(1)
    await journey.do("acknowledge")
    await seen(lambda: _dropped(ground), lambda left: left == 0)
    await journey.do("accept")
    await seen(lambda: ground["XA"].rows(HELD, journey.exchange_id), lambda rows: len(rows) == 1)
    return journey, backup


async def _dropped(ground: Ground) -> int:
    return ground.world.bus.faults.drop


async def test_a_number_that_nobody_has_is_filled_and_listed(pair: Ground) -> None:
    """The lost state is a `void/1` now, the one after it is the exchange's state again, and both sides are equal."""
    journey, backup = await with_a_hole(pair)
    await pair["XT"].restore(backup)
    await pair["XT"].start(log_epoch=2)
    await pair.recovered("XT")
    await pair.quiet()
    (one,) = (await equal(pair, "XA", "XT")).values()
    assert one["state"] == "ACCEPTED"
    numbers = dict(await pair["XT"].rows(OUT, journey.exchange_id))
    (lost,) = [seq for seq, type_ in numbers.items() if type_ == "void/1"]
    assert await pair["XT"].lost() == [("XA", journey.exchange_id, lost, "voided")]
    fate = "SELECT state FROM inbox WHERE thread = $1 AND seq = $2"
    assert await pair["XA"].rows(fate, journey.exchange_id, lost) == [("void",)]
    await journey.do("start")
    await journey.settled()


async def test_without_filling_it_the_thread_hangs(pair: Ground) -> None:
    """(Control) Where no `void/1` is made, XA goes on waiting for the lost number and the two sides stay different."""
    journey, backup = await with_a_hole(pair)
    await pair["XT"].restore(backup)
    await pair["XT"].change(SWALLOW_VOID)
    await pair["XT"].start(log_epoch=2)
    await pair.recovered("XT")
    await pair.quiet("XT")
    assert await pair["XA"].rows(HELD, journey.exchange_id), "it did not hang"
    assert difference(await shown(pair["XA"], "XT"), await shown(pair["XT"], "XA")) != ""
