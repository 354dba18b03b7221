"""What a service knows of the contact point it runs in, and of the person who acts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.deadlines import PACKAGED

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from uuid import UUID

    from app.db.engine import Session
    from app.domain.codes import Role
    from app.domain.deadlines import Clocks
    from app.domain.directory import Directory
    from app.domain.instruments import Law


@dataclass(frozen=True, slots=True)
class Node:
    """One contact point: its code, the directory it trusts, the origin of its log, its randomness, the law it reads.

    `single_officer_shift`: in an emergency one person may both approve and sign; another supervisor reviews it after.
    """

    code: str
    directory: Directory
    log_origin: str
    random: Callable[[int], bytes]
    law: Law
    single_officer_shift: bool = False
    clocks: Clocks = PACKAGED


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. `pseudonym` alone enters the audit log; `agency_id` is set for agency roles only."""

    person_id: UUID | None
    pseudonym: str
    role: Role | None
    agency_id: str | None = None


@dataclass(frozen=True, slots=True)
class Acting:
    """One person's command: the transaction it is done in, where, by whom, and at which moment."""

    session: Session
    node: Node
    actor: Actor
    now: datetime


SYSTEM = Actor(person_id=None, pseudonym="system", role=None)
