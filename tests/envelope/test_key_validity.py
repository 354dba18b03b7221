"""Ruling 21: a key is judged at the signed `iat` and at the moment we received the text, never at any other time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from app.envelope.reasons import Reason, Rejected
from tests.envelope.forging import forge, payload
from tests.envelope.parties import AURELIA, KITANO, NOW, KeyTable, make_claims, open_at, seal

if TYPE_CHECKING:
    from app.envelope.open import Opened

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


def judge(dates: dict[str, datetime], *, signed: datetime, received: datetime) -> Opened:
    """Open a text signed and received at those moments, under a key with those dates."""
    directory = KeyTable(("XA", replace(AURELIA.sig, **dates)))  # type: ignore[arg-type]
    return open_at(KITANO, seal(make_claims(iat=int(signed.timestamp()))), directory=directory, now=received)


Case = tuple[dict[str, datetime], datetime, datetime]

GOOD: dict[str, Case] = {
    "signed in the first second of the window": ({"nbf": NOW}, NOW, NOW),
    "signed in the last second, received long after": ({"exp": NOW}, NOW - SECOND, NOW + 400 * 24 * HOUR),
    "signed before retirement, received after": ({"retired_at": NOW}, NOW - SECOND, NOW + HOUR),
    "revocation comes later than signing and receipt": ({"revoked_at": NOW + HOUR}, NOW - HOUR, NOW),
    "received in the last moment before revocation": ({"revoked_at": NOW}, NOW - HOUR, NOW - SECOND),
}


@pytest.mark.parametrize("case", GOOD)
def test_a_key_speaks_for_what_was_signed_and_received_in_time(case: str) -> None:
    """Within its window at `iat`, and before any revocation at both moments, the text is taken."""
    dates, signed, received = GOOD[case]

    assert judge(dates, signed=signed, received=received).claims.issued_at == signed


BAD: dict[str, tuple[Case, Reason]] = {
    "signed a second before the window": (({"nbf": NOW}, NOW - SECOND, NOW), Reason.KEY_NOT_VALID),
    "signed when the window had ended": (({"exp": NOW}, NOW, NOW), Reason.KEY_NOT_VALID),
    "signed when the key was retired": (({"retired_at": NOW}, NOW, NOW), Reason.KEY_NOT_VALID),
    "signed before revocation, received after": (({"revoked_at": NOW}, NOW - HOUR, NOW), Reason.KEY_REVOKED),
    "backdated far before revocation": (({"revoked_at": NOW - HOUR}, NOW - 999 * HOUR, NOW), Reason.KEY_REVOKED),
    "dated after revocation, received before": (
        ({"revoked_at": NOW + SECOND}, NOW + 2 * SECOND, NOW),
        Reason.KEY_REVOKED,
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_key_outside_its_time_authenticates_nothing(case: str) -> None:
    """The text counts as unauthenticated, but its claims are kept for the two officers who may admit it."""
    (dates, signed, received), reason = BAD[case]

    with pytest.raises(Rejected) as caught:
        judge(dates, signed=signed, received=received)

    fault = caught.value
    assert (fault.reason, fault.authenticated) == (reason, False)
    assert fault.claims is not None
    assert fault.seen.jws is not None


def test_the_verdict_at_receipt_is_final() -> None:
    """The same bytes looked at again later, with the moment of their first receipt, are judged as they were then."""
    revoked: dict[str, Any] = {"revoked_at": NOW + HOUR}

    assert judge(revoked, signed=NOW, received=NOW).claims.issued_at == NOW
    with pytest.raises(Rejected, match="key_revoked"):
        judge(revoked, signed=NOW, received=NOW + 2 * HOUR)


@pytest.mark.parametrize(
    ("dates", "authenticated"), [({}, True), ({"revoked_at": NOW}, False), ({"exp": NOW}, False), ({"nbf": NOW}, True)]
)
def test_unreadable_claims_are_judged_by_the_moment_of_receipt(
    dates: dict[str, datetime], *, authenticated: bool
) -> None:
    """Without a readable `iat`, a text counts as its sender's only if the key is valid when we receive it."""
    directory = KeyTable(("XA", replace(AURELIA.sig, **dates)))  # type: ignore[arg-type]

    with pytest.raises(Rejected) as caught:
        open_at(KITANO, forge(body=payload(iat="noon")), directory=directory)

    assert (caught.value.reason, caught.value.authenticated) == (Reason.BAD_CLAIMS, authenticated)
