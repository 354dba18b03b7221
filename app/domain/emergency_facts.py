"""The facts that make an exchange an emergency after it was sent: as written to an act, and as a snapshot tells them.

A filed request brings the same in its document (`app.domain.documents.matter.Emergency`). How much is enough is asked
of our own people; what arrives with less is applied, and a person is warned (rulings 7 and 19).
"""

# ruff: noqa: TC001, TC003 - pydantic reads the annotations at run time

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from app.domain.codes import Completion
from app.domain.exchange_codes import ThreatKind
from app.domain.moments import Instant
from app.domain.wire import Closed, Open, ShortText, Text, WireText
from app.errors import FieldError

MIN_FACTS = 100
MIN_LINK = 50
"""Characters, as in a filed request (domain.md 3.4): CETS 224 art. 9(3)(e) asks for sufficient facts."""

TIME_PASSED = "time_passed"


@dataclass(frozen=True, slots=True)
class EmergencyFacts:
    """Who is at risk of what, and what the data have to do with it (CETS 224 arts. 3 and 9(3)(e))."""

    threat_kind: ThreatKind
    persons_at_risk: str
    facts: str
    link_to_data: str
    imminent_until: datetime | None = None


class GivenEmergency(Closed):
    """The same as an officer writes it to an act."""

    threat_kind: ThreatKind
    persons_at_risk: ShortText
    facts: Text
    link_to_data: Text
    imminent_until: Instant | None = None


class EmergencyBody(Open):
    """The same in a snapshot."""

    threat_kind: ThreatKind
    persons_at_risk: WireText
    facts: WireText
    link_to_data: WireText
    imminent_until: Instant | None = None


def read_emergency(body: EmergencyBody | GivenEmergency | None) -> EmergencyFacts | None:
    """The value of a body."""
    if body is None:
        return None
    return EmergencyFacts(
        body.threat_kind, body.persons_at_risk, body.facts, body.link_to_data, imminent_until=body.imminent_until
    )


def lacking(facts: EmergencyFacts | None, *, at: str) -> Iterator[FieldError]:
    """What V-7 misses in these facts; `at` is the pointer to where they are, or should be."""
    if facts is None:
        yield FieldError(
            at,
            Completion.EMERGENCYFACTS,
            "An emergency is a significant and imminent risk to the life or safety of a person: state it. Where data "
            "are at risk and nobody is, the tier is URGENT.",
        )
        return
    for member, least in (("facts", MIN_FACTS), ("link_to_data", MIN_LINK)):
        if len(getattr(facts, member).strip()) < least:
            yield FieldError(
                f"{at}/{member}", Completion.VAGUE, f"At least {least} characters: say what makes it an emergency."
            )


def passed(facts: EmergencyFacts | None, *, now: datetime) -> bool:
    """Whether the risk was expected earlier than now. It is asked about, never held against anybody (ruling 19)."""
    return facts is not None and facts.imminent_until is not None and facts.imminent_until < now
