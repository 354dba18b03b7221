"""The documents an agency can file, one model per type. They are the shape; what the law adds is in `rules`."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, get_args

from pydantic import BaseModel, Field, create_model

from app.domain.codes import RequestType
from app.domain.documents.asking import DataLocationQuery, LegalInformation, ProviderContact, TechnicalAdvice
from app.domain.documents.assisting import EvidenceCollection, LocateSuspect, MlaInitiation
from app.domain.documents.emergencies import EmergencyDisclosure, EmergencyMlaNotice
from app.domain.documents.offers import SpontaneousInformation
from app.domain.documents.preserving import Preservation, PreservationExtension

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.domain.documents.filing import Filing

AnyDocument: TypeAlias = Annotated[
    Preservation
    | PreservationExtension
    | TechnicalAdvice
    | LegalInformation
    | ProviderContact
    | EvidenceCollection
    | LocateSuspect
    | MlaInitiation
    | SpontaneousInformation
    | EmergencyDisclosure
    | EmergencyMlaNotice
    | DataLocationQuery,
    Field(discriminator="type"),
]
"""Whatever can be filed, told apart by `type`; in the order of the closed list."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A type's model, and the same model with nothing required: it reads what a faulty document still holds."""

    model: type[Filing]
    lenient: type[BaseModel]


def _kind(model: type[Filing]) -> Kind:
    fields: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if field.is_required():
            optional = copy(field)
            optional.default = None
            fields[name] = (field.annotation, optional)
    return Kind(model, create_model(f"Lenient{model.__name__}", __base__=model, **fields))


def _type_of(model: type[Filing]) -> RequestType:
    (named,) = get_args(model.model_fields["type"].annotation)
    return RequestType(named)


_MODELS: tuple[type[Filing], ...] = get_args(get_args(AnyDocument)[0])

KINDS: Mapping[RequestType, Kind] = MappingProxyType({_type_of(model): _kind(model) for model in _MODELS})
