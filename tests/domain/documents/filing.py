"""Builders for document tests: the examples, changed in one place."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from app.domain.codes import RequestType
from app.domain.documents import CheckedDocument, check_document, example
from app.domain.documents.kinds import KINDS
from app.domain.law import packaged_law

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
KNOWN = frozenset({"XA", "XT", "XS", "XT-KITANO"})
TYPES = tuple(KINDS)
ABSENT = object()


def check(raw: dict[str, Any]) -> CheckedDocument:
    """Check as contact point XA would on the fixed day."""
    return check_document(raw, requesting="XA", known=KNOWN, now=NOW, law=packaged_law())


def changed(raw: dict[str, Any], *changes: tuple[str, object]) -> dict[str, Any]:
    """A copy with values put at pointers; `ABSENT` takes the member away."""
    copy = deepcopy(raw)
    for pointer, value in changes:
        *path, last = pointer.removeprefix("/").split("/")
        holder: Any = copy
        for part in path:
            holder = holder[int(part)] if isinstance(holder, list) else holder[part]
        if value is ABSENT:
            del holder[last]
        elif isinstance(holder, list):
            holder[int(last)] = deepcopy(value)
        else:
            holder[last] = deepcopy(value)
    return copy


def preservation(*changes: tuple[str, object]) -> dict[str, Any]:
    """The preservation example, changed."""
    return changed(example(RequestType.PRESERVATION), *changes)


def advice(*changes: tuple[str, object]) -> dict[str, Any]:
    """The advice example, changed."""
    return changed(example(RequestType.TECHNICAL_ADVICE), *changes)


def emergency(*changes: tuple[str, object]) -> dict[str, Any]:
    """The emergency example, changed."""
    return changed(example(RequestType.EMERGENCY_DISCLOSURE), *changes)


def filed(type_: RequestType, *changes: tuple[str, object]) -> dict[str, Any]:
    """The example of any type, changed."""
    return changed(example(type_), *changes)


def places(value: object, pointer: str = "") -> Iterator[tuple[str, object]]:
    """Every value of a document with its pointer, the outermost first."""
    yield pointer, value
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from places(inner, f"{pointer}/{name}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, f"{pointer}/{index}")


def found(checked: CheckedDocument) -> set[tuple[str, str]]:
    """Pointers and codes of the errors."""
    return {(error.pointer, str(error.code)) for error in checked.errors}


def warned(checked: CheckedDocument) -> set[tuple[str, str]]:
    """Pointers and codes of the warnings."""
    return {(warning.pointer, str(warning.code)) for warning in checked.warnings}
