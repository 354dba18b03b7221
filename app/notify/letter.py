"""One notification as it is sent: the same text under the same id, however often it is tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID


@dataclass(frozen=True, slots=True)
class Letter:
    """To whom, under which id, and what: `title` and `body` of a mail, or `body` as the JSON of a webhook."""

    id: UUID
    target: str
    title: str
    body: str
