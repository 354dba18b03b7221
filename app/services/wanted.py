"""An act as it was sent, read in full only once it is clear that this person may do it now.

The interface tells 403 and 409 before 422: who may not act learns nothing of the form of the act.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

Body = TypeVar("Body")


@dataclass(frozen=True, slots=True)
class Wanted(Generic[Body]):
    """`action` and `generation` as far as they could be read; `read` gives the whole body or raises Refused.

    `attachments` gives the files that the act brings, or raises Refused.
    """

    action: str
    generation: int | None
    read: Callable[[], Body]
    attachments: Callable[[], tuple[UUID, ...]] = tuple
