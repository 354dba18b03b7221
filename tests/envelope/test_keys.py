"""Our own keys, read strictly: a key on the wrong curve or with mismatched halves never signs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from app.envelope.format import decode_part
from app.envelope.keys import (
    SigningKey,
    make_key_id,
    make_keyring,
    private_bytes,
    read_decryption_key,
    read_signing_key,
)
from app.errors import Malformed
from tests.envelope.parties import AURELIA, KITANO

if TYPE_CHECKING:
    from joserfc.jwk import OKPKey


def as_file(kid: str, key: OKPKey) -> dict[str, Any]:
    """A private key as it stands in a file."""
    return {**key.as_dict(private=True), "kid": kid}


SIG = as_file("XA-sig-2026a", AURELIA.signing.private)
ENC = as_file("XA-enc-2026a", AURELIA.keyring.decryption["XA-enc-2026a"].private)
OTHER = as_file("XT-sig-2026a", KITANO.signing.private)

UNUSABLE: dict[str, dict[str, Any]] = {
    "another type": {**SIG, "kty": "EC"},
    "another curve": {**SIG, "crv": "Ed448"},
    "a key for opening": ENC,
    "no id": {name: value for name, value in SIG.items() if name != "kid"},
    "an id with a slash": {**SIG, "kid": "a/b"},
    "no private half": {name: value for name, value in SIG.items() if name != "d"},
    "a public half that is no text": {**SIG, "x": 7},
    "a private half that is no base64url": {**SIG, "d": "===="},
    "a private half of another length": {**SIG, "d": "AAAA"},
    "the public half of another key": {**SIG, "x": OTHER["x"]},
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_what_is_no_signing_key_is_refused(case: str) -> None:
    """Anything but a whole Ed25519 key with an id ends as `bad_key`, and the fault does not repeat the secret."""
    with pytest.raises(Malformed) as caught:
        read_signing_key(UNUSABLE[case])

    assert caught.value.code == "bad_key"
    assert SIG["d"] not in str(caught.value)


def test_a_signing_key_is_no_decryption_key() -> None:
    """One key is for one thing: the two kinds cannot be confused."""
    with pytest.raises(Malformed):
        read_decryption_key(SIG)

    assert read_decryption_key(ENC).kid == "XA-enc-2026a"


def test_the_secret_of_a_key_read_is_the_secret_of_its_file() -> None:
    """A log or witness key reaches its signer as the same 32 bytes."""
    key = read_signing_key(SIG)

    assert private_bytes(key) == decode_part(SIG["d"])
    assert key.kid == "XA-sig-2026a"


@pytest.mark.parametrize(
    ("code", "kid"), [("XA", "XA-sig-2026a"), ("XA-NORTH", "XA-NORTH-sig-2026a"), ("XA-B2", "XA-B2-sig-2026a")]
)
def test_a_key_id_says_whose_and_since_when(code: str, kid: str) -> None:
    """A key id can be read out over the telephone."""
    assert make_key_id(code, "sig", year=2026, letter="a") == kid


@pytest.mark.parametrize(("code", "use"), [("xa", "sig"), ("XA-", "sig"), ("XAB", "sig"), ("XA", "s g")])
def test_a_key_id_of_nobody_is_refused(code: str, use: str) -> None:
    """No key id is made for what is not the code of a contact point."""
    with pytest.raises(Malformed):
        make_key_id(code, use, year=2026, letter="a")


def test_a_keyring_cannot_be_changed() -> None:
    """Nobody adds a decryption key to a keyring that is in use."""
    ring = make_keyring(SigningKey("XA-sig-2026a", AURELIA.signing.private), [])

    with pytest.raises(TypeError):
        ring.decryption["x"] = next(iter(KITANO.keyring.decryption.values()))  # type: ignore[index]
