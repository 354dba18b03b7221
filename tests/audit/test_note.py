"""Signed notes, keys and cosignatures; everything malformed is refused and nothing crashes the reader."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.audit.note import (
    MAX_SIGNATURES,
    SignatureType,
    VerifierKey,
    cosign,
    open_note,
    parse_verifier_key,
    sign_note,
    verifier_key,
)
from app.audit.strict import NotVerified, to_base64
from tests.audit.samples import KEY, OTHER_KEY

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "example.com/log"
WITNESS = "witness.example/w1"
TEXT = "example.com/log\n3\nroot\n"
SIGNER = verifier_key(NAME, KEY)
COSIGNER = verifier_key(WITNESS, OTHER_KEY, SignatureType.COSIGNATURE)
NOTE = sign_note(TEXT, name=NAME, key=KEY)
AT = 1_795_339_800


def test_a_signed_note_opens_to_its_text() -> None:
    """The text comes back unchanged, with the key that signed it."""
    opened = open_note(NOTE, [SIGNER])
    assert opened.text == TEXT
    assert dict(opened.signed_by) == {SIGNER: None}


def test_a_text_may_hold_empty_lines() -> None:
    """Text and signatures are parted by the last empty line, not the first."""
    text = "one\n\ntwo\n"
    assert open_note(sign_note(text, name=NAME, key=KEY), [SIGNER]).text == text


def test_a_verifier_key_has_the_form_of_the_specification() -> None:
    """The key id is the head of SHA-256 over name, newline, type and key; the line parses back to the same key."""
    text = str(SIGNER)
    assert text.split("+", maxsplit=1)[0] == NAME
    assert parse_verifier_key(text) == SIGNER
    assert parse_verifier_key(str(COSIGNER)) == COSIGNER
    assert SIGNER.key_id != verifier_key(NAME, KEY, SignatureType.COSIGNATURE).key_id


def test_a_cosignature_tells_its_time() -> None:
    """A type 0x04 line verifies over header, time and text, and its time is returned."""
    opened = open_note(NOTE + cosign(TEXT, name=WITNESS, key=OTHER_KEY, at=AT), [SIGNER, COSIGNER])
    assert dict(opened.signed_by) == {SIGNER: None, COSIGNER: AT}


def test_a_cosignature_under_a_plain_key_is_refused() -> None:
    """The same public key under the plain type has another id: the line is not taken for a plain signature."""
    plain = verifier_key(WITNESS, OTHER_KEY)
    with pytest.raises(NotVerified, match="no known key"):
        open_note(TEXT + "\n" + cosign(TEXT, name=WITNESS, key=OTHER_KEY, at=AT), [plain])


def test_unknown_keys_are_ignored() -> None:
    """Pitfall (g), first half: a signature by nobody we know changes nothing."""
    stranger = sign_note(TEXT, name="stranger.example", key=OTHER_KEY).split("\n\n")[1]
    assert open_note(NOTE + stranger, [SIGNER]).text == TEXT
    with pytest.raises(NotVerified, match="no known key"):
        open_note(TEXT + "\n" + stranger, [SIGNER])


def test_a_bad_signature_by_a_known_key_spoils_the_note() -> None:
    """Pitfall (g), second half: a good signature does not excuse a bad one by another known key."""
    good = cosign(TEXT, name=WITNESS, key=OTHER_KEY, at=AT)
    bad = cosign("another text\n", name=WITNESS, key=OTHER_KEY, at=AT)
    open_note(NOTE + good, [SIGNER, COSIGNER])
    with pytest.raises(NotVerified, match="does not fit"):
        open_note(NOTE + bad, [SIGNER, COSIGNER])


def test_a_name_is_part_of_the_key() -> None:
    """A signature by the right key under another name is one by an unknown key."""
    with pytest.raises(NotVerified):
        open_note(sign_note(TEXT, name="other.example", key=KEY), [SIGNER])


def stray_bits(note: str) -> str:
    """The last character before the padding gets another spelling of the same bytes."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    body = note.rstrip("\n")
    stem = body.rstrip("=")
    last = alphabet[alphabet.index(stem[-1]) + 1]
    return stem[:-1] + last + body[len(stem) :] + "\n"


