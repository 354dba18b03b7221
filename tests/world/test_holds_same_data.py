"""Two states that want the same data kept: the requested side alone knows, and letting one hold go lets no data go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.world.holding import HeldBy, about, held_by, sent_from, shown_to
from tests.world.journey import expect
from tests.world.test_time_passes import fresh

if TYPE_CHECKING:
    from tests.support.world import World

ADDRESS = "198.51.100.57"


@pytest.fixture(scope="module")
async def two(world: World) -> tuple[HeldBy, HeldBy]:
    """A hold for XA and one for XS, on one address in the same hours."""
    made = about(fresh(world), ADDRESS)
    return await held_by(world, "XA", made=made), await held_by(world, "XS", made=made)


async def test_the_requested_side_sees_both(two: tuple[HeldBy, HeldBy]) -> None:
    """On each hold and each exchange there, the other one: whose it is, and on which targets."""
    for mine, other in (two, two[::-1]):
        shown = await mine.there()
        assert shown["others_on_same_data"] == 1
        exchange = expect(await mine.journey.theirs().get(mine.journey.exchange), 200)
        assert [
            (one["exchange_id"], one["requesting"], one["targets"], one["holds"]) for one in exchange["same_data"]
        ] == [(other.journey.exchange_id, other.journey.requesting, [0], [other.id])]


async def test_neither_requesting_side_sees_the_other(two: tuple[HeldBy, HeldBy]) -> None:
    """No answer to a desk or an agency of the one state holds the other state, its exchange or its hold."""
    for mine, other in (two, two[::-1]):
        journey = mine.journey
        shown = await mine.here()
        assert (shown["others_on_same_data"], shown["tasks"]) == (None, [])
        desk = await shown_to(
            journey.ours(), journey.exchange, f"{journey.exchange}/timeline", mine.path, "/v1/holds?direction=outgoing"
        )
        agency = await shown_to(journey.ours("agency_officer"), journey.request, f"{journey.request}/timeline")
        for text in (desk, agency):
            assert other.journey.exchange_id not in text
            assert other.id not in text
            assert other.journey.requesting not in text
        exchange = expect(await journey.ours().get(journey.exchange), 200)
        assert exchange["same_data"] is None


async def test_control_the_words_looked_for_are_there(two: tuple[HeldBy, HeldBy]) -> None:
    """Negative control: at the requested side the same question finds them."""
    mine, other = two
    text = await shown_to(mine.journey.theirs(), mine.journey.exchange)
    assert other.journey.exchange_id in text
    assert other.journey.requesting in text


async def test_other_hours_are_other_data(world: World) -> None:
    """The same address at another time is somebody else's; an overlap of an hour is not."""
    address = "198.51.100.58"
    first = await sent_from(world, "XA", about(fresh(world), address, hours=(1, 3)))
    await sent_from(world, "XS", about(fresh(world), address, hours=(3, 5)))
    shown = expect(await first.theirs().get(first.exchange), 200)
    assert shown["same_data"] == []
    late = await sent_from(world, "XS", about(fresh(world), address, hours=(2, 4)))
    shown = expect(await first.theirs().get(first.exchange), 200)
    assert [one["exchange_id"] for one in shown["same_data"]] == [late.exchange_id]


async def test_releasing_one_hold_leaves_the_data_held(world: World) -> None:
    """The task says that another hold is open; once this one has ended the other still runs, and stands alone."""
    made = about(fresh(world), "198.51.100.59")
    mine, other = await held_by(world, "XA", made=made), await held_by(world, "XS", made=made)
    releasing = await mine.wish("release", text="The suspect is arrested.")
    (task,) = releasing["tasks"]
    assert task["task"] == "release_to_do"
    assert task["text"] == "Other open holds on the same data: 1. End this hold alone; the data stay held."
    released = await mine.do("release")
    assert (released["state"], released["tasks"]) == ("RELEASED", [])
    still = await other.there()
    assert (still["state"], still["others_on_same_data"], still["flags"]) == ("TIMED", 0, [])
    assert (await other.here())["state"] == "TIMED"
