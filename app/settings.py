"""What an operator sets: environment `COUNTERPART_*`, or a TOML file; a secret also by the file that holds it.

The environment wins over the file. `docs/operating.md` says for each setting what losing or leaking it costs.
"""

from __future__ import annotations

import os
import re
import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.crashing import CrashPoint
from app.errors import SettingsUnusable

PREFIX = "COUNTERPART_"
MEMORY_BUS = "memory:"
DRIVER = "postgresql+asyncpg://"
SECRETS = ("database_url", "owner_database_url", "amqp_url", "queue_suffix", "smtp_url")
MAX_SECRET_FILE_BYTES = 65_536


class Profile(StrEnum):
    """`demo` allows the bus and the database inside the process; `production` refuses both."""

    DEMO = "demo"
    PRODUCTION = "production"


class TestCalls(StrEnum):
    """Whether this node calls the others by itself to see whether somebody answers."""

    __test__ = False

    OFF = "off"
    MONTHLY = "monthly"


class LogLevel(StrEnum):
    """From how serious on a line is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def _for_asyncpg(address: SecretStr) -> SecretStr:
    """The same database through the driver we use; the bare scheme would mean another one."""
    text = address.get_secret_value()
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in {"postgres", "postgresql", "postgresql+asyncpg"}:
        raise ValueError("it must begin with postgresql://")
    return SecretStr(DRIVER + rest)


def _amqp(address: SecretStr) -> SecretStr:
    text = address.get_secret_value()
    if text != MEMORY_BUS and not text.startswith(("amqp://", "amqps://")):
        raise ValueError("it must begin with amqp:// or amqps://, or be memory: in a demo")
    return address


def _suffix(suffix: SecretStr) -> SecretStr:
    if re.fullmatch(r"[a-z2-7]{8,64}", suffix.get_secret_value()) is None:
        raise ValueError("it must have 8 to 64 of the letters a-z and 2-7")
    return suffix


def _crash_point(name: str) -> str:
    if name not in set(CrashPoint):
        raise ValueError("it names none of the crash points that docs/delivery.md lists")
    return name


CrashPointName = Annotated[CrashPoint, BeforeValidator(_crash_point)]
SuffixOfQueues = Annotated[SecretStr, AfterValidator(_suffix)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_for_asyncpg)]
AmqpUrl = Annotated[SecretStr, AfterValidator(_amqp)]


class Settings(BaseSettings):
    """One node. Frozen; printing it shows no secret."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    code: Annotated[
        str, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{2,12})?$", description="Our contact point: XX or XX-NAME.")
    ]
    profile: Annotated[Profile, Field(description="demo or production.")] = Profile.PRODUCTION
    database_url: Annotated[DatabaseUrl, Field(description="PostgreSQL, as the application's role.")]
    owner_database_url: Annotated[
        DatabaseUrl | None, Field(description="The same database as its owner; read by `counterpart migrate` alone.")
    ] = None
    amqp_url: Annotated[AmqpUrl, Field(description="RabbitMQ, as the user named like our code; memory: in a demo.")]
    queue_suffix: Annotated[
        SuffixOfQueues | None,
        Field(description="Last part of our queues' names, 8 to 64 of a-z and 2-7; known to us and the broker only."),
    ] = None
    keys_dir: Annotated[Path, Field(description="Folder of our private keys, mode 0700.")]
    directory: Annotated[Path, Field(description="File with all contact points and their public keys.")]
    law: Annotated[
        Path | None, Field(description="Folder of the law files; default the packaged ones of the invented states.")
    ] = None
    clocks: Annotated[
        Path | None, Field(description="YAML file with the target times that differ from the packaged ones.")
    ] = None
    single_officer_shift: Annotated[
        bool,
        Field(description="In an emergency one person may approve and sign; another supervisor reviews it in a day."),
    ] = False
    test_calls: Annotated[
        TestCalls, Field(description="off, or monthly: each other contact point is called at night to see who answers.")
    ] = TestCalls.OFF
    anchor: Annotated[
        Path, Field(description="File outside the database that holds the last signed checkpoint; on another disk.")
    ]
    http_host: Annotated[str, Field(min_length=1, description="Address the gateway listens on.")] = "127.0.0.1"
    http_port: Annotated[int, Field(ge=0, le=65_535, description="TCP port; 0 takes a free one.")] = 8000
    metrics_host: Annotated[
        str, Field(min_length=1, description="Address on which a process that only works answers probes and metrics.")
    ] = "127.0.0.1"
    metrics_port: Annotated[
        int | None, Field(ge=0, le=65_535, description="Its TCP port, 0 for a free one; not set, it listens nowhere.")
    ] = None
    log_level: Annotated[LogLevel, Field(description="debug, info, warning or error.")] = LogLevel.INFO
    log_origin: Annotated[
        str | None,
        Field(
            pattern=r"^[a-z0-9.-]+(/[a-z0-9.-]+)+$", description="Name of our audit log; default counterpart/<code>."
        ),
    ] = None
    log_epoch: Annotated[
        int, Field(ge=1, le=9_999, description="Raised by an operator after data were lost; never lowered.")
    ] = 1
    http_pool_size: Annotated[int, Field(ge=1, le=100, description="Database connections of the gateway.")] = 10
    lane_pool_size: Annotated[int, Field(ge=1, le=100, description="Database connections per lane.")] = 4
    streams_per_person: Annotated[
        int, Field(ge=1, le=1_000, description="Streams and waiting polls of events that one person has open at once.")
    ] = 8
    graceful_seconds: Annotated[
        int, Field(ge=1, le=120, description="How long a stop waits for answers under way.")
    ] = 10
    notices: Annotated[
        bool, Field(description="Whether our processes wake each other by LISTEN and NOTIFY; off behind a pooler.")
    ] = True
    smtp_url: Annotated[
        SecretStr | None, Field(description="Mail server for notifications: smtps://, smtp:// with STARTTLS.")
    ] = None
    mail_from: Annotated[
        str | None,
        Field(pattern=r"^[^\s@<>]+@[A-Za-z0-9.-]+$", description="Sender of notifications; goes with SMTP_URL."),
    ] = None
    public_url: Annotated[
        str | None,
        Field(pattern=r"^https?://[^\s?#]+$", description="Where people reach this node; links in notifications."),
    ] = None
    fonts: Annotated[
        str, Field(min_length=1, description="Folders of fonts for forms in PDF, separated by colons.")
    ] = "/usr/local/share/fonts:/usr/share/fonts"
    rehearsal: Annotated[bool, Field(description="Whether this node only rehearses; PROFILE=demo alone.")] = False
    crash_at: Annotated[
        CrashPointName | None, Field(description="Crash point at which to die; needs PROFILE=demo and REHEARSAL=1.")
    ] = None

    @model_validator(mode="after")
    def _fit_for_production(self) -> Self:
        if self.profile is Profile.PRODUCTION and self.memory_bus:
            raise ValueError("AMQP_URL memory: is for the demo; a production node needs a RabbitMQ")
        if not self.memory_bus and self.queue_suffix is None:
            raise ValueError("QUEUE_SUFFIX is missing; the broker's administrator has it")
        if self.profile is Profile.PRODUCTION and self.rehearsal:
            raise ValueError("REHEARSAL is for PROFILE=demo; a production node rehearses nothing")
        if self.crash_at is not None and not self.rehearsal:
            raise ValueError("CRASH_AT is for rehearsals of recovery; it needs PROFILE=demo and REHEARSAL=1")
        return self

    @property
    def memory_bus(self) -> bool:
        """Whether the bus lives in this process."""
        return self.amqp_url.get_secret_value() == MEMORY_BUS

    @property
    def font_folders(self) -> tuple[Path, ...]:
        """Where fonts are looked for, one folder after the other."""
        return tuple(Path(folder) for folder in self.fonts.split(":") if folder)

    @property
    def origin(self) -> str:
        """Name of the log in its present epoch: epoch 1 is the bare name, later ones carry their number."""
        name = self.log_origin or f"counterpart/{self.code.lower()}"
        return name if self.log_epoch == 1 else f"{name}.{self.log_epoch}"


