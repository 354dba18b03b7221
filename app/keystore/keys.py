"""Our private keys as files, one key per file, as a private JWK with a member `purpose`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from app.domain.directory import Directory, KeyRecord, KeyStatus, KeyUse, PublicJwk
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
from app.keystore.directory import check_named
from app.keystore.files import FOLDER_MODE, SECRET_MODE, read_text, refuse_open_mode, write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta
    from pathlib import Path

MAX_KEY_FILE_BYTES = 4_096
"""A private JWK has about 200 bytes; what is longer is another file."""


class Purpose(StrEnum):
    """What a private key of this node is for; `sig-standby` replaces `sig` on the day that is revoked."""

    SIG = "sig"
    SIG_STANDBY = "sig-standby"
    ENC = "enc"
    LOG = "log"
    WIT = "wit"


USE_OF = {
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
        make_folder(keys_dir)
        return _write_keys(keys_dir, code, now=now, validity=validity)
    except OSError as fault:
        raise SettingsUnusable("keys_not_written", f"{keys_dir}: keys cannot be written: {fault.strerror}.") from fault
    except Malformed as fault:
        raise SettingsUnusable("bad_code", f"{code} is not the code of a contact point.") from fault


def make_folder(keys_dir: Path) -> None:
    """Make a folder for keys, closed to others. Raises `SettingsUnusable` when it holds some; OSError as it comes."""
    keys_dir.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    if any(keys_dir.glob("*.json")):
        raise SettingsUnusable("keys_exist", f"{keys_dir} already holds keys; name an empty folder.")
    keys_dir.chmod(FOLDER_MODE)


def load_keys(keys_dir: Path, *, refuse_open: bool = True) -> NodeKeys:
    """Read all keys of the folder: one each of `sig`, `log`, `wit`, at most one `sig-standby`, one or more `enc`.

    With `refuse_open` (always in production) the folder and its files must be closed to group and others. Raises
    `SettingsUnusable` with a sentence that names the file, never its content.
    """
    found = read_key_files(keys_dir, refuse_open=refuse_open)
    try:
        return _assemble(found)
    except Malformed as fault:
        raise SettingsUnusable("bad_key", f"{keys_dir}: {fault.detail}") from fault


def read_key_files(keys_dir: Path, *, refuse_open: bool = True) -> dict[Purpose, list[Mapping[str, object]]]:
    """The private JWKs of the folder by purpose, as many of each as there have to be; for `load_keys` and rotation."""
    if refuse_open:
        refuse_open_mode(keys_dir)
    found: dict[Purpose, list[Mapping[str, object]]] = {purpose: [] for purpose in Purpose}
    for path in sorted(keys_dir.glob("*.json")):
        if refuse_open:
            refuse_open_mode(path)
        jwk = _read_jwk(path)
        found[Purpose(str(jwk["purpose"]))].append(jwk)
    for purpose, jwks in found.items():
        if not jwks and purpose is not Purpose.SIG_STANDBY:
            raise SettingsUnusable("key_missing", f"{keys_dir} holds no key for {purpose}.")
        if len(jwks) > 1 and purpose is not Purpose.ENC:
            raise SettingsUnusable("key_ambiguous", f"{keys_dir} holds {len(jwks)} keys for {purpose}; one is needed.")
    return found


def check_published(keys: NodeKeys, directory: Directory, *, code: str) -> None:
    """Refuse keys that nobody could check: each must be in the directory, under `code` and for its use."""
    point = check_named(directory, code=code)
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


def write_jwk(keys_dir: Path, jwk: Mapping[str, object], purpose: Purpose) -> None:
    """Put one private key into the folder, for `purpose`."""
    content = json.dumps({**jwk, "purpose": purpose}, indent=2).encode() + b"\n"
    write_whole(keys_dir / f"{jwk['kid']}.json", content, mode=SECRET_MODE)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to be made: what it is called and for, and from when to when it is believed."""

    kid: str
    purpose: Purpose
    nbf: datetime
    exp: datetime


def make_key(keys_dir: Path, new: NewKey) -> KeyRecord:
    """Make it, keep its private half in the folder, and return what is to be published of it."""
    use = USE_OF[new.purpose]
    private = X25519PrivateKey.generate() if use is KeyUse.ENC else Ed25519PrivateKey.generate()
    alg, crv = ("ECDH-ES+A256KW", "X25519") if use is KeyUse.ENC else ("Ed25519", "Ed25519")
    public = {"kty": "OKP", "crv": crv, "x": encode_part(private.public_key().public_bytes_raw())}
    write_jwk(keys_dir, {"kid": new.kid, **public, "d": encode_part(private.private_bytes_raw())}, new.purpose)
    document = {
        "kid": new.kid,
        "use": use,
        "alg": alg,
        "jwk": PublicJwk.model_validate(public),
        "nbf": new.nbf,
        "exp": new.exp,
        "status": KeyStatus.STANDBY if new.purpose is Purpose.SIG_STANDBY else KeyStatus.ACTIVE,
    }
    return KeyRecord.model_validate(document)


def _write_keys(keys_dir: Path, code: str, *, now: datetime, validity: timedelta) -> tuple[KeyRecord, ...]:
    # Whole seconds, because `iat` has no others: a key made and used in the same second must already be valid.
    nbf = now.replace(microsecond=0)
    records = []
    for purpose in Purpose:
        letter = "b" if purpose is Purpose.SIG_STANDBY else "a"
        kid = make_key_id(code, USE_OF[purpose], year=now.year, letter=letter)
        records.append(make_key(keys_dir, NewKey(kid, purpose, nbf, nbf + validity)))
    return tuple(records)


def _read_jwk(path: Path) -> Mapping[str, object]:
    text = read_text(path, MAX_KEY_FILE_BYTES)
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
