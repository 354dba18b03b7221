"""Reading leaves back and opening their commitments: standard library only, to keep the offline verifier small."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.audit.strict import NotVerified, require

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_LEAF_BYTES = 4096
"""Bytes of one leaf. Leaves hold identifiers and commitments; one that needs more is carrying content."""
COMMITMENT_ALGORITHM = "HS256-JCS"
LEAF_VERSION = 1

_TEXTS = ("log", "id", "at", "n", "type", "actor")
_OPTIONAL_TEXTS = ("thread", "jti", "peer")


@dataclass(frozen=True, slots=True)
class Opening:
    """What opens one commitment: its random key and the canonical JSON of the value. Erased by deleting both."""

    field: str
    salt: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class Leaf:
    """The members of a leaf; `commitments` maps a field of the contents to its commitment."""

    log: str
    id: str
    at: str
    type: str
    actor: str
    thread: str | None
    jti: str | None
    peer: str | None
    commitments: Mapping[str, str]


def commitment_of(opening: Opening) -> str:
    """The value a leaf holds for this opening: base64url (no padding) of HMAC-SHA256(salt, canonical body)."""
    return base64url(hmac.digest(opening.salt, opening.body, hashlib.sha256))


def base64url(raw: bytes) -> str:
    """The spelling of bytes inside leaves: URL-safe alphabet, no padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def read_leaf(raw: bytes) -> Leaf:
    """Read leaf bytes of any origin strictly: one object, no member twice, known version. Raises `NotVerified`.

    Members this version does not know are passed over: they are hashed like all others.
    """
    require(len(raw) <= MAX_LEAF_BYTES, "leaf_form", "a leaf of more than 4 KiB")
    try:
        members = json.loads(raw.decode(), object_pairs_hook=_once_each)
    except (ValueError, RecursionError) as cause:
        raise NotVerified("leaf_form", "a leaf that is not JSON") from cause
    require(isinstance(members, dict) and members.get("v") == LEAF_VERSION, "leaf_form", "a leaf of unknown version")
    for name in _TEXTS:
        require(isinstance(members.get(name), str), "leaf_form", f"a leaf without {name}")
    for name in _OPTIONAL_TEXTS:
        require(isinstance(members.get(name), str | None), "leaf_form", f"a leaf whose {name} is no text")
    return Leaf(
        **{name: members[name] for name in _TEXTS if name != "n"},
        **{name: members.get(name) for name in _OPTIONAL_TEXTS},
        commitments=_commitments(members.get("c")),
    )


def check_opening(leaf: Leaf, opening: Opening) -> None:
    """Return only if the leaf committed to exactly this value. Raises `NotVerified`."""
    promised = leaf.commitments.get(opening.field)
    require(promised is not None, "opening_unknown", f"the leaf commits to nothing called {opening.field}")
    require(promised == commitment_of(opening), "opening_differs", f"{opening.field} is not what was committed to")


def _commitments(listed: object) -> dict[str, str]:
    require(isinstance(listed, list), "leaf_form", "a leaf without its list of commitments")
    found: dict[str, str] = {}
    for item in listed if isinstance(listed, list) else []:
        match item:
            case {"f": str(field), "alg": "HS256-JCS", "v": str(value)} if field not in found:
                found[field] = value
            case _:
                raise NotVerified("leaf_form", "a commitment out of form")
    return found


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotVerified("leaf_form", "a member twice in one object")
    return members
