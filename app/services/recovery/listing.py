"""All threads with a peer as this node has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.db import holdings
from app.db.holdings import TheirNumbers
from app.domain.codes import ResyncKind
from app.domain.delivery_messages import ResyncThreadBody
from app.domain.resync import tell_numbers

if TYPE_CHECKING:
    from app.db.engine import ReadSession

NONE_OF_THEIRS = TheirNumbers(0, ())


async def list_threads(session: ReadSession, peer: str, kind: ResyncKind) -> list[ResyncThreadBody]:
    """Every thread, by its id: our own numbers, and those of the peer that we have.

    In an `ask` only those numbers of ours count whose text the peer is known to have; in an `answer` all that are
    signed.
    """
    ours = await holdings.own_numbers(session, peer)
    theirs = await holdings.their_numbers(session, peer)
    listed = []
    for thread in sorted({*ours, *theirs}):
        mine = [one.seq for one in ours.get(thread, ()) if (one.is_there if kind is ResyncKind.ASK else one.is_signed)]
        its = theirs.get(thread, NONE_OF_THEIRS)
        numbers = {"out": tell_numbers(mine), "in": tell_numbers(its.waiting, upto=its.consumed)}
        listed.append(ResyncThreadBody.model_validate({"thread": thread, **numbers}))
    return listed
