"""By the clock: what was begun and never finished is given up, so that it does not keep its bytes for ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from app.db import uploads
from app.db.tables_uploads import UploadState

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import Session

UNFINISHED_KEPT = timedelta(days=7)

ABANDONED = "abandoned"
"""The fault of such a file. It stays visible as `wrong`: nothing is signed before a person has taken it back."""

GIVEN_UP_AT_ONCE = 100


async def give_up_uploads(session: Session, *, now: datetime) -> bool:
    """End unfinished files announced more than a week ago and forget their bytes; True while there may be more."""
    found = await uploads.lock_unfinished(session, before=now - UNFINISHED_KEPT, limit=GIVEN_UP_AT_ONCE)
    for one in found:
        await uploads.drop_pieces(session, one.id)
        await uploads.save(session, replace(one, state=UploadState.WRONG, fault=ABANDONED, whole_at=now))
    return len(found) == GIVEN_UP_AT_ONCE
