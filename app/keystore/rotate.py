"""The next set of keys of a node: a new folder, and the records to be published; the present folder stays as it is."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from app.domain.directory import KeyRecord, KeyStatus, KeyUse
from app.domain.key_records import RevocationReason
from app.envelope.format import CODE
from app.envelope.keys import make_key_id
from app.errors import SettingsUnusable
from app.keystore.keys import USE_OF, NewKey, Purpose, load_keys, make_folder, make_key, read_key_files, write_jwk

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from app.envelope.keys import DecryptionKey, SigningKey

OVERLAP = timedelta(days=7)
"""How long a retired key goes on being believed for new texts: until every node has the directory that retires it."""

AHEAD = timedelta(hours=24)
"""How long before its first use a new key is published."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is to become of which keys at `now`; new ones are valid for `validity`.

    `use` is `sig` or `enc`. With `revoked_since` the signing key is revoked from that moment on, which may lie back.
    """

    use: KeyUse
    now: datetime
    validity: timedelta
    revoked_since: datetime | None = None


def rotate_keys(keys_dir: Path, new_dir: Path, *, published: Sequence[KeyRecord], change: Change) -> list[KeyRecord]:
    """Write the next set of keys into `new_dir`, and return every record that is to be published from now on.

    `sig`: the standby key becomes the signing key, and there is a new standby key, valid in a day, or at once where it
    replaces a revoked one. `enc`: there is a further key, with which peers close letters from tomorrow on; the present
    one stays, for letters under way. Raises `SettingsUnusable` in one sentence; nothing present is changed, ever.
    """
    _check_records(keys_dir, published)
    found = read_key_files(keys_dir)
    records, purpose, first_use = list(published), Purpose.ENC, change.now + AHEAD
    if change.use is KeyUse.SIG:
        records, purpose = _passed_on(published, found, change), Purpose.SIG_STANDBY
        (ended,) = [record for record in records if record.kid == found[Purpose.SIG][0]["kid"]]
        first_use = change.now if ended.status is KeyStatus.REVOKED else first_use
        found = {**found, Purpose.SIG: found[Purpose.SIG_STANDBY], Purpose.SIG_STANDBY: []}
    new = _next_key(published, purpose, change, first_use)
    try:
        make_folder(new_dir)
        for each, jwks in found.items():
            for jwk in jwks:
                write_jwk(new_dir, jwk, each)
        return [*records, make_key(new_dir, new)]
    except OSError as fault:
        raise SettingsUnusable("keys_not_written", f"{new_dir}: keys cannot be written: {fault.strerror}.") from fault


def _check_records(keys_dir: Path, published: Sequence[KeyRecord]) -> None:
    """Refuse records of other keys: what is published of them would be lost."""
    keys = load_keys(keys_dir)
    ring = keys.keyring
    mine: list[SigningKey | DecryptionKey] = [ring.signing, *ring.decryption.values()]
    mine += [] if ring.standby is None else [ring.standby]
    shown = {(record.kid, record.public) for record in published}
    for key in mine:
        if (key.kid, key.private.public_key.public_bytes_raw()) not in shown:
            raise SettingsUnusable("records_differ", f"The public records do not show the key {key.kid} of {keys_dir}.")


def _passed_on(
    published: Sequence[KeyRecord], found: Mapping[Purpose, Sequence[Mapping[str, object]]], change: Change
) -> list[KeyRecord]:
    """The present signing key retired or revoked, the standby key in its place."""
    if not found[Purpose.SIG_STANDBY]:
        raise SettingsUnusable("no_standby", "There is no standby key that could become the signing key.")
    signing, standby = (str(found[purpose][0]["kid"]) for purpose in (Purpose.SIG, Purpose.SIG_STANDBY))
    changed = []
    for record in published:
        members: dict[str, object] = {}
        if record.kid == signing:
            members = _end_of(record, change)
        elif record.kid == standby:
            if not record.is_valid_at(change.now):
                raise SettingsUnusable("standby_not_valid", f"The standby key {standby} is not valid now.")
            members = {"status": KeyStatus.ACTIVE}
        changed.append(KeyRecord.model_validate({**dict(record), **members}))
    return changed


def _end_of(record: KeyRecord, change: Change) -> dict[str, object]:
    """How the present key ends; one that is revoked already is left as it is."""
    if record.status is KeyStatus.REVOKED:
        return {}
    if change.revoked_since is None:
        return {"status": KeyStatus.RETIRED, "retired_at": change.now.replace(microsecond=0) + OVERLAP}
    reason = RevocationReason.COMPROMISE
    return {"status": KeyStatus.REVOKED, "revoked_at": change.revoked_since, "reason": reason}


def _next_key(published: Collection[KeyRecord], purpose: Purpose, change: Change, first_use: datetime) -> NewKey:
    taken = {record.kid for record in published}
    nbf = first_use.replace(microsecond=0)  # `iat` has whole seconds
    code = published_by(published)
    for letter in string.ascii_lowercase:
        kid = make_key_id(code, USE_OF[purpose], year=change.now.year, letter=letter)
        if kid not in taken:
            return NewKey(kid, purpose, nbf, nbf + change.validity)
    raise SettingsUnusable("no_key_id", f"All key ids of {change.now.year} for {USE_OF[purpose]} are taken.")


def published_by(records: Collection[KeyRecord]) -> str:
    """The code that all these keys are named after; `SettingsUnusable` when there is no such one."""
    codes = {re.sub(r"-[a-z]+-[0-9]{4}[a-z]$", "", record.kid) for record in records}
    code = codes.pop() if len(codes) == 1 else ""
    if CODE.fullmatch(code) is None:
        raise SettingsUnusable("bad_records", "The public records are not those of one contact point.")
    return code
