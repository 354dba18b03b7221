"""What may be said in the audit log, and the exact bytes that say it.

A leaf is one JSON object in RFC 8785 form, at most 4 KiB. It names a person by pseudonym only and a case by its
random id only; whatever could be personal (contents, reasons, names) stays outside, and the leaf holds a commitment
to it: HMAC-SHA256 under 32 random bytes that belong to this one commitment. Deleting key and value therefore erases
the content for good, while every proof about the log stays valid.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

import rfc8785

from app.audit.leaf import COMMITMENT_ALGORITHM, LEAF_VERSION, MAX_LEAF_BYTES, Opening, base64url, commitment_of
from app.errors import CounterpartError

JSON: TypeAlias = Mapping[str, "JSON"] | Sequence["JSON"] | str | int | float | bool | None

NONCE_BYTES = 16
"""So that a leaf hash that outlives its pruned leaf cannot be guessed from time, type and peer."""
SALT_BYTES = 32
"""Key of one commitment: as long as the hash, never used twice."""

_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_SHAPES = {
    "actor": re.compile(r"[a-z]{1,12}(:[0-9A-Za-z_-]{1,64})?", re.ASCII),
    "thread": re.compile(rf"(att:)?{_UUID}", re.ASCII),
    "jti": re.compile(_UUID, re.ASCII),
    "peer": re.compile(r"[A-Z]{2}(-[A-Z0-9]{2,12})?", re.ASCII),
    "field": re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII),
}


class FactType(StrEnum):
    """Everything the log can say. The list is closed; a new word is a new release of docs/audit-log.md."""

    ENVELOPE_QUEUED = "envelope.queued"
    ENVELOPE_SENT = "envelope.sent"
    ENVELOPE_RECEIVED = "envelope.received"
    ENVELOPE_REJECTED = "envelope.rejected"
    ENVELOPE_QUARANTINED = "envelope.quarantined"
    ENVELOPE_EQUIVOCATED = "envelope.equivocated"
    ENVELOPE_SIGNED_AGAIN = "envelope.signed_again"
    RECEIPT_SENT = "receipt.sent"
    RECEIPT_RECEIVED = "receipt.received"
    ACK_HUMAN = "ack.human"
    CASE_VIEWED = "case.viewed"
    CASE_CHANGED = "case.changed"
    CASE_ESCALATED = "case.escalated"
    CASE_EXPORTED = "case.exported"
    PAYLOAD_ERASED = "payload.erased"
    USER_ADDED = "user.added"
    USER_LOGIN = "user.login"
    ACCESS_REFUSED = "access.refused"
    USER_ROLE_CHANGED = "user.role_changed"
    USER_TOKEN_CREATED = "user.token_created"  # noqa: S105 - the name of a fact
    USER_TOKEN_REVOKED = "user.token_revoked"  # noqa: S105 - the name of a fact
    KEY_ADDED = "key.added"
    KEY_RETIRED = "key.retired"
    KEY_REVOKED = "key.revoked"
    DIRECTORY_UPDATED = "directory.updated"
    LAW_UPDATED = "law.updated"
    OPERATOR_ACTION = "operator.action"
    DUTY_ROSTERED = "duty.rostered"
    DUTY_HANDED_OVER = "duty.handed_over"
    LOG_OPENED = "log.opened"
    LOG_CLOSED = "log.closed"
    LOG_RESTARTED = "log.restarted"
    CHECKPOINT_COSIGNED = "checkpoint.cosigned"
    CHECKPOINT_REFUSED = "checkpoint.refused"
    RECOVERY_BEGAN = "recovery.began"
    RECOVERY_PEER_DONE = "recovery.peer_done"
    RECOVERY_ENDED = "recovery.ended"


class NotALeaf(CounterpartError):
    """A fact that may not enter the log: a member out of shape, contents without canonical form, or too large."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened, before it is salted.

    `thread` is the random id of the case (exchange, or request while there is no exchange, or `att:<file id>`).
    `contents` are committed to field by field, so that each field can later be erased without the others; put
    together what will be erased together. Nothing of `contents` enters the leaf.
    """

    type: FactType
    thread: str | None = None
    jti: str | None = None
    peer: str | None = None
    contents: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SealedFact:
    """A leaf as it will be hashed, byte for byte, and the openings that stay outside the log."""

    event_id: UUID
    subject: UUID | None
    leaf: bytes
    openings: tuple[Opening, ...]


def seal_fact(fact: Fact, *, origin: str, actor: str, at: datetime, random: Callable[[int], bytes]) -> SealedFact:
    """Turn a fact into leaf bytes bound to the log `origin`.

    `actor` is a pseudonym, `at` an aware time (stored to the millisecond, UTC), `random` a source of secret random
    bytes. Raises `NotALeaf` for anything that could carry personal data into the leaf.
    """
    for name, text in (("actor", actor), ("thread", fact.thread), ("jti", fact.jti), ("peer", fact.peer)):
        _check_shape(name, text)
    event_id = _event_id(at, random(10))
    openings = tuple(_open(name, value, random(SALT_BYTES)) for name, value in sorted(fact.contents.items()))
    members: dict[str, JSON] = {
        "v": LEAF_VERSION,
        "log": origin,
        "id": str(event_id),
        "at": at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "n": base64url(random(NONCE_BYTES)),
        "type": fact.type.value,
        "actor": actor,
        "c": [{"f": opening.field, "alg": COMMITMENT_ALGORITHM, "v": commitment_of(opening)} for opening in openings],
    }
    members |= {name: text for name, text in (("thread", fact.thread), ("jti", fact.jti), ("peer", fact.peer)) if text}
    leaf = rfc8785.dumps(members)
    if len(leaf) > MAX_LEAF_BYTES:
        raise NotALeaf("leaf_too_large", f"a leaf of {fact.type} would exceed {MAX_LEAF_BYTES} bytes")
    return SealedFact(event_id, subject_of(fact.thread), leaf, openings)


def carry_over(leaf: bytes, *, origin: str) -> bytes:
    """The same fact as a leaf of another log: of the epoch that follows the one it was sealed for and did not reach.

    Only a leaf that has no place in any log may be carried over. Its id and its commitments stay, so its openings fit.
    """
    return rfc8785.dumps({**json.loads(leaf), "log": origin})


def subject_of(thread: str | None) -> UUID | None:
    """The id by which a case's leaves are found again; a file's thread `att:<id>` is found under the file's id."""
    return None if thread is None else UUID(thread.removeprefix("att:"))


def _open(name: str, value: JSON, salt: bytes) -> Opening:
    _check_shape("field", name)
    try:
        return Opening(name, salt, rfc8785.dumps(value))
    except (rfc8785.CanonicalizationError, RecursionError) as cause:
        raise NotALeaf("contents_not_canonical", f"contents member {name} has no canonical JSON form") from cause


def _check_shape(name: str, text: str | None) -> None:
    if text is not None and not _SHAPES[name].fullmatch(text):
        raise NotALeaf("leaf_member_shape", f"{name} of a fact is not an identifier of the allowed form")


def _event_id(at: datetime, random: bytes) -> UUID:
    """A UUID version 7 (RFC 9562): 48 bits of milliseconds, then 74 random bits."""
    if at.tzinfo is None:
        raise NotALeaf("leaf_time", "the time of a fact has no zone")
    millis = int(at.timestamp() * 1000)
    value = millis << 80 | int.from_bytes(random)
    value = value & ~(0xF << 76) | 0x7 << 76
    return UUID(int=value & ~(0x3 << 62) | 0x2 << 62)
