"""The documents of the scripted day: the examples that are published, and three made of them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from app.domain.codes import RequestType
from app.domain.documents import example
from app.domain.request_types import fileable_types

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

CALLED_BEFORE = timedelta(minutes=20)
"""How long before the day begins the agency has telephoned."""

CIVIL_FACTS = "A customer disputes the quality of goods bought in a web shop and wants to know who runs it."


def papers(*, now: datetime) -> Mapping[str, Mapping[str, Any]]:
    """Name → document to file: every example under its type in small letters, and what the day changes."""
    emergency = example(RequestType.EMERGENCY_DISCLOSURE)
    called = {
        "made_at": (now - CALLED_BEFORE).isoformat(timespec="seconds"),
        "by": "Duty investigator 4",
        "to": "Officer on duty at Sahran",
    }
    provider = emergency["providers"][0] | {"country": "XS", "address": "3 Harbour Street, Marsa al-Nur, Sahran"}
    return {
        **{type_.lower(): example(type_) for type_ in fileable_types()},
        "emergency_disclosure": emergency | {"requested": "XS", "providers": [provider], "oral_request": called},
        "emergency_elsewhere": emergency,
        "civil": example(RequestType.PRESERVATION) | {"reference": "AU-CYB-2026-00431", "facts_summary": CIVIL_FACTS},
    }
