"""How a route is described: once, beside the route, with examples that have names and every error it can answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from fastapi import Response
from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode
from pydantic_core import to_jsonable_python

TOLD = "x-told"
"""What a route says of itself, as JSON text until `openapi.py` unpacks it: the framework would drop every null."""

Examples = Mapping[str, object]
"""Name → value. The name is a short word of the field, such as `preservation`."""


class Tag(StrEnum):
    """The chapters of the interface."""

    REQUESTS = "Requests"
    EXCHANGES = "Exchanges"
    HOLDS = "Holds"
    EVENTS = "Events"
    AUDIT = "Audit"
    LAW = "Law"
    REFERENCE = "Reference"
    DIRECTORY = "Directory"
    ROSTER = "Roster"
    MONITORING = "Monitoring"


TAGS: Mapping[Tag, str] = {
    Tag.REQUESTS: "What an agency files at its own contact point, and what its contact point decides. Nothing leaves "
    "the state before a duty officer has opened and approved it and a second person has signed it.",
    Tag.EXCHANGES: "What two contact points share once a request was signed. Only the requested side changes its "
    "state; the requesting side's acts answer 202 and are shown as under way until the other side has spoken.",
    Tag.HOLDS: "Data that a requested state keeps from being lost, and until when: at least sixty days.",
    Tag.EVENTS: "What changed, in order and without a gap: by cursor, by long poll, or as a stream.",
    Tag.AUDIT: "The record that a third party can verify: entries, signed checkpoints, proofs.",
    Tag.LAW: "The instruments, who is bound by them, and what can be said to a request under each: data that an "
    "operator edits and a lawyer can read.",
    Tag.REFERENCE: "What can be asked, and who you are here.",
    Tag.DIRECTORY: "The contact points of the network, test calls to them, and incidents that one tells another of.",
    Tag.ROSTER: "Who is on duty at this contact point, whether somebody always is, and what one shift hands over to "
    "the next. Nothing of it goes abroad: others see the functions and numbers that the directory lists.",
    Tag.MONITORING: "How this node is doing, for machines and for ministries.",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """An error a route can answer: its code, its status, and a sentence as an example."""

    code: str
    status: int
    detail: str
    extra: Mapping[str, object] = field(default_factory=dict)


NOT_AUTHENTICATED = Fault("not_authenticated", 401, "This needs a bearer token.")
TOKEN_NOT_VALID = Fault("token_not_valid", 401, "This bearer token is not valid at this contact point.")
ROLE_NOT_ALLOWED = Fault("role_not_allowed", 403, "Your role may not do this.")
FOUR_EYES = Fault("four_eyes", 403, "Another person must do this than the one who approved.")
NOT_FOUND = Fault("not_found", 404, "There is no such thing, or it is not yours.")
STALE_GENERATION = Fault(
    "stale_generation", 409, "It has changed since you read it.", {"current": {"state": "TRIAGE", "generation": 3}}
)
ACTION_NOT_ALLOWED = Fault("action_not_allowed", 409, "This cannot be done in the present state.")
IDEMPOTENCY_IN_PROGRESS = Fault(
    "idempotency_in_progress", 409, "A command with this Idempotency-Key is still at work.", {"retry_after": 1}
)
IDEMPOTENCY_KEY_REQUIRED = Fault(
    "idempotency_key_required", 400, "This needs an Idempotency-Key header: a new one per command."
)
IDEMPOTENCY_KEY_REUSED = Fault("idempotency_key_reused", 422, "This Idempotency-Key was used for another command.")
NOT_JSON = Fault("not_json", 400, "The text is not JSON.")
BODY_TOO_SLOW = Fault("body_too_slow", 408, "The body did not arrive in time.")
BODY_TOO_LARGE = Fault("body_too_large", 413, "The body may have 262144 bytes.", {"max_bytes": 262144})
BODY_MISSING = Fault("body_missing", 400, "This needs a body.")
CONTENT_TYPE_NOT_BINARY = Fault(
    "content_type_not_binary", 415, "The Content-Type must be application/octet-stream or application/partial-upload."
)
CONTENT_TYPE_NOT_JSON = Fault("content_type_not_json", 415, "The Content-Type must be application/json, in UTF-8.")
DOCUMENT_INVALID = Fault("document_invalid", 422, "The body breaks the rules listed in errors.")
PARAMETERS_INVALID = Fault("parameters_invalid", 422, "The query or a header breaks the rules listed in errors.")
INTERNAL_ERROR = Fault("internal_error", 500, "This node failed. The failure is logged.")
STORAGE_UNAVAILABLE = Fault(
    "storage_unavailable",
    503,
    "The database did not take this now. Send it again with the same Idempotency-Key.",
    {"retry_after": 2},
)

RECOVERING = Fault(
    "recovering",
    503,
    "After a restore it is not yet known what was agreed with XT. Call its desk; other peers are open.",
    {
        "retry_after": 60,
        "peer": "XT",
        "fallback": {
            "code": "XT",
            "agency": {"native": "Kitano Cyber Desk", "language": "en", "english": "Kitano Cyber Desk"},
            "ask_for": None,
            "phones": [{"number": "+81300000000", "label": "duty desk", "languages": ["ja", "en"]}],
            "emails": [{"address": "desk@cp.xt.example", "purpose": "24/7 desk"}],
            "time_zone": "Asia/Tokyo",
        },
    },
)
"""`peer` and `fallback` are there when one contact point is closed; without them the whole node takes no command."""

OF_CALLER: tuple[Fault, ...] = (NOT_AUTHENTICATED, TOKEN_NOT_VALID)
OF_BODY = (NOT_JSON, BODY_TOO_SLOW, BODY_TOO_LARGE, CONTENT_TYPE_NOT_JSON, DOCUMENT_INVALID)
OF_BYTES = (BODY_MISSING, BODY_TOO_SLOW, BODY_TOO_LARGE, CONTENT_TYPE_NOT_BINARY, RECOVERING)
OF_KEY = (IDEMPOTENCY_KEY_REQUIRED, IDEMPOTENCY_IN_PROGRESS, IDEMPOTENCY_KEY_REUSED, RECOVERING)
OF_QUERY = (PARAMETERS_INVALID,)
OF_PATH = (NOT_FOUND,)
OF_EVERYTHING = (INTERNAL_ERROR, STORAGE_UNAVAILABLE)

IDEMPOTENCY_KEY: Mapping[str, object] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "A new one per command, kept for repetitions of it: 1 to 255 visible ASCII characters. Sent again "
    "with the same body within 7 days it gets the same answer, marked `Idempotency-Replayed: true`, and does nothing.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    "examples": {"uuid": {"value": "0193503e-7a52-7c1e-9d0b-3f3c6f6b2f11"}},
}


REPLAYED: Mapping[str, str] = {
    "Idempotency-Replayed": "`true` on the kept answer of a command that was sent again; absent otherwise."
}


@dataclass(frozen=True, slots=True)
class Answered:
    """A good answer: what it means, its model (None for text), named examples, and other media types it comes in."""

    description: str
    model: Any = None
    examples: Examples = field(default_factory=dict)
    media_type: str = "application/json"
    also: Mapping[str, Examples] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def described(self) -> dict[str, Any]:
        """The answer as OpenAPI; definitions inside its schema are moved to the components later."""
        described: dict[str, Any] = {"description": self.description}
        if self.model is not None or self.examples:
            described["content"] = {self.media_type: _content(self.model or str, self.examples)}
            for media_type, examples in self.also.items():
                described["content"][media_type] = _content(str, examples)
        if self.headers:
            described["headers"] = {
                name: {"description": text, "schema": {"type": "string"}} for name, text in self.headers.items()
            }
        return described


@dataclass(frozen=True, slots=True)
class JsonBody:
    """A body read by ourselves: its model, or its JSON Schema where no model has it, and named examples."""

    model: Any
    examples: Examples

    def described(self) -> dict[str, Any]:
        """The request body as OpenAPI; definitions inside its schema are moved to the components later."""
        return {
            "required": True,
            "content": {"application/json": _content(self.model, self.examples, mode="validation")},
        }


@dataclass(frozen=True, slots=True)
class BinaryBody:
    """A body of bytes that no model has."""

    description: str

    def described(self) -> dict[str, Any]:
        """The request body as OpenAPI."""
        bytes_: dict[str, Any] = {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}
        bytes_["examples"] = {"piece": {"value": "the next bytes of the file"}}
        return {"required": True, "description": self.description, "content": {"application/octet-stream": bytes_}}


@dataclass(frozen=True, slots=True)
class Operation:
    """One route's description. `acts` marks a command that needs an Idempotency-Key.

    `answers` begins with the usual one. Errors that follow from the form of the route (no token, bad body, bad query)
    are added by `openapi.py`; `errors` lists those of its meaning.
    """

    id: str
    tag: Tag
    summary: str
    answers: Mapping[int, Answered]
    errors: tuple[Fault, ...] = ()
    body: JsonBody | BinaryBody | None = None
    acts: bool = False

    def route(self) -> dict[str, Any]:
        """Arguments for the decorator of the route; the route's docstring is the description."""
        told: dict[str, Any] = {
            "responses": {str(status): self._described(answer) for status, answer in self.answers.items()},
            "faults": [asdict(fault) for fault in (*self.errors, *self._implied())],
        }
        if self.body is not None:
            told["requestBody"] = self.body.described()
        if self.acts:
            told["parameters"] = [IDEMPOTENCY_KEY]
        return {
            "operation_id": self.id,
            "tags": [self.tag],
            "summary": self.summary,
            "status_code": next(iter(self.answers)),
            "response_class": Response,
            "response_model": None,
            "openapi_extra": {TOLD: json.dumps(told)},
        }

    def _described(self, answer: Answered) -> dict[str, Any]:
        return replace(answer, headers={**answer.headers, **REPLAYED}).described() if self.acts else answer.described()

    def _implied(self) -> tuple[Fault, ...]:
        of_body = {JsonBody: OF_BODY, BinaryBody: OF_BYTES}.get(type(self.body), ())
        return of_body + (OF_KEY if self.acts else ())


def _content(model: Any, examples: Examples, *, mode: JsonSchemaMode = "serialization") -> dict[str, Any]:  # noqa: ANN401 - a model, a type or a JSON Schema
    schema = dict(model) if isinstance(model, Mapping) else TypeAdapter(model).json_schema(mode=mode)
    shown = {name: {"value": to_jsonable_python(value)} for name, value in examples.items()}
    return {"schema": schema, "examples": shown}
