"""What travels between contact points as one AsyncAPI 3.0 document; docs/protocol.md says what it means."""

from __future__ import annotations

from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from app import __version__
from app.bus import topology
from app.bus.definitions import VHOST
from app.domain.codes import Lane, MessageType
from app.routers.message_forms import BODIES, THREADED, body_schema, claims_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

router = APIRouter(include_in_schema=False)

ASYNCAPI_VERSION: Final = "3.0.0"
BINDING_VERSION: Final = "0.3.0"
CONTENT_TYPE: Final = "application/jose"

DESCRIPTION: Final = """\
The messages between two contact points. Each travels as a compact JWE around a compact JWS; the payload described here
is that of the JWS. The courier sees sender, receiver and lane, and nothing else. A message stays with its sender until
the receiver's signed receipt; the broker's confirmation ends nothing but receipts.
"""

SUMMARIES: Final[Mapping[MessageType, str]] = MappingProxyType(
    {
        MessageType.EXCHANGE_OPEN: "A signed request opens an exchange.",
        MessageType.EXCHANGE_ACTION: "The requesting side wishes something of the exchange.",
        MessageType.EXCHANGE_STATE: "The requested side says how the exchange stands, and what became of wishes.",
        MessageType.HOLD_ACTION: "The requesting side wishes something of a hold.",
        MessageType.RECEIPT: "A node says which bytes it has stored. Never receipted.",
        MessageType.ATTACHMENT_CHUNK: "A piece of an encrypted file.",
        MessageType.HEARTBEAT: "A node is there. Replaced by the next, never sent again.",
        MessageType.RESYNC: "What a node has of a pair's threads, after a restore.",
        MessageType.RESYNC_COPY: "A text given back to the node that signed it.",
        MessageType.VOID: "A number whose text nobody holds.",
        MessageType.TEST_CALL: "Is a person there? And the answer of one.",
        MessageType.INCIDENT: "Data of the reader, or about its cases, were exposed, altered or lost.",
    }
)


@router.get("/asyncapi.json")
async def asyncapi() -> JSONResponse:
    """The document, to anybody: it tells how contact points talk, and nothing that one has said."""
    return JSONResponse(describe())


