"""Reading identifiers in tests."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter, ValidationError

from app.domain.identifiers import AnyIdentifier, Identifier

ADAPTER: TypeAdapter[Identifier] = TypeAdapter(AnyIdentifier)


def read(type_: str, **members: Any) -> Identifier:  # noqa: ANN401 - any JSON
    """The identifier, or pydantic's ValidationError."""
    return ADAPTER.validate_python({"type": type_, **members})


def fault_of(type_: str, **members: Any) -> str:  # noqa: ANN401 - any JSON
    """The code of the one fault; "" if there is none."""
    try:
        read(type_, **members)
    except ValidationError as faulty:
        (error,) = faulty.errors()
        return str(error["type"])
    return ""


def normal(type_: str, **members: Any) -> Any:  # noqa: ANN401 - any JSON
    """The value in normal form."""
    return read(type_, **members).normal_form()["value"]


def remarks(type_: str, **members: Any) -> set[str]:  # noqa: ANN401 - any JSON
    """The codes of the remarks."""
    return {remark.code for remark in read(type_, **members).remarks()}
