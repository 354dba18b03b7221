"""Steps 1 to 4 of docs/protocol.md, 5.6, one table each: what the courier or a stranger sends, and how it ends."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from app.envelope.format import MAX_ENVELOPE_BYTES
from app.envelope.keys import make_keyring
from app.envelope.open import open_envelope
from app.envelope.reasons import Reason
from tests.envelope.forging import ABSENT, b64u, close, close_raw, outer_header
from tests.envelope.parties import DIRECTORY, JTI, KITANO, NOW, SAHRAN, make_claims, reject, seal

if TYPE_CHECKING:
    from collections.abc import Callable


def with_part(index: int, change: Callable[[str], str]) -> bytes:
    """A good envelope with one of its five parts changed."""
    parts = seal().decode().split(".")
    parts[index] = change(parts[index])
    return ".".join(parts).encode()


def loosen(part: str) -> str:
    """Another spelling of the same bytes: the unused bits of the last character are set."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return part[:-1] + alphabet[alphabet.index(part[-1]) | 1]


def header_text(text: str) -> bytes:
    """An envelope under a header of exactly this JSON, except that EPK stands for the ephemeral key."""
    return close_raw(b"x", lambda epk: text.replace("EPK", json.dumps(epk)).encode())


PLAIN_HEADER = json.dumps({**outer_header({}), "epk": "EPK"}).replace('"EPK"', "EPK")

