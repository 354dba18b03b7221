"""Who is told of what is late: an operator adds channels, tries them, and takes them away; secrets stay in files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from standardwebhooks import Webhook

from app.db.engine import make_engine, reading
from tests.cli.shell import refusal, typed
from tests.notify.receiver import open_hook, open_mailbox

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Office

NOBODY = "0193523a-7a00-7000-8000-000000000009"


async def test_a_webhook_is_added_tried_and_removed(office: Office, tmp_path: Path) -> None:
    """The test message is signed with the file's secret; the list shows no secret; 410 says so; removed is removed."""
    config = ("--config", office.config)
    file = tmp_path / "pager.secret"
    assert (await typed("notify", "secret", file)).code == 0
    assert file.stat().st_mode & 0o777 == 0o600
    secret = file.read_text().strip()
    async with open_hook() as hook:
        words = ("--for", "escalation:URGENT,EMERGENCY", "--secret-file", file, *config, "--json")
        added = (await typed("notify", "add", hook.url(), *words)).row
        assert (await typed("notify", "test", added["id"], *config)).code == 0
        (came,) = hook.came
        assert Webhook(secret).verify(came.body, came.headers) == json.loads(came.body)
        assert json.loads(came.body)["type"] == "notification.test"
        hook.statuses = [410]
        assert await refusal("notify", "test", added["id"], *config) == "It was not taken: gone."
        assert "already" in await refusal("notify", "add", hook.url(), *words)
        shown = await typed("notify", "list", *config, "--json")
        assert shown.row | {"id": added["id"]} == {
            "id": added["id"],
            "kind": "webhook",
            "target": hook.url(),
            "audience": "escalation",
            "tiers": "EMERGENCY,URGENT",
            "stopped_at": None,
        }
    assert secret not in shown.out
    assert (await typed("notify", "remove", added["id"], *config)).code == 0
    assert (await typed("notify", "list", *config, "--json")).rows == []
    assert await facts(office) == 2, "adding and removing are on record"


async def facts(office: Office) -> int:
    """How many acts of the operator are on record."""
    engine = make_engine(str(office.settings()["database_url"]), pool_size=1, name="test")
    async with reading(engine) as session:
        query = text("SELECT count(*) FROM audit_pending WHERE convert_from(leaf, 'utf8') LIKE '%operator.action%'")
        count = await session.scalar(query)
    await engine.dispose()
    return int(count or 0)


async def test_mail_needs_a_server_and_is_tried(office: Office) -> None:
    """Refused before SMTP_URL is set; then a test message is in the mailbox."""
    config = ("--config", office.config)
    words = ("notify", "add", "chief@desk.xa.example", "--for", "supervisor", *config)
    assert "SMTP_URL" in await refusal(*words)
    async with open_mailbox() as box:
        office.set(smtp_url=f"smtp+plain://127.0.0.1:{box.port}", mail_from="node@desk.xa.example")
        added = (await typed(*words, "--json")).row
        assert (await typed("notify", "test", added["id"], *config)).code == 0
        (came,) = box.came
    assert came.recipients == ["chief@desk.xa.example"]
    assert "nothing is to be done" in came.content


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("add", "https://pager.example/", "--for", "escalation"), "--secret-file"),
        (("add", "ftp://pager.example/", "--for", "escalation"), "https://"),
        (("add", "https://pager.example/", "--for", "everybody"), "--for names one of"),
        (("add", "https://pager.example/", "--for", "escalation:SOON"), "--for names one of"),
        (("add", "nobody", "--for", "desk"), "no address of a mailbox"),
        (("add", "one@desk.example,two@desk.example", "--for", "desk"), "no address of a mailbox"),
        (("remove", NOBODY), "no such channel"),
        (("test", NOBODY), "no such channel"),
    ],
)
async def test_what_could_never_be_sent_is_refused(office: Office, words: tuple[str, ...], sentence: str) -> None:
    """One sentence, and nothing is stored."""
    assert sentence in await refusal("notify", *words, "--config", office.config)
    assert (await typed("notify", "list", "--config", office.config, "--json")).rows == []


async def test_a_secret_is_never_overwritten(tmp_path: Path) -> None:
    """The file that is there may be in use at the other end."""
    file = tmp_path / "secret"
    file.write_text("in use")
    assert "cannot be written" in await refusal("notify", "secret", file)
    assert file.read_text() == "in use"
