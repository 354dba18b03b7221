"""Our private keys and the directory as files: written whole or not at all, refused when open to others.

One key per file, as a private JWK with a member `purpose`. A copy of the folder is a copy of the node's voice. Losing
`enc` costs what is under way to us, losing `sig` the use of the standby key, losing `log` a new epoch of the log.
"""

from __future__ import annotations

import json
import os
import stat
import tempfile
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from app.domain.directory import (
    ContactPointProfile,
    Directory,
    KeyRecord,
    KeyStatus,
    KeyUse,
    PublicJwk,
    load_directory,
    load_profile,
)
from app.envelope.canonical import parse_json
from app.envelope.format import encode_part
from app.envelope.keys import (
    Keyring,
    make_key_id,
    make_keyring,
    private_bytes,
    read_decryption_key,
    read_signing_key,
)
from app.errors import Malformed, SettingsUnusable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

MAX_KEY_FILE_BYTES = 4_096
"""A private JWK has about 200 bytes; what is longer is another file."""
MAX_DIRECTORY_BYTES = 16 * 1024 * 1024
"""The directory of 200 contact points has about 2 MiB."""
EXAMPLE_CODES = ("XA", "XT", "XS")
"""The invented contact points that come with the package: Aurelia, Kitano, Sahran."""

_FILE_MODE = 0o600
_DIRECTORY_FILE_MODE = 0o640
_FOLDER_MODE = 0o700


class Purpose(StrEnum):
    """What a private key of this node is for; `sig-standby` replaces `sig` on the day that is revoked."""

    SIG = "sig"
    SIG_STANDBY = "sig-standby"
    ENC = "enc"
    LOG = "log"
    WIT = "wit"


_USE = {
    Purpose.SIG: KeyUse.SIG,
    Purpose.SIG_STANDBY: KeyUse.SIG,
    Purpose.ENC: KeyUse.ENC,
    Purpose.LOG: KeyUse.LOG,
    Purpose.WIT: KeyUse.WIT,
}


@dataclass(frozen=True, slots=True)
class NodeKeys:
    """Everything secret that a node signs and opens with. The log and the witness key are no envelope keys."""

    keyring: Keyring
    log_key: Ed25519PrivateKey = field(repr=False)
    witness_key: Ed25519PrivateKey = field(repr=False)


def create_keys(keys_dir: Path, code: str, *, now: datetime, validity: timedelta) -> tuple[KeyRecord, ...]:
    """Make the first set of keys of a node, one per purpose, and return what is to be published of them.

    The private halves are in files of mode 0600 in a folder of mode 0700 before this returns. Raises `SettingsUnusable`
    when the folder already holds keys: they are never overwritten.
    """
    try:
        keys_dir.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        if any(keys_dir.glob("*.json")):
            raise SettingsUnusable("keys_exist", f"{keys_dir} already holds keys; name an empty folder.")
        keys_dir.chmod(_FOLDER_MODE)
        return _write_keys(keys_dir, code, now=now, validity=validity)
    except OSError as fault:
        raise SettingsUnusable("keys_not_written", f"{keys_dir}: keys cannot be written: {fault.strerror}.") from fault
    except Malformed as fault:
        raise SettingsUnusable("bad_code", f"{code} is not the code of a contact point.") from fault


def load_keys(keys_dir: Path, *, refuse_open: bool = True) -> NodeKeys:
    """Read all keys of the folder: one each of `sig`, `log`, `wit`, at most one `sig-standby`, one or more `enc`.

    With `refuse_open` (always in production) the folder and its files must be closed to group and others. Raises
    `SettingsUnusable` with a sentence that names the file, never its content.
    """
    if refuse_open:
        _refuse_open_mode(keys_dir)
    found: dict[Purpose, list[Mapping[str, object]]] = {purpose: [] for purpose in Purpose}
    for path in sorted(keys_dir.glob("*.json")):
        if refuse_open:
            _refuse_open_mode(path)
        jwk = _read_jwk(path)
        found[Purpose(str(jwk["purpose"]))].append(jwk)
    for purpose, jwks in found.items():
        if not jwks and purpose is not Purpose.SIG_STANDBY:
            raise SettingsUnusable("key_missing", f"{keys_dir} holds no key for {purpose}.")
        if len(jwks) > 1 and purpose is not Purpose.ENC:
            raise SettingsUnusable("key_ambiguous", f"{keys_dir} holds {len(jwks)} keys for {purpose}; one is needed.")
    try:
        return _assemble(found)
    except Malformed as fault:
        raise SettingsUnusable("bad_key", f"{keys_dir}: {fault.detail}") from fault


def check_published(keys: NodeKeys, directory: Directory, *, code: str) -> None:
    """Refuse keys that nobody could check: each must be in the directory, under `code` and for its use."""
    point = directory.point(code)
    if point is None:
        raise SettingsUnusable("not_in_directory", f"The directory has no contact point {code}.")
    published = {(key.use, key.public): key.kid for key in point.keys}
    ring = keys.keyring
    signing = [ring.signing] if ring.standby is None else [ring.signing, ring.standby]
    named = [(KeyUse.SIG, key.kid, key.private) for key in signing]
    named += [(KeyUse.ENC, key.kid, key.private) for key in ring.decryption.values()]
    for use, kid, private in named:
        if published.get((use, private.public_key.public_bytes_raw())) != kid:
            raise SettingsUnusable("key_not_published", f"The directory does not publish our key {kid} for {code}.")
    for use, key in ((KeyUse.LOG, keys.log_key), (KeyUse.WIT, keys.witness_key)):
        if (use, key.public_key().public_bytes_raw()) not in published:
            raise SettingsUnusable("key_not_published", f"The directory does not publish our {use} key for {code}.")