def load_settings(config: Path | None = None) -> Settings:
    """Read the environment and, if given here or as `COUNTERPART_CONFIG`, a TOML file.

    Raises:
        SettingsUnusable: one sentence that names the setting; never its value.
    """
    named = os.environ.get(f"{PREFIX}CONFIG")
    path = config or (Path(named) if named else None)
    given = {**(_read_toml(path) if path else {}), **_read_secret_files()}
    # What is handed to the model would win over the environment; so what the environment has is left to it.
    rest = {name: value for name, value in given.items() if not os.environ.get(f"{PREFIX}{name.upper()}")}
    try:
        return Settings(**rest)
    except ValidationError as fault:
        raise SettingsUnusable("setting_unusable", _sentence(fault)) from None


def _read_secret_files() -> dict[str, str]:
    """Secrets from the files that `COUNTERPART_<NAME>_FILE` names."""
    paths = {name: os.environ.get(f"{PREFIX}{name.upper()}_FILE") for name in SECRETS}
    return {name: _secret_in(Path(path), name) for name, path in paths.items() if path}


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise SettingsUnusable(
            "config_unreadable", f"The settings file {path} cannot be read: {type(fault).__name__}."
        ) from None


def _secret_in(path: Path, name: str) -> str:
    try:
        with path.open("rb") as file:
            text = file.read(MAX_SECRET_FILE_BYTES).decode("utf-8").strip()
    except (OSError, UnicodeDecodeError) as fault:
        raise SettingsUnusable(
            "secret_unreadable",
            f"The file named by {PREFIX}{name.upper()}_FILE cannot be read: {type(fault).__name__}.",
        ) from None
    if not text:
        raise SettingsUnusable("secret_unreadable", f"The file named by {PREFIX}{name.upper()}_FILE is empty.")
    return text


def _sentence(fault: ValidationError) -> str:
    """The first fault, by the name the operator set or forgot."""
    error = fault.errors(include_url=False, include_input=False)[0]
    name = f"{PREFIX}{str(error['loc'][0]).upper()}" if error["loc"] else "Settings"
    if error["type"] == "missing":
        return f"{name} is not set."
    if error["type"] == "extra_forbidden":
        return f"{str(error['loc'][0])!r} in the settings file is not a setting of this software."
    reason = error["msg"].removeprefix("Value error, ")
    return f"{name} cannot be used: {reason[:1].lower()}{reason[1:]}." if error["loc"] else f"{PREFIX}{reason}."
