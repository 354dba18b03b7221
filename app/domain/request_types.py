"""The closed list of what one contact point may ask of another, and how each kind begins (domain.md 1.6, ruling 18)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING

from app.domain.codes import RequestType, Tier
from app.domain.deadlines import Step

if TYPE_CHECKING:
    from collections.abc import Mapping

T = RequestType

EMERGENCY_ONLY = frozenset({T.EMERGENCY_DISCLOSURE, T.EMERGENCY_MLA_NOTICE})
"""Types that a risk to a person carries: without one they cannot be filed."""


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
    `steps` the clocks that run by default.
    """

    type: RequestType
    root: tuple[str, ...]
    opening: Opening
    hold: Hold
    returns: str
    note: str
    steps: tuple[Step, ...]

    @property
    def fileable(self) -> bool:
        """Whether an agency can ever file it; an extension is filed and becomes an act on the hold when signed."""
        return self.opening in {Opening.REQUEST, Opening.HOLD_ACT}

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """The tiers it can be filed in: what exists for emergencies alone has no other, what is no request has none."""
        if not self.fileable:
            return ()
        return (Tier.EMERGENCY,) if self.type in EMERGENCY_ONLY else tuple(Tier)

    @property
    def creates_hold(self) -> bool:
        """Whether its success is a hold."""
        return self.hold is Hold.CREATES


_PRESERVING = (Step.ACKNOWLEDGEMENT, Step.SUBSTANCE, Step.TRAFFIC_PATH, Step.PRESERVED)
_EXTENDING = (Step.SUBSTANCE,)
_KNOWING = (Step.ACKNOWLEDGEMENT, Step.ANSWER)
_ASSISTING = (Step.ACKNOWLEDGEMENT, Step.SUBSTANCE, Step.REFERRAL, Step.ANSWER)
_OFFERING = (Step.ACKNOWLEDGEMENT, Step.SUBSTANCE)

_ROWS = (
    RequestKind(
        T.PRESERVATION,
        ("ETS185 29", "ETS185 35(1)(b)", "UNCC 42"),
        Opening.REQUEST,
        Hold.CREATES,
        "",
        "Freezes data that exist, for at least 60 days; discloses nothing. Dual criminality is not required (29(3)).",
        steps=_PRESERVING,
    ),
    RequestKind(
        T.PRESERVATION_EXTENSION,
        ("ETS185 29(7)", "UNCC 42(9)"),
        Opening.HOLD_ACT,
        Hold.EXTENDS,
        "",
        "Asks for a longer period before the hold ends; the requested side grants it.",
        steps=_EXTENDING,
    ),
    RequestKind(
        T.TRAFFIC_PATH_DISCLOSURE,
        ("ETS185 30", "UNCC 43"),
        Opening.ACT_OF_AN_EXCHANGE,
        Hold.NONE,
        "provider and path",
        "The requested side tells it while executing a preservation; it is never asked for alone.",
        steps=(Step.TRAFFIC_PATH,),
    ),
    RequestKind(
        T.TECHNICAL_ADVICE,
        ("ETS185 35(1)(a)", "UNCC 41"),
        Opening.REQUEST,
        Hold.NONE,
        "text",
        "Advice between experts; no measure is taken.",
        steps=_KNOWING,
    ),
    RequestKind(
        T.LEGAL_INFORMATION,
        ("ETS185 35(1)(c)", "UNCC 41"),
        Opening.REQUEST,
        Hold.NONE,
        "text",
        "What the law there permits and who orders it.",
        steps=_KNOWING,
    ),
    RequestKind(
        T.PROVIDER_CONTACT,
        ("G7_24_7", "ETS185 35", "UNCC 41"),
        Opening.REQUEST,
        Hold.NONE,
        "directory data",
        "How to reach a provider there.",
        steps=_KNOWING,
    ),
    RequestKind(
        T.EVIDENCE_COLLECTION,
        ("ETS185 35(1)(c)", "ETS185 31", "UNCC 44"),
        Opening.REQUEST,
        Hold.NONE,
        "per conditions",
        "Facilitated, or done directly only where the law there allows it; otherwise mutual assistance.",
        steps=_ASSISTING,
    ),
    RequestKind(
        T.LOCATE_SUSPECT,
        ("ETS185 35(1)(c)", "UNCC 41"),
        Opening.REQUEST,
        Hold.NONE,
        "per conditions",
        "Facilitated, or done directly only where the law there allows it.",
        steps=_ASSISTING,
    ),
    RequestKind(
        T.MLA_INITIATION,
        ("ETS185 35(2)(b)", "UNCC 41"),
        Opening.REQUEST,
        Hold.NONE,
        "reference of the central authority",
        "Brings the central authorities together; the letter of request itself travels outside.",
        steps=_ASSISTING,
    ),
    RequestKind(
        T.SPONTANEOUS_INFORMATION,
        ("ETS185 26",),
        Opening.REQUEST,
        Hold.NONE,
        "information, once its conditions are accepted",
        "An offer: conditions are agreed before anything is given (26(2)).",
        steps=_OFFERING,
    ),
    RequestKind(
        T.EMERGENCY_DISCLOSURE,
        ("CETS224 9",),
        Opening.REQUEST,
        Hold.NONE,
        "stored data",
        "Only for a significant and imminent risk to the life or safety of a person, and only where CETS 224 is in "
        "force between the two states.",
        steps=_ASSISTING,
    ),
    RequestKind(
        T.EMERGENCY_MLA_NOTICE,
        ("CETS224 10",),
        Opening.REQUEST,
        Hold.NONE,
        "through the central authority",
        "Announces an emergency letter of request, where declared possible through the contact point.",
        steps=_ASSISTING,
    ),
    RequestKind(
        T.DATA_LOCATION_QUERY,
        ("UNCC 41", "UNCC 42"),
        Opening.REQUEST,
        Hold.NONE,
        "location of the provider",
        "Asks where the data or their provider are, before anything is requested.",
        steps=_KNOWING,
    ),
    RequestKind(T.PING, (), Opening.TEST_CALL, Hold.NONE, "", "Tests the connection.", steps=()),
    RequestKind(T.DRILL, (), Opening.TEST_CALL, Hold.NONE, "", "Exercises the desk.", steps=()),
)

REQUEST_KINDS: Mapping[RequestType, RequestKind] = MappingProxyType({row.type: row for row in _ROWS})


def fileable_types() -> tuple[RequestType, ...]:
    """The types an agency can file, in the order of the list."""
    return tuple(row.type for row in _ROWS if row.fileable)