def read_directory(path: Path) -> Directory:
    """The directory in that file. Raises `SettingsUnusable` with one sentence: the file, the place, what is wrong."""
    return load_directory(_read_text(path, MAX_DIRECTORY_BYTES), source=str(path))


def write_directory(path: Path, directory: Directory) -> None:
    """Replace the file at once and durably: readers see the old document or the new one, also after a power failure."""
    content = directory.model_dump_json(indent=2, exclude_none=True).encode() + b"\n"
    try:
        _write(path, content, mode=_DIRECTORY_FILE_MODE)
    except OSError as fault:
        raise SettingsUnusable("directory_not_written", f"{path} cannot be written: {fault.strerror}.") from fault


def example_profile(code: str) -> ContactPointProfile:
    """One of the invented contact points that come with the package, without keys."""
    name = f"{code}.json"
    if code not in EXAMPLE_CODES:
        raise SettingsUnusable("no_example", f"There is no example contact point {code}.")
    source = resources.files("app").joinpath("data", "contact_points", name)
    return load_profile(source.read_text(encoding="utf-8"), source=name)


def _write_keys(keys_dir: Path, code: str, *, now: datetime, validity: timedelta) -> tuple[KeyRecord, ...]:
    # Whole seconds, because `iat` has no others: a key made and used in the same second must already be valid.
    nbf = now.replace(microsecond=0)
    records = []
    for purpose in Purpose:
        use = _USE[purpose]
        letter = "b" if purpose is Purpose.SIG_STANDBY else "a"
        kid = make_key_id(code, use, year=now.year, letter=letter)
        private = X25519PrivateKey.generate() if use is KeyUse.ENC else Ed25519PrivateKey.generate()
        alg, crv = ("ECDH-ES+A256KW", "X25519") if use is KeyUse.ENC else ("Ed25519", "Ed25519")
        public = {"kty": "OKP", "crv": crv, "x": encode_part(private.public_key().public_bytes_raw())}
        secret = {"kid": kid, "purpose": purpose, **public, "d": encode_part(private.private_bytes_raw())}
        _write(keys_dir / f"{kid}.json", json.dumps(secret, indent=2).encode() + b"\n", mode=_FILE_MODE)
        document = {
            "kid": kid,
            "use": use,
            "alg": alg,
            "jwk": PublicJwk.model_validate(public),
            "nbf": nbf,
            "exp": nbf + validity,
            "status": KeyStatus.STANDBY if purpose is Purpose.SIG_STANDBY else KeyStatus.ACTIVE,
        }
        records.append(KeyRecord.model_validate(document))
    return tuple(records)


def _write(path: Path, content: bytes, *, mode: int) -> None:
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".draft")
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except OSError:
        Path(draft).unlink(missing_ok=True)
        raise
    # The name is durable only once its folder is: without this, a power failure could bring the old document back.
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read_text(path: Path, max_bytes: int) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(max_bytes + 1)
        if len(content) > max_bytes:
            raise SettingsUnusable("file_too_large", f"{path} is longer than {max_bytes} bytes.")
        return content.decode("utf-8")
    except OSError as fault:
        raise SettingsUnusable("file_unreadable", f"{path} cannot be read: {fault.strerror}.") from fault
    except UnicodeDecodeError as fault:
        raise SettingsUnusable("file_unreadable", f"{path} is not UTF-8.") from fault


def _read_jwk(path: Path) -> Mapping[str, object]:
    text = _read_text(path, MAX_KEY_FILE_BYTES)
    try:
        jwk = parse_json(text.encode(), max_bytes=MAX_KEY_FILE_BYTES, max_depth=2)
    except Malformed as fault:
        raise SettingsUnusable("bad_key", f"{path} is not a key file.") from fault
    if not isinstance(jwk, dict) or str(jwk.get("purpose")) not in set(Purpose):
        raise SettingsUnusable("bad_key", f"{path} does not say which purpose its key has.")
    return jwk


def _assemble(found: Mapping[Purpose, list[Mapping[str, object]]]) -> NodeKeys:
    standby = [read_signing_key(jwk) for jwk in found[Purpose.SIG_STANDBY]]
    log, witness = (read_signing_key(found[purpose][0]) for purpose in (Purpose.LOG, Purpose.WIT))
    return NodeKeys(
        make_keyring(
            read_signing_key(found[Purpose.SIG][0]),
            [read_decryption_key(jwk) for jwk in found[Purpose.ENC]],
            standby=standby[0] if standby else None,
        ),
        Ed25519PrivateKey.from_private_bytes(private_bytes(log)),
        Ed25519PrivateKey.from_private_bytes(private_bytes(witness)),
    )


def _refuse_open_mode(path: Path) -> None:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as fault:
        raise SettingsUnusable("file_unreadable", f"{path} cannot be read: {fault.strerror}.") from fault
    if mode & 0o077:
        detail = f"{path} holds secrets and is open to others (mode {mode:04o}); only its owner may have access."
        raise SettingsUnusable("mode_too_open", detail)
