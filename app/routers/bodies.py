"""What a client sent, read by ourselves from raw bytes.

The framework would parse and validate before anyone is asked who is calling, in a mode where strict models refuse dates
and UUIDs, and would let duplicate members and NaN through. Here a body is read only after authentication, never beyond
its limit, and a fault of its form waits until the command asks for the content: that it is not yours (404) is said
before that it is not JSON (400).
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from email.message import Message
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from starlette.requests import ClientDisconnect, Request

from app.envelope.canonical import parse_json
from app.errors import FieldError, Malformed, Refused
from app.routers.field_errors import field_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_BODY_BYTES = 256 * 1024
"""Of a JSON body, so that what is filed fits into an envelope. A full request document has about 10 kB."""

MAX_DEPTH = 32
"""Nesting of a JSON body."""

BODY_DEADLINE_SECONDS = 30.0
"""From the first to the last byte. A client that drips bytes may not keep us waiting for ever."""

MAX_LENGTH_DIGITS = 12
"""Of a Content-Length header that we still read as a number."""

BINARY = ("application/octet-stream", "application/partial-upload")
"""Content types of bytes; the second is that of resumable uploads."""

METHODS_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS", "DELETE", "TRACE"})

Checked = TypeVar("Checked")


@dataclass(frozen=True, slots=True)
class Body:
    """The bytes as sent, or the fault that kept us from reading them."""

    raw: bytes
    fault: Malformed | None = None

    def octets(self) -> bytes:
        """The body as bytes; raises Malformed: of another content type, compressed, too large, too slow, empty."""
        if self.fault is not None:
            raise self.fault
        return self.raw

    def json(self) -> object:
        """The JSON value of the body.

        Raises:
            Malformed: not JSON, not UTF-8, duplicate members, NaN, too deep, too large, wrong content type, empty.
        """
        if self.fault is not None:
            raise self.fault
        return parse_json(self.raw, max_bytes=MAX_BODY_BYTES, max_depth=MAX_DEPTH)

    def members(self) -> Mapping[str, Any]:
        """The body when it must be a JSON object."""
        value = self.json()
        if not isinstance(value, dict):
            raise Refused(
                "document_invalid",
                "The body must be a JSON object.",
                errors=(FieldError("", "wrong_type", "This must be an object."),),
            )
        return value


async def read_body(
    request: Request, *, max_bytes: int = MAX_BODY_BYTES, seconds: float = BODY_DEADLINE_SECONDS
) -> Body:
    """The body of `request`, never holding more than `max_bytes` of it, whether its length is declared or not.

    A body that is too large, too slow or of another type than JSON is returned as a `Body` with a fault.
    """
    if request.method in METHODS_WITHOUT_BODY:
        return Body(b"")
    return await _read(request, _check_json, max_bytes=max_bytes, seconds=seconds)


async def _read(request: Request, check_type: Callable[[Request], None], *, max_bytes: int, seconds: float) -> Body:
    try:
        check_type(request)
        _check_coding(request)
        _check_length(request, max_bytes)
        async with asyncio.timeout(seconds):
            return Body(await _gather(request, max_bytes))
    except Malformed as fault:
        return Body(b"", fault)
    except TimeoutError:
        return Body(b"", Malformed("body_too_slow", "The body did not arrive in time."))
    except ClientDisconnect:
        return Body(b"", Malformed("body_incomplete", "The connection ended before the body did."))


async def read_json(request: Request, *, max_bytes: int = MAX_BODY_BYTES) -> object:
    """The JSON value sent with `request`; raises Malformed. For routes that open no command."""
    return (await read_body(request, max_bytes=max_bytes)).json()


async def read_bytes(request: Request, *, max_bytes: int, seconds: float = BODY_DEADLINE_SECONDS) -> Body:
    """A body of bytes, at least one of them, or its fault, as of JSON bodies."""
    return await _read(request, _check_binary, max_bytes=max_bytes, seconds=seconds)


def parse_model(model: type[Checked] | TypeAdapter[Checked], value: object) -> Checked:
    """`value` (parsed JSON) as `model`, in pydantic's JSON mode, so that strict models take times and UUIDs as text.

    Raises:
        Refused: code `document_invalid`, with one entry per broken rule; no entry repeats a submitted value.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    adapter = model if isinstance(model, TypeAdapter) else TypeAdapter(model)
    try:
        return adapter.validate_json(text)
    except ValidationError as fault:
        raise Refused(
            "document_invalid", "The body breaks the rules listed in errors.", errors=field_errors(fault, value)
        ) from None


async def _gather(request: Request, max_bytes: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > max_bytes:
            raise _too_large(max_bytes)
        parts.append(part)
    if size == 0:
        raise Malformed("body_missing", "This needs a body.")
    return b"".join(parts)


def _check_json(request: Request) -> None:
    declared = Message()
    declared["content-type"] = request.headers.get("content-type", "")
    charset = declared.get_content_charset("utf-8")
    if "content-type" not in request.headers or declared.get_content_type() != "application/json" or charset != "utf-8":
        raise Malformed("content_type_not_json", "The Content-Type must be application/json, in UTF-8.")


def _check_binary(request: Request) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in BINARY:
        raise Malformed("content_type_not_binary", f"The Content-Type must be {' or '.join(BINARY)}.")


def _check_coding(request: Request) -> None:
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise Malformed("content_encoding_not_supported", "The body must not be compressed.")


def _check_length(request: Request, max_bytes: int) -> None:
    length = request.headers.get("content-length", "0")
    if len(length) > MAX_LENGTH_DIGITS or int(length) > max_bytes:
        raise _too_large(max_bytes)


def _too_large(max_bytes: int) -> Malformed:
    return Malformed("body_too_large", f"The body may have {max_bytes} bytes.", max_bytes=max_bytes)
