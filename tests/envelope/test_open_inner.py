"""Steps 5 to 8 of docs/protocol.md, 5.6, one table each: what a member of the network may try, and how it ends."""

from __future__ import annotations

import hmac
import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from app.envelope.format import MAX_CLAIMS_BYTES, MAX_JWS_BYTES, inner_hash
from app.envelope.open import verify_text
from app.envelope.reasons import Reason, Rejected
from app.envelope.seal import encrypt, sign
from tests.envelope.forging import ABSENT, b64u, close, forge, inner_header, payload
from tests.envelope.parties import (
    AURELIA,
    DIRECTORY,
    JTI,
    KITANO,
    NOW,
    SAHRAN,
    KeyTable,
    make_claims,
    open_at,
    reject,
    seal,
)

if TYPE_CHECKING:
    from collections.abc import Callable

IAT = int(NOW.timestamp())


def hs256_with_public_key() -> bytes:
    """The classic confusion: a MAC made with the published key as the secret."""
    signing_input = f"{b64u(inner_header(alg='HS256'))}.{b64u(payload())}"
    mac = hmac.digest(AURELIA.sig.public, signing_input.encode(), "sha256")
    return close(f"{signing_input}.{b64u(mac + mac)}")


STEP_5: dict[str, tuple[Callable[[], bytes], Reason]] = {
    "plaintext that is no text": (lambda: close(b"\xff\xfe"), Reason.MALFORMED),
    "an empty text": (lambda: close(""), Reason.MALFORMED),
    "two parts": (lambda: close("e30.e30"), Reason.MALFORMED),
    "a signature of another length": (lambda: close("e30.e30.AAAA"), Reason.MALFORMED),
    "no signature, alg none": (
        lambda: close(f"{b64u(inner_header(alg='none'))}.{b64u(payload())}."),
        Reason.MALFORMED,
    ),
    "alg none with bytes for a signature": (
        lambda: close(f"{b64u(inner_header(alg='none'))}.{b64u(payload())}.{b64u(bytes(64))}"),
        Reason.ALG_NOT_ALLOWED,
    ),
    "HS256 with the public key as the secret": (hs256_with_public_key, Reason.ALG_NOT_ALLOWED),
    "EdDSA, the name that leaves the curve open": (
        lambda: forge(header=inner_header(alg="EdDSA")),
        Reason.ALG_NOT_ALLOWED,
    ),
    "alg missing": (lambda: forge(header=inner_header(alg=ABSENT)), Reason.ALG_NOT_ALLOWED),
    "an embedded key": (lambda: forge(header=inner_header(jwk={"kty": "OKP"})), Reason.WRONG_HEADER),
    "a critical extension": (lambda: forge(header=inner_header(crit=["b64"], b64=False)), Reason.WRONG_HEADER),
    "the outer typ": (lambda: forge(header=inner_header(typ="cp-env+jwe")), Reason.WRONG_HEADER),
    "kid missing": (lambda: forge(header=inner_header(kid=ABSENT)), Reason.WRONG_HEADER),
    "kid a number": (lambda: forge(header=inner_header(kid=1)), Reason.WRONG_HEADER),
    "kid written twice": (
        lambda: forge(header=b'{"typ":"cp-env+jws","alg":"Ed25519","kid":"XS-sig-2026a","kid":"XA-sig-2026a"}'),
        Reason.DUPLICATE_MEMBER,
    ),
    "a huge header": (lambda: forge(header=inner_header(kid="k" * 3000)), Reason.TOO_LARGE),
    "a key nobody published": (
        lambda: forge(header=inner_header(kid="XA-sig-2031z")),
        Reason.UNKNOWN_SENDER_KEY,
    ),
    "a genuine text of Sahran under Aurelia's name": (
        lambda: forge(header=inner_header(kid="XS-sig-2026a"), signer=SAHRAN),
        Reason.UNKNOWN_SENDER_KEY,
    ),
    "an encryption key as signer": (
        lambda: forge(header=inner_header(kid="XA-enc-2026a")),
        Reason.UNKNOWN_SENDER_KEY,
    ),
    "a sender the directory does not know": (
        lambda: forge(iss="XQ", apu=b64u(b"XQ"), body=payload(iss="XQ")),
        Reason.UNKNOWN_SENDER_KEY,
    ),
}


@pytest.mark.parametrize("case", STEP_5)
def test_step_5_refuses_headers_and_keys_that_are_not_the_senders(case: str) -> None:
    """The algorithm is the key record's, and the key one that the outer iss itself published; no other is tried."""
    make, reason = STEP_5[case]

    fault = reject(make())

    assert (fault.reason, fault.authenticated, fault.claims) == (reason, False, None)


