"""Names of onion services: one of the third version carries a checksum, so a misread sign is noticed.

Names of the second version, sixteen signs without a checksum, no longer lead anywhere; logs from before October 2021
still hold them.
"""

from __future__ import annotations

import hashlib
from base64 import b32decode
from binascii import Error

_SECOND = 16
_THIRD = 56
_KEY_BYTES = 32
_CHECKSUM_BYTES = 2
_VERSION = b"\x03"


def is_onion(label: str) -> bool:
    """Whether the label, in small letters and without `.onion`, can be the name of a service."""
    if len(label) not in {_SECOND, _THIRD}:
        return False
    try:
        raw = b32decode(label.upper())
    except (Error, ValueError):
        return False
    if len(label) == _SECOND:
        return True
    key, checksum, version = raw[:_KEY_BYTES], raw[_KEY_BYTES:-1], raw[-1:]
    digest = hashlib.sha3_256(b".onion checksum" + key + version).digest()
    return version == _VERSION and checksum == digest[:_CHECKSUM_BYTES]