MALFORMED: dict[str, Callable[[str], str]] = {
    "empty": lambda _: "",
    "no blank line": lambda note: note.replace("\n\n", "\n"),
    "no final newline": lambda note: note[:-1],
    "no text": lambda note: "\n\n" + note.split("\n\n")[1],
    "no signature": lambda note: note.split("\n\n")[0] + "\n\n",
    "a carriage return in the text": lambda note: note.replace("\n3\n", "\r\n3\n"),
    "a tab in the text": lambda note: note.replace("root", "ro\tot"),
    "a control character in the text": lambda note: note.replace("root", "ro\x00ot"),
    "a lone surrogate in the text": lambda note: note.replace("root", "ro\ud800ot"),
    "a hyphen instead of the dash": lambda note: note.replace("—", "-"),
    "two spaces before the signature": lambda note: note.replace(f"{NAME} ", f"{NAME}  "),
    "base64 without padding": lambda note: note.rstrip("\n").rstrip("=") + "\n",
    "base64 with stray bits": stray_bits,
    "a signature of three bytes": lambda note: note.split("\n\n")[0] + f"\n\n— {NAME} {to_base64(b'abc')}\n",
    "a signature that is only a key id": lambda note: (
        note.split("\n\n")[0] + f"\n\n— {NAME} {to_base64(SIGNER.key_id)}\n"
    ),
    "a truncated signature": lambda note: (
        note.split("\n\n")[0] + f"\n\n— {NAME} {to_base64(SIGNER.key_id + b'x' * 63)}\n"
    ),
    "a line that is no signature": lambda note: note + "hello\n",
    "too many signatures": lambda note: note + note.split("\n\n")[1] * MAX_SIGNATURES,
    "a changed text": lambda note: note.replace("\n3\n", "\n4\n"),
}


@pytest.mark.parametrize("change", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_note_is_refused(change: Callable[[str], str]) -> None:
    """Pitfalls (b) and (f): control characters and base64 with two spellings are faults of the note, not crashes."""
    with pytest.raises(NotVerified):
        open_note(change(NOTE), [SIGNER])


def test_base64_without_the_canonical_check_would_have_two_spellings() -> None:
    """The negative control of pitfall (b): the standard decoder takes the changed spelling for the same signature."""
    spelled, respelled = (note.split(" ")[-1].strip() for note in (NOTE, stray_bits(NOTE)))
    assert spelled != respelled
    assert base64.b64decode(spelled) == base64.b64decode(respelled)


MATERIAL = b"\x01" + SIGNER.public
BAD_KEYS = {
    "empty": "",
    "no plus signs": "example.com",
    "no name": f"+{SIGNER.key_id.hex()}+{to_base64(MATERIAL)}",
    "a wrong id": f"{NAME}+00000000+{to_base64(MATERIAL)}",
    "an id in capitals": f"{NAME}+{SIGNER.key_id.hex().upper()}+{to_base64(MATERIAL)}",
    "a key too short": f"{NAME}+{SIGNER.key_id.hex()}+{to_base64(MATERIAL[:32])}",
    "a type we do not know": str(VerifierKey(NAME, 0x06, SIGNER.public)),  # type: ignore[arg-type]
    "no base64": f"{NAME}+{SIGNER.key_id.hex()}+***",
    "letters beyond ASCII": f"{NAME}+{SIGNER.key_id.hex()}+ééé",
}


@pytest.mark.parametrize("text", BAD_KEYS.values(), ids=BAD_KEYS.keys())
def test_a_malformed_verifier_key_is_refused(text: str) -> None:
    """A key line that does not fit itself is not used."""
    with pytest.raises(NotVerified):
        parse_verifier_key(text)


def test_names_with_spaces_or_plus_signs_are_refused() -> None:
    """Such names could not be read back from a signature line."""
    for name in ("", "two words", "a+b", "line\nbreak", "no\u00a0break"):
        with pytest.raises(NotVerified):
            verifier_key(name, KEY)


def test_only_lines_of_text_can_be_signed() -> None:
    """A text without final newline, or with control characters, gets no signature."""
    for text in ("no newline", "tab\tulator\n"):
        with pytest.raises(NotVerified):
            sign_note(text, name=NAME, key=KEY)


def test_a_cosignature_at_an_impossible_time_is_refused() -> None:
    """Times above 2^63 - 1 are outside the format, and a cosignature too short to hold a time is no cosignature."""
    far = cosign(TEXT, name=WITNESS, key=OTHER_KEY, at=2**63)
    short = f"— {WITNESS} {to_base64(COSIGNER.key_id + b'12345678')}\n"
    for line in (far, short):
        with pytest.raises(NotVerified):
            open_note(TEXT + "\n" + line, [COSIGNER])


@settings(deadline=None)  # a busy machine is no counterexample
@given(st.text())
def test_no_text_crashes_the_readers(text: str) -> None:
    """Whatever the text, reading it as a note or a key raises `NotVerified` or nothing."""
    for attempt in (lambda: open_note(text, [SIGNER]), lambda: parse_verifier_key(text)):
        with pytest.raises(NotVerified):
            attempt()


@settings(deadline=None)  # a busy machine is no counterexample
@given(data=st.data())
def test_one_changed_character_never_leaves_a_note_valid(data: st.DataObject) -> None:
    """Replacing any one character of a note makes it invalid."""
    at = data.draw(st.integers(0, len(NOTE) - 1), "place")
    character = data.draw(st.characters(), "character")
    changed = NOTE[:at] + character + NOTE[at + 1 :]
    if changed != NOTE:
        with pytest.raises(NotVerified):
            open_note(changed, [SIGNER])
