"""The exchange as both contact points show it, and the few things about it that the requested side keeps to itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.domain.codes import State
from app.domain.markings import DEFAULT, Marking, combined

if TYPE_CHECKING:
    from datetime import date, datetime
    from uuid import UUID

    from app.domain.codes import DataCategory, Instrument, NotExecutable, RefusalGround, RequestType, Tier
    from app.domain.emergency_facts import EmergencyFacts
    from app.domain.exchange.onward_values import Confirmation, OnwardTransfer, UseQuestion
    from app.domain.exchange_codes import (
        ConditionKind,
        Flag,
        InformationEvaluation,
        QuestionKind,
        Side,
        SourceEvaluation,
    )
    from app.domain.holds import Hold

TERMINAL = frozenset({State.NOT_EXECUTABLE, State.REFUSED, State.WITHDRAWN, State.CLOSED})
"""An exchange in one of these never leaves it. UNDELIVERABLE is none of them (ruling 15)."""

NOT_OPENED = "not_opened"
"""With the fate of the opening behind a colon, the reason of an exchange that never came to be (ruling 14)."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the requesting side is asked, by when an answer is hoped for, and when it was reminded.

    Silence is never an answer.
    """

    id: UUID
    kind: QuestionKind
    codes: tuple[str, ...]
    text: str
    asked_at: datetime
    due_at: datetime
    reminded_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on the use of information (arts. 26(2), 28(2)). It binds once `accepted_at` is set."""

    id: UUID
    kind: ConditionKind
    text: str
    proposed_at: datetime
    due_at: datetime
    accepted_at: datetime | None = None
    reminded_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TargetResult:
    """What became of one target of the request, counted from 0; `outcome` is HELD when it is None."""

    target: int
    outcome: NotExecutable | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the requesting side wanted to know; spontaneous information carries its four-by-four evaluation.

    `conditions` are the ids of the accepted conditions that bind whoever has it.
    """

    at: datetime
    text: str
    source: SourceEvaluation | None = None
    information: InformationEvaluation | None = None
    marking: Marking | None = None
    conditions: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """How it stood at that time, in the words of the requested side."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Supplement:
    """Facts added by the requesting side; `question_id` if they answered a question that was open."""

    at: datetime
    text: str
    question_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class LateFact:
    """A fact that came after the end; it is kept and shown, and changes no state."""

    at: datetime
    side: Side
    text: str


@dataclass(frozen=True, slots=True)
class Hop:
    """A station of a communication's path."""

    address: str
    country: str | None = None
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TrafficPath:
    """Art. 30: provider and path, or the ground on which they are withheld."""

    at: datetime
    provider: str | None = None
    country: str | None = None
    path: tuple[Hop, ...] = ()
    withheld: RefusalGround | None = None
    marking: Marking | None = None


@dataclass(frozen=True, slots=True)
class TierChange:
    """Raised by the requesting side, to an emergency with its facts, or lowered by the requested side.

    `text` are the reasons of the one, or the alternatives that the other names.
    """

    at: datetime
    side: Side
    tier: Tier
    text: str
    code: str | None = None
    emergency: EmergencyFacts | None = None


