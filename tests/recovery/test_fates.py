"""What was judged before the loss is not judged again when its message comes a second time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.codes import RequestType
from tests.recovery.equal import shown
from tests.world.documents import document
from tests.world.journey import delivered

if TYPE_CHECKING:
    from tests.recovery.ground import Ground

SAID = "The address was used again on Saturday, from the same provider."

FORGET_FATES = """
CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER forget BEFORE INSERT ON adopted_fate FOR EACH ROW EXECUTE FUNCTION forget();
"""
"""Switches the adopted fates off: what comes again is judged again."""


async def supplements_after_a_restore(ground: Ground, switch: str = "") -> list[str]:
    """What XT has as supplements of an exchange after it lost, and got again, the only one."""
    journey = await delivered(ground.world, document(RequestType.PRESERVATION))
    await journey.do("acknowledge")
    await journey.settled()
    backup = await ground["XT"].back_up()
    await journey.wish("supplement", text=SAID)
    await ground.quiet()
    await ground["XT"].restore(backup)
    if switch:
        await ground["XT"].change(switch)
    await ground["XT"].start(log_epoch=2)
    await ground.recovered("XT")
    await ground.quiet()
    (one,) = (await shown(ground["XT"], "XA")).values()
    return [entry["text"] for entry in one["supplements"]]


async def test_an_act_that_comes_again_ends_with_its_fate(pair: Ground) -> None:
    """A supplement that was applied before the loss, and is in the state that came back, is not applied again."""
    assert await supplements_after_a_restore(pair) == [SAID]


async def test_without_adopted_fates_it_has_its_effect_twice(pair: Ground) -> None:
    """(Control) Judged again, the same supplement stands in the exchange twice."""
    assert await supplements_after_a_restore(pair, FORGET_FATES) == [SAID, SAID]
