"""What a test does to the mail of one contact point: kept back as long as it likes, and then sent all at once."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.world import World
    from tests.world.ledger import Ledger

STAY = """
    CREATE OR REPLACE FUNCTION stay() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN NEW.stuck := 1; NEW.stuck_until := 'infinity'; RETURN NEW; END $$;
    CREATE OR REPLACE TRIGGER "stay_{0}" BEFORE INSERT OR UPDATE ON passage FOR EACH ROW WHEN (NEW.peer = '{0}')
    EXECUTE FUNCTION stay();
"""
"""A round that was under way when the mail was kept back frees its way when it ends well: not this one."""

KEEP_BACK = """
    INSERT INTO passage (peer, lane) SELECT $1, unnest(ARRAY['urgent', 'routine'])
    ON CONFLICT (peer, lane) DO UPDATE SET stuck = 1 RETURNING 1
"""
GO = 'DROP TRIGGER IF EXISTS "stay_{0}" ON passage'
LET_GO = "UPDATE passage SET stuck = 0, stuck_until = NULL WHERE peer = $1 RETURNING 1"


async def keep_back(ledger: Ledger, *, to: str, sender: str) -> None:
    """Let the sender try nothing for that peer from now on."""
    await ledger.run(sender, STAY.format(to))
    await ledger.value(sender, KEEP_BACK, to)


async def let_go(world: World, ledger: Ledger, *, to: str, sender: str) -> None:
    """Let it send again, everything at once."""
    await ledger.run(sender, GO.format(to))
    await ledger.value(sender, LET_GO, to)
    world[sender].runtime.wake.ring()


@asynccontextmanager
async def held_mail(world: World, ledger: Ledger, *, to: str, sender: str = "XA") -> AsyncIterator[None]:
    """Let the sender try nothing for that peer meanwhile, as after rounds in which nothing got out.

    What was queued is then tried in one round, so that it arrives together.
    """
    await keep_back(ledger, to=to, sender=sender)
    try:
        yield
    finally:
        await let_go(world, ledger, to=to, sender=sender)
