"""The directory is a file that changes while the node runs: followed at once, never backwards, never in the way."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from app.bus.broker import Delivery
from app.bus.memory import MemoryBus
from app.bus.supervise import Pauses
from app.db.engine import reading
from app.db.events import START, Scope, events_after
from app.domain.codes import Lane
from app.domain.directory import Directory, KeyRecord, KeyStatus, publish_directory
from app.domain.key_records import RevocationReason
from app.envelope.seal import encrypt, sign
from app.errors import SettingsUnusable
from app.keystore import create_keys, example_profile, load_keys, write_directory
from app.receiving import Intake
from app.routers.health import readiness
from app.runtime import open_runtime
from app.services.effects import EFFECTS
from app.settings import Profile, Settings
from app.trusting import DirectoryWatch
from tests.envelope.parties import NOW, make_claims
from tests.services.test_receive_evidence import FACTS
from tests.support.world import seen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from app.runtime import Runtime

CODES = ("XA", "XT")
DAY = timedelta(days=1)


class Office:
    """Where XA's node runs: its files, and the published keys of everybody."""

    def __init__(self, folder: Path, database_url: str) -> None:
        made = NOW - 30 * DAY
        self.folder = folder
        self.keys = {code: create_keys(folder / code, code, now=made, validity=400 * DAY) for code in CODES}
        self.file = folder / "directory.json"
        self.settings = Settings(
            code="XA",
            profile=Profile.DEMO,
            database_url=database_url,
            amqp_url="memory:",
            keys_dir=folder / "XA",
            directory=self.file,
            anchor=folder / "anchor",
        )
        self.publish(1)

    def publish(self, version: int, *codes: str, **changes: list[KeyRecord]) -> Directory:
        """Put this version in place, with other keys for those named."""
        profiles = [example_profile(code) for code in codes or CODES]
        made = publish_directory(profiles, {**self.keys, **changes}, version=version, issued_at=NOW)
        write_directory(self.file, made)
        return made

    def revoked(self, code: str, *, since: datetime) -> list[KeyRecord]:
        """The keys of that code, the first signing key revoked."""
        first, *others = self.keys[code]
        gone = {"status": KeyStatus.REVOKED, "revoked_at": since, "reason": RevocationReason.COMPROMISE}
        return [KeyRecord.model_validate({**dict(first), **gone}), *others]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Runtime]:
        """The node, open."""
        bus = MemoryBus(clock=lambda: NOW, pauses=Pauses(lambda: 0.5))
        broker = bus.connect("XA")
        try:
            async with open_runtime(self.settings, clock=lambda: NOW, broker=broker) as runtime:
                yield runtime
        finally:
            await broker.aclose()


@pytest.fixture
def office(tmp_path: Path, database_url: str) -> Office:
    """XA's files, version 1 of the directory in place."""
    return Office(tmp_path, database_url)


@pytest.fixture
async def runtime(office: Office) -> AsyncIterator[Runtime]:
    """XA's node."""
    async with office.running() as opened:
        yield opened


def gauge(runtime: Runtime, name: str) -> float | None:
    """The value of one instrument."""
    return runtime.metrics.registry.get_sample_value(f"counterpart_{name}")


async def answer(runtime: Runtime, name: str) -> str:
    """What the node says of one of its checks."""
    return {check.name: check.outcome.value for check in await readiness(runtime)}[name]


async def test_a_newer_version_is_taken_into_use(office: Office, runtime: Runtime) -> None:
    """Everything in the process sees the new version at once; it is remembered, and a fact, once."""
    watch = DirectoryWatch(runtime)
    assert not await watch.look(), "the same version is no change"
    office.publish(2)
    assert await watch.look()
    assert not await watch.look()
    assert runtime.node.directory.version == 2
    assert (gauge(runtime, "directory_version"), gauge(runtime, "directory_refused")) == (2, 0)
    async with reading(runtime.engine) as session:
        seen = await session.exec_driver_sql("SELECT version FROM directory_seen ORDER BY version")
        assert [version for (version,) in seen] == [1, 2]
        types = [type_ for (type_,) in await session.exec_driver_sql(FACTS)]
    assert types.count("directory.updated") == 2


BAD: dict[str, tuple[Callable[[Office], object], str]] = {
    "an older version": (lambda office: office.publish(2), "directory_older"),
    "another file under the same number": (
        lambda office: office.publish(3, XT=office.revoked("XT", since=NOW)),
        "directory_differs",
    ),
    "one that is not JSON": (lambda office: office.file.write_text("{"), "not_json"),
    "one that says nothing": (lambda office: office.file.write_text('{"version": 4}'), "directory_unusable"),
    "one without us": (lambda office: office.publish(4, "XT"), "not_in_directory"),
    "none at all": (lambda office: office.file.unlink(), "file_unreadable"),
    "one in another alphabet": (lambda office: office.file.write_bytes(b"\xff\xfe"), "file_unreadable"),
}


@pytest.mark.parametrize(("change", "code"), BAD.values(), ids=BAD.keys())
async def test_a_bad_file_changes_nothing(
    office: Office, runtime: Runtime, change: Callable[[Office], object], code: str
) -> None:
    """The node goes on with the directory it has and raises an alarm; the right file ends the alarm."""
    watch = DirectoryWatch(runtime)
    right = office.publish(3)
    await watch.look()
    change(office)
    assert not await watch.look()
    assert runtime.node.directory == right
    assert (runtime.trust.refused, gauge(runtime, "directory_refused")) == (code, 1)
    assert await answer(runtime, "directory") == "warn"
    office.publish(3)
    assert not await watch.look(), "it is the version in use"
    assert (runtime.trust.refused, gauge(runtime, "directory_refused")) == (None, 0)


