"""An act as sent: enough of it to say 403 and 409, the rest read later."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeVar

from pydantic import TypeAdapter

from app.errors import FieldError, Refused
from app.routers.bodies import Body, parse_model
from app.services.wanted import Wanted

Act = TypeVar("Act")


def read_wanted(body: Body, model: TypeAdapter[Act], *, known: Collection[str]) -> Wanted[Act]:
    """The act in `body`. Raises Malformed for what is no JSON object, Refused for an act there is not."""
    members = body.members()
    action = members.get("action")
    if not isinstance(action, str) or action not in known:
        fault = FieldError("/action", "unknown_value", f"One of: {', '.join(sorted(known))}.")
        raise Refused("document_invalid", "The body breaks the rules listed in errors.", errors=(fault,))
    generation = members.get("generation")
    seen = generation if isinstance(generation, int) and not isinstance(generation, bool) else None
    return Wanted(action, seen, lambda: parse_model(model, members))
