"""Files that messages named after the backup: what the other side sent comes again; what was ours is listed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from app.domain.codes import RequestType
from app.domain.files import PLAIN_BYTES
from tests.files.sending import answer_with, attach, is_complete, until
from tests.recovery.equal import equal
from tests.world.documents import document
from tests.world.journey import delivered

if TYPE_CHECKING:
    from tests.recovery.ground import Ground


@pytest.mark.long
async def test_files_of_the_other_side_are_whole_again(pair: Ground) -> None:
    """A file that XA attached after the backup is bound and complete at XT again; one of XT's own is listed as lost."""
    journey = await delivered(pair.world, document(RequestType.PRESERVATION))
    await journey.do("acknowledge")
    await journey.settled()
    await pair.quiet()
    backup = await pair["XT"].back_up()
    theirs = await attach(journey, os.urandom(2 * PLAIN_BYTES + 17))
    await until(journey, theirs, is_complete)
    ours = await answer_with(journey, os.urandom(17))
    await until(journey, ours, is_complete, at="XA")
    await pair.quiet()

    await pair["XT"].restore(backup)
    await pair["XT"].start(log_epoch=2)
    await pair.recovered("XT")
    await until(journey, theirs, is_complete)
    await pair.quiet()
    await equal(pair, "XA", "XT")
    assert [what for _, _, _, what in await pair["XT"].lost()] == ["file"]
    assert await until(journey, ours, is_complete, at="XA")
