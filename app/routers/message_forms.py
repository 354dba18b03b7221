"""The JSON Schemas of everything that two nodes say to each other, made from the models that read it.

They describe what a sender writes: an optional member without a value is absent, an id is in lower case, an instant is
as RFC 3339 has it. Members that a schema does not name are allowed everywhere but in the two protected headers.
"""

from __future__ import annotations

import re
from copy import deepcopy
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from app.domain.codes import MessageType
from app.domain.delivery_messages import ChunkBody, HeartbeatBody, ResyncBody, ResyncCopyBody
from app.domain.directory import Directory
from app.domain.messages import ActionBody, HoldActionBody, OpenBody, ReceiptBody, StateBody, VoidBody
from app.domain.service_messages import CallBody, IncidentBody
from app.envelope import format as form

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.domain.wire import Open

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

BODIES: Mapping[MessageType, type[Open]] = MappingProxyType(
    {
        MessageType.EXCHANGE_OPEN: OpenBody,
        MessageType.EXCHANGE_ACTION: ActionBody,
        MessageType.EXCHANGE_STATE: StateBody,
        MessageType.HOLD_ACTION: HoldActionBody,
        MessageType.RECEIPT: ReceiptBody,
        MessageType.ATTACHMENT_CHUNK: ChunkBody,
        MessageType.HEARTBEAT: HeartbeatBody,
        MessageType.RESYNC: ResyncBody,
        MessageType.RESYNC_COPY: ResyncCopyBody,
        MessageType.VOID: VoidBody,
        MessageType.TEST_CALL: CallBody,
        MessageType.INCIDENT: IncidentBody,
    }
)
"""The bodies that the protocol defines. The other types of `MessageType` are names kept free for later."""

THREADED: Final = (
    MessageType.EXCHANGE_OPEN,
    MessageType.EXCHANGE_ACTION,
    MessageType.EXCHANGE_STATE,
    MessageType.HOLD_ACTION,
    MessageType.ATTACHMENT_CHUNK,
    MessageType.ERASE,
    MessageType.VOID,
)

_FORMATS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "uuid": f"^{form.MESSAGE_ID.pattern}$",
        "date-time": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$",
        "date": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    }
)
"""`format` alone obliges no validator to look."""

_NOT_HERE: Final = re.compile(r" \((as )?ruling \d+\)| \(domain\.md [^)]*\)")
"""What a docstring tells readers of the code and of no use to others."""


def file_name(type_: MessageType) -> str:
    """Where the schema of a body is found in docs/schemas: `exchange.open.1.json`."""
    return f"{type_.value.replace('/', '.')}.json"


def schemas() -> dict[str, dict[str, Any]]:
    """Every schema by the name of its file."""
    bodies = {file_name(type_): _named(type_.value, body_schema(type_)) for type_ in BODIES}
    return bodies | {
        "claims.json": _named("claims", claims_schema()),
        "signed-header.json": _named("signed-header", signed_header_schema()),
        "envelope-header.json": _named("envelope-header", envelope_header_schema()),
        "directory.json": _named("directory", _plain(Directory.model_json_schema())),
    }


def body_schema(type_: MessageType) -> dict[str, Any]:
    """The form of the body of one type, with its definitions in `$defs`."""
    schema: dict[str, Any] = _plain(BODIES[type_].model_json_schema(by_alias=True))
    return schema


def claims_schema() -> dict[str, Any]:
    """The payload of a signed text, whatever its type."""
    whole = {"type": "integer", "maximum": form.MAX_INTEGER}
    moment = {"type": "integer", "minimum": 0, "maximum": form.MAX_TIME_SECONDS}
    identifier = {"type": "string", "format": "uuid", "pattern": _FORMATS["uuid"]}
    code = {"type": "string", "pattern": f"^{form.CODE.pattern}$"}
    return {
        "title": "Claims",
        "description": "The payload of the signed text. `iss` and `aud` differ.",
        "type": "object",
        "properties": {
            "v": {"const": form.VERSION},
            "suite": {"const": form.SUITE},
            "iss": code,
            "aud": code,
            "jti": identifier,
            "iat": moment,
            "type": {"type": "string", "pattern": f"^{form.MESSAGE_TYPE.pattern}$"},
            "body": {"type": "object"},
            "dir": {"type": "object", "properties": {"v": whole | {"minimum": 1}}, "required": ["v"]},
            "thread": {"type": "string", "pattern": f"^{form.THREAD.pattern}$"},
            "seq": whole | {"minimum": 1},
            "prev": identifier,
            "exp": moment,
            "log": {"type": "object"},
        },
        "required": ["v", "suite", "iss", "aud", "jti", "iat", "type", "body", "dir"],
        "dependentRequired": {"thread": ["seq"], "seq": ["thread"], "prev": ["seq"]},
        "allOf": [
            {
                "if": {"properties": {"type": {"enum": [type_.value for type_ in THREADED]}}},
                "then": {"required": ["thread", "seq"]},
            },
            {
                "if": {"properties": {"type": {"enum": _unthreaded()}}},
                "then": {"not": {"anyOf": [{"required": ["thread"]}, {"required": ["seq"]}]}},
            },
            {"if": {"required": ["prev"]}, "then": {"properties": {"seq": {"minimum": 2}}}},
        ],
    }


