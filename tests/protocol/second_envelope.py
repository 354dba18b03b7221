"""Sections 4 and 5 of docs/protocol.md with jwcrypto and the standard library: sign, close, open, believe."""

from __future__ import annotations

import hashlib
import json
import math
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from jwcrypto import jwe, jwk, jws
from jwcrypto.common import JWException

if TYPE_CHECKING:
    from collections.abc import Iterable

JSON = dict[str, Any]
REGISTRY = {name: jws.JWSEHeaderParameter(name, True, True, None) for name in ("iss", "aud", "copy")}  # noqa: FBT003 - its own signature
OUTER = {"typ": "cp-env+jwe", "alg": "ECDH-ES+A256KW", "enc": "A256GCM", "cty": "JWS"}
OUTER_MEMBERS = {*OUTER, "kid", "iss", "aud", "epk", "apu", "apv", "copy"}
CODE = re.compile(r"[A-Z]{2}(-[A-Z0-9]{2,12})?")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TYPE = re.compile(r"[a-z][a-z0-9.-]{0,47}/[1-9][0-9]{0,3}")
THREAD = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._-]{0,99}")
WHOLE = 2**53 - 1
LAST_SECOND = 253_402_300_799


class NotTaken(Exception):
    """The envelope fails a check of 5.6; the text is the reason."""

    def __init__(self, reason: str, *, authenticated: bool = False) -> None:
        super().__init__(reason)
        self.authenticated = authenticated


@dataclass(frozen=True)
class Text:
    """A signed text that its `iss` is proven to have made for us."""

    raw: str
    claims: JSON
    copy: int

    @staticmethod
    def hash_of(raw: str) -> str:
        """The hash of a signed text."""
        return encode(hashlib.sha256(raw.encode()).digest())

    @property
    def hash(self) -> str:
        """Its hash."""
        return self.hash_of(self.raw)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - claims by name
        return self.claims.get(name)

    @property
    def seq(self) -> int:
        """Its number; 0 without thread."""
        return int(self.claims.get("seq", 0))


class Seals:
    """Our keys, and the directory. `private` are JWKs with a `purpose`."""

    def __init__(self, private: Iterable[JSON], directory: JSON) -> None:
        keys = list(private)
        self._signing = next(key for key in keys if key["purpose"] == "sig")
        self._opening = {key["kid"]: key for key in keys if key["purpose"] == "enc"}
        self.version = directory["version"]
        self._published = {
            (point["code"], key["kid"]): key for point in directory["contact_points"] for key in point["keys"]
        }

    def is_revoked(self, code: str, kid: str) -> bool:
        """Whether the directory shows this key revoked."""
        return bool(self._published.get((code, kid), {}).get("revoked_at"))

    def sign(self, claims: JSON) -> str:
        """The one text of a message."""
        header = {"typ": "cp-env+jws", "alg": "Ed25519", "kid": self._signing["kid"]}
        signer = jws.JWS(canonical(claims))
        signer.allowed_algs = ["Ed25519"]
        signer.add_signature(_key(self._signing), None, json.dumps(header, separators=(",", ":")), None)
        return str(signer.serialize(compact=True))

    def close(self, text: str, iss: str, *, aud: str, copy: int) -> bytes:
        """One publication of a text."""
        now = datetime.now(UTC)
        usable = [
            key
            for (code, _), key in self._published.items()
            if (code, key["use"]) == (aud, "enc") and _is_valid(key, now) and not key.get("revoked_at")
        ]
        key = max(usable, key=lambda one: (_moment(one["nbf"]), one["kid"]))
        names = {"kid": key["kid"], "iss": iss, "aud": aud, "apu": encode(iss.encode()), "apv": encode(aud.encode())}
        sealer = jwe.JWE(
            text.encode(),
            json.dumps({**OUTER, **names, "copy": copy}),
            algs=[OUTER["alg"], OUTER["enc"]],
            header_registry=REGISTRY,
        )
        sealer.add_recipient(_key(key["jwk"]))
        return str(sealer.serialize(compact=True)).encode()

    def open(self, raw: bytes, me: str, *, now: datetime | None = None) -> Text:
        """Steps 1 to 8 of 5.6."""
        now = now or datetime.now(UTC)
        outer = _outer(raw)
        if outer["aud"] != me:
            raise NotTaken("not_for_me")
        if outer["kid"] not in self._opening:
            raise NotTaken("unknown_recipient_key")
        opener = jwe.JWE(algs=[OUTER["alg"], OUTER["enc"]], header_registry=REGISTRY)
        try:
            opener.deserialize(raw.decode(), key=_key(self._opening[outer["kid"]]))
            text = opener.payload.decode("ascii")
        except (JWException, ValueError) as fault:
            raise NotTaken("undecryptable") from fault
        return Text(text, self.verify(text, outer["iss"], aud=me, received_at=now), outer["copy"])

    def verify(self, text: str, iss: str, *, aud: str, received_at: datetime) -> JSON:
        """Steps 5 to 8 of 5.6."""
        header = _inner(text)
        record = self._published.get((iss, header["kid"]))
        if record is None or record["use"] != "sig":
            raise NotTaken("unknown_sender_key")
        verifier = jws.JWS()
        verifier.allowed_algs = ["Ed25519"]
        try:
            verifier.deserialize(text, key=_key(record["jwk"]))
        except JWException as fault:
            raise NotTaken("bad_signature") from fault
        members = strict(verifier.payload, size=293_888, depth=32)
        try:
            claims = read_claims(members)
        except NotTaken as fault:
            named = isinstance(members, dict) and (members.get("iss"), members.get("aud")) == (iss, aud)
            fault.authenticated = named and _speaks(record, received_at, received_at)
            raise
        if not _speaks(record, datetime.fromtimestamp(claims["iat"], UTC), received_at):
            raise NotTaken("key_revoked" if record.get("revoked_at") else "key_not_valid")
        _judge(claims, iss, aud=aud, received_at=received_at)
        return claims


