"""Reading leaves back and opening their commitments: standard library only, to keep the offline verifier small."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from app.audit.strict import NotVerified, require

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_LEAF_BYTES = 4096
"""Bytes of one leaf. Leaves hold identifiers and commitments; one that needs more is carrying content."""
COMMITMENT_ALGORITHM = "HS256-JCS"
LEAF_VERSION = 1

_REQUIRED = itemgetter("v", "log", "id", "at", "type", "actor", "n", "c")
_TYPES = (int, str, str, str, str, str, str, list)


@dataclass(frozen=True, slots=True)
class Opening:
    """What opens one commitment: its random key and the canonical JSON of the value. Erased by deleting both."""

    field: str
    salt: bytes
    body: bytes


class Leaf(NamedTuple):
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
    if len(raw) > MAX_LEAF_BYTES:
        raise NotVerified("leaf_form", "a leaf of more than 4 KiB")
    try:
        members = json.loads(raw.decode(), object_pairs_hook=_once_each)
        required = _REQUIRED(members)
        optional = (members.get("thread"), members.get("jti"), members.get("peer"))
    except (ValueError, RecursionError, TypeError, KeyError) as cause:
        raise NotVerified("leaf_form", "a leaf that is no object of JSON, or lacks a member") from cause
    version, log, id_, at, type_, actor, _, listed = required
    if tuple(map(type, required)) != _TYPES or version != LEAF_VERSION:
        raise NotVerified("leaf_form", "a leaf of unknown version, or a member of another type")
    for text in optional:
        if not (text is None or isinstance(text, str)):
            raise NotVerified("leaf_form", "a leaf whose thread, jti or peer is no text")
    return Leaf(log, id_, at, type_, actor, *optional, commitments=_commitments(listed))


def check_opening(leaf: Leaf, opening: Opening) -> None:
    """Return only if the leaf committed to exactly this value. Raises `NotVerified`."""
    promised = leaf.commitments.get(opening.field)
    require(promised is not None, "opening_unknown", f"the leaf commits to nothing called {opening.field}")
    require(promised == commitment_of(opening), "opening_differs", f"{opening.field} is not what was committed to")


def _commitments(listed: list[object]) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in listed:
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
