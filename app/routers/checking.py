"""What a check is: one question to this node, answered yes or no, and the words for when the answer is no."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from app.db.engine import ReadSession
from app.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Asked:
    """What a check may look at: the node, one view of its database, the time."""

    runtime: Runtime
    session: ReadSession
    now: datetime


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer to one check: how much of what it looks for there is, and where (codes of contact points)."""

    good: bool
    observed: float
    peers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeCheck:
    """A question: `limit` and `unit` explain the number it observes; the words are for when the answer is no."""

    ask: Callable[[Asked], Awaitable[Finding]]
    question: str
    limit: float
    unit: str
    next_act: str