def canonical(value: object) -> bytes:
    """RFC 8785, for what we write: names in ASCII and whole numbers only."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def encode(raw: bytes) -> str:
    """base64url without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """The bytes of a canonical spelling."""
    raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode(raw) != text:
        raise NotTaken("malformed")
    return raw


def strict(raw: bytes, *, size: int, depth: int) -> object:
    """JSON with one meaning (5.1)."""

    def once(pairs: list[tuple[str, Any]]) -> JSON:
        if len(dict(pairs)) != len(pairs):
            raise NotTaken("duplicate_member")
        return dict(pairs)

    if len(raw) > size:
        raise NotTaken("too_large")
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=once, parse_constant=lambda _: _malformed())
    except (ValueError, RecursionError) as fault:
        raise NotTaken("malformed") from fault
    if not _is_sound(value, depth):
        raise NotTaken("malformed")
    return value


def _malformed() -> None:
    raise NotTaken("malformed")


def _is_sound(value: object, depth: int) -> bool:
    if isinstance(value, str):
        return "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return abs(value) <= WHOLE
    if isinstance(value, dict):
        return depth > 0 and all(_is_sound(name, 1) and _is_sound(one, depth - 1) for name, one in value.items())
    return depth > 0 and all(_is_sound(one, depth - 1) for one in value) if isinstance(value, list) else True


def read_claims(value: object) -> JSON:
    """Every claim in its form (5.3), or `bad_claims`."""
    if not isinstance(value, dict):
        raise NotTaken("bad_claims")
    moment = {"low": 0, "high": LAST_SECOND}
    good = (
        _whole(value.get("v"), low=1)
        and isinstance(value.get("suite"), str)
        and 0 < len(value["suite"]) <= 16
        and all(_matches(CODE, value.get(name)) for name in ("iss", "aud"))
        and value["iss"] != value["aud"]
        and _matches(UUID, value.get("jti"))
        and _whole(value.get("iat"), **moment)
        and _matches(TYPE, value.get("type"))
        and isinstance(value.get("body"), dict)
        and isinstance(value.get("dir"), dict)
        and _whole(value["dir"].get("v"), low=1)
        and ("thread" in value) == ("seq" in value)
        and ("thread" not in value or (_matches(THREAD, value["thread"]) and _whole(value["seq"], low=1)))
        and ("prev" not in value or (_matches(UUID, value["prev"]) and value.get("seq", 1) > 1))
        and ("exp" not in value or _whole(value["exp"], **moment))
        and ("log" not in value or isinstance(value["log"], dict))
    )
    if not good:
        raise NotTaken("unknown_version" if _whole(value.get("v"), low=2) else "bad_claims")
    return value


