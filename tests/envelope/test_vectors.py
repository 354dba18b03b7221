"""The frozen vectors of the format: what docs/protocol.md says, as bytes that must never change their meaning."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.envelope.canonical import canonical
from app.envelope.claims import read_claims
from app.envelope.format import decode_part, inner_hash
from app.envelope.keys import make_keyring, read_decryption_key, read_signing_key
from app.envelope.open import open_envelope
from app.envelope.reasons import Rejected
from app.envelope.seal import sign
from tests.envelope.parties import KeyTable, Published

FILE = Path(__file__).parents[2] / "docs" / "vectors" / "envelopes.json"
VECTORS: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
SENDER = read_signing_key(VECTORS["keys"]["XA-sig-2026a"])
RECEIVER = read_decryption_key(VECTORS["keys"]["XT-enc-2026a"])
RING = make_keyring(SENDER, [RECEIVER])
PUBLISHED = Published("XA-sig-2026a", "Ed25519", decode_part(VECTORS["keys"]["XA-sig-2026a"]["x"]))
RECEIVED_AT = datetime.fromisoformat(VECTORS["received_at"]).astimezone(UTC)


def test_the_claims_have_the_canonical_form_of_the_vector() -> None:
    """The payload is the canonical form of the claims, byte for byte."""
    assert canonical(VECTORS["claims"]).decode() == VECTORS["payload"]


def test_the_signed_text_is_that_of_the_vector() -> None:
    """The text and its hash never change for the same claims and key."""
    text = sign(read_claims(VECTORS["claims"]), SENDER)

    assert (text, inner_hash(text)) == (VECTORS["jws"], VECTORS["inner_hash"])


def how_it_ends(raw: bytes) -> dict[str, Any]:
    """The end of an envelope in the words of the vectors."""
    try:
        directory = KeyTable(("XA", PUBLISHED))
        opened = open_envelope(raw, me="XT", keyring=RING, directory=directory, now=RECEIVED_AT)
    except Rejected as fault:
        return {"reason": fault.reason.value, "authenticated": fault.authenticated}
    return {"opened": opened.inner_hash, "copy": opened.copy}


@pytest.mark.parametrize("index", range(len(VECTORS["envelopes"])))
def test_an_envelope_of_the_vector_ends_as_it_says(index: int) -> None:
    """Each frozen envelope opens, or is refused for the named reason, in every later version of this software."""
    vector = VECTORS["envelopes"][index]

    assert how_it_ends(vector["envelope"].encode()) == vector["ends"], vector["about"]
