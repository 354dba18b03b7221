"""Webhooks: signed so that the standard's own library believes them, thin, and never led elsewhere."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from app.errors import SettingsUnusable
from app.notify import webhook
from app.notify.faults import NotTaken, Trouble
from app.notify.letter import Letter
from app.notify.webhook import check_address, post_webhook, read_secrets, sign, write_secret
from app.services.identifiers import new_id

if TYPE_CHECKING:
    from tests.notify.receiver import Hook

SECRET = write_secret(b"0123456789abcdef0123456789abcdef")
OTHER = write_secret(b"fedcba9876543210fedcba9876543210")


def letter(target: str) -> Letter:
    """Something to send."""
    return Letter(new_id(), target, "", json.dumps({"type": "exchange.overdue", "data": {"reference": "XA-2026-é"}}))


@pytest.fixture
def secret_file(tmp_path: Path) -> str:
    """A file with the secret."""
    file = tmp_path / "secret"
    file.write_text(SECRET + "\n")
    return str(file)


async def post(one: Letter, secret_file: str) -> Trouble | None:
    """Send it at the real time; what stood in the way."""
    try:
        await post_webhook(one, secret_file=secret_file, plain=True, now=datetime.now(UTC))
    except NotTaken as fault:
        return fault.trouble
    return None


async def test_the_standard_s_library_verifies_it(hook: Hook, secret_file: str) -> None:
    """With the shared secret; not with another one, not with another body, not under another id."""
    one = letter(hook.url())
    assert await post(one, secret_file) is None
    (came,) = hook.came
    assert came.headers["webhook-id"] == str(one.id)
    assert Webhook(SECRET).verify(came.body, came.headers) == json.loads(one.body)
    for verifier, body, headers in (
        (Webhook(OTHER), came.body, came.headers),
        (Webhook(SECRET), came.body.replace("overdue", "closed"), came.headers),
        (Webhook(SECRET), came.body, {**came.headers, "webhook-id": str(new_id())}),
    ):
        with pytest.raises(WebhookVerificationError):
            verifier.verify(body, headers)


async def test_while_a_secret_is_replaced_both_count(hook: Hook, secret_file: str) -> None:
    """A file with two lines signs twice; each of the two verifies."""
    await asyncio.to_thread(Path(secret_file).write_text, f"{OTHER}\n{SECRET}\n")
    assert await post(letter(hook.url()), secret_file) is None
    (came,) = hook.came
    for secret in (OTHER, SECRET):
        assert Webhook(secret).verify(came.body, came.headers)


def test_a_repetition_has_the_same_id_and_its_own_time() -> None:
    """The signature is over id, time and body, in the form that the library makes too."""
    one, now = letter("https://pager.example/"), datetime(2026, 11, 22, 18, tzinfo=UTC)
    secrets = [b"0123456789abcdef0123456789abcdef"]
    first, second = (sign(one, secrets=secrets, now=at) for at in (now, now + timedelta(minutes=1)))
    assert first["webhook-id"] == second["webhook-id"]
    assert first["webhook-signature"] != second["webhook-signature"]
    assert first["webhook-signature"] == Webhook(SECRET).sign(str(one.id), now, one.body)


@pytest.mark.parametrize(
    ("status", "trouble"),
    [
        (200, None),
        (202, None),
        (204, None),
        (301, Trouble.REDIRECTED),
        (307, Trouble.REDIRECTED),
        (400, Trouble.REFUSED),
        (404, Trouble.REFUSED),
        (410, Trouble.GONE),
        (429, Trouble.REFUSED),
        (500, Trouble.REFUSED),
        (503, Trouble.REFUSED),
    ],
)
async def test_only_a_success_counts_and_nothing_is_followed(
    hook: Hook, secret_file: str, status: int, trouble: Trouble | None
) -> None:
    """A redirection is a failure: one request came, and none to where it points."""
    hook.statuses = [status]
    assert await post(letter(hook.url()), secret_file) is trouble
    assert [one.path for one in hook.came] == ["/hook"]


async def test_who_does_not_answer_is_given_up_on(
    hook: Hook, secret_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit is of the whole attempt."""
    monkeypatch.setattr(webhook, "TIMEOUT_S", 0.05)
    hook.wait = asyncio.Event()
    assert await post(letter(hook.url()), secret_file) is Trouble.TIMEOUT
    hook.wait.set()


async def test_nobody_there_and_no_secret_are_told_apart(hook: Hook, secret_file: str, tmp_path: Path) -> None:
    """Each is a word of its own, so that an operator knows where to look."""
    port = hook.port + 1 if hook.port < 65_000 else hook.port - 1
    nobody = replace(letter(hook.url()), target=f"http://127.0.0.1:{port}/")
    assert await post(nobody, secret_file) is Trouble.UNREACHABLE
    assert await post(letter(hook.url()), str(tmp_path / "none")) is Trouble.SECRET_UNREADABLE
    with pytest.raises(NotTaken) as refused:
        await post_webhook(letter(hook.url()), secret_file=secret_file, plain=False, now=datetime.now(UTC))
    assert refused.value.trouble is Trouble.NOT_ENCRYPTED
    assert hook.came == []


@pytest.mark.parametrize(
    "address",
    [
        "http://pager.example/hook",
        "ftp://pager.example/",
        "https:///hook",
        "https://user:word@pager.example/",
        "https://pager.example/#part",
        "https://pager.example/\n",
        "https://[::1/",
        "pager.example",
        "https://pager.example/" + "x" * 500,
    ],
)
def test_an_address_that_may_not_be_is_refused_without_repeating_it(address: str) -> None:
    """Only https outside a demo, no password, no fragment."""
    with pytest.raises(SettingsUnusable) as refused:
        check_address(address, plain=False)
    assert "pager" not in refused.value.detail


@pytest.mark.parametrize(
    "content",
    ["", "word", "whsec_", "whsec_c2hvcnQ=", "whsec_not base64!", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="],
)
def test_a_secret_that_protects_nothing_is_refused(tmp_path: Path, content: str) -> None:
    """Too short, not in the standard's form, or not there."""
    file = tmp_path / "secret"
    file.write_text(content)
    with pytest.raises(SettingsUnusable) as refused:
        read_secrets(file)
    assert refused.value.code == "webhook_secret"
    assert "c2hv" not in refused.value.detail
