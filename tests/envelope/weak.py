"""An opener with one protection taken out, to show that each protection is what stops its attack."""

from __future__ import annotations

import base64
import json
from enum import Enum, auto
from typing import Any

from joserfc import jwe, jws
from joserfc.jwk import OctKey, OKPKey
from joserfc.registry import HeaderParameter

from tests.envelope.parties import AURELIA, KITANO, SAHRAN, Party

PARTIES = {party.code: party for party in (AURELIA, KITANO, SAHRAN)}


class Skip(Enum):
    """The protection that is missing."""

    NOTHING = auto()
    AUD_IS_ME = auto()
    NAMES_INSIDE_EQUAL_OUTSIDE = auto()
    KEY_BELONGS_TO_ISS = auto()
    ALG_FROM_RECORD = auto()
    ONE_OF_EACH_MEMBER = auto()
    NO_COMPRESSION = auto()


class Refused(Exception):
    """The weak opener noticed."""


def open_weakly(raw: bytes, *, me: Party, skip: Skip) -> dict[str, Any]:
    """The claims, if every check but `skip` passes. Everything else is left to the library."""
    header = _read(raw.split(b".", maxsplit=1)[0], once=skip is not Skip.ONE_OF_EACH_MEMBER)
    if skip is not Skip.AUD_IS_ME and header["aud"] != me.code:
        raise Refused("aud")
    if skip is not Skip.NO_COMPRESSION and "zip" in header:
        raise Refused("zip")
    text = _decrypt(raw, me)
    inner = _read(text.split(b".", maxsplit=1)[0], once=True)
    signer = _find_signer(inner["kid"], header["iss"], anyone=skip is Skip.KEY_BELONGS_TO_ISS)
    claims: dict[str, Any] = json.loads(_verify(text, signer, alg_of_token=skip is Skip.ALG_FROM_RECORD))
    if skip is not Skip.NAMES_INSIDE_EQUAL_OUTSIDE and (claims["iss"], claims["aud"]) != (header["iss"], header["aud"]):
        raise Refused("names")
    return claims


def _read(part: bytes, *, once: bool) -> dict[str, Any]:
    def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if once and len(dict(pairs)) != len(pairs):
            raise Refused("duplicate")
        return dict(pairs)

    members: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + b"=="), object_pairs_hook=collect)
    return members


def _decrypt(raw: bytes, me: Party) -> bytes:
    more = {name: HeaderParameter(name, "str") for name in ("iss", "aud")} | {"copy": HeaderParameter("copy", "int")}
    registry = jwe.JWERegistry(header_registry=more, algorithms=["ECDH-ES+A256KW", "A256GCM", "DEF"])
    (key,) = me.keyring.decryption.values()
    return jwe.decrypt_compact(raw, key.private, registry=registry).plaintext or b""


def _find_signer(kid: str, iss: str, *, anyone: bool) -> Party:
    for party in PARTIES.values():
        if party.sig.kid == kid and (anyone or party.code == iss):
            return party
    raise Refused("kid")


def _verify(text: bytes, signer: Party, *, alg_of_token: bool) -> bytes:
    public = signer.sig.public
    if alg_of_token and _read(text.split(b".", maxsplit=1)[0], once=True)["alg"] == "HS256":
        return jws.deserialize_compact(text, OctKey.import_key(public), algorithms=["HS256"]).payload
    x = base64.urlsafe_b64encode(public).rstrip(b"=").decode()
    key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": x})
    return jws.deserialize_compact(text, key, algorithms=["Ed25519"]).payload
