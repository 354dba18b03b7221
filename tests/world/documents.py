"""Documents to file: the examples, changed in places that are found by walking them."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel

from app.domain.codes import RequestType
from app.domain.documents import example
from app.domain.documents.kinds import KINDS
from app.domain.identifiers import KINDS as IDENTIFIERS

if TYPE_CHECKING:
    from collections.abc import Iterator

CANARY = "Zwiebelkuchen-4711"
"""A word that occurs nowhere else: whoever shows it has shown something that was submitted."""

TYPES = tuple(KINDS)
WALKED = (RequestType.PRESERVATION, RequestType.TECHNICAL_ADVICE, RequestType.EMERGENCY_DISCLOSURE)
"""Types whose every member is tried over HTTP; `tests/domain/documents` tries those of all types."""

TIME = re.compile(r"\d{4}-\d\d-\d\dT.*")


def document(type_: RequestType, **members: object) -> dict[str, Any]:
    """The example of a type, with other members put in; None takes one away."""
    made = {**example(type_), **members}
    return {name: value for name, value in made.items() if value is not None}


def without(raw: dict[str, Any], pointer: str) -> dict[str, Any]:
    """A copy that lacks the member at `pointer`."""
    copy = deepcopy(raw)
    holder, last = _place(copy, pointer)
    del holder[last]
    return copy


def put(raw: dict[str, Any], pointer: str, value: object) -> dict[str, Any]:
    """A copy with `value` at `pointer`."""
    copy = deepcopy(raw)
    holder, last = _place(copy, pointer)
    holder[last] = value
    return copy


def _place(raw: dict[str, Any], pointer: str) -> tuple[Any, Any]:
    holder: Any = raw
    *path, last = pointer.removeprefix("/").split("/")
    for part in path:
        holder = holder[int(part)] if isinstance(holder, list) else holder[part]
    return holder, int(last) if isinstance(holder, list) else last


def places(value: object, pointer: str = "") -> Iterator[tuple[str, object]]:
    """Every value of a document below the document itself, with its pointer."""
    inner: Iterator[tuple[object, object]] = iter(())
    if isinstance(value, dict):
        inner = iter(value.items())
    elif isinstance(value, list):
        inner = iter(enumerate(value))
    for name, each in inner:
        yield f"{pointer}/{name}", each
        yield from places(each, f"{pointer}/{name}")


def objects(raw: dict[str, Any]) -> list[str]:
    """Pointers of every object in a document, the document itself among them."""
    return ["", *(pointer for pointer, value in places(raw) if isinstance(value, dict))]


def times(raw: dict[str, Any]) -> list[str]:
    """Pointers of every time in a document."""
    return [pointer for pointer, value in places(raw) if isinstance(value, str) and TIME.fullmatch(value)]


def required(type_: RequestType) -> list[str]:
    """Pointers of every member of a type's example that its model requires, at every level."""
    return list(_required(KINDS[type_].model, example(type_), ""))


def _required(model: type[BaseModel], value: dict[str, Any], pointer: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        if name not in value:
            continue
        here = f"{pointer}/{name}"
        if field.is_required():
            yield here
        parts = value[name] if isinstance(value[name], list) else [value[name]]
        for index, part in enumerate(parts):
            inner = _model_of(part, list(_models(field.annotation)))
            if inner is not None:
                yield from _required(inner, part, f"{here}/{index}" if isinstance(value[name], list) else here)


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def _model_of(part: object, models: list[type[BaseModel]]) -> type[BaseModel] | None:
    """The model a part is read with: of several identifiers, the one that its type names."""
    if not isinstance(part, dict) or not models:
        return None
    if len(models) == 1:
        return models[0]
    return next(kind for kind in IDENTIFIERS if part["type"] in get_args(kind.model_fields["type"].annotation))
