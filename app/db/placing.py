"""Where a page of a list ends that several contact points write to: each chooses ids, so an id alone is no place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import tuple_

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Column, Select, Table

    from app.domain.codes import Direction

Rows = TypeVar("Rows", bound="Select[tuple[object, ...]]")


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of such a list: its time, and what tells it from others of that time."""

    at: datetime
    id: UUID
    peer: str
    direction: Direction


def newest_first(query: Rows, table: Table, *, at: Column[datetime], before: Place | None) -> Rows:
    """The query from the newest on, or from behind that place; `table` has the columns `id`, `peer`, `direction`."""
    order = (at, table.c.id, table.c.peer, table.c.direction)
    if before is not None:
        query = query.where(tuple_(*order) < tuple_(before.at, before.id, before.peer, before.direction.value))
    return query.order_by(*(column.desc() for column in order))
