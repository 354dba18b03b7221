"""The audit trail of a case: every change is on record with the change itself, and can be proven to a third party."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.anchor import read_anchor
from app.audit.note import VerifierKey, verifier_key
from app.audit.proof import verify_proof
from app.audit.strict import NotVerified
from app.audit.verify import Verdict
from app.db.engine import reading
from app.envelope.format import decode_part
from app.services.self_check import check_log
from tests.support.world import seen
from tests.world.journey import PRESERVING, Journey, expect, preservation

if TYPE_CHECKING:
    from tests.support.world import Caller, World
    from tests.world.ledger import Ledger

TOLD = {"case.changed", "ack.human"}
"""Facts that report a change of a case, one each."""


@pytest.fixture(scope="module")
async def journey(world: World) -> Journey:
    """A preservation that was asked about, answered, preserved, and withdrawn."""
    journey = await preservation(world, "acknowledge")
    await journey.do("ask", codes=["C-VAGUE"], text="Which of the two sessions?")
    await journey.settled()
    await journey.wish("supplement", text="The first.")
    await journey.do(*PRESERVING[1:])
    await journey.settled()
    await journey.wish("withdraw", reasons="The suspect was arrested.")
    # The clock tells the requested side that it has something to let go: the last change for a while.
    await seen(partial(journey.timeline, journey.theirs()), lambda lines: lines[-1]["event"] == "hold_release_to_do")
    return journey


def key_of(world: World, code: str) -> VerifierKey:
    """The key of a contact point's log as the directory publishes it, which is all that a third party needs."""
    directory = world["XS"].runtime.node.directory
    published = directory.log_key(code, world.clock())
    assert published is not None
    public = Ed25519PublicKey.from_public_bytes(decode_part(published.jwk.x))
    return verifier_key(world[code].runtime.node.log_origin, public)


async def entries(auditor: Caller, path: str) -> list[dict[str, Any]]:
    """All entries of a list of the log, page by page."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = expect(await auditor.get(path, limit=200, **cursor), 200)
        found += page["data"]
        if page["next"] is None:
            return found
        cursor = {"cursor": page["next"]}


async def of_case(journey: Journey, code: str) -> list[dict[str, Any]]:
    """The entries of the log of a contact point that are about the exchange."""
    listed = await entries(journey.world[code].as_("auditor"), "/v1/audit/events")
    return [entry for entry in listed if entry["thread"] == journey.exchange_id]


@pytest.mark.parametrize("code", ["XA", "XT"])
async def test_log_is_whole(world: World, journey: Journey, ledger: Ledger, code: str) -> None:
    """After a case every fact has its place, and the log counted again from its rows is valid, anchor and all."""
    await ledger.calm(placed=(code,))
    runtime = world[code].runtime
    anchored = read_anchor(runtime.anchor, (key_of(world, code),))
    assert anchored is not None
    async with reading(runtime.engine) as session:
        report = await check_log(session, key_of(world, code), anchored=anchored)
    assert (report.verdict, report.problem) == (Verdict.VALID, None)
    assert report.leaves >= anchored.size > 20


@pytest.mark.parametrize("code", ["XA", "XT"])
async def test_proofs_verify_offline(world: World, journey: Journey, ledger: Ledger, code: str) -> None:
    """Leaf and proof of each fact of the case verify under the log's key alone, and under no other log's."""
    await ledger.calm(placed=(code,))
    auditor = world[code].as_("auditor")
    other = key_of(world, "XS")
    facts = await of_case(journey, code)
    assert len(facts) > 10
    for entry in facts:
        proof = (await auditor.get("/v1/audit/proofs", event_id=entry["id"])).text
        index, checkpoint = verify_proof(proof, entry["leaf"].encode(), log=key_of(world, code))
        assert index == entry["index"] < checkpoint.size
        with pytest.raises(NotVerified):
            verify_proof(proof, entry["leaf"].encode(), log=other)
        with pytest.raises(NotVerified):
            verify_proof(proof, entry["leaf"].replace('"v":1', '"v":2').encode(), log=key_of(world, code))


@pytest.mark.parametrize("code", ["XA", "XT"])
async def test_each_change_is_told_three_times(journey: Journey, ledger: Ledger, code: str) -> None:
    """Log, timeline and feed report the same changes of the exchange, as many times each."""
    await ledger.calm(placed=(code,))
    facts = [entry for entry in await of_case(journey, code) if entry["type"] in TOLD]
    lines = "SELECT event FROM timeline WHERE subject_id::text = $1 ORDER BY id"
    kinds = "SELECT kind FROM event WHERE subject_id = $1 ORDER BY id"
    told = [row["event"] for row in await ledger.rows(code, lines, journey.exchange_id)]
    rows = await ledger.rows(code, kinds, journey.exchange_id)
    fed = [row["kind"].removeprefix("exchange.").replace("hold.", "hold_") for row in rows]
    assert told == fed
    audit = await entries(journey.world[code].as_("auditor"), f"{journey.exchange}/audit")
    opened = [
        entry["contents"]["change"]["event"]
        for entry in audit
        if entry["type"] in TOLD and entry["thread"] == journey.exchange_id
    ]
    assert Counter(opened) == Counter(told)
    assert len(facts) == len(told) > 5
    if code == "XT":
        assert [entry["type"] for entry in facts].count("ack.human") == 1


IN_ONE = """
    SELECT line.event, line.xmin::text AS line, fed.txid::text AS fed,
           EXISTS (SELECT FROM commitment kept WHERE kept.xmin = line.xmin) AS recorded
    FROM (SELECT *, xmin, row_number() OVER (ORDER BY id) AS place FROM timeline WHERE subject_id::text = $1) line
    JOIN (SELECT *, row_number() OVER (ORDER BY id) AS place FROM event WHERE subject_id = $1) fed USING (place)
