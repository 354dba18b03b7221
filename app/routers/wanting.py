"""An act as sent: enough of it to say 403 and 409, the rest read later."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, TypeVar
from uuid import UUID

from pydantic import Field, TypeAdapter

from app.domain.delivery_messages import MAX_FILES
from app.errors import Conflict, FieldError, Refused
from app.routers.bodies import Body, parse_model
from app.services.wanted import Wanted

Act = TypeVar("Act")

FILES: TypeAdapter[tuple[UUID, ...]] = TypeAdapter(Annotated[tuple[UUID, ...], Field(max_length=MAX_FILES)])
ATTACHMENTS = "attachments"
"""The one member of an act's body that is not the act's: files of the case that it brings."""


def read_wanted(
    body: Body, model: TypeAdapter[Act], *, known: Collection[str], generation: int, files: bool = False
) -> Wanted[Act]:
    """The act in `body`, on a thing that is in this generation; with `files`, an act that may bring some.

    Raises Malformed for what is no JSON object. An act that there is not is Refused, but not before the caller has
    been told that the thing has changed: Conflict `stale_generation`.
    """
    members = dict(body.members())
    named = members.pop(ATTACHMENTS, []) if files else []
    action = members.get("action")
    read = members.get("generation")
    seen = read if isinstance(read, int) and not isinstance(read, bool) else None
    if isinstance(action, str) and action in known:
        return Wanted(action, seen, lambda: parse_model(model, members), lambda: _files(named))
    if seen is not None and seen != generation:
        raise Conflict("stale_generation", "It has changed since you read it.")
    fault = FieldError("/action", "unknown_value", f"One of: {', '.join(sorted(known))}.")
    raise Refused("document_invalid", "The body breaks the rules listed in errors.", errors=(fault,))


def _files(named: object) -> tuple[UUID, ...]:
    try:
        return parse_model(FILES, named)
    except Refused as refused:
        refused.errors = tuple(
            FieldError(f"/{ATTACHMENTS}{fault.pointer}", fault.code, fault.detail) for fault in refused.errors
        )
        raise
