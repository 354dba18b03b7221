"""One countable event of one case, with nothing by which the case could be found again."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from app.domain.codes import Direction


class Measure(StrEnum):
    """What is counted, each in the month in which it happened."""

    OPENED = "opened"
    RECEIPT = "receipt"
    ACKNOWLEDGEMENT = "acknowledgement"
    SUBSTANCE = "first_substance"
    RESULT = "result"
    COMPLETION_ASKED = "completion_asked"
    TRIAGE = "triage"
    DETERMINATION = "emergency_determination"
    EXTENSION = "extension"
    TRAFFIC_PATH = "traffic_path"
    FOLLOW_UP = "follow_up"
    HOLD_END = "hold_end"
    TEST_CALL = "test_call"


@dataclass(frozen=True, slots=True)
class Sample:
    """One event. `labels` are (dimension, value) pairs of closed lists; `seconds` is the time it took, if it took one.

    `peer` is the other contact point, `direction` whose request it was, as for an exchange.
    """

    measure: Measure
    direction: Direction
    peer: str
    at: datetime
    labels: tuple[tuple[str, str], ...] = ()
    seconds: float | None = None
