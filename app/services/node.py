"""What a service knows of the contact point it runs in, and of the person who acts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.codes import Role

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from app.domain.directory import Directory


@dataclass(frozen=True, slots=True)
class Node:
    """One contact point: its code, the directory it trusts, the origin of its log, its source of randomness."""

    code: str
    directory: Directory
    log_origin: str
    random: Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. `pseudonym` alone enters the audit log; `agency_id` is set for agency roles only."""

    person_id: UUID | None
    pseudonym: str
    role: Role | None
    agency_id: str | None = None


SYSTEM = Actor(person_id=None, pseudonym="system", role=None)
