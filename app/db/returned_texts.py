"""When peers last got texts of their own back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.dialects.postgresql import insert

from app.db.tables_evidence import returned_text

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import Session


async def take_turn(session: Session, peer: str, inner_hash: str, *, not_since: datetime, now: datetime) -> bool:
    """Note that this text is given back now; False, and nothing noted, when it was after `not_since`.

    Of two transactions that want to at once, the second waits for the first one's end and then sees it.
    """
    new = insert(returned_text).values(peer=peer, inner_hash=inner_hash, returned_at=now)
    statement = new.on_conflict_do_update(
        index_elements=[returned_text.c.peer, returned_text.c.inner_hash],
        set_={"returned_at": new.excluded.returned_at},
        where=returned_text.c.returned_at <= not_since,
    ).returning(returned_text.c.peer)
    return (await session.execute(statement)).first() is not None
