"""What is published about a type of document: its members, its JSON Schema, and one example that is accepted."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

from app.domain.documents.kinds import KINDS

if TYPE_CHECKING:
    from app.domain.codes import RequestType


@dataclass(frozen=True, slots=True)
class Described:
    """A member of a document: whether it must be there, and what the law or the form says of it."""

    name: str
    required: bool
    reason: str | None


def members(type: RequestType) -> tuple[Described, ...]:
    """The members of a document in the order of its model; KeyError for what cannot be filed."""
    fields = KINDS[type].model.model_fields
    return tuple(Described(name, field.is_required(), field.description) for name, field in fields.items())


def json_schema(type: RequestType, *, ref_template: str = "#/$defs/{model}") -> dict[str, Any]:
    """JSON Schema (2020-12) of the shape; the rules of the law are beyond it. KeyError for what cannot be filed.

    `ref_template` says where the parts are found, for whoever moves them out of `$defs`.
    """
    return KINDS[type].model.model_json_schema(ref_template=ref_template)


def example(type: RequestType) -> dict[str, Any]:
    """The packaged example, with identifiers from documentation ranges. KeyError for what cannot be filed."""
    if type not in KINDS:
        raise KeyError(type)
    text = resources.files("app").joinpath(f"data/examples/{type.lower()}.json").read_text("utf-8")
    document: dict[str, Any] = json.loads(text)
    return document
