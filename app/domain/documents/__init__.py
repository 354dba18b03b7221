"""Request documents (domain.md 3): what an agency files, checked against shape and law, and what is kept of it."""

from __future__ import annotations

from app.domain.documents.abilities import ability_warnings
from app.domain.documents.check import NORMALISED, check_document
from app.domain.documents.checked import AcceptedDocument, Alternative, CheckedDocument, DocumentWarning, refusal
from app.domain.documents.languages import translation_lacking
from app.domain.documents.received import received_warnings
from app.domain.documents.schemas import example, json_schema

__all__ = [
    "NORMALISED",
    "AcceptedDocument",
    "Alternative",
    "CheckedDocument",
    "DocumentWarning",
    "ability_warnings",
    "check_document",
    "example",
    "json_schema",
    "received_warnings",
    "refusal",
    "translation_lacking",
]