STEP_1_AND_2: dict[str, tuple[Callable[[], bytes], Reason]] = {
    "nothing at all": (lambda: b"", Reason.MALFORMED),
    "ten megabytes": (lambda: b"a" * 10_000_000, Reason.TOO_LARGE),
    "one byte more than the limit": (lambda: b"a" * (MAX_ENVELOPE_BYTES + 1), Reason.TOO_LARGE),
    "as long as the limit, and nonsense": (lambda: b"a" * MAX_ENVELOPE_BYTES, Reason.MALFORMED),
    "letters beyond ASCII": ("é.a.b.c.d".encode, Reason.MALFORMED),
    "four parts": (lambda: b"a.b.c.d", Reason.MALFORMED),
    "six parts": (lambda: seal() + b".AAAA", Reason.MALFORMED),
    "the JSON form of JWE": (lambda: b'{"protected":"e30","ciphertext":""}', Reason.MALFORMED),
    "padding": (lambda: with_part(3, lambda part: part + "="), Reason.MALFORMED),
    "the other base64 alphabet": (lambda: with_part(2, lambda _: "++//++//++//++//"), Reason.MALFORMED),
    "loose last bits in the tag": (lambda: with_part(4, loosen), Reason.MALFORMED),
    "a short initialisation vector": (lambda: with_part(2, lambda part: part[:-4]), Reason.MALFORMED),
    "a short tag": (lambda: with_part(4, lambda _: b64u(bytes(12))), Reason.MALFORMED),
    "a wrapped key of another length": (lambda: with_part(1, lambda _: b64u(bytes(48))), Reason.MALFORMED),
    "no wrapped key (direct agreement)": (lambda: with_part(1, lambda _: ""), Reason.MALFORMED),
    "a header that is no JSON": (lambda: header_text("nonsense"), Reason.MALFORMED),
    "a header that is a list": (lambda: header_text("[]"), Reason.MALFORMED),
    "a header with a byte order mark": (lambda: header_text("\ufeff" + PLAIN_HEADER), Reason.MALFORMED),
    "a header nested deeply": (lambda: header_text('{"epk":' + "[" * 50 + "]" * 50 + "}"), Reason.MALFORMED),
    "a huge header": (lambda: close("x", note="a" * 3000), Reason.TOO_LARGE),
    "iss written twice": (lambda: header_text(PLAIN_HEADER[:-1] + ', "iss": "XS"}'), Reason.DUPLICATE_MEMBER),
    "the same iss written twice": (lambda: header_text(PLAIN_HEADER[:-1] + ', "iss": "XA"}'), Reason.DUPLICATE_MEMBER),
    "a member of epk written twice": (
        lambda: header_text(PLAIN_HEADER.replace("EPK", '{"kty":"OKP","kty":"OKP"}')),
        Reason.DUPLICATE_MEMBER,
    ),
    "alg none": (lambda: close("x", alg="none"), Reason.ALG_NOT_ALLOWED),
    "alg dir": (lambda: close("x", alg="dir"), Reason.ALG_NOT_ALLOWED),
    "alg RSA1_5": (lambda: close("x", alg="RSA1_5"), Reason.ALG_NOT_ALLOWED),
    "alg PBES2 with a costly count": (
        lambda: close("x", alg="PBES2-HS256+A128KW", p2c=2**31),
        Reason.ALG_NOT_ALLOWED,
    ),
    "alg missing": (lambda: close("x", alg=ABSENT), Reason.ALG_NOT_ALLOWED),
    "alg a list": (lambda: close("x", alg=["ECDH-ES+A256KW"]), Reason.ALG_NOT_ALLOWED),
    "enc without authentication of this suite": (lambda: close("x", enc="A128CBC-HS256"), Reason.ALG_NOT_ALLOWED),
    "compressed": (lambda: close("x", zip="DEF"), Reason.WRONG_HEADER),
    "a critical extension": (lambda: close("x", crit=["exp"], exp=1), Reason.WRONG_HEADER),
    "an embedded key": (lambda: close("x", jwk={"kty": "OKP"}), Reason.WRONG_HEADER),
    "a link to a key": (lambda: close("x", jku="https://keys.example/"), Reason.WRONG_HEADER),
    "the message id in sight of the courier": (lambda: close("x", jti=JTI), Reason.WRONG_HEADER),
    "no typ": (lambda: close("x", typ=ABSENT), Reason.WRONG_HEADER),
    "typ of another format": (lambda: close("x", typ="JWT"), Reason.WRONG_HEADER),
    "typ of the inner text": (lambda: close("x", typ="cp-env+jws"), Reason.WRONG_HEADER),
    "cty of another format": (lambda: close("x", cty="JWT"), Reason.WRONG_HEADER),
    "iss in lower case": (lambda: close("x", iss="xa", apu=b64u(b"xa")), Reason.WRONG_HEADER),
    "iss with a line break": (lambda: close("x", iss="XA\n", apu=b64u(b"XA\n")), Reason.WRONG_HEADER),
    "iss a number": (lambda: close("x", iss=7), Reason.WRONG_HEADER),
    "aud empty": (lambda: close("x", aud="", apv=""), Reason.WRONG_HEADER),
    "aud a list that names us": (lambda: close("x", aud=["XT", "XS"]), Reason.WRONG_HEADER),
    "kid a path": (lambda: close("x", kid="../../etc/passwd"), Reason.WRONG_HEADER),
    "kid absent": (lambda: close("x", kid=ABSENT), Reason.WRONG_HEADER),
    "apu of another": (lambda: close("x", apu=b64u(b"XS")), Reason.WRONG_HEADER),
    "apv of another": (lambda: close("x", apv=b64u(b"XS")), Reason.WRONG_HEADER),
    "apu absent": (lambda: close("x", apu=ABSENT), Reason.WRONG_HEADER),
    "copy zero": (lambda: close("x", copy=0), Reason.WRONG_HEADER),
    "copy true": (lambda: close("x", copy=True), Reason.WRONG_HEADER),
    "copy a fraction": (lambda: close("x", copy=1.5), Reason.WRONG_HEADER),
    "copy a text": (lambda: close("x", copy="1"), Reason.WRONG_HEADER),
    "copy beyond what every reader holds exactly": (lambda: close("x", copy=2**53), Reason.MALFORMED),
    "copy absent": (lambda: close("x", copy=ABSENT), Reason.WRONG_HEADER),
    "epk a text": (lambda: close("x", epk="key"), Reason.WRONG_HEADER),
    "epk on another curve": (
        lambda: close("x", epk={"kty": "OKP", "crv": "X448", "x": b64u(bytes(56))}),
        Reason.WRONG_HEADER,
    ),
    "epk with a private half": (
        lambda: close("x", epk={"kty": "OKP", "crv": "X25519", "x": b64u(bytes(32)), "d": "AA"}),
        Reason.WRONG_HEADER,
    ),
    "epk too short": (
        lambda: close("x", epk={"kty": "OKP", "crv": "X25519", "x": b64u(bytes(31))}),
        Reason.WRONG_HEADER,
    ),
    "epk x a number": (lambda: close("x", epk={"kty": "OKP", "crv": "X25519", "x": 9}), Reason.WRONG_HEADER),
    "epk with loose bits": (
        lambda: close("x", epk={"kty": "OKP", "crv": "X25519", "x": loosen(b64u(bytes(32)))}),
        Reason.WRONG_HEADER,
    ),
    "from ourselves to ourselves": (lambda: close("x", iss="XT", apu=b64u(b"XT")), Reason.WRONG_HEADER),
    "for another contact point": (
        lambda: close("x", aud="XS", apv=b64u(b"XS"), receiver=SAHRAN),
        Reason.NOT_FOR_ME,
    ),
}


