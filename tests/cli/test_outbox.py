"""What waits to be received abroad, from the shell: how it stands, why, who does what, and trying it again at once."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from app.db.engine import reading
from app.db.tables_delivery import outbox
from app.db.tables_passage import passage
from app.domain.codes import Lane, MessageType
from app.services.send import Outgoing
from app.serving import wall_clock
from tests.cli.abroad import at_work, queue, token_of
from tests.cli.shell import refusal, typed

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tests.cli.conftest import Office

CALL = Outgoing("XT", MessageType.TEST_CALL, {}, lane=Lane.URGENT)
HOUR = timedelta(hours=1)


async def change(office: Office, **values: object) -> None:
    """Let everything in the outbox look like that."""
    async with at_work(office) as runtime, runtime.engine.begin() as connection:
        await connection.execute(outbox.update().values(**values))


async def listed(office: Office, *options: str) -> list[dict[str, Any]]:
    """What the list says, as JSON."""
    return (await typed("outbox", "list", *options, "--config", office.config, "--json")).rows


def queued(ago: timedelta) -> dict[str, object]:
    """Columns of a message that was queued so long ago and never tried."""
    return {"created_at": wall_clock() - ago}


def confirmed(ago: timedelta) -> dict[str, object]:
    """Columns of a message that the broker confirmed so long ago."""
    then = wall_clock() - ago
    return {"created_at": then, "confirmed_at": then, "next_at": None, "published_lane": "urgent", "tries": 1}


def troubled(trouble: str) -> dict[str, object]:
    """Columns of a message that met this when it was tried last."""
    return {"trouble": trouble, "tries": 3, "created_at": wall_clock()}


async def test_nothing_waits(office: Office) -> None:
    """An empty outbox is said in words, and is an empty list in JSON."""
    assert (await typed("outbox", "list", "--config", office.config)).out.startswith("Everything that was sent")
    assert await listed(office) == []


NOW = timedelta()
LOOKS: dict[str, tuple[Callable[[], dict[str, object]], str, str, str]] = {
    "just queued": (partial(queued, NOW), "due", "moving", "Nobody has to do anything"),
    "never tried for an hour": (partial(queued, HOUR), "due", "not_tried", "loops run"),
    "just confirmed": (partial(confirmed, NOW), "confirmed", "moving", "Nobody has to do anything"),
    "confirmed an hour ago": (partial(confirmed, HOUR), "confirmed", "no_receipt", "Telephone XT on +"),
    "without a queue": (partial(troubled, "unroutable"), "blocked", "unroutable", "broker's administrator"),
    "not taken": (partial(troubled, "not_taken"), "blocked", "not_taken", "/v1/monitoring/bus"),
    "without an answer": (partial(troubled, "outcome_unknown"), "blocked", "outcome_unknown", "by itself"),
    "without a key": (partial(troubled, "no_key"), "blocked", "no_key", "registrar"),
    "beyond our program": (partial(troubled, "unsealable"), "blocked", "unsealable", "by voice"),
}


async def test_each_message_says_how_it_stands(office: Office) -> None:
    """State, reason and next act of a message follow from its row; the sentence says who does what."""
    await queue(office, CALL)
    for case, (values, state, reason, words) in LOOKS.items():
        unconfirmed = {"trouble": None, "tries": 0, "confirmed_at": None, "next_at": wall_clock()}
        await change(office, **(unconfirmed | values()))
        (row,) = await listed(office)
        shown = (row["peer"], row["lane"], row["type"], row["state"], row["reason"])
        assert shown == ("XT", "urgent", "test-call/1", state, reason), case
        assert words in row["next_act"], case
        assert (row["next_at"] is None) is (state == "confirmed"), case


async def test_a_stuck_way_says_until_when(office: Office) -> None:
    """A message that is due waits all the same while nothing gets out to its contact point."""
    await queue(office, CALL)
    until = wall_clock() + HOUR
    async with at_work(office) as runtime, runtime.engine.begin() as connection:
        await connection.execute(passage.insert().values(peer="XT", lane="urgent", stuck=4, stuck_until=until))
    (row,) = await listed(office)
    assert (row["state"], row["reason"], row["next_at"]) == ("blocked", "stuck", until.isoformat(timespec="seconds"))


async def test_a_closed_peer_is_named_as_such(office: Office) -> None:
    """While a peer's resync is awaited, what is for it waits for that and for no clock."""
    await queue(office, CALL)
    async with at_work(office) as runtime, runtime.engine.begin() as connection:
        begun = "INSERT INTO recovery (id, began_at, proof, detail) VALUES (gen_random_uuid(), now(), 'anchor', '{}')"
        closed = "INSERT INTO recovering_peer (recovery_id, peer, resync_id) SELECT id, 'XT', id FROM recovery"
        await connection.execute(text(begun))
        await connection.execute(text(closed))
    (row,) = await listed(office)
    assert (row["state"], row["reason"], row["next_at"]) == ("blocked", "peer_closed", None)
    assert "recovery show" in row["next_act"]


