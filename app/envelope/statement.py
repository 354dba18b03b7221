"""A statement under the key that signs our envelopes, for whoever has the directory: no envelope, and no message.

Its `typ` is not that of the text inside an envelope, so that neither can ever be taken for the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from joserfc import jws

from app.envelope.canonical import canonical
from app.envelope.format import SIGN_ALG
from app.envelope.jose import signature_registry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.envelope.keys import SigningKey

STATEMENT_TYP = "cp-statement+jws"


def sign_statement(content: Mapping[str, object], key: SigningKey) -> str:
    """A compact JWS (RFC 7515) over `content` in canonical form (RFC 8785); the same content gives the same text."""
    header = {"typ": STATEMENT_TYP, "alg": SIGN_ALG, "kid": key.kid}
    return jws.serialize_compact(header, canonical(dict(content)), key.private, registry=signature_registry())
