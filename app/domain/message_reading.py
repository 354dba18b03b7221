"""How the body of a message is read (ruling 19): strictly in what we know, leniently in what we do not.

Members that we do not know stay in the signed text, which is kept, and are listed, so that a person sees that something
was not understood. Our own closed models serve for the acts; what they would refuse as unknown is set aside first.
"""

from __future__ import annotations

import json
import re
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from app.domain.wire import Open
from app.errors import Conflict, FieldError, Malformed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from app.domain.messages import OpenBody

MAX_ERRORS = 20
"""Of a message that is not understood; the rest adds nothing for the person who looks at it."""

_STATE_LETTERS = 2
_TAG = "action"
"""The member that tells which act it is; pydantic puts its value into the places of errors."""

Body = TypeVar("Body", bound=Open)


@dataclass(frozen=True, slots=True)
class Understood(Generic[Body]):
    """A body, and the JSON Pointers of the members in it that we do not know."""

    body: Body
    not_understood: tuple[str, ...] = ()


def read_body(model: type[Body], raw: Mapping[str, Any]) -> Understood[Body]:
    """The body of a message of a known type.

    Raises Malformed `not_understood` if structure, a type or a size is wrong: the sender is known, the content is not,
    so the message is quarantined. Unknown members are no fault.
    """
    unstorable = next(_unstorable(raw, ""), None)
    if unstorable is not None:
        raise _not_understood((FieldError(unstorable, "text_not_storable", "NUL, or half a surrogate pair."),))
    try:
        body = model.model_validate_json(json.dumps(raw))
    except ValidationError as fault:
        unknown = _places_of_unknown(raw, fault)
        if not unknown:
            raise _not_understood(_errors(fault)) from None
        body = _read_without(model, raw, unknown)
        return Understood(body, _sorted((*unknown, *_kept(body, ()))))
    return Understood(body, _sorted(_kept(body, ())))


def check_parties(body: OpenBody, *, iss: str, aud: str) -> None:
    """Raises Conflict if the parties are not those of the envelope, or both speak for one state (ACL-2)."""
    if (body.requesting, body.requested) != (iss, aud):
        raise Conflict("not_yours", "the parties of the request are not those of its envelope")
    if iss[:_STATE_LETTERS] == aud[:_STATE_LETTERS]:
        raise Conflict("domestic_matter", "both contact points speak for one state")


_Place = tuple[str | int, ...]

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""Searched for in one go: a chunk of a file has a quarter of a million letters."""


def _read_without(model: type[Body], raw: Mapping[str, Any], unknown: Sequence[_Place]) -> Body:
    known = deepcopy(dict(raw))
    for place in unknown:
        here: Any = known
        for part in place[:-1]:
            here = here[part]
        del here[place[-1]]
    try:
        return model.model_validate_json(json.dumps(known))
    except ValidationError as fault:
        raise _not_understood(_errors(fault)) from None


def _places_of_unknown(raw: Mapping[str, Any], fault: ValidationError) -> tuple[_Place, ...]:
    """Where the closed models met members they do not know."""
    found = (
        error for error in fault.errors(include_url=False, include_input=False) if error["type"] == "extra_forbidden"
    )
    places = (_place(raw, error["loc"]) for error in found)
    return tuple(dict.fromkeys(place for place in places if place))


def _place(raw: Mapping[str, Any], location: Sequence[str | int]) -> _Place:
    """The place of an error in `raw`, without the names of acts that pydantic mixes in."""
    here: Any = raw
    place: list[str | int] = []
    last = len(location) - 1
    for position, part in enumerate(location):
        is_tag = isinstance(here, dict) and position < last and here.get(_TAG) == part
        if is_tag:
            continue
        place.append(part)
        here = here[part]
    return tuple(place)


def _kept(body: BaseModel, place: _Place) -> Iterator[_Place]:
    """The places of the members that the open models have kept without knowing them."""
    yield from ((*place, name) for name in body.model_extra or ())
    for name, field in type(body).model_fields.items():
        value = getattr(body, name)
        member = field.alias or name
        if isinstance(value, BaseModel):
            yield from _kept(value, (*place, member))
        elif isinstance(value, tuple):
            for index, entry in enumerate(value):
                if isinstance(entry, BaseModel):
                    yield from _kept(entry, (*place, member, index))


def _unstorable(value: object, pointer: str) -> Iterator[str]:
    """Where text stands that neither PostgreSQL nor UTF-8 can hold, although JSON can spell it."""
    if isinstance(value, str) and _UNSTORABLE.search(value) is not None:
        yield pointer
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _unstorable(name, pointer)
            yield from _unstorable(inner, f"{pointer}/{_escaped(name)}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _unstorable(inner, f"{pointer}/{index}")


def _sorted(places: Sequence[_Place] | Iterator[_Place]) -> tuple[str, ...]:
    return tuple(sorted({_pointer(place) for place in places}))


def _pointer(place: Sequence[str | int]) -> str:
    return "".join(f"/{_escaped(str(part))}" for part in place)


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")


def _errors(fault: ValidationError) -> tuple[FieldError, ...]:
    found = fault.errors(include_url=False, include_input=False)[:MAX_ERRORS]
    return tuple(FieldError(_pointer(error["loc"]), error["type"], "This is not as it must be.") for error in found)


def _not_understood(errors: tuple[FieldError, ...]) -> Malformed:
    return Malformed("not_understood", "the body has not the form of its type", errors=errors)
