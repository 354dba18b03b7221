"""What a check of a document gives back: every fault, every warning, and the document that is kept."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from app.errors import FieldError, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.domain.codes import Instrument, RequestType, Tier

WHOLE_DOCUMENT = ("not_a_request", "domestic_matter", "unknown_contact_point")
"""Faults that make the rest moot; the first one present is the code of the whole refusal."""

INVALID = "invalid_document"


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another road to what is wanted; without a type it leads outside this network."""

    text: str
    type: RequestType | None = None
    instrument: Instrument | None = None
    articles: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Only the members that say something."""
        return {name: value for name, value in asdict(self).items() if value}


@dataclass(frozen=True, slots=True)
class DocumentWarning:
    """Something a person should look at; it never stops the document. `detail` repeats no submitted value."""

    pointer: str
    code: str
    detail: str
    alternatives: tuple[Alternative, ...] = ()
    list: str | None = None

    def as_json(self) -> dict[str, Any]:
        """For the projection; `alternatives`, and the `list` a value stands on, only where there are any."""
        members: dict[str, Any] = {"pointer": self.pointer, "code": str(self.code), "detail": self.detail}
        if self.alternatives:
            members["alternatives"] = [road.as_json() for road in self.alternatives]
        if self.list is not None:
            members["list"] = self.list
        return members


@dataclass(frozen=True, slots=True)
class AcceptedDocument:
    """A document without faults. `document` is JSON: as filed, plus `normalised` (see `check_document`)."""

    type: RequestType
    requested: str
    tier: Tier
    own_reference: str
    is_test: bool
    document: Mapping[str, Any]
    warnings: tuple[DocumentWarning, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckedDocument:
    """The result of a check. Members that could not be read are None; `document` is empty while there are errors."""

    type: RequestType | None
    requested: str | None
    tier: Tier | None
    own_reference: str | None
    is_test: bool
    document: Mapping[str, Any]
    errors: tuple[FieldError, ...]
    warnings: tuple[DocumentWarning, ...] = field(default=())

    def accepted(self) -> AcceptedDocument:
        """The same without doubt about any member; raises Refused, carrying every error, if there is one."""
        if (
            self.errors
            or self.type is None
            or self.requested is None
            or self.tier is None
            or self.own_reference is None
        ):
            raise refusal(self.errors)
        return AcceptedDocument(
            type=self.type,
            requested=self.requested,
            tier=self.tier,
            own_reference=self.own_reference,
            is_test=self.is_test,
            document=self.document,
            warnings=self.warnings,
        )


def refusal(errors: tuple[FieldError, ...]) -> Refused:
    """The one error that carries all of them; its code is `invalid_document` or the fault that makes the rest moot."""
    found = {error.code for error in errors}
    code = next((code for code in WHOLE_DOCUMENT if code in found), INVALID)
    return Refused(code, "The document breaks the rules listed.", errors=errors)
