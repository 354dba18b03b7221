"""Why an envelope is not taken: a closed list, and the one exception the opener raises."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from app.envelope.format import inner_hash
from app.errors import CounterpartError

if TYPE_CHECKING:
    from app.envelope.claims import Claims


class Reason(StrEnum):
    """In the order in which the checks are made (docs/protocol.md, 5.6, names the step of each)."""

    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    DUPLICATE_MEMBER = "duplicate_member"
    ALG_NOT_ALLOWED = "alg_not_allowed"
    WRONG_HEADER = "wrong_header"
    NOT_FOR_ME = "not_for_me"
    UNKNOWN_RECIPIENT_KEY = "unknown_recipient_key"
    UNDECRYPTABLE = "undecryptable"
    UNKNOWN_SENDER_KEY = "unknown_sender_key"
    BAD_SIGNATURE = "bad_signature"
    UNKNOWN_VERSION = "unknown_version"
    BAD_CLAIMS = "bad_claims"
    KEY_REVOKED = "key_revoked"
    KEY_NOT_VALID = "key_not_valid"
    MISMATCH = "mismatch"
    FROM_THE_FUTURE = "from_the_future"


@dataclass(frozen=True, slots=True)
class Seen:
    """What could be read before the fault. `iss` is the outer header's word: it proves nothing by itself.

    `jti` is set when the fault is authenticated but the claims could not be read: it can still be receipted.
    """

    iss: str | None = None
    copy: int | None = None
    kid: str | None = None
    jws: str | None = None
    jti: str | None = None

    @property
    def inner_hash(self) -> str | None:
        """The name of the signed text, once it was decrypted."""
        return None if self.jws is None else inner_hash(self.jws)


class Rejected(CounterpartError):
    """An envelope that is not taken; `code` is the reason.

    `authenticated` is true only when `iss` is proven to have said this to us under a key valid for it: then the text
    is receipted and in the end consumes its sequence number (ruling 11). Otherwise nothing may follow from it. `claims`
    are given whenever the signature verified and they could be read, also when not authenticated: two officers may have
    to look at what a revoked key signed (ruling 21).
    """

    def __init__(
        self,
        reason: Reason,
        detail: str,
        *,
        authenticated: bool = False,
        claims: Claims | None = None,
        seen: Seen | None = None,
    ) -> None:
        super().__init__(reason.value, detail)
        self.reason = reason
        self.authenticated = authenticated
        self.claims = claims
        self.seen = seen or Seen()
