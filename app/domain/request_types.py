"""The closed list of what one contact point may ask of another, and how each kind begins (domain.md 1.6, ruling 18)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING

from app.domain.codes import RequestType
from app.domain.deadlines import Step

if TYPE_CHECKING:
    from collections.abc import Mapping

T = RequestType


class Opening(Enum):
    """How it begins: as a request with an exchange of its own, or as something else that cannot be filed."""

    REQUEST = "request"
    HOLD_ACT = "hold act"
    ACT_OF_AN_EXCHANGE = "act of an exchange"
    TEST_CALL = "test call"


class Hold(Enum):
    """What it does to a hold."""

    CREATES = "creates"
    EXTENDS = "extends"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class RequestKind:
    """One kind of request.

    `root` names the articles it rests on, `returns` what the answer may carry ("" for nothing but the outcome),
    `offered` whether this node has a document for it, `steps` the clocks that show by default.
    """

    type: RequestType
    root: tuple[str, ...]
    opening: Opening
    hold: Hold
    returns: str
    note: str
    offered: bool = False
    steps: tuple[Step, ...] = (Step.ACKNOWLEDGEMENT, Step.ACCEPTANCE, Step.ANSWER)

    @property
    def fileable(self) -> bool:
        """Whether an agency can ever file it; an extension is filed and becomes an act on the hold when signed."""
        return self.opening in {Opening.REQUEST, Opening.HOLD_ACT}

    @property
    def creates_hold(self) -> bool:
        """Whether its success is a hold."""
        return self.hold is Hold.CREATES


_PRESERVING = (Step.ACKNOWLEDGEMENT, Step.ACCEPTANCE, Step.PRESERVED)

_ROWS = (
    RequestKind(
        T.PRESERVATION,
        ("ETS185 29", "ETS185 35(1)(b)"),
        Opening.REQUEST,
        Hold.CREATES,
        "",
        "Freezes data that exist, for at least 60 days; discloses nothing. Dual criminality is not required (29(3)).",
        offered=True,
        steps=_PRESERVING,
    ),
    RequestKind(
        T.PRESERVATION_EXTENSION,
        ("ETS185 29(7)",),
        Opening.HOLD_ACT,
        Hold.EXTENDS,
        "",
        "Asks for a longer period before the hold ends; the requested side grants it.",
        steps=_PRESERVING,
    ),
    RequestKind(
        T.TRAFFIC_PATH_DISCLOSURE,
        ("ETS185 30",),
        Opening.ACT_OF_AN_EXCHANGE,
        Hold.NONE,
        "provider and path",
        "The requested side tells it while executing a preservation; it is never asked for alone.",
        steps=(Step.TRAFFIC_PATH,),
    ),
    RequestKind(
        T.TECHNICAL_ADVICE,
        ("ETS185 35(1)(a)",),
        Opening.REQUEST,
        Hold.NONE,
        "text",
        "Advice between experts; no measure is taken.",
        offered=True,
    ),
    RequestKind(
        T.LEGAL_INFORMATION,
        ("ETS185 35(1)(c)",),
        Opening.REQUEST,
        Hold.NONE,
        "text",
        "What the law there permits and who orders it.",
    ),
    RequestKind(
        T.PROVIDER_CONTACT,
        ("G7_24_7",),
        Opening.REQUEST,
        Hold.NONE,
        "directory data",
        "How to reach a provider there.",
    ),
    RequestKind(
        T.EVIDENCE_COLLECTION,
        ("ETS185 35(1)(c)", "ETS185 31"),
        Opening.REQUEST,
        Hold.NONE,
        "per conditions",
        "Facilitated, or done directly only where the law there allows it; otherwise mutual assistance.",
    ),
    RequestKind(
        T.LOCATE_SUSPECT,
        ("ETS185 35(1)(c)",),
        Opening.REQUEST,
        Hold.NONE,
        "per conditions",
        "Facilitated, or done directly only where the law there allows it.",
    ),
    RequestKind(
        T.MLA_INITIATION,
        ("ETS185 35(2)(b)",),
        Opening.REQUEST,
        Hold.NONE,
        "reference of the central authority",
        "Brings the central authorities together; the letter of request itself travels outside.",
    ),
    RequestKind(
        T.SPONTANEOUS_INFORMATION,
        ("ETS185 26",),
        Opening.REQUEST,
        Hold.NONE,
        "information, once its conditions are accepted",
        "An offer: conditions are agreed before anything is given (26(2)).",
    ),
    RequestKind(
        T.EMERGENCY_DISCLOSURE,
        ("CETS224 9",),
        Opening.REQUEST,
        Hold.NONE,
        "stored data",
        "Only for a significant and imminent risk to the life or safety of a person, and only where CETS 224 is in "
        "force between the two states.",
        offered=True,
    ),
    RequestKind(
        T.EMERGENCY_MLA_NOTICE,
        ("CETS224 10",),
        Opening.REQUEST,
        Hold.NONE,
        "through the central authority",
        "Announces an emergency letter of request, where declared possible through the contact point.",
    ),
    RequestKind(
        T.DATA_LOCATION_QUERY,
        ("UNCC 41", "UNCC 42"),
        Opening.REQUEST,
        Hold.NONE,
        "location of the provider",
        "Asks where the data or their provider are, before anything is requested.",
    ),
    RequestKind(T.PING, (), Opening.TEST_CALL, Hold.NONE, "", "Tests the connection.", steps=()),
    RequestKind(T.DRILL, (), Opening.TEST_CALL, Hold.NONE, "", "Exercises the desk.", steps=()),
)

REQUEST_KINDS: Mapping[RequestType, RequestKind] = MappingProxyType({row.type: row for row in _ROWS})


def offered_types() -> tuple[RequestType, ...]:
    """The types an agency can file at this node, in the order of the list."""
    return tuple(row.type for row in _ROWS if row.offered)
