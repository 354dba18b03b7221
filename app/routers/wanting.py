"""An act as sent: enough of it to say 403 and 409, the rest read later."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeVar

from pydantic import TypeAdapter

from app.errors import Conflict, FieldError, Refused
from app.routers.bodies import Body, parse_model
from app.services.wanted import Wanted

Act = TypeVar("Act")


def read_wanted(body: Body, model: TypeAdapter[Act], *, known: Collection[str], generation: int) -> Wanted[Act]:
    """The act in `body`, on a thing that is in this generation.

    Raises Malformed for what is no JSON object. An act that there is not is Refused, but not before the caller has
    been told that the thing has changed: Conflict `stale_generation`.
    """
    members = body.members()
    action = members.get("action")
    read = members.get("generation")
    seen = read if isinstance(read, int) and not isinstance(read, bool) else None
    if isinstance(action, str) and action in known:
        return Wanted(action, seen, lambda: parse_model(model, members))
    if seen is not None and seen != generation:
        raise Conflict("stale_generation", "It has changed since you read it.")
    fault = FieldError("/action", "unknown_value", f"One of: {', '.join(sorted(known))}.")
    raise Refused("document_invalid", "The body breaks the rules listed in errors.", errors=(fault,))
