"""What every identifier has in common: a type, the text as given, a normal form beside it, and remarks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.domain.shape import Moment, Strict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True)
class Remark:
    """Something the requesting officer should know about a member of an identifier; never a reason to refuse it."""

    member: str
    code: str
    detail: str


class Identifier(Strict, ABC):
    """Base of all identifiers. The members stay as given; what they mean is in `normal_form`."""

    type: str
    observed_at: Moment | None = None

    @abstractmethod
    def normal_form(self) -> dict[str, Any]:
        """The members as they compare and search: two texts for one thing have one normal form."""

    def remarks(self) -> Iterator[Remark]:
        """Warnings about this identifier."""
        yield from ()

    def reserved_member(self) -> str | None:
        """The member that holds a value from a range kept for documentation and tests, if one does."""
        return None

    def redacted(self) -> Mapping[str, str]:
        """Members that may not be kept as given, with what is kept instead."""
        return {}