def test_step_5_takes_the_algorithm_from_the_record() -> None:
    """A record for another algorithm is not verified with, whatever the text's header says."""
    table = KeyTable(("XA", replace(AURELIA.sig, alg="ML-DSA-44")))

    assert reject(seal(), directory=table).reason is Reason.ALG_NOT_ALLOWED


def test_step_6_refuses_another_signers_signature() -> None:
    """A text that names Aurelia's key but was signed by Sahran is nobody's word."""
    fault = reject(forge(signer=SAHRAN))

    assert (fault.reason, fault.authenticated, fault.claims) == (Reason.BAD_SIGNATURE, False, None)
    assert fault.seen.kid == "XA-sig-2026a"


def test_step_6_refuses_a_record_that_holds_no_key() -> None:
    """A directory record with unusable bytes ends as a typed refusal."""
    table = KeyTable(("XA", replace(AURELIA.sig, public=b"short")))

    assert reject(seal(), directory=table).reason is Reason.BAD_SIGNATURE


UNREADABLE_PAYLOADS: dict[str, tuple[bytes, Reason]] = {
    "no JSON": (b"hello", Reason.MALFORMED),
    "seq written twice": (payload()[:-1] + b', "seq": 2}', Reason.DUPLICATE_MEMBER),
    "a member of the body written twice": (
        payload().replace(b'"body": {', b'"body": {"days": 1, '),
        Reason.DUPLICATE_MEMBER,
    ),
    "not a number": (payload().replace(b'"days": 90', b'"days": NaN'), Reason.MALFORMED),
    "an integer two readers read differently": (payload().replace(b"90", b"9007199254740993"), Reason.MALFORMED),
    "half a surrogate pair": (payload(note="\ud800"), Reason.MALFORMED),
    "a NUL": (payload(note="\0"), Reason.MALFORMED),
    "invalid UTF-8": (payload().replace(b"preserve", b"pr\xe9serve"), Reason.MALFORMED),
    "nested deeper than 32": (payload(body={"a": json.loads("[" * 31 + "]" * 31)}), Reason.MALFORMED),
    "longer than its limit": (payload(note="a" * MAX_CLAIMS_BYTES), Reason.TOO_LARGE),
}


@pytest.mark.parametrize("case", UNREADABLE_PAYLOADS)
def test_step_6_refuses_a_signed_text_with_more_than_one_meaning(case: str) -> None:
    """A genuine signature over JSON that two readers could read differently proves neither reading."""
    body, reason = UNREADABLE_PAYLOADS[case]

    fault = reject(forge(body=body))

    assert (fault.reason, fault.authenticated, fault.claims) == (reason, False, None)


def test_a_payload_at_the_depth_limit_is_read() -> None:
    """The limit of 32 levels is the limit, not less."""
    body = {"a": json.loads("[" * 30 + "]" * 30)}

    assert open_at(KITANO, forge(body=payload(body=body))).claims.body == body


BAD_CLAIMS: dict[str, bytes] = {
    "jti missing": payload(jti=ABSENT),
    "jti in capitals": payload(jti=JTI.upper()),
    "iat a text": payload(iat="1795339800"),
    "iat a fraction": payload(iat=1795339800.5),
    "iat true": payload(iat=True),
    "iat negative": payload(iat=-1),
    "iat after the year 9999": payload(iat=253_402_300_800),
    "exp null": payload(exp=None),
    "thread without seq": payload(seq=ABSENT),
    "seq without thread": payload(thread=ABSENT),
    "seq zero": payload(seq=0),
    "thread with a space": payload(thread="a b"),
    "prev at the first place": payload(prev=JTI),
    "type without version": payload(type="exchange.open"),
    "body a list": payload(body=[]),
    "body missing": payload(body=ABSENT),
    "dir missing": payload(dir=ABSENT),
    "dir without v": payload(dir={}),
    "log a text": payload(log="x"),
    "suite a number": payload(suite=1),
    "suite very long": payload(suite="c" * 17),
    "v zero": payload(v=0),
}


@pytest.mark.parametrize("case", BAD_CLAIMS)
def test_step_7_refuses_claims_of_a_wrong_form(case: str) -> None:
    """Who said it to whom is proven, so the fault is the sender's and authenticated; the rest is not acted on."""
    fault = reject(forge(body=BAD_CLAIMS[case]))

    assert (fault.reason, fault.authenticated, fault.claims) == (Reason.BAD_CLAIMS, True, None)


