"""docs/vectors, both ways: our code writes these bytes and opens them, and so does a reader that is not ours."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.domain.directory import load_directory
from app.envelope.claims import read_claims
from app.envelope.format import decode_part, encode_part, inner_hash
from app.envelope.keys import Keyring, SigningKey, make_keyring, read_decryption_key, read_signing_key
from app.envelope.open import open_envelope, verify_text
from app.envelope.seal import sign
from scripts.write_vectors import FOLDER, texts
from tests.protocol.second_envelope import NotTaken, Seals, Text


def vector(name: str) -> Any:  # noqa: ANN401 - a JSON document
    """A file of the vectors."""
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


KEYS: dict[str, dict[str, Any]] = vector("keys.json")["keys"]
DIRECTORIES: dict[int, dict[str, Any]] = {version: vector(f"directory-{version}.json") for version in (41, 42)}
STEPS = [step for step in vector("conversation.json")["steps"] if "claims" in step]
FROZEN: dict[str, Any] = vector("envelopes.json")


def keyring(code: str) -> Keyring:
    """What a side signs and opens with."""
    signing, decryption = KEYS[f"{code}-sig-2026a"], KEYS[f"{code}-enc-2026a"]
    return make_keyring(read_signing_key(signing), [read_decryption_key(decryption)])


def seals(code: str, directory: dict[str, Any]) -> Seals:
    """The same for the other reader."""
    return Seals([key for kid, key in KEYS.items() if kid.startswith(code)], directory)


def at(step: dict[str, Any]) -> datetime:
    """When it was sent, and in the vectors received."""
    return datetime.fromisoformat(step["at"])


def test_the_vectors_are_what_the_script_writes() -> None:
    """Keys, ids, times and every byte come out again; only envelopes.json is frozen and written by nobody."""
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir() if path.name != "envelopes.json"}
    assert there == texts(), "run scripts/write_vectors.py"


@pytest.mark.parametrize("step", STEPS, ids=lambda step: str(step["step"]))
def test_we_open_and_sign_each_text(step: dict[str, Any]) -> None:
    """Our opener takes the envelope, finds the claims, hash and copy; signing the claims again gives the same text."""
    directory = load_directory(json.dumps(DIRECTORIES[step["directory"]]))
    opened = open_envelope(
        step["envelope"].encode(), me=step["to"], keyring=keyring(step["to"]), directory=directory, now=at(step)
    )
    assert (opened.jws, opened.inner_hash, opened.copy) == (step["text"], step["inner_hash"], step["copy"])
    assert (opened.claims.to_members(), opened.kid) == (step["claims"], step["kid"])
    private = read_signing_key(KEYS[step["kid"]])
    assert sign(read_claims(step["claims"]), SigningKey(step["kid"], private.private)) == step["text"]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: str(step["step"]))
def test_the_other_reader_opens_and_signs_each_text(step: dict[str, Any]) -> None:
    """A reader built on another JOSE library takes the same envelope and makes the same text of the same claims."""
    reader = seals(step["to"], DIRECTORIES[step["directory"]])
    text = reader.open(step["envelope"].encode(), step["to"], now=at(step))
    assert (text.raw, text.hash, text.copy, text.claims) == (
        step["text"],
        step["inner_hash"],
        step["copy"],
        step["claims"],
    )
    writer = Seals([KEYS[step["kid"]] | {"purpose": "sig"}], DIRECTORIES[41])
    assert writer.sign(step["claims"]) == step["text"]


def test_returned_texts_are_those_that_were_sent() -> None:
    """Each `resync.copy/1` holds, byte for byte, a text that its reader signed earlier and that still verifies."""
    sent = {step["text"]: step for step in STEPS}
    copies = [step for step in STEPS if step["type"] == "resync.copy/1"]
    assert [step["claims"]["body"]["reason"] for step in copies] == ["equivocation", "resync"]
    for step in copies:
        first = sent[step["claims"]["body"]["text"]]
        directory = load_directory(json.dumps(DIRECTORIES[step["directory"]]))
        verified = verify_text(
            first["text"], iss=step["to"], aud=step["from"], directory=directory, received_at=at(first)
        )
        assert inner_hash(verified.jws) == first["inner_hash"]


def test_the_two_texts_of_one_message_differ_only_where_they_may() -> None:
    """The message that was signed again has the same seven members, another `iat`, directory and key."""
    texts_of: dict[str, dict[str, dict[str, Any]]] = {}
    for step in STEPS:
        texts_of.setdefault(step["claims"]["jti"], {})[step["text"]] = step
    ((one, two),) = [tuple(both.values()) for both in texts_of.values() if len(both) > 1]
    differs = {name for name in one["claims"] if one["claims"][name] != two["claims"][name]}
    assert differs == {"iat", "dir"}
    assert (one["kid"], two["kid"]) == ("XA-sig-2026a", "XA-sig-2026b")


def test_under_a_revoked_key_nothing_is_taken_later() -> None:
    """With directory 42, what was signed under the revoked key is taken only if received before `revoked_at`."""
    reader, first = seals("XT", DIRECTORIES[42]), STEPS[0]
    assert reader.open(first["envelope"].encode(), "XT", now=at(first)).hash == first["inner_hash"]
    with pytest.raises(NotTaken, match="key_revoked"):
        reader.open(first["envelope"].encode(), "XT", now=datetime(2026, 11, 22, 10, tzinfo=UTC))


def test_the_file_opens_with_the_standard_cipher() -> None:
    """AES-256-GCM with the nonce and additional data of the page gives the file that the message names."""
    given = vector("file.json")
    (named,), body = given["attachments"], given["body"]
    assert given["additional_data"] == f"{body['file_id']}:{body['number']}:{body['chunks']}"
    cipher = AESGCM(decode_part(named["key"]))
    nonce = body["number"].to_bytes(12, "big")
    plain = cipher.decrypt(nonce, decode_part(body["ciphertext"]), given["additional_data"].encode())
    assert (encode_part(plain), len(plain)) == (given["content"], named["size"])
    assert encode_part(hashlib.sha256(plain).digest()) == named["sha256"]
    assert given["thread"] == f"att:{named['file_id']}"


@pytest.mark.parametrize("index", range(len(FROZEN["envelopes"])))
def test_the_other_reader_ends_each_frozen_envelope_alike(index: int) -> None:
    """The other reader opens, or refuses for the same reason, what the frozen vectors say."""
    one = FROZEN["envelopes"][index]
    record = {"kid": "XA-sig-2026a", "use": "sig", "alg": "Ed25519", "jwk": FROZEN["keys"]["XA-sig-2026a"]}
    record |= {"nbf": "2026-08-14T09:30:00Z", "exp": "2027-08-14T09:30:00Z"}
    directory = {"version": 1, "contact_points": [{"code": "XA", "keys": [record]}]}
    keys = [{**FROZEN["keys"]["XT-enc-2026a"], "purpose": "enc"}, {"kid": "none", "purpose": "sig"}]
    reader = Seals(keys, directory)
    try:
        opened = reader.open(one["envelope"].encode(), "XT", now=datetime.fromisoformat(FROZEN["received_at"]))
    except NotTaken as fault:
        ended: dict[str, Any] = {"reason": str(fault), "authenticated": fault.authenticated}
    else:
        ended = {"opened": Text.hash_of(opened.raw), "copy": opened.copy}
    assert ended == one["ends"], one["about"]
