"""The two protected headers, read strictly: exactly the members of docs/protocol.md, 5, each exactly of its form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.envelope.canonical import parse_json
from app.envelope.format import (
    AGREE_ALG,
    CODE,
    ENC,
    EPHEMERAL_CRV,
    INNER_MEMBERS,
    INNER_TYP,
    KEY_BYTES,
    KEY_ID,
    MAX_HEADER_BYTES,
    MAX_HEADER_DEPTH,
    MAX_INTEGER,
    OUTER_CTY,
    OUTER_MEMBERS,
    OUTER_TYP,
    SIGN_ALG,
    decode_part,
    encode_part,
)
from app.envelope.reasons import Reason, Rejected
from app.errors import Malformed

if TYPE_CHECKING:
    import re

_KINDS = {
    "too_large": Reason.TOO_LARGE,
    "duplicate_member": Reason.DUPLICATE_MEMBER,
    "bad_claims": Reason.BAD_CLAIMS,
    "unknown_version": Reason.UNKNOWN_VERSION,
}


@dataclass(frozen=True, slots=True)
class OuterHeader:
    """What the courier sees. Bound to the ciphertext, but said by whoever closed the envelope: not proven."""

    iss: str
    aud: str
    kid: str
    copy: int


def split_parts(text: str, lengths: tuple[int | None, ...]) -> tuple[bytes, ...]:
    """The decoded parts of a compact serialisation: each canonical, and of the given length in bytes, if any."""
    parts = text.split(".")
    if len(parts) != len(lengths):
        raise Rejected(Reason.MALFORMED, f"The text has not the {len(lengths)} parts of its form.")
    try:
        decoded = tuple(decode_part(part) for part in parts)
    except ValueError as fault:
        raise Rejected(Reason.MALFORMED, "A part is not canonical base64url.") from fault
    for raw, length in zip(decoded, lengths, strict=True):
        if length is not None and len(raw) != length:
            raise Rejected(Reason.MALFORMED, "A part has not the length its algorithm demands.")
    return decoded


def explain(fault: Malformed) -> Reason:
    """The reason that stands for a JSON text or for claims that cannot be read."""
    return _KINDS.get(fault.code, Reason.MALFORMED)


def read_outer(raw: bytes) -> OuterHeader:
    """The outer header; `Rejected` unless it has exactly our members, our algorithms and well-formed names."""
    header = _read_object(raw)
    if (header.get("alg"), header.get("enc")) != (AGREE_ALG, ENC):
        raise Rejected(Reason.ALG_NOT_ALLOWED, "The envelope is not closed with the algorithms of this suite.")
    if header.keys() != OUTER_MEMBERS:
        raise Rejected(Reason.WRONG_HEADER, "The outer header has not exactly the members it must have.")
    outer = OuterHeader(
        iss=_match(header["iss"], CODE, name="iss"),
        aud=_match(header["aud"], CODE, name="aud"),
        kid=_match(header["kid"], KEY_ID, name="kid"),
        copy=_count(header["copy"]),
    )
    fixed = {
        "typ": OUTER_TYP,
        "cty": OUTER_CTY,
        "apu": encode_part(outer.iss.encode("ascii")),
        "apv": encode_part(outer.aud.encode("ascii")),
    }
    for name, value in fixed.items():
        if header[name] != value:
            raise Rejected(Reason.WRONG_HEADER, f"The outer header's {name} is not what it must be.")
    if outer.iss == outer.aud:
        raise Rejected(Reason.WRONG_HEADER, "Nobody writes to itself.")
    _check_ephemeral(header["epk"])
    return outer


def read_inner(raw: bytes) -> str:
    """The inner header's key id; `Rejected` unless the header has exactly our three members.

    Its alg only has to be ours: which algorithm is used to verify comes from the key's record, never from here.
    """
    header = _read_object(raw)
    if header.get("alg") != SIGN_ALG:
        raise Rejected(Reason.ALG_NOT_ALLOWED, f"The text is not signed with {SIGN_ALG}.")
    if header.keys() != INNER_MEMBERS or header["typ"] != INNER_TYP:
        raise Rejected(Reason.WRONG_HEADER, "The inner header has not exactly the members it must have.")
    return _match(header["kid"], KEY_ID, name="kid")


def _read_object(raw: bytes) -> dict[str, object]:
    try:
        header = parse_json(raw, max_bytes=MAX_HEADER_BYTES, max_depth=MAX_HEADER_DEPTH)
    except Malformed as fault:
        raise Rejected(explain(fault), f"A header cannot be read: {fault.detail}") from fault
    if not isinstance(header, dict):
        raise Rejected(Reason.MALFORMED, "A header is not a JSON object.")
    return header


def _match(value: object, pattern: re.Pattern[str], *, name: str) -> str:
    if not isinstance(value, str) or pattern.fullmatch(value) is None:
        raise Rejected(Reason.WRONG_HEADER, f"The header's {name} has not the form it must have.")
    return value


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_INTEGER:
        raise Rejected(Reason.WRONG_HEADER, "The header's copy is not a whole number from 1 on.")
    return value


def _check_ephemeral(epk: object) -> None:
    if not isinstance(epk, dict) or epk.keys() != {"kty", "crv", "x"}:
        raise Rejected(Reason.WRONG_HEADER, "The header's epk has not exactly the members kty, crv and x.")
    if epk["kty"] != "OKP" or epk["crv"] != EPHEMERAL_CRV or not isinstance(epk["x"], str):
        raise Rejected(Reason.WRONG_HEADER, f"The header's epk is not a key on {EPHEMERAL_CRV}.")
    try:
        length = len(decode_part(epk["x"]))
    except ValueError as fault:
        raise Rejected(Reason.WRONG_HEADER, "The header's epk is not canonical base64url.") from fault
    if length != KEY_BYTES:
        raise Rejected(Reason.WRONG_HEADER, "The header's epk has not the length of a key.")
