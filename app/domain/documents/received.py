"""What another state's document would be told where it is filed: here it warns a person (ruling 19)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.domain.documents.check import check_document

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from app.domain.law import Law

KEPT_ABROAD = ("/information",)
"""Members that are filed and never travel with the opening (art. 26(2))."""


def received_warnings(
    document: Mapping[str, Any], *, requesting: str, requested: str, received_at: datetime, law: Law
) -> list[dict[str, Any]]:
    """What is missing, wrong or doubtful in a request as it arrived; `error` marks what its own side should have seen.

    Nothing of this refuses it: the officer asks (C-*), gives notice, or goes on. Never raises on what it holds.
    """
    checked = check_document(document, requesting=requesting, known={requested}, now=received_at, law=law)
    lacking = [
        {"pointer": fault.pointer, "code": str(fault.code), "detail": fault.detail, "error": True}
        for fault in checked.errors
        if not fault.pointer.startswith(KEPT_ABROAD)
    ]
    return [*lacking, *(warning.as_json() for warning in checked.warnings)]