@cache
def describe() -> dict[str, Any]:
    """The document: valid AsyncAPI 3.0, every reference resolving within it. Not to be changed by its readers."""
    schemas: dict[str, Any] = {"Claims": claims_schema()}
    messages = {name_of(type_): _message(type_, schemas) for type_ in BODIES}
    return {
        "asyncapi": ASYNCAPI_VERSION,
        "info": {
            "title": "Counterpart between contact points",
            "version": __version__,
            "description": DESCRIPTION,
            "tags": [{"name": "protocol", "description": "docs/protocol.md"}],
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {"broker": _server()},
        "channels": _channels(),
        "operations": _operations(),
        "components": {
            "schemas": schemas,
            "messages": messages,
            "securitySchemes": {
                "password": {"type": "userPassword", "description": "The user name is the contact point's code."},
                "certificate": {"type": "X509", "description": "The common name is the contact point's code."},
            },
        },
    }


def name_of(type_: MessageType) -> str:
    """The message's key in the document: `exchangeOpen`."""
    first, *others = type_.value.partition("/")[0].replace("-", ".").split(".")
    return first + "".join(word.capitalize() for word in others)


def _server() -> dict[str, Any]:
    return {
        "host": "{host}",
        "protocol": "amqps",
        "protocolVersion": "0-9-1",
        "pathname": f"/{VHOST}",
        "description": "RabbitMQ 3.10 or later. An administrator declares everything, a node nothing.",
        "variables": {"host": {"description": "The broker that the contact points share."}},
        "security": [
            {"$ref": "#/components/securitySchemes/password"},
            {"$ref": "#/components/securitySchemes/certificate"},
        ],
    }


def _channels() -> dict[str, Any]:
    code = {"description": "Code of a contact point, XX or XX-NAME."}
    lane = {"description": "Chosen at each publication from the present tier.", "enum": [lane.value for lane in Lane]}
    suffix = {"description": "A secret between the administrator and the node."}
    exchange = {"name": topology.POST, "type": "topic", "durable": True, "autoDelete": False, "vhost": VHOST}
    return {
        "post": {
            "address": "{to}.{from}.{lane}",
            "description": "Where a node publishes: mandatory, persistent, with confirms, under its own user.",
            "servers": [{"$ref": "#/servers/broker"}],
            "parameters": {"to": code, "from": code, "lane": lane},
            "messages": _refer("#/components/messages", BODIES),
            "bindings": {"amqp": {"is": "routingKey", "exchange": exchange, "bindingVersion": BINDING_VERSION}},
        },
        "inbound": {
            "address": "cp.in.{code}.{lane}.{suffix}",
            "description": "A node's own queue of one lane; acknowledged after the commit.",
            "servers": [{"$ref": "#/servers/broker"}],
            "parameters": {"code": code, "lane": lane, "suffix": suffix},
            "messages": _refer("#/components/messages", BODIES),
            "bindings": {"amqp": _queue("cp.in.{code}.{lane}.{suffix}")},
        },
        "deadLetters": {
            "address": "cp.dead.{code}.{suffix}",
            "description": "What came back to the broker too often: put aside unopened, for people.",
            "servers": [{"$ref": "#/servers/broker"}],
            "parameters": {"code": code, "suffix": suffix},
            "messages": _refer("#/components/messages", BODIES),
            "bindings": {"amqp": _queue("cp.dead.{code}.{suffix}")},
        },
    }


def _queue(name: str) -> dict[str, Any]:
    queue = {"name": name, "durable": True, "exclusive": False, "autoDelete": False, "vhost": VHOST}
    return {"is": "queue", "queue": queue, "bindingVersion": BINDING_VERSION}


def _operations() -> dict[str, Any]:
    """What a node sends and takes; everything but a receipt is answered by one on the lane on which it came."""
    receipt = (MessageType.RECEIPT,)
    others = tuple(type_ for type_ in BODIES if type_ is not MessageType.RECEIPT)
    publishing = {"deliveryMode": 2, "mandatory": True, "ack": False, "bindingVersion": BINDING_VERSION}
    consuming = {"ack": True, "bindingVersion": BINDING_VERSION}
    return {
        "send": _operation("send", "post", others, publishing) | _replied("inbound"),
        "sendReceipt": _operation("send", "post", receipt, publishing),
        "receive": _operation("receive", "inbound", others, consuming) | _replied("post"),
        "receiveReceipt": _operation("receive", "inbound", receipt, consuming),
        "receiveDeadLetter": _operation("receive", "deadLetters", tuple(BODIES), consuming),
    }


def _operation(action: str, channel: str, types: Iterable[MessageType], binding: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name_of(type_)}"} for type_ in types],
        "bindings": {"amqp": dict(binding)},
    }


def _replied(channel: str) -> dict[str, Any]:
    receipt = name_of(MessageType.RECEIPT)
    reply = {
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{receipt}"}],
    }
    return {"reply": reply}


def _refer(place: str, types: Iterable[MessageType]) -> dict[str, Any]:
    return {name_of(type_): {"$ref": f"{place}/{name_of(type_)}"} for type_ in types}


def _message(type_: MessageType, schemas: dict[str, Any]) -> dict[str, Any]:
    """One message; its body and all that it is made of go to `schemas`."""
    body = _moved(body_schema(type_), schemas)
    said = {"type": {"const": type_.value}, "body": {"$ref": f"#/components/schemas/{body}"}}
    place: dict[str, Any] = {"required": ["thread", "seq"]} if type_ in THREADED else {}
    return {
        "name": type_.value,
        "title": type_.value,
        "summary": SUMMARIES[type_],
        "contentType": CONTENT_TYPE,
        "correlationId": {"description": "The message, in receipts and fates.", "location": "$message.payload#/jti"},
        "payload": {"allOf": [{"$ref": "#/components/schemas/Claims"}, {"properties": said, **place}]},
    }


def _moved(schema: dict[str, Any], schemas: dict[str, Any]) -> str:
    """Put a schema and its definitions where all messages find them; what two bodies share is there once."""
    for name, definition in {**schema.get("$defs", {}), schema["title"]: schema}.items():
        bare = {member: inner for member, inner in definition.items() if member != "$defs"}
        schemas[name] = _pointing(bare)
    return str(schema["title"])


def _pointing(part: Any) -> Any:  # noqa: ANN401 - any part of a JSON document
    if isinstance(part, dict):
        return {name: _pointing(inner) for name, inner in part.items()}
    if isinstance(part, list):
        return [_pointing(inner) for inner in part]
    if isinstance(part, str) and part.startswith("#/$defs/"):
        return f"#/components/schemas/{part.removeprefix('#/$defs/')}"
    return part