@pytest.mark.parametrize("case", STEP_1_AND_2)
def test_steps_1_and_2_refuse_before_decrypting(case: str) -> None:
    """Size and outer header are judged before any key is used, and nothing that fails there counts as anyone's word."""
    make, reason = STEP_1_AND_2[case]

    fault = reject(make())

    assert (fault.reason, fault.authenticated, fault.claims) == (reason, False, None)


def test_step_3_refuses_a_key_id_we_do_not_hold() -> None:
    """An envelope closed for a key that was never ours, or was destroyed, is told apart from a broken one."""
    fault = reject(close("x", kid="XT-enc-1999a", copy=4))

    assert fault.reason is Reason.UNKNOWN_RECIPIENT_KEY
    assert (fault.seen.iss, fault.seen.copy, fault.seen.jws) == ("XA", 4, None)


def test_step_3_opens_with_a_key_in_grace() -> None:
    """An envelope under way when the encryption key changed still opens."""
    newer = replace(KITANO.keyring.decryption["XT-enc-2026a"], kid="XT-enc-2026b")
    ring = make_keyring(KITANO.signing, [newer, KITANO.keyring.decryption["XT-enc-2026a"]])

    opened = open_envelope(seal(), me="XT", keyring=ring, directory=DIRECTORY, now=NOW)

    assert opened.claims == make_claims()


STEP_4: dict[str, Callable[[], bytes]] = {
    "a changed ciphertext": lambda: with_part(3, lambda part: ("B" if part[0] == "A" else "A") + part[1:]),
    "a changed tag": lambda: with_part(4, lambda _: b64u(bytes(16))),
    "a changed wrapped key": lambda: with_part(1, lambda _: b64u(bytes(40))),
    "closed with another's key under our key id": lambda: close("x", receiver=SAHRAN),
    "an ephemeral key of low order": lambda: close("x", epk={"kty": "OKP", "crv": "X25519", "x": b64u(bytes(32))}),
    "a header exchanged for that of another copy": lambda: b".".join(
        [seal(copy=2).split(b".")[0], *seal(copy=1).split(b".")[1:]]
    ),
}


@pytest.mark.parametrize("case", STEP_4)
def test_step_4_refuses_what_does_not_open(case: str) -> None:
    """Whatever the courier changes in header, key, ciphertext or tag, the envelope does not open."""
    fault = reject(STEP_4[case]())

    assert (fault.reason, fault.authenticated) == (Reason.UNDECRYPTABLE, False)
