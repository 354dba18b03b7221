"""try"""
from __future__ import annotations
from typing import TYPE_CHECKING
from tests.world.journey import PRESERVING, preservation
if TYPE_CHECKING:
    from tests.support.world import World

async def test_happy(world: World) -> None:
    """Happy."""
    j = await preservation(world, *PRESERVING)
    shown = await j.settled()
    assert shown["state"] == "PRESERVED"

async def test_happy2(ageing_world: World) -> None:
    """Happy."""
    j = await preservation(ageing_world, *PRESERVING)
    shown = await j.settled()
    assert shown["state"] == "PRESERVED"
