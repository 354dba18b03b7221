"""Whether the contact point asked can do it and reads the language: warnings only (TRI-14), for a person to weigh."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from app.domain.codes import RequestType
from app.domain.directory_codes import Capability
from app.domain.documents.checked import DocumentWarning
from app.domain.documents.languages import is_read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from app.domain.contact_points import ContactPointProfile
    from app.domain.documents.checked import AcceptedDocument

MEASURES: Mapping[RequestType, str] = MappingProxyType(
    {
        RequestType.PRESERVATION: "preservation",
        RequestType.PRESERVATION_EXTENSION: "preservation",
        RequestType.TECHNICAL_ADVICE: "advice",
        RequestType.LEGAL_INFORMATION: "legal_information",
        RequestType.EVIDENCE_COLLECTION: "evidence_collection",
        RequestType.LOCATE_SUSPECT: "locate_suspect",
        RequestType.EMERGENCY_DISCLOSURE: "emergency_disclosure",
    }
)
"""The capability of the directory that a type needs; the others need none."""


def ability_warnings(document: AcceptedDocument, point: ContactPointProfile) -> Iterator[DocumentWarning]:
    """What the directory entry of the contact point asked says against sending it this document."""
    measure = MEASURES.get(document.type)
    if measure is not None and getattr(point.capabilities, measure) is Capability.NO:
        yield DocumentWarning(
            "/requested", "capability_missing", "The directory says that this contact point does not offer the measure."
        )
    if not is_read(document.document, point):
        yield DocumentWarning(
            "/language", "language_not_read", "The contact point does not list this language; add a translation."
        )
