"""What an operator sets is read once, checked, and never shown."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from app.crashing import CrashPoint
from app.errors import SettingsUnusable
from app.settings import LogLevel, Profile, load_settings

if TYPE_CHECKING:
    from pathlib import Path

PASSWORD = "s3cr3t-w0rd"
GOOD = {
    "CODE": "XA",
    "PROFILE": "production",
    "DATABASE_URL": f"postgresql://app:{PASSWORD}@db/counterpart",
    "AMQP_URL": f"amqp://XA:{PASSWORD}@mq/counterpart",
    "QUEUE_SUFFIX": "abcdefgh",
    "KEYS_DIR": "/etc/counterpart/keys",
    "DIRECTORY": "/etc/counterpart/directory.json",
    "ANCHOR": "/var/lib/counterpart/anchor",
}
SENSELESS = {
    "a code that is none": ("CODE", "Aurelia"),
    "an unknown profile": ("PROFILE", "staging"),
    "another database": ("DATABASE_URL", f"mysql://app:{PASSWORD}@db/x"),
    "a bus that is none": ("AMQP_URL", f"http://{PASSWORD}@mq"),
    "a port that is none": ("HTTP_PORT", "70000"),
    "a port in words": ("HTTP_PORT", "eighty"),
    "an unknown level": ("LOG_LEVEL", "chatty"),
    "an empty pool": ("HTTP_POOL_SIZE", "0"),
    "a suffix with other letters": ("QUEUE_SUFFIX", f"{PASSWORD}-!"),
    "an epoch before the first": ("LOG_EPOCH", "0"),
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment with good settings and no others."""
    for name in [name for name in os.environ if name.startswith("COUNTERPART_")]:
        monkeypatch.delenv(name)
    for name, value in GOOD.items():
        monkeypatch.setenv(f"COUNTERPART_{name}", value)
    return monkeypatch


def test_environment_is_read(environment: pytest.MonkeyPatch) -> None:
    """Good settings are taken, the rest has defaults, and the listener stays on this machine."""
    settings = load_settings()
    assert (settings.code, settings.profile, settings.log_level) == ("XA", Profile.PRODUCTION, LogLevel.INFO)
    assert settings.database_url.get_secret_value() == f"postgresql+asyncpg://app:{PASSWORD}@db/counterpart"
    assert (settings.http_host, settings.http_port) == ("127.0.0.1", 8000)
    assert (settings.metrics_host, settings.metrics_port) == ("127.0.0.1", None)
    assert settings.origin == "counterpart/xa"


@pytest.mark.parametrize("name", [name for name in GOOD if name != "PROFILE"])
def test_missing_setting_is_named(environment: pytest.MonkeyPatch, name: str) -> None:
    """Without one of the needed settings the start stops with one sentence that names it."""
    environment.delenv(f"COUNTERPART_{name}")
    with pytest.raises(SettingsUnusable) as stopped:
        load_settings()
    assert f"COUNTERPART_{name} " in stopped.value.detail
    assert PASSWORD not in str(stopped.value)


@pytest.mark.parametrize("what", SENSELESS)
def test_senseless_setting_is_named(environment: pytest.MonkeyPatch, what: str) -> None:
    """A setting that makes no sense is named, and its value is not repeated."""
    name, value = SENSELESS[what]
    environment.setenv(f"COUNTERPART_{name}", value)
    with pytest.raises(SettingsUnusable) as stopped:
        load_settings()
    assert f"COUNTERPART_{name} cannot be used: " in stopped.value.detail
    assert stopped.value.detail.endswith(".")
    assert PASSWORD not in str(stopped.value)
    assert stopped.value.__cause__ is None


def test_missing_profile_is_production(environment: pytest.MonkeyPatch) -> None:
    """Who says nothing gets the strict rules."""
    environment.delenv("COUNTERPART_PROFILE")
    assert load_settings().profile is Profile.PRODUCTION


DEMO_ONLY = {"AMQP_URL": "memory:", "REHEARSAL": "1", "CRASH_AT": "intake_before_ack"}


@pytest.mark.parametrize("name", DEMO_ONLY)
def test_production_refuses_what_is_for_demos(environment: pytest.MonkeyPatch, name: str) -> None:
    """A production node has neither a bus in its process nor rehearses, and has no switch to crash."""
    environment.setenv(f"COUNTERPART_{name}", DEMO_ONLY[name])
    with pytest.raises(SettingsUnusable, match=f"COUNTERPART_{name}"):
        load_settings()