def test_step_7_keeps_the_message_id_of_claims_it_cannot_read() -> None:
    """A text whose place is nonsense can still be receipted as quarantined, so that its sender stops resending it."""
    fault = reject(forge(body=payload(seq="first"), copy=3))

    assert (fault.seen.jti, fault.seen.copy, fault.seen.iss) == (JTI, 3, "XA")
    assert fault.seen.inner_hash == inner_hash(str(fault.seen.jws))


@pytest.mark.parametrize("body", [b"[]", b"7", payload(iss="XS", seq=0), payload(aud=ABSENT)])
def test_step_7_authenticates_nothing_when_the_names_cannot_be_compared(body: bytes) -> None:
    """Broken claims that do not say who speaks to whom are nobody's word to us."""
    fault = reject(forge(body=body))

    assert (fault.reason, fault.authenticated, fault.seen.jti) == (Reason.BAD_CLAIMS, False, None)


NEWER: dict[str, tuple[bytes, bool]] = {
    "version 2 in our form": (payload(v=2), True),
    "suite cp2 in our form": (payload(suite="cp2"), True),
    "version 2 in a form of its own": (payload(v=2, seq={"lane": 1}), False),
}


@pytest.mark.parametrize("case", NEWER)
def test_step_7_sets_a_newer_version_aside(case: str) -> None:
    """A later version is authenticated and not understood: receipted, with its claims if they have our form."""
    body, readable = NEWER[case]

    fault = reject(forge(body=body))

    assert (fault.reason, fault.authenticated) == (Reason.UNKNOWN_VERSION, True)
    assert (fault.claims is not None) is readable
    assert fault.claims is not None or fault.seen.jti == JTI


def test_step_7_refuses_a_text_signed_for_another() -> None:
    """Surreptitious forwarding: Kitano closes what Aurelia signed for it anew, for Sahran, under Aurelia's name."""
    text = sign(make_claims(), AURELIA.signing)
    forwarded = encrypt(text, iss="XA", aud="XS", copy=1, recipient=SAHRAN.enc)

    fault = reject(forwarded, receiver=SAHRAN)

    assert (fault.reason, fault.authenticated) == (Reason.MISMATCH, False)
    assert fault.claims == make_claims()


def test_step_7_refuses_a_text_in_the_name_of_another() -> None:
    """A member that signs claims with another's iss is refused although its own signature is good."""
    fault = reject(forge(body=payload(iss="XS")))

    assert (fault.reason, fault.authenticated) == (Reason.MISMATCH, False)


@pytest.mark.parametrize(("ahead", "taken"), [(299, True), (300, True), (301, False)])
def test_step_8_allows_five_minutes_of_skew(ahead: int, *, taken: bool) -> None:
    """A clock may be 300 seconds ahead of ours; beyond that the text is set aside as its sender's fault."""
    raw = seal(make_claims(iat=IAT + ahead))

    if taken:
        assert open_at(KITANO, raw).claims.iat == IAT + ahead
    else:
        fault = reject(raw)
        assert (fault.reason, fault.authenticated, fault.claims is not None) == (Reason.FROM_THE_FUTURE, True, True)


def test_expiry_is_not_judged_here() -> None:
    """`exp` long past opens: it limits acting on a message, and only the receiver knows which messages it concerns."""
    assert open_at(KITANO, seal(make_claims(exp=1))).claims.exp == 1


def test_a_signed_text_is_verified_without_its_envelope() -> None:
    """A copy of one's own text comes back without envelope and is verified by steps 5 to 8 alone."""
    text = sign(make_claims(), AURELIA.signing)

    verified = verify_text(text, iss="XA", aud="XT", directory=DIRECTORY, received_at=NOW + timedelta(days=30))

    assert (verified.claims, verified.kid, verified.inner_hash) == (make_claims(), "XA-sig-2026a", inner_hash(text))


@pytest.mark.parametrize(
    ("text", "reason"), [("é.é.é", Reason.MALFORMED), ("A" * (MAX_JWS_BYTES + 1), Reason.TOO_LARGE)]
)
def test_a_damaged_signed_text_is_refused(text: str, reason: Reason) -> None:
    """A kept text that became other letters, or grew, ends as a typed refusal."""
    with pytest.raises(Rejected) as caught:
        verify_text(text, iss="XA", aud="XT", directory=DIRECTORY, received_at=NOW)

    assert caught.value.reason is reason


def test_the_second_implementation_makes_envelopes_we_open() -> None:
    """The forger is sound: what it makes without a fault opens. So each refusal above has the cause it names."""
    opened = open_at(KITANO, forge(body=payload(note="from elsewhere"), copy=7))

    assert (opened.copy, opened.claims.unknown) == (7, {"note": "from elsewhere"})
