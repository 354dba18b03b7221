"""Answers as bytes, made once: what is sent is what a repeated command gets again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fastapi import Response
from pydantic import BaseModel
from pydantic_core import to_json

JSON = "application/json"
NO_STORE = {"Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command answers: a status below 400, a JSON value or model, further headers such as `Location`."""

    status: int
    content: object
    headers: Mapping[str, str] = field(default_factory=dict)


def json_bytes(content: object) -> bytes:
    """The bytes of an answer. Models write their own times; a NaN is refused, since JSON has none."""
    if isinstance(content, BaseModel):
        return content.model_dump_json().encode()
    return to_json(content, inf_nan_mode="strings")


def answer_json(status: int, content: object, *, headers: Mapping[str, str] | None = None) -> Response:
    """`content` as an answer that no cache may keep."""
    return Response(json_bytes(content), status, headers={**NO_STORE, **(headers or {})}, media_type=JSON)