def _outer(raw: bytes) -> JSON:
    """Steps 1 and 2 of 5.6."""
    if len(raw) > 524_288:
        raise NotTaken("too_large")
    if not raw.isascii():
        raise NotTaken("malformed")
    header = strict(_parts(raw.decode(), (None, 40, 12, None, 16))[0], size=2_048, depth=3)
    if not isinstance(header, dict):
        raise NotTaken("malformed")
    if any(header.get(name) != OUTER[name] for name in ("alg", "enc")):
        raise NotTaken("alg_not_allowed")
    epk = header.get("epk")
    good = (
        header.keys() == OUTER_MEMBERS
        and all(header[name] == value for name, value in OUTER.items())
        and all(_matches(CODE, header[name]) for name in ("iss", "aud"))
        and header["iss"] != header["aud"]
        and header["apu"] == encode(header["iss"].encode())
        and header["apv"] == encode(header["aud"].encode())
        and _whole(header["copy"], low=1)
        and isinstance(header["kid"], str)
        and isinstance(epk, dict)
        and epk.keys() == {"kty", "crv", "x"}
        and (epk["kty"], epk["crv"]) == ("OKP", "X25519")
        and _matches(re.compile("[A-Za-z0-9_-]{43}"), epk["x"])
    )
    if not good:
        raise NotTaken("wrong_header")
    return header


def _inner(text: str) -> JSON:
    """Step 5 of 5.6, but for the directory."""
    if len(text) > 409_600:
        raise NotTaken("too_large")
    header = strict(_parts(text, (None, None, 64))[0], size=2_048, depth=3)
    if not isinstance(header, dict):
        raise NotTaken("malformed")
    if header.get("alg") != "Ed25519":
        raise NotTaken("alg_not_allowed")
    if header.keys() != {"typ", "alg", "kid"} or header["typ"] != "cp-env+jws" or not isinstance(header["kid"], str):
        raise NotTaken("wrong_header")
    return header


def _judge(claims: JSON, iss: str, *, aud: str, received_at: datetime) -> None:
    """The rest of steps 7 and 8 of 5.6."""
    if (claims["iss"], claims["aud"]) != (iss, aud):
        raise NotTaken("mismatch")
    if (claims["v"], claims["suite"]) != (1, "cp1"):
        raise NotTaken("unknown_version", authenticated=True)
    if claims["iat"] > received_at.timestamp() + 300:
        raise NotTaken("from_the_future", authenticated=True)


def _parts(text: str, lengths: tuple[int | None, ...]) -> list[bytes]:
    parts = text.split(".")
    if len(parts) != len(lengths) or not re.fullmatch(r"[A-Za-z0-9_.-]*", text):
        raise NotTaken("malformed")
    try:
        decoded = [decode(part) for part in parts]
    except ValueError as fault:
        raise NotTaken("malformed") from fault
    if any(length is not None and len(raw) != length for raw, length in zip(decoded, lengths, strict=True)):
        raise NotTaken("malformed")
    return decoded


def _whole(value: object, *, low: int, high: int = WHOLE) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _is_valid(record: JSON, at: datetime) -> bool:
    end = min(_moment(record[name]) for name in ("exp", "retired_at") if record.get(name))
    return _moment(record["nbf"]) <= at < end


def _speaks(record: JSON, at: datetime, received_at: datetime) -> bool:
    """5.5."""
    revoked = record.get("revoked_at")
    return _is_valid(record, at) and (revoked is None or max(at, received_at) < _moment(revoked))


def _key(members: JSON) -> jwk.JWK:
    return jwk.JWK(**{name: members[name] for name in ("kty", "crv", "x", "d") if name in members})
