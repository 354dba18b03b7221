"""Accounts, devices, rented machines and persons."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from app.domain.identifiers.addresses import PublicAddress, normal_address
from app.domain.identifiers.base import Identifier, Remark
from app.domain.identifiers.reachability import Reach, reach, read_address
from app.domain.law.warning_lists import Watched
from app.domain.shape import Country, Day, Line, LongLine, Moment, fault

if TYPE_CHECKING:
    from collections.abc import Iterator


class IdKind(StrEnum):
    """How a service names the account: a handle its owner can change, a number, or a UUID."""

    HANDLE = "HANDLE"
    NUMERIC = "NUMERIC"
    UUID = "UUID"


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


class Account(Identifier):
    """An account of a named service."""

    type: Literal["account"]
    service: Line
    id: Line
    id_kind: Annotated[IdKind, Field(strict=False)]

    @model_validator(mode="after")
    def _is_of_its_kind(self) -> Self:
        numeric = self.id.isascii() and self.id.isdigit()
        fits = {IdKind.HANDLE: self.id.strip("@ ") != "", IdKind.NUMERIC: numeric, IdKind.UUID: _is_uuid(self.id)}
        if not fits[self.id_kind]:
            raise fault("bad_account", "The id is not of the kind that id_kind names.")
        return self

    def normal_form(self) -> dict[str, Any]:
        if self.id_kind is IdKind.UUID:
            plain = str(UUID(self.id))
        else:
            plain = self.id.removeprefix("@") if self.id_kind is IdKind.HANDLE else self.id
        return {
            "type": "account",
            "service": self.service.casefold(),
            "id": plain,
            "id_kind": self.id_kind.value,
        }

    def compared_form(self) -> dict[str, Any]:
        form = self.normal_form()
        return {**form, "id": form["id"].casefold()}

    def remarks(self) -> Iterator[Remark]:
        if self.id_kind is IdKind.HANDLE and self.observed_at is None:
            yield Remark(
                "observed_at", "handle_may_change", "Handles change hands: say when it was seen, or give the id."
            )


class IssuedId(Identifier):
    """An identifier that one issuer gave to a device, an advertising profile or a browser."""

    type: Literal["device_id", "ad_id", "cookie"]
    issuer: Line
    value: LongLine

    def normal_form(self) -> dict[str, Any]:
        return {"type": self.type, "issuer": self.issuer.casefold(), "value": self.value}


class HostingInstance(Identifier):
    """A rented machine, by the provider's own name for it and the address it had."""

    type: Literal["hosting_instance"]
    provider: Line
    instance_id: Line
    ip: PublicAddress | None = None
    at: Moment | None = None

    def normal_form(self) -> dict[str, Any]:
        address = None if self.ip is None else normal_address(self.ip)["value"]
        return {"type": "hosting_instance", "provider": self.provider.casefold(), "id": self.instance_id, "ip": address}

    def compared_form(self) -> dict[str, Any]:
        return {name: value for name, value in self.normal_form().items() if name != "ip"}

    def moments(self) -> Iterator[tuple[str, Moment]]:
        yield from super().moments()
        if self.at is not None:
            yield "at", self.at

    def watched(self) -> Iterator[tuple[str, Watched, str]]:
        if self.ip is not None:
            yield "ip", Watched.ADDRESS, normal_address(self.ip)["value"]

    def remarks(self) -> Iterator[Remark]:
        if self.ip is not None and self.at is None:
            yield Remark(
                "at", "may_not_resolve", "Addresses of rented machines are reassigned: say when it had this one."
            )

    def reserved_member(self) -> str | None:
        reserved = self.ip is not None and reach(read_address(self.ip)) is Reach.DOCUMENTATION
        return "ip" if reserved else None


class Person(Identifier):
    """A person as context of another target; never the only target of a preservation."""

    type: Literal["person"]
    name: Line
    date_of_birth: Day | None = None
    nationality: Country | None = None
    document: Line | None = None

    def normal_form(self) -> dict[str, Any]:
        born = None if self.date_of_birth is None else self.date_of_birth.isoformat()
        return {"type": "person", "name": " ".join(self.name.casefold().split()), "date_of_birth": born}
