"""A request passed by voice was noted, worked on and forgotten, all before its opening came."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.domain.codes import RequestType
from tests.recovery.equal import equal, shown
from tests.support.world import seen
from tests.world.documents import document
from tests.world.journey import expect, sent

if TYPE_CHECKING:
    from tests.recovery.ground import Ground

HOLD_OPENING = """
CREATE FUNCTION hold_back() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN NEW.next_at := timestamptz ''2030-01-01 00:00Z''; RETURN NEW; END';
CREATE TRIGGER hold_back BEFORE INSERT OR UPDATE ON outbox FOR EACH ROW WHEN (NEW.type = 'exchange.open/1')
    EXECUTE FUNCTION hold_back();
"""
"""Keeps openings from leaving, whatever asks for them."""

LET_GO = """
DROP TRIGGER hold_back ON outbox;
UPDATE outbox SET next_at = created_at WHERE type = 'exchange.open/1' AND left_at IS NULL;
"""


@pytest.mark.long
async def test_a_noted_call_stands_again_before_its_opening_comes(pair: Ground) -> None:
    """What the other side was told of it is what it is after the resync; the opening then attaches and changes none."""
    backup = await pair["XT"].back_up()
    await pair["XA"].change(HOLD_OPENING)
    journey = await sent(pair.world, document(RequestType.PRESERVATION))
    call = {"exchange_id": journey.exchange_id, "requesting": "XA", "type": "PRESERVATION", "noted": "By telephone."}
    expect(await journey.theirs().post("/v1/exchanges", call), 201)
    await journey.do("acknowledge")
    told = await seen(
        lambda: shown(pair["XA"], "XT"), lambda found: found[journey.exchange_id]["state"] == "ACKNOWLEDGED"
    )
    before = await shown(pair["XT"], "XA")

    await pair["XT"].restore(backup)
    await pair["XT"].start(log_epoch=2)
    await pair.recovered("XT")
    assert await shown(pair["XT"], "XA") == before
    assert await shown(pair["XA"], "XT") == told
    noted = expect(await journey.theirs().get(journey.exchange), 200)
    assert (noted["state"], noted["document"]) == ("ACKNOWLEDGED", {})
    assert "noted" in noted["flags"]

    await pair["XA"].change(LET_GO)
    pair.nodes["XA"].runtime.wake.ring()
    await seen(lambda: journey.theirs().get(journey.exchange), lambda answer: bool(answer.json()["document"]))
    await pair.quiet()
    (one,) = (await equal(pair, "XA", "XT")).values()
    assert (one["state"], one["flags"]) == ("ACKNOWLEDGED", [])
    assert await pair["XT"].lost() == []
    await journey.do("accept")
    await journey.settled()