@dataclass(frozen=True, slots=True)
class Referral:
    """The competent authority it was handed to, and its reference there if it goes on outside the network."""

    authority: str
    contact: str | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class OralRequest:
    """A request made by voice before it came in writing; until `due_at` it should be regularised (224 art. 9(4))."""

    made_at: datetime
    made_by: str
    received_by: str
    recorded_at: datetime
    text: str | None = None
    due_at: datetime | None = None
    regularised_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the request's document the rules need. Both sides read it from the document; no snapshot carries it.

    `targets` is 0 when they are not known, as in a request noted by voice. `categories` are the kinds of data that all
    targets together ask for; empty when that is not known of every target. `marking` and `offered`, the condition under
    which information is offered, come from the opening itself.
    """

    targets: int = 0
    articles: tuple[str, ...] = ()
    requested_days: int | None = None
    instruments: tuple[Instrument, ...] = ()
    mla_planned_on: date | None = None
    mla_intended: bool = False
    marking: Marking | None = None
    offered: UUID | None = None
    categories: tuple[DataCategory, ...] = ()


@dataclass(frozen=True, slots=True)
class ProposedRefusal:
    """The first signature under a refusal."""

    by: UUID
    code: RefusalGround
    reasons: str
    instrument: Instrument
    at: datetime
    reservation_id: str | None = None
    alternatives: str | None = None


@dataclass(frozen=True, slots=True)
class Private:
    """What never leaves the requested side (domain.md 6.11).

    `withdrawn_at_birth` is the act that arrived together with the opening and was applied with it (ruling 15).
    """

    proposed_refusal: ProposedRefusal | None = None
    withdrawal_waiting: bool = False
    withdrawn_at_birth: UUID | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """One exchange. Only the requested node makes a new one out of an old one; `generation` counts these by one.

    `reason` is the code under which it was postponed or ended: a refusal ground, a code N-*, `P-OWN`, or one of our own
    words; `reason_article` the provision behind a refusal; `reason_text` what a person wrote to it. `served_at` is when
    the requested side said that its order was served. `left_out` counts the oldest remarks that no longer fit; the
    timeline and the messages still have them. `files_marking` is the strictest of the files that acts have brought,
    once that is stricter than everything else.
    """

    id: UUID
    requesting: str
    requested: str
    type: RequestType
    tier: Tier
    state: State
    generation: int
    request_reference: str
    opened_at: datetime
    changed_at: datetime
    state_since: datetime
    flags: tuple[Flag, ...] = ()
    resume_state: State | None = None
    b_reference: str | None = None
    next_update_at: datetime | None = None
    instrument: Instrument | None = None
    question: Question | None = None
    clarifications: int = 0
    condition: Condition | None = None
    accepted_conditions: tuple[Condition, ...] = ()
    narrowing: str | None = None
    review_at: datetime | None = None
    referred_to: Referral | None = None
    reason: str | None = None
    reason_article: str | None = None
    reason_text: str | None = None
    suggestion: str | None = None
    oral: OralRequest | None = None
    confirmation: Confirmation | None = None
    served_at: datetime | None = None
    results: tuple[TargetResult, ...] = ()
    holds: tuple[Hold, ...] = ()
    answers: tuple[Answer, ...] = ()
    progress: tuple[Progress, ...] = ()
    supplements: tuple[Supplement, ...] = ()
    late_facts: tuple[LateFact, ...] = ()
    traffic_paths: tuple[TrafficPath, ...] = ()
    tier_changes: tuple[TierChange, ...] = ()
    onward_transfers: tuple[OnwardTransfer, ...] = ()
    use_questions: tuple[UseQuestion, ...] = ()
    left_out: int = 0
    files_marking: Marking | None = None
    asked: Asked = field(default_factory=Asked)
    private: Private = field(default_factory=Private)

    @property
    def is_terminal(self) -> bool:
        """Whether it has ended for good; holds of it may still run."""
        return self.state in TERMINAL

    @property
    def was_never_opened(self) -> bool:
        """Whether its opening expired, was voided or was refused: it only answers, and whatever follows is stale."""
        return self.state is State.CLOSED and (self.reason or "").startswith(f"{NOT_OPENED}:")

    @property
    def marking(self) -> Marking:
        """The strictest of the request, of what was given in answer and of all files: that of a message about it."""
        given = [
            *(one.marking for one in self.answers),
            *(path.marking for path in self.traffic_paths),
            self.files_marking,
        ]
        return combined(self.asked.marking or DEFAULT, *(marking for marking in given if marking is not None))

    def hold(self, hold_id: UUID) -> Hold | None:
        """The hold of that id, if it belongs to this exchange."""
        return next((hold for hold in self.holds if hold.id == hold_id), None)