"""


@pytest.mark.parametrize("code", ["XA", "XT"])
async def test_change_and_fact_are_one_transaction(journey: Journey, ledger: Ledger, code: str) -> None:
    """Line, event and the openings of the fact were written by one and the same transaction, for each change."""
    subjects = [journey.exchange_id, *([journey.request_id] if code == "XA" else [])]
    for subject in subjects:
        rows = await ledger.rows(code, IN_ONE, subject)
        assert len(rows) > 3
        for row in rows:
            assert row["line"] == row["fed"], row
            assert row["recorded"], row


async def test_message_is_on_record_on_both_sides(journey: Journey, ledger: Ledger) -> None:
    """What XA sent, XT has as received, and the other way round: the same ids, in both logs."""
    await ledger.calm(placed=("XA", "XT"))
    for sender, receiver in (("XA", "XT"), ("XT", "XA")):
        sent = {entry["jti"] for entry in await of_case(journey, sender) if entry["type"] == "envelope.queued"}
        received = {entry["jti"] for entry in await of_case(journey, receiver) if entry["type"] == "envelope.received"}
        assert sent == received
        assert sent


async def test_failed_act_leaves_no_fact(journey: Journey, ledger: Ledger) -> None:
    """An act that is refused is no change, and the log says nothing of it."""
    await ledger.calm()
    before = await ledger.counts("XT", ("facts", "timeline", "event"))
    answer = await journey.theirs().act(journey.exchange, "start", generation=1)
    assert answer.status_code == 409
    assert await ledger.counts("XT", ("facts", "timeline", "event")) == before


async def viewed(ledger: Ledger, code: str, case: str) -> int:
    """How often the log of a contact point says that somebody opened this case."""
    query = "SELECT leaf FROM audit_leaf UNION ALL SELECT leaf FROM audit_pending"
    leaves = [bytes(row["leaf"]) for row in await ledger.rows(code, query)]
    return sum(b'"case.viewed"' in leaf and case.encode() in leaf for leaf in leaves)


async def test_reading_twice_is_one_fact(ageing_world: World, ageing_ledger: Ledger) -> None:
    """Opening a case is recorded once per person, case and fifteen minutes; lists and streams record nothing."""
    journey = await preservation(ageing_world)
    ageing_world.clock.advance(timedelta(minutes=16))
    fresh, again = journey.theirs("supervisor"), journey.theirs("supervisor_2")

    async def count() -> int:
        return await viewed(ageing_ledger, "XT", journey.exchange_id)

    before = await count()
    for path in ("/v1/exchanges", "/v1/holds", "/v1/events"):
        expect(await fresh.get(path), 200)
    assert await count() == before
    for path in (journey.exchange, f"{journey.exchange}/timeline", journey.exchange):
        expect(await fresh.get(path), 200)
    assert await count() == before + 1
    expect(await again.get(journey.exchange), 200)
    assert await count() == before + 2
    ageing_world.clock.advance(timedelta(minutes=14))
    expect(await fresh.get(journey.exchange), 200)
    assert await count() == before + 2
    ageing_world.clock.advance(timedelta(minutes=2))
    expect(await fresh.get(journey.exchange), 200)
    assert await count() == before + 3


async def test_agencys_reading_is_a_fact(world: World, ledger: Ledger) -> None:
    """An agency that opens its request is recorded under its person's pseudonym; one that may not, is not."""
    journey = await preservation(world)
    before = await viewed(ledger, "XA", journey.request_id)
    viewer, stranger = journey.ours("agency_viewer"), journey.ours("agency_officer_2")
    for _ in range(2):
        expect(await viewer.get(journey.request), 200)
        assert (await stranger.get(journey.request)).status_code == 404
    assert await viewed(ledger, "XA", journey.request_id) == before + 1
    pseudonym = expect(await viewer.get("/v1/me"), 200)["pseudonym"]
    auditor = world["XA"].as_("auditor")

    async def recorded() -> list[dict[str, Any]]:
        return await entries(auditor, f"{journey.exchange}/audit")

    listed = await seen(recorded, lambda found: pseudonym in {entry["actor"] for entry in found})
    assert [one["type"] for one in listed if one["actor"] == pseudonym] == ["case.viewed"]
