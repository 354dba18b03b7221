"""The library's registries with our limits and our one algorithm per place; nothing else in this room configures it.

Its own limits are lower (64 KiB of ciphertext, 1 KiB of header) and would let a text be sealed that cannot be opened.
"""

from __future__ import annotations

from joserfc.jwe import JWERegistry
from joserfc.jws import JWSRegistry
from joserfc.registry import HeaderParameter

from app.envelope.format import AGREE_ALG, ENC, MAX_ENVELOPE_BYTES, MAX_HEADER_BYTES, MAX_JWS_BYTES, SIGN_ALG


class _EncryptionRegistry(JWERegistry):
    # Lengths in characters of base64url, so a third above the bytes.
    max_protected_header_length = MAX_HEADER_BYTES * 4 // 3 + 4
    max_ciphertext_length = MAX_ENVELOPE_BYTES


class _SignatureRegistry(JWSRegistry):
    max_header_length = MAX_HEADER_BYTES * 4 // 3 + 4
    max_payload_length = MAX_JWS_BYTES


def encryption_registry() -> JWERegistry:
    """ECDH-ES+A256KW with A256GCM, and the header members we add to those of RFC 7516."""
    return _EncryptionRegistry(
        header_registry={
            "iss": HeaderParameter("Sending contact point", "str", required=True),
            "aud": HeaderParameter("Receiving contact point", "str", required=True),
            "copy": HeaderParameter("Number of this publication", "int", required=True),
        },
        algorithms=[AGREE_ALG, ENC],
    )


def signature_registry() -> JWSRegistry:
    """Ed25519 under its RFC 9864 name, and no other."""
    return _SignatureRegistry(algorithms=[SIGN_ALG])
