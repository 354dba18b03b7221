"""Reads what nodes have on record, for the checker, and waits until nothing is under way any more."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING

from app.anchor import read_anchor
from app.audit.note import verifier_key
from app.audit.verify import Verdict
from app.db.engine import make_engine, reading
from app.keystore import load_keys
from app.services.self_check import check_log
from tests.support.checker import Findings, Got, History, Leaf, Sent, Told, Wanted, check
from tests.support.history import difference, lines_of
from tests.support.processes import until

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.support.processes import Site

SETTLING_SECONDS = 120.0
"""Within which everything has to be as it should after the last fault."""

NUMBERED = re.compile(r"^No\. (\d+)\b")
"""How the text of a numbered act begins."""

ARRIVED = frozenset({"supplement", "supplement_stale"})

SENT = "SELECT jti::text, peer, type, thread, seq, receipt_status, left_by FROM outbox ORDER BY id"
GOT = "SELECT jti::text, iss, type, state, thread, seq FROM inbox ORDER BY received_at"
TOLD = "SELECT subject_id::text, event, detail FROM timeline ORDER BY id"
LOGGED = "SELECT leaf FROM audit_leaf ORDER BY epoch, leaf_index"

UNDER_WAY = """
SELECT (SELECT count(*) FROM outbox WHERE left_at IS NULL AND type <> 'heartbeat/1')
    + (SELECT count(*) FROM inbox WHERE applied_at IS NULL)
    + (SELECT count(*) FROM audit_pending)
    + (SELECT coalesce(sum(size - published_size), 0) FROM audit_tree)
"""


async def are_quiet(sites: Iterable[Site]) -> bool:
    """Whether nothing waits to be sent, to have its effect, or to be put on record."""
    return sum([await site.count(UNDER_WAY) for site in sites]) == 0


async def read_history(site: Site) -> History:
    """What one node has on record."""
    return History(
        sent=[Sent(*row) for row in await site.rows(SENT)],
        got=[Got(*row) for row in await site.rows(GOT)],
        told=[Told(subject, event, _number(event, detail)) for subject, event, detail in await site.rows(TOLD)],
        leaves=[_leaf(leaf) for (leaf,) in await site.rows(LOGGED)],
    )


def _number(event: str, detail: str) -> int | None:
    found = NUMBERED.match(str(json.loads(detail).get("text", "")))
    return (
        int(found[1]) if found is not None and event.startswith("supplement") and event != "supplement_sent" else None
    )


def _leaf(raw: bytes) -> Leaf:
    members = json.loads(raw)
    return Leaf(members["type"], members.get("jti"), members.get("thread"))


async def verify_log(site: Site) -> None:
    """Recompute the audit log from its rows, and hold it against the anchor."""
    settings = site.settings
    log = verifier_key(settings.origin, load_keys(settings.keys_dir).log_key)
    engine = make_engine(settings.database_url.get_secret_value(), pool_size=1, name="verify")
    try:
        async with reading(engine) as session:
            anchored = await asyncio.to_thread(read_anchor, settings.anchor, (log,))
            report = await check_log(session, log, anchored=anchored)
        assert report.verdict is Verdict.VALID, f"{site.code}: {report}"
    finally:
        await engine.dispose()


async def find(sites: Mapping[str, Site], wanted: Iterable[Wanted]) -> Findings:
    """Read all histories and compare them."""
    return check({code: await read_history(site) for code, site in sites.items()}, wanted)


async def conclude(sites: Mapping[str, Site], wanted: Iterable[Wanted], *, seconds: float = SETTLING_SECONDS) -> None:
    """Wait until nothing is under way; then nothing may be lost, doubled, disordered or off the record anywhere."""
    await until(lambda: are_quiet(sites.values()), what="nothing under way", seconds=seconds)
    assert str(await find(sites, wanted)) == ""
    for site in sites.values():
        await verify_log(site)


async def same_at_both(ours: Site, theirs: Site) -> str:
    """What only one of two nodes shows of the exchanges that the first opened at the second, printed."""
    shown = await lines_of(ours.as_("duty_officer"), direction="outgoing", peer=theirs.code)
    there = await lines_of(theirs.as_("duty_officer"), direction="incoming", peer=ours.code)
    return difference(shown, there)
