"""Commands on keys and the directory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from app.cli.frame import AsJson, Config, say, show
from app.domain.directory import KeyRecord, KeyUse, load_profile, publish_directory
from app.domain.instants import NoInstant, read_instant
from app.errors import SettingsUnusable
from app.keystore import Change, create_keys, read_directory, rotate_keys, write_directory
from app.serving import wall_clock
from app.settings import load_settings

keys = typer.Typer(help="Keys of this contact point.", no_args_is_help=True)
directory = typer.Typer(help="The directory of contact points.", no_args_is_help=True)

FIRST_VERSION = 1
VALID_DAYS = 365

KeysDir = Annotated[Path, typer.Option(help="Folder of the present keys; it stays as it is.")]
Records = Annotated[Path, typer.Option(help="The public records as they are published now.")]
Out = Annotated[Path, typer.Option(help="New folder for the next keys; <out>.keys.json is what to publish then.")]


@keys.command("generate")
def generate(
    code: Annotated[str, typer.Option(help="Code of the contact point: XX or XX-NAME.")],
    keys_dir: Annotated[Path, typer.Option(help="New folder for the private keys; made with mode 0700.")],
    public: Annotated[Path, typer.Option(help="New file for the public records, to be sent to the directory.")],
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long the keys are valid.")] = VALID_DAYS,
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Make signing key, standby signing key, encryption key, log key and witness key, each separate."""
    try:
        # Opened before there are keys: private keys whose public records were lost could only be thrown away.
        with public.open("x", encoding="utf-8") as file:
            records = _create(keys_dir, code, public, days=days)
            file.write(_as_text(records))
    except OSError as fault:
        raise SettingsUnusable("file_unwritable", f"{public} cannot be written: {fault.strerror}.") from fault
    text = f"{len(records)} private keys are in {keys_dir}; their public records are in {public}."
    say(text, as_json=as_json, code=code, keys_dir=keys_dir, public=public, kids=[record.kid for record in records])


def _as_text(records: Sequence[KeyRecord]) -> str:
    lines = ",\n".join(record.model_dump_json(exclude_none=True) for record in records)
    return f"[\n{lines}\n]\n"


def _create(keys_dir: Path, code: str, public: Path, *, days: int) -> tuple[KeyRecord, ...]:
    try:
        return create_keys(keys_dir, code, now=wall_clock(), validity=timedelta(days=days))
    except SettingsUnusable:
        public.unlink()
        raise


@keys.command("rotate")
def rotate(
    keys_dir: KeysDir,
    records: Records,
    out: Out,
    revoked_since: Annotated[
        str | None, typer.Option(help="The signing key is revoked since then, as in 2026-11-21T23:14:05Z.")
    ] = None,
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Let the standby key become the signing key, and make a new standby key; what there is stays as it is."""
    since = None if revoked_since is None else _read_time(revoked_since)
    _rotate((keys_dir, records, out), KeyUse.SIG, revoked_since=since, as_json=as_json)


@keys.command("rotate-encryption")
def rotate_encryption(
    keys_dir: KeysDir,
    records: Records,
    out: Out,
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Make a further encryption key, for letters from tomorrow on; the present one opens what is under way."""
    _rotate((keys_dir, records, out), KeyUse.ENC, as_json=as_json)


def _rotate(
    paths: tuple[Path, Path, Path], use: KeyUse, *, revoked_since: datetime | None = None, as_json: bool
) -> None:
    keys_dir, records, out = paths
    public = out.with_name(f"{out.name}.keys.json")
    published = read_records(records)
    change = Change(use, wall_clock(), timedelta(days=VALID_DAYS), revoked_since)
    try:
        # Opened before there are keys, as when they were generated.
        with public.open("x", encoding="utf-8") as file:
            try:
                changed = rotate_keys(keys_dir, out, published=published, change=change)
            except SettingsUnusable:
                public.unlink()
                raise
            file.write(_as_text(changed))
    except OSError as fault:
        raise SettingsUnusable("file_unwritable", f"{public} cannot be written: {fault.strerror}.") from fault
    new = changed[-1].kid
    within = "within 7 days" if use is KeyUse.SIG else "within 24 hours, when others begin to use the new key"
    text = f"{out} holds the next keys, {new} among them. Publish {public}; then let the node use {out}, {within}."
    say(text, as_json=as_json, keys_dir=out, public=public, new=new, kids=[key.kid for key in changed])


def _read_time(text: str) -> datetime:
    try:
        return read_instant(text).utc
    except NoInstant as fault:
        raise SettingsUnusable("bad_time", f"--revoked-since: {fault.detail}") from fault


@directory.command("publish")
def publish(
    profiles: Annotated[list[Path], typer.Argument(help="Profiles; beside each its <name>.keys.json.")],
    out: Annotated[Path, typer.Option(help="The directory to write; an existing one is replaced by the next version.")],
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Put profiles and public key records together into a directory file."""
    version = read_directory(out).version + 1 if out.exists() else FIRST_VERSION
    loaded = [load_profile(_read(path), source=str(path)) for path in profiles]
    records = {
        profile.code: read_records(path.with_suffix(".keys.json"))
        for profile, path in zip(loaded, profiles, strict=True)
    }
    write_directory(out, publish_directory(loaded, records, version=version, issued_at=wall_clock()))
    text = f"{out} is version {version} with {len(loaded)} contact points."
    say(text, as_json=as_json, directory=out, version=version, contact_points=[each.code for each in loaded])


def read_records(path: Path) -> list[KeyRecord]:
    """The public key records that `keys generate` wrote."""
    try:
        return TypeAdapter(list[KeyRecord]).validate_json(path.read_bytes())
    except OSError as fault:
        raise SettingsUnusable("file_unreadable", f"{path} cannot be read: {fault.strerror}.") from fault
    except ValidationError as fault:
        raise SettingsUnusable("bad_records", f"{path} does not hold public key records.") from fault


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise SettingsUnusable("file_unreadable", f"{path} cannot be read: {type(fault).__name__}.") from fault


@directory.command("show")
def show_directory(config: Config = None, as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag of the command line
    """List the contact points of the directory this node trusts."""
    points = read_directory(load_settings(config).directory).contact_points
    rows = [
        {"code": point.code, "agency": point.agency_name.english, "time zone": point.time_zone, "keys": len(point.keys)}
        for point in points
    ]
    show(rows, as_json=as_json)
