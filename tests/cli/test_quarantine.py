"""What is kept aside, from the shell: what a person reads about it, and what one or two officers can do."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import uuid_utils

from app.db.engine import reading
from app.db.tables_delivery import inbox, quarantine
from tests.cli.abroad import arrive, at_work, close, sweep, token_of
from tests.cli.shell import refusal, typed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.conftest import Office
    from tests.cli.shell import Typed

WHY = ("--reasons", "Agreed with XT by telephone.")


@pytest.fixture
def no_token() -> Iterator[None]:
    """A shell in which nobody's token is set."""
    kept = os.environ.pop("COUNTERPART_TOKEN", None)
    yield
    if kept is not None:
        os.environ["COUNTERPART_TOKEN"] = kept


@pytest.fixture
async def stopped(office: Office, published: Path, no_token: None) -> Office:
    """XA's node with two things in quarantine: 1 is XT's and stops its thread, 2 is a forgery."""
    thread = str(uuid_utils.uuid7())
    late = {"act": {"action": "withdraw", "generation": 1}, "at": "2026-11-22T09:30:00Z"}
    await arrive(
        office,
        close(published, "exchange.sing/1", thread=thread, seq=1),
        close(published, "exchange.action/1", body=late, thread=thread, seq=2),
    )
    await arrive(office, close(published, "exchange.open/1", thread=thread, seq=3, forged=True))
    return office


async def act(office: Office, name: str, number: int, token: Path, *options: str) -> Typed:
    """One officer's command, answered in JSON."""
    return await typed(
        "quarantine", name, str(number), *WHY, "--token-file", token, "--config", office.config, "--json", *options
    )


async def stands(office: Office) -> list[tuple[int, str, str | None]]:
    """Number, state and code of what came from XT, once the sweep has been round."""
    await sweep(office)
    async with at_work(office) as runtime, reading(runtime.engine) as session:
        rows = await session.execute(inbox.select().order_by(inbox.c.seq))
        return [(row.seq, row.state, row.code) for row in rows]


async def test_the_list_says_what_it_is_and_who_does_what(stopped: Office) -> None:
    """Each thing is listed with its reason, what that means, and a sentence that names who is to be telephoned."""
    rows = (await typed("quarantine", "list", "--config", stopped.config, "--json")).rows
    assert [(row["id"], row["peer"], row["proven"], row["reason"]) for row in rows] == [
        (1, "XT", True, "unknown_type"),
        (2, "XT", False, "bad_signature"),
    ]
    assert "rejects it" in rows[0]["next_act"]
    assert "Telephone XT on +" in rows[1]["next_act"]
    text = (await typed("quarantine", "list", "--config", stopped.config)).out
    assert all(row["meaning"] in text and row["next_act"] in text for row in rows)


async def test_an_empty_quarantine_says_so(office: Office) -> None:
    """Nothing to do is said in words, and is an empty list in JSON."""
    assert (await typed("quarantine", "list", "--config", office.config)).out == "Nothing is in quarantine.\n"
    assert (await typed("quarantine", "list", "--config", office.config, "--json")).rows == []


async def test_one_thing_is_shown_with_its_decisions(stopped: Office) -> None:
    """The sheet of one thing names who proposed what and why; what is not there is one sentence."""
    first = await token_of(stopped, "first", "duty_officer")
    await act(stopped, "void", 1, first)
    shown = (await typed("quarantine", "show", "1", "--config", stopped.config, "--json")).row
    (proposal,) = shown["decisions"]
    assert (shown["state"], shown["bytes"] > 100) == ("open", True)
    assert (proposal["act"], proposal["confirmed_by"], proposal["decided_at"]) == ("void", None, None)
    assert proposal["reasons"] == WHY[1]
    text = (await typed("quarantine", "show", "1", "--config", stopped.config)).out
    assert proposal["proposed_by"] in text
    assert "no number 9" in await refusal("quarantine", "show", "9", "--config", stopped.config)


