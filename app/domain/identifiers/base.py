"""What every identifier has in common: a type, the text as given, a normal form beside it, and remarks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.domain.shape import Moment, Strict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from app.domain.law.warning_lists import Watched


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

    def compared_form(self) -> dict[str, Any]:
        """What two requests for one thing have alike, however each wrote it; coarser than `normal_form`, and a hint."""
        return self.normal_form()

    def moments(self) -> Iterator[tuple[str, Moment]]:
        """The times in it that somebody saw something, by member."""
        if self.observed_at is not None:
            yield "observed_at", self.observed_at

    def remarks(self) -> Iterator[Remark]:
        """Warnings about this identifier."""
        yield from ()

    def watched(self) -> Iterator[tuple[str, Watched, str]]:
        """What warning lists are asked about: the member, the kind of its value, the value in normal form."""
        yield from ()

    def reserved_member(self) -> str | None:
        """The member that holds a value from a range kept for documentation and tests, if one does."""
        return None

    def redacted(self) -> Mapping[str, str]:
        """Members that may not be kept as given, with what is kept instead."""
        return {}
