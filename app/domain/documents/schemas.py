"""What is published about a type of document: its JSON Schema, and one example that is accepted as it stands."""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any

from app.domain.documents.kinds import KINDS

if TYPE_CHECKING:
    from app.domain.codes import RequestType


def json_schema(type: RequestType, *, ref_template: str = "#/$defs/{model}") -> dict[str, Any]:
    """JSON Schema (2020-12) of the shape; the rules of the law are beyond it. KeyError for a type not offered.

    `ref_template` says where the parts are found, for whoever moves them out of `$defs`.
    """
    return KINDS[type].model.model_json_schema(ref_template=ref_template)


def example(type: RequestType) -> dict[str, Any]:
    """The packaged example, with identifiers from documentation ranges. KeyError for a type not offered."""
    if type not in KINDS:
        raise KeyError(type)
    text = resources.files("app").joinpath(f"data/examples/{type.lower()}.json").read_text("utf-8")
    document: dict[str, Any] = json.loads(text)
    return document