async def test_the_text_says_each_reason_once(office: Office) -> None:
    """A table of messages, then one paragraph per contact point and reason, and what is not shown is counted."""
    await queue(office, *[CALL] * 5)
    await change(office, **confirmed(HOUR))
    shown = (await typed("outbox", "list", "--limit", "3", "--config", office.config)).out
    assert shown.count("Telephone XT") == 1
    assert "XT, no_receipt (3):" in shown
    assert "2 more are not shown" in shown


async def test_the_list_of_one_peer(office: Office) -> None:
    """--peer leaves the others out."""
    await queue(office, CALL)
    assert len(await listed(office, "--peer", "XT")) == 1
    assert await listed(office, "--peer", "XA") == []


async def due_times(office: Office) -> list[datetime | None]:
    """When each message is published next."""
    async with at_work(office) as runtime, reading(runtime.engine) as session:
        rows = await session.execute(outbox.select().order_by(outbox.c.id))
        return [row.next_at for row in rows]


async def actions(office: Office) -> list[tuple[str, dict[str, Any]]]:
    """Who did what as an operator, from the audit log."""
    query = """SELECT convert_from(p.leaf, 'UTF8')::jsonb ->> 'actor' AS actor, convert_from(c.body, 'UTF8') AS body
        FROM audit_pending p JOIN commitment c ON c.event_id = p.event_id AND c.field = 'action' ORDER BY p.id"""
    async with at_work(office) as runtime, reading(runtime.engine) as session:
        return [(row.actor, json.loads(row.body)) for row in await session.execute(text(query))]


@pytest.mark.parametrize("options", [("--all",), ("--peer", "XT")])
async def test_what_did_not_get_out_is_tried_now(office: Office, options: tuple[str, ...]) -> None:
    """Messages in trouble are due at once, whatever pause they had, and the command is on record."""
    await queue(office, CALL, CALL)
    await change(office, trouble="not_taken", tries=6, next_at=wall_clock() + HOUR)
    done = await typed("outbox", "retry", *options, "--config", office.config, "--json")
    peer = options[1] if len(options) > 1 else None
    assert done.row == {"peer": peer, "troubled": 2, "probes": 0}
    assert all(at is not None and at <= wall_clock() for at in await due_times(office))
    action = {"act": "outbox.retry", "peer": peer, "troubled": 2, "probes": 0}
    assert await actions(office) == [("operator", action)]


async def test_of_what_was_confirmed_the_oldest_goes_again(office: Office) -> None:
    """A silent peer is asked by one message per lane; a thousand others are not sent twice."""
    await queue(office, CALL, CALL, CALL)
    await change(office, **confirmed(HOUR))
    done = await typed("outbox", "retry", "--all", "--config", office.config, "--json")
    assert done.row == {"peer": None, "troubled": 0, "probes": 1}
    first, *others = await due_times(office)
    assert first is not None
    assert others == [None, None]


async def test_with_a_token_it_is_done_in_that_name(office: Office) -> None:
    """The record names the officer whose token was given, by pseudonym."""
    officer = await token_of(office, "first", "duty_officer")
    await typed("outbox", "retry", "--all", "--token-file", officer, "--config", office.config)
    ((actor, _),) = await actions(office)
    assert actor.startswith("u:")


UNFIT: dict[str, tuple[tuple[str, ...], str]] = {
    "neither a peer nor all": ((), "--peer with a code, or --all"),
    "both": (("--peer", "XT", "--all"), "--peer with a code, or --all"),
    "a peer nobody knows": (("--peer", "XQ"), "no contact point XQ"),
}


@pytest.mark.parametrize("case", UNFIT)
async def test_it_says_whom_it_is_for(office: Office, case: str) -> None:
    """A slip of the finger retries nothing and leaves no record."""
    options, words = UNFIT[case]
    assert words in await refusal("outbox", "retry", *options, "--config", office.config)
    assert await actions(office) == []