def signed_header_schema() -> dict[str, Any]:
    """The protected header of the JWS, decoded."""
    members = {
        "typ": {"const": form.INNER_TYP},
        "alg": {"const": form.SIGN_ALG},
        "kid": {"type": "string", "pattern": f"^{form.KEY_ID.pattern}$"},
    }
    return _closed("Header of the signed text", members)


def envelope_header_schema() -> dict[str, Any]:
    """The protected header of the JWE, decoded."""
    code = {"type": "string", "pattern": f"^{form.CODE.pattern}$"}
    encoded = {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"}
    point = {"type": "string", "pattern": "^[A-Za-z0-9_-]{43}$"}
    agreed = {"kty": {"const": "OKP"}, "crv": {"const": form.EPHEMERAL_CRV}, "x": point}
    members = {
        "typ": {"const": form.OUTER_TYP},
        "alg": {"const": form.AGREE_ALG},
        "enc": {"const": form.ENC},
        "kid": {"type": "string", "pattern": f"^{form.KEY_ID.pattern}$"},
        "cty": {"const": form.OUTER_CTY},
        "iss": code,
        "aud": code,
        "epk": _closed("Ephemeral key", agreed),
        "apu": encoded,
        "apv": encoded,
        "copy": {"type": "integer", "minimum": 1, "maximum": form.MAX_INTEGER},
    }
    return _closed("Header of the envelope", members)


def _unthreaded() -> list[str]:
    return [type_.value for type_ in MessageType if type_ not in THREADED]


def _closed(title: str, members: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "title": title,
        "type": "object",
        "properties": dict(members),
        "required": list(members),
        "additionalProperties": False,
    }


def _named(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"$schema": DIALECT, "$id": f"urn:counterpart:schema:{name.replace('/', ':')}", **schema}


def _plain(part: Any) -> Any:  # noqa: ANN401 - any part of a JSON document
    """What the models say, as a sender needs it: without words for tools, open to further members, and never null."""
    if isinstance(part, list):
        return [_plain(inner) for inner in part]
    if not isinstance(part, dict):
        return part
    kept = {name: deepcopy(inner) for name, inner in part.items() if name != "discriminator"}
    if isinstance(kept.get("additionalProperties"), bool):
        del kept["additionalProperties"]
    if isinstance(kept.get("description"), str):
        kept["description"] = " ".join(_NOT_HERE.sub("", kept["description"]).split())
    if "default" in kept and kept["default"] in (None, []):
        del kept["default"]
    kept = _without_null(kept)
    if kept.get("format") in _FORMATS:
        kept.setdefault("pattern", _FORMATS[kept["format"]])
    if isinstance(kept.get("properties"), dict):
        kept["properties"] = {name: _untitled(inner) for name, inner in kept["properties"].items()}
        return {name: inner if name == "properties" else _plain(inner) for name, inner in kept.items()}
    return {name: _plain(inner) for name, inner in kept.items()}


def _untitled(member: Any) -> Any:  # noqa: ANN401 - any schema of a member
    """A member's schema without the title that repeats its name."""
    plain = _plain(member)
    return {name: inner for name, inner in plain.items() if name != "title"} if isinstance(plain, dict) else plain


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """`anyOf` something and null becomes that something."""
    choices = schema.get("anyOf")
    if not isinstance(choices, list) or {"type": "null"} not in choices:
        return schema
    left = [choice for choice in choices if choice != {"type": "null"}]
    rest = {name: inner for name, inner in schema.items() if name != "anyOf"}
    return rest | left[0] if len(left) == 1 else rest | {"anyOf": left}
