"""Texts of ours under a key that is revoked, and the further text that takes the place of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from app.db.outbox import Letter, SignedText, may_leave
from app.db.tables_delivery import outbox, signed_text

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from app.db.engine import ReadSession, Session


@dataclass(frozen=True, slots=True)
class Outworn:
    """A message without receipt, the text it has under a key that is not believed any more, and which one that is.

    `resigned` counts the texts it has had before this one.
    """

    letter: Letter
    text: SignedText
    signed_at: datetime
    resigned: int


_LETTER = tuple(outbox.c[name] for name in Letter.__dataclass_fields__)


async def outworn(session: ReadSession, kids: Collection[str], *, limit: int) -> list[Outworn]:
    """Return unreceipted messages whose text is under one of these keys, the oldest first.

    Not those for a peer that is closed while our database recovers: until it is open, nothing of them is signed.
    """
    query = (
        select(*_LETTER, outbox.c.jws_kid, outbox.c.jws_hash, outbox.c.signed_at, outbox.c.resigned)
        .where(outbox.c.left_at.is_(None), outbox.c.jws_kid.in_(kids), may_leave())
        .order_by(outbox.c.id)
        .limit(limit)
    )
    return [
        Outworn(
            Letter(**{name: row[name] for name in Letter.__dataclass_fields__}),
            SignedText(row["jws"], row["jws_kid"], row["jws_hash"]),
            row["signed_at"],
            row["resigned"],
        )
        for row in (await session.execute(query)).mappings()
    ]


async def replace_texts(
    session: Session, signed: Sequence[tuple[Outworn, SignedText]], *, now: datetime
) -> list[tuple[Outworn, SignedText]]:
    """Put the new texts in their places, keep the old ones, and make the messages due; returns what was replaced.

    The guard is in the statement: of two that signed a message again at once, the second leaves the first one's text.
    A message whose receipt came meanwhile stays as it is.
    """
    statement = (
        update(outbox)
        .where(
            outbox.c.id == bindparam("row"),
            outbox.c.resigned == bindparam("before"),
            outbox.c.jws_hash == bindparam("old_hash"),
            outbox.c.left_at.is_(None),
        )
        .values(
            jws=bindparam("new_jws"),
            jws_kid=bindparam("new_kid"),
            jws_hash=bindparam("new_hash"),
            signed_at=now,
            resigned=outbox.c.resigned + 1,
            next_at=now,
            tries=0,
        )
    )
    ordered = sorted(signed, key=lambda pair: pair[0].letter.id)
    values = [
        {
            "row": old.letter.id,
            "before": old.resigned,
            "old_hash": old.text.inner_hash,
            "new_jws": new.jws,
            "new_kid": new.kid,
            "new_hash": new.inner_hash,
        }
        for old, new in ordered
    ]
    if not values:
        return []
    await session.execute(statement, values)
    present = select(outbox.c.id, outbox.c.jws_hash).where(outbox.c.id.in_([old.letter.id for old, _ in ordered]))
    stored = {(row.id, row.jws_hash) for row in await session.execute(present)}
    replaced = [(old, new) for old, new in ordered if (old.letter.id, new.inner_hash) in stored]
    await _keep_old(session, [old for old, _ in replaced])
    return replaced


async def _keep_old(session: Session, replaced: Sequence[Outworn]) -> None:
    rows = [
        {
            "jti": old.letter.jti,
            "inner_hash": old.text.inner_hash,
            "kid": old.text.kid,
            "jws": old.text.jws,
            "signed_at": old.signed_at,
        }
        for old in replaced
    ]
    if rows:
        await session.execute(insert(signed_text).values(rows).on_conflict_do_nothing())
