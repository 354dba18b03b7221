"""Each attack succeeds where one protection is missing, fails where none is, and fails here."""

from __future__ import annotations

import hmac
import json
import zlib
from typing import TYPE_CHECKING

import pytest
from joserfc.errors import JoseError

from app.envelope.reasons import Reason
from app.envelope.seal import encrypt, sign
from tests.envelope.forging import b64u, close, close_raw, inner_header, outer_header, payload, sign_raw
from tests.envelope.parties import AURELIA, KITANO, SAHRAN, Party, make_claims, reject
from tests.envelope.weak import Refused, Skip, open_weakly

if TYPE_CHECKING:
    from collections.abc import Callable


def said_to_kitano() -> str:
    """What Aurelia signed for Kitano, in Kitano's hands."""
    return sign(make_claims(), AURELIA.signing)


def forwarded_under_sahrans_name() -> bytes:
    """Kitano closes Aurelia's text for Sahran, with Sahran as the outer aud."""
    return encrypt(said_to_kitano(), iss="XA", aud="XS", copy=1, recipient=SAHRAN.enc)


def forwarded_as_it_is() -> bytes:
    """Kitano closes Aurelia's text for Sahran's key and leaves both names as they are inside."""
    return close(said_to_kitano(), kid="XS-enc-2026a", receiver=SAHRAN)


def signed_by_another_member() -> bytes:
    """Sahran signs claims in Aurelia's name with its own key, which the directory does hold."""
    return close(sign_raw(inner_header(kid="XS-sig-2026a"), payload(), signer=SAHRAN))


def signed_with_the_public_key() -> bytes:
    """Anyone makes a MAC with Aurelia's published key and calls the algorithm HS256."""
    text = f"{b64u(inner_header(alg='HS256'))}.{b64u(payload())}"
    return close(f"{text}.{b64u(hmac.digest(AURELIA.sig.public, text.encode(), 'sha256'))}")


def named_twice() -> bytes:
    """The header names Sahran first and Aurelia last: who reads the first sees another sender than the opener."""

    def write(epk: dict[str, object]) -> bytes:
        return json.dumps(outer_header(epk)).replace('"iss"', '"iss": "XS", "iss"', 1).encode()

    return close_raw(said_to_kitano().encode(), write)


def compressed() -> bytes:
    """The text is compressed before it is closed: what it becomes when it is opened is known only then."""
    squeeze = zlib.compressobj(wbits=-15)
    return close(squeeze.compress(said_to_kitano().encode()) + squeeze.flush(), zip="DEF")


ATTACKS: dict[str, tuple[Callable[[], bytes], Party, Skip, Reason]] = {
    "surreptitious forwarding under the victim's name": (
        forwarded_under_sahrans_name,
        SAHRAN,
        Skip.NAMES_INSIDE_EQUAL_OUTSIDE,
        Reason.MISMATCH,
    ),
    "surreptitious forwarding as it is": (forwarded_as_it_is, SAHRAN, Skip.AUD_IS_ME, Reason.NOT_FOR_ME),
    "another member's key": (signed_by_another_member, KITANO, Skip.KEY_BELONGS_TO_ISS, Reason.UNKNOWN_SENDER_KEY),
    "the public key as a secret": (signed_with_the_public_key, KITANO, Skip.ALG_FROM_RECORD, Reason.MALFORMED),
    "a member of the header twice": (named_twice, KITANO, Skip.ONE_OF_EACH_MEMBER, Reason.DUPLICATE_MEMBER),
    "compression": (compressed, KITANO, Skip.NO_COMPRESSION, Reason.WRONG_HEADER),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_attack_succeeds_where_its_protection_is_missing(attack: str) -> None:
    """Without that one check, the victim takes the text for what Aurelia said to it."""
    make, victim, skip, _ = ATTACKS[attack]

    assert open_weakly(make(), me=victim, skip=skip)["iss"] == "XA"


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_attack_fails_where_no_protection_is_missing(attack: str) -> None:
    """With the check put back into the weak opener, the same bytes are refused: the check made the difference."""
    make, victim, _, _ = ATTACKS[attack]

    with pytest.raises((Refused, JoseError)):
        open_weakly(make(), me=victim, skip=Skip.NOTHING)


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_attack_fails_here(attack: str) -> None:
    """Our opener refuses the same bytes with the reason of the protection, and believes nothing of them."""
    make, victim, _, reason = ATTACKS[attack]

    fault = reject(make(), receiver=victim)

    assert (fault.reason, fault.authenticated) == (reason, False)


def test_the_weak_opener_opens_what_is_honest() -> None:
    """The control is a working opener: an honest envelope passes it with every check in place."""
    honest = encrypt(said_to_kitano(), iss="XA", aud="XT", copy=1, recipient=KITANO.enc)

    assert open_weakly(honest, me=KITANO, skip=Skip.NOTHING) == make_claims().to_members()
