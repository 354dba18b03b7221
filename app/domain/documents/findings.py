"""What a rule looks at, and what it may say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from app.domain.documents.checked import DocumentWarning
from app.domain.instruments import state_of
from app.errors import FieldError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from pydantic import BaseModel

    from app.domain.codes import RequestType
    from app.domain.documents.asking import ProviderSought
    from app.domain.documents.assisting import EvidenceMeasure, Suspect
    from app.domain.documents.authorities import Letter, OralRequest, Provider
    from app.domain.documents.matter import (
        Emergency,
        LegalBasis,
        LocationUncertain,
        Marking,
        MlaIntent,
        Necessity,
        Offence,
        RequestStatus,
        Urgency,
    )
    from app.domain.documents.offers import Information
    from app.domain.documents.reading import Reading
    from app.domain.documents.targets import Target
    from app.domain.instruments import Law

Finding: TypeAlias = FieldError | DocumentWarning
"""An error stops the document; a warning is for a person to look at."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known besides the document: who files it, when, and under which law."""

    type: RequestType
    requesting: str
    now: datetime
    law: Law


@dataclass(frozen=True, slots=True)
class Parts:
    """The readable members of a document that rules look at; None or empty where absent or faulty.

    `absent` names the members that are not there at all, as against unreadable. Targets carry their place in the
    document as filed.
    """

    absent: frozenset[str]
    requested: str | None
    request_status: RequestStatus | None
    previous_reference: str | None
    urgency: Urgency | None
    legal_basis: LegalBasis | None
    offences: tuple[Offence, ...]
    targets: tuple[tuple[int, Target], ...]
    providers: tuple[Provider, ...]
    necessity: Necessity | None
    mla_intent: MlaIntent | None
    emergency: Emergency | None
    requested_period_days: int | None
    location_uncertain: LocationUncertain | None
    marking: Marking | None
    oral_request: OralRequest | None
    letter: Letter | None
    measure: EvidenceMeasure | None
    suspect: Suspect | None
    providers_sought: tuple[ProviderSought, ...]
    teaser: str | None
    information: Information | None
    contains_sensitive: bool
    is_test: bool

    @property
    def requested_state(self) -> str | None:
        """The state asked."""
        return None if self.requested is None else state_of(self.requested)


Rule: TypeAlias = "Callable[[Parts, Situation], Iterator[Finding]]"


def parts_of(reading: Reading, raw: object) -> Parts:
    """The members of a reading that rules look at."""
    document = reading.document
    return Parts(
        absent=frozenset(type(document).model_fields) - frozenset(raw if isinstance(raw, dict) else ()),
        requested=_member(document, "requested"),
        request_status=_member(document, "request_status"),
        previous_reference=_member(document, "previous_reference"),
        urgency=_member(document, "urgency"),
        legal_basis=_member(document, "legal_basis"),
        offences=tuple(_member(document, "offences") or ()),
        targets=tuple(zip(reading.positions, _member(document, "targets") or (), strict=True)),
        providers=tuple(_member(document, "providers") or ()),
        necessity=_member(document, "necessity"),
        mla_intent=_member(document, "mla_intent"),
        emergency=_member(document, "emergency"),
        requested_period_days=_member(document, "requested_period_days"),
        location_uncertain=_member(document, "location_uncertain"),
        marking=_member(document, "marking"),
        oral_request=_member(document, "oral_request"),
        letter=_member(document, "letter"),
        measure=_member(document, "measure"),
        suspect=_member(document, "suspect"),
        providers_sought=tuple(_member(document, "providers_sought") or ()),
        teaser=_member(document, "teaser"),
        information=_member(document, "information"),
        contains_sensitive=bool(_member(document, "contains_sensitive")),
        is_test=bool(_member(document, "is_test")),
    )


def _member(document: BaseModel, name: str) -> Any:  # noqa: ANN401 - which models have which members is theirs to say
    return getattr(document, name, None)
