"""The anchor was put back with the database: only what the peer holds under our own signature shows the loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.codes import RequestType
from tests.recovery.equal import difference, equal, shown
from tests.support.world import seen
from tests.world.documents import document
from tests.world.journey import delivered, expect

if TYPE_CHECKING:
    from tests.recovery.ground import Ground
    from tests.world.journey import Journey

SWALLOW_RETURNS = """
CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER swallow BEFORE INSERT ON outbox FOR EACH ROW WHEN (NEW.type = 'resync.copy/1')
    EXECUTE FUNCTION swallow();
"""
"""Switches the second proof off: the peer gives nothing back."""

EQUIVOCATIONS = "SELECT thread, seq FROM quarantine WHERE reason = 'equivocation'"


async def forgotten_with_its_anchor(ground: Ground) -> Journey:
    """XT acknowledged and accepted after the backup, was put back together with its anchor, and runs on unaware."""
    journey = await delivered(ground.world, document(RequestType.PRESERVATION))
    await ground.quiet()
    backup = await ground["XT"].back_up()
    await journey.do("acknowledge", "accept")
    await journey.settled()
    await ground.quiet()
    await ground["XT"].restore(backup, with_anchor=True)
    return journey


async def test_the_first_contradiction_brings_the_loss_to_light(pair: Ground) -> None:
    """XT acts again in an exchange, XA returns XT's earlier text, XT recovers, and its new act is listed as lost."""
    journey = await forgotten_with_its_anchor(pair)
    await pair["XT"].start()
    assert await pair["XT"].closed() == []
    shown_now = expect(await journey.theirs().get(journey.exchange), 200)
    act = {"action": "acknowledge", "generation": shown_now["generation"]}
    expect(await journey.theirs().post(f"{journey.exchange}/actions", act), 200)
    await seen(pair["XT"].closed, lambda closed: closed == ["XA"], seconds=30)
    assert await pair["XT"].rows("SELECT proof FROM recovery") == [("text",)]
    refused = expect(await journey.theirs().act(journey.exchange, "accept"), 503)
    assert refused["code"] == "recovering"
    await pair["XT"].stop()
    await pair["XT"].start(log_epoch=2)
    await pair.recovered("XT")
    await pair.quiet()
    (one,) = (await equal(pair, "XA", "XT")).values()
    assert one["state"] == "ACCEPTED"
    (place,) = await pair["XA"].rows(EQUIVOCATIONS)
    assert await pair["XT"].lost() == [("XA", *place, "superseded")]
    await journey.do("start")
    await journey.settled()


async def test_without_any_proof_numbers_are_used_twice(pair: Ground) -> None:
    """(Control) With the anchor put back and nothing returned, XT signs other texts under used numbers for good."""
    journey = await forgotten_with_its_anchor(pair)
    await pair["XA"].change(SWALLOW_RETURNS)
    await pair["XT"].start()
    await journey.do("acknowledge")
    await seen(lambda: pair["XA"].rows(EQUIVOCATIONS), lambda rows: [row[0] for row in rows] == [journey.exchange_id])
    await pair.quiet("XT")
    assert await pair["XT"].closed() == []
    assert difference(await shown(pair["XA"], "XT"), await shown(pair["XT"], "XA")) != ""