def test_a_demo_may_rehearse(environment: pytest.MonkeyPatch) -> None:
    """A demo may have its bus in the process and crash on purpose, once it says that it rehearses."""
    for name, value in {"PROFILE": "demo", **DEMO_ONLY}.items():
        environment.setenv(f"COUNTERPART_{name}", value)
    assert load_settings().crash_at is CrashPoint.INTAKE_BEFORE_ACK


REFUSED_CRASHES = {
    "a demo that does not say it rehearses": {"PROFILE": "demo", "CRASH_AT": "intake_before_ack"},
    "a place that is none": {"PROFILE": "demo", "REHEARSAL": "1", "CRASH_AT": "after_lunch"},
    "a production node that says it rehearses": {"REHEARSAL": "1", "CRASH_AT": "intake_before_ack"},
}


@pytest.mark.parametrize("case", REFUSED_CRASHES)
def test_a_crash_on_purpose_is_refused(environment: pytest.MonkeyPatch, case: str) -> None:
    """Outside a rehearsal, or at a place that is not on the list, it is refused in one sentence."""
    for name, value in REFUSED_CRASHES[case].items():
        environment.setenv(f"COUNTERPART_{name}", value)
    with pytest.raises(SettingsUnusable, match=r"^[^.\n]*(CRASH_AT|REHEARSAL)[^\n]*\.$") as refused:
        load_settings()
    assert "after_lunch" not in refused.value.detail


def test_secrets_are_not_shown(environment: pytest.MonkeyPatch) -> None:
    """Printing the settings shows no secret."""
    settings = load_settings()
    assert PASSWORD not in f"{settings} {settings!r} {settings.model_dump()} {settings.model_dump_json()}"
    assert "abcdefgh" not in repr(settings)


def test_settings_are_frozen(environment: pytest.MonkeyPatch) -> None:
    """Nobody changes a setting while the node runs."""
    with pytest.raises(ValidationError):
        load_settings().code = "XT"  # type: ignore[misc] # that it cannot be done is the point


def test_secret_in_a_file(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A secret may be given as the name of a file that holds it; the variable itself counts for more."""
    secret = tmp_path / "database_url"
    secret.write_text("postgresql://app:other@db/counterpart\n")
    environment.setenv("COUNTERPART_DATABASE_URL_FILE", str(secret))
    assert "other" not in load_settings().database_url.get_secret_value()
    environment.delenv("COUNTERPART_DATABASE_URL")
    assert load_settings().database_url.get_secret_value() == "postgresql+asyncpg://app:other@db/counterpart"


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
def test_unreadable_secret_file_is_named(
    environment: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
) -> None:
    """A file of a secret that is missing, empty or no text stops the start."""
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    environment.setenv("COUNTERPART_AMQP_URL_FILE", str(tmp_path / "secret"))
    with pytest.raises(SettingsUnusable, match="COUNTERPART_AMQP_URL_FILE"):
        load_settings()


def test_file_below_environment(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A TOML file sets what the environment leaves open, named on the command line or in the environment."""
    config = tmp_path / "xa.toml"
    config.write_text('http_port = 8100\ncode = "XT"\nlog_level = "debug"\n')
    environment.setenv("COUNTERPART_CONFIG", str(config))
    for settings in (load_settings(), load_settings(config)):
        assert (settings.code, settings.http_port, settings.log_level) == ("XA", 8100, LogLevel.DEBUG)


@pytest.mark.parametrize(
    ("text", "word"),
    [("htp_port = 8100", "htp_port"), ("http_port = [", "xa.toml"), ("http_port = 99999", "HTTP_PORT")],
)
def test_file_that_cannot_be_used(environment: pytest.MonkeyPatch, tmp_path: Path, text: str, word: str) -> None:
    """A misspelt setting, broken TOML and a senseless value in a file stop the start by name."""
    config = tmp_path / "xa.toml"
    config.write_text(text)
    with pytest.raises(SettingsUnusable, match=word):
        load_settings(config)


def test_later_epoch_has_another_name(environment: pytest.MonkeyPatch) -> None:
    """A log begun again after a loss has another name than the one before."""
    environment.setenv("COUNTERPART_LOG_ORIGIN", "log.example/xa/2026")
    environment.setenv("COUNTERPART_LOG_EPOCH", "2")
    assert load_settings().origin == "log.example/xa/2026.2"