async def test_one_officer_rejects(stopped: Office) -> None:
    """Rejected: it ends refused, and what waited behind it has its turn."""
    officer = await token_of(stopped, "first", "duty_officer")
    done = (await act(stopped, "reject", 1, officer)).row
    assert done == {"id": 1, "act": "reject", "done": True, "state": "rejected"}
    (first, second) = await stands(stopped)
    assert first == (1, "refused", "rejected")
    assert second[1] != "held"


async def test_voiding_takes_two_people(stopped: Office) -> None:
    """The first word is a proposal, the same person again is refused, another officer's word voids."""
    first = await token_of(stopped, "first", "duty_officer")
    chief = await token_of(stopped, "chief", "supervisor")
    assert (await act(stopped, "void", 1, first)).row["done"] is False
    again = await act(stopped, "void", 1, first)
    assert (again.code, again.out) == (2, "")
    assert "another officer" in again.err
    assert (await stands(stopped))[0] == (1, "quarantined", "unknown_type")
    assert (await act(stopped, "void", 1, chief)).row == {"id": 1, "act": "void", "done": True, "state": "voided"}
    assert (await stands(stopped))[0] == (1, "void", None)


async def test_what_a_thread_waits_for_is_not_discarded(stopped: Office) -> None:
    """Discarding is for what nobody waits for: the forgery goes, the proven text stays and the sentence says why."""
    officer = await token_of(stopped, "first", "duty_officer")
    refused = await act(stopped, "discard", 1, officer)
    assert (refused.code, refused.out) == (2, "")
    assert "reject or void it" in refused.err
    assert (await act(stopped, "discard", 2, officer)).row["state"] == "discarded"
    async with at_work(stopped) as runtime, reading(runtime.engine) as session:
        states = [row.state for row in await session.execute(quarantine.select().order_by(quarantine.c.id))]
    assert states == ["open", "discarded"]


@pytest.mark.parametrize("name", ["retry", "admit"])
async def test_what_does_not_fit_is_refused_with_what_does(stopped: Office, name: str) -> None:
    """A retry that would change nothing and an admission without revoked key end with one sentence."""
    officer = await token_of(stopped, "first", "duty_officer")
    refused = await act(stopped, name, 1, officer)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.count("\n") == 1


async def test_a_crashed_message_is_retried(stopped: Office) -> None:
    """What our own program failed on has its turn again at the word of one officer."""
    async with at_work(stopped) as runtime, runtime.engine.begin() as connection:
        await connection.execute(inbox.update().where(inbox.c.seq == 1).values(code="crashed", type="exchange.open/1"))
    officer = await token_of(stopped, "first", "duty_officer")
    assert (await act(stopped, "retry", 1, officer)).row["state"] == "released"


async def test_an_officer_has_to_be_one(stopped: Office) -> None:
    """Without a token, with one of another role or one that is none, nothing is decided."""
    without = ("quarantine", "reject", "1", *WHY, "--config", stopped.config)
    assert "--token-file" in await refusal(*without)
    auditor = await token_of(stopped, "auditor", "auditor")
    assert "duty officer" in await refusal(*without, "--token-file", auditor)
    wrong = stopped.folder / "wrong.token"
    wrong.write_text("cp_0123456789abcdef_" + "A" * 43)
    sentence = await refusal(*without, "--token-file", wrong)
    assert "not valid" in sentence
    assert "AAAA" not in sentence
    assert "cannot be read" in await refusal(*without, "--token-file", stopped.folder / "none.token")
    assert (await stands(stopped))[0] == (1, "quarantined", "unknown_type")


async def test_the_token_may_be_in_the_environment(stopped: Office) -> None:
    """A token in COUNTERPART_TOKEN speaks for its person as the file does."""
    officer = await token_of(stopped, "first", "duty_officer")
    os.environ["COUNTERPART_TOKEN"] = officer.read_text().strip()
    try:
        done = await typed("quarantine", "discard", "2", *WHY, "--config", stopped.config)
    finally:
        del os.environ["COUNTERPART_TOKEN"]
    assert (done.code, done.err) == (0, "")
    assert done.out == "Nobody waits for it any more; it stays as evidence.\n"