async def test_rollback_is_refused_at_start_too(office: Office) -> None:
    """A node that has worked with version 2 does not start with version 1, nor with another version 2."""
    office.publish(2)
    async with office.running():
        pass
    async with office.running() as again:
        assert again.node.directory.version == 2
    office.publish(1)
    with pytest.raises(SettingsUnusable) as refused:
        async with office.running():
            pass
    assert refused.value.code == "directory_older"
    office.publish(2, XT=office.revoked("XT", since=NOW))
    with pytest.raises(SettingsUnusable) as refused:
        async with office.running():
            pass
    assert refused.value.code == "directory_differs"


async def test_without_memory_a_rollback_would_bring_a_key_back(office: Office, runtime: Runtime) -> None:
    """(Control) A node that takes any file it can read believes a revoked key again as soon as an old file appears."""
    newest = office.publish(2, XT=office.revoked("XT", since=NOW - DAY))
    await DirectoryWatch(runtime).look()
    oldest = office.publish(1)
    kid = office.keys["XT"][0].kid
    shown = [directory.signing_key("XT", kid) for directory in (newest, oldest, runtime.node.directory)]
    assert [key is not None and key.is_valid_at(NOW) for key in shown] == [False, True, False]


async def test_what_changes_is_seen_by_its_time_and_place(office: Office, runtime: Runtime) -> None:
    """A file that is replaced by one of the same length is read again; one that stays is not."""
    watch = DirectoryWatch(runtime)
    await watch.look()
    stamp = watch.stamp
    office.publish(2)
    await watch.look()
    assert watch.stamp != stamp
    assert runtime.node.directory.version == 2


async def test_the_standby_key_takes_over(office: Office, runtime: Runtime) -> None:
    """Once the directory shows our signing key revoked, the standby key signs; without one the node is not ready."""
    keys = load_keys(office.folder / "XA", refuse_open=True).keyring
    first = runtime.trust.signing_key(NOW)
    office.publish(2, XA=office.revoked("XA", since=NOW))
    await DirectoryWatch(runtime).look()
    second = runtime.trust.sealing(NOW).signing_key
    assert [first and first.kid, second and second.kid] == [keys.signing.kid, keys.standby and keys.standby.kid]
    assert await answer(runtime, "keys") == "pass"
    gone = [key for key in office.revoked("XA", since=NOW) if key.status != "STANDBY"]
    office.publish(3, XA=gone)
    await DirectoryWatch(runtime).look()
    assert runtime.trust.signing_key(NOW) is None
    assert await answer(runtime, "keys") == "fail"


async def test_the_desk_is_told_once_of_what_came_too_late(office: Office, runtime: Runtime) -> None:
    """A revocation that lies before texts we have taken is an event, once, however often the directory changes."""
    office.publish(2, XT=office.revoked("XT", since=NOW + DAY))
    watch = DirectoryWatch(runtime)
    await watch.look()
    await _receive_from(office, runtime)
    assert await _events(runtime) == []
    for version in (3, 4):
        office.publish(version, XT=office.revoked("XT", since=NOW - DAY))
        await watch.look()
    assert await _events(runtime) == [("contact_point.key_revoked_late", "XT", "incoming", 1)]


async def test_two_processes_take_it_into_use(office: Office, runtime: Runtime) -> None:
    """Whichever process of a node comes second finds the version known and believes it as well."""
    office.publish(2)
    async with office.running() as other:
        assert await DirectoryWatch(runtime).look()
        assert runtime.node.directory == other.node.directory


async def test_a_gateway_alone_follows_too(office: Office, runtime: Runtime) -> None:
    """A process that runs no loops looks at the file by itself, and ends when the node stops."""
    office.publish(2)
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(DirectoryWatch(runtime).follow())
        await seen(_version_of(runtime), lambda version: version == 2)
        runtime.stopping.set()


def _version_of(runtime: Runtime) -> Callable[[], Awaitable[int]]:
    async def look() -> int:
        return runtime.node.directory.version

    return look


async def _receive_from(office: Office, runtime: Runtime) -> None:
    """Let a text of XT's come, under the key that is going to be revoked."""
    keyring = load_keys(office.folder / "XT", refuse_open=True).keyring
    claims = make_claims(iss="XT", aud="XA", type="test-call/1", thread=None, seq=None)
    recipient = runtime.node.directory.encryption_key("XA", NOW)
    assert recipient is not None
    raw = encrypt(sign(claims, keyring.signing), iss="XT", aud="XA", copy=1, recipient=recipient)
    delivery = Delivery(raw, "XA.XT.urgent", "XT", Lane.URGENT)
    await Intake(runtime, runtime.engine, EFFECTS).handle([delivery])


async def _events(runtime: Runtime) -> list[tuple[object, ...]]:
    async with reading(runtime.engine) as session:
        found = await events_after(session, START, scope=Scope(everything=True), limit=10)
    events = [stored.event for stored in found]
    return [(one.kind, one.subject_id, one.data["direction"], one.data["texts"]) for one in events]
