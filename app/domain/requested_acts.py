"""Acts that belong to the requested side: they change the exchange, here and nowhere else.

Members that the officer may leave out are filled in by `propose`. What depends on the exchange (its state, its type,
the law of the requested side) is checked in `app.domain.exchange`, not here.
"""

# ruff: noqa: TC001 - pydantic reads the annotations at run time

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from app.domain.codes import Completion, Instrument, NotExecutable, RefusalGround, RiskNotice, Tier
from app.domain.exchange_codes import ConditionKind, InformationEvaluation, SourceEvaluation
from app.domain.marking_bodies import GivenMarking
from app.domain.moments import Instant
from app.domain.wire import MAX_TARGETS, Act, Closed, Country, HoldDays, Line, Reasons, TargetIndex, Text

MAX_HOPS = 50
"""Stations of one communication's path."""

ReservationId = Annotated[str, StringConstraints(min_length=1, max_length=100)]
HostOrAddress = Annotated[
    str, StringConstraints(max_length=253, pattern=r"^[A-Za-z0-9]([A-Za-z0-9._:-]*[A-Za-z0-9])?$")
]


class Acknowledge(Act):
    """A person at the requested side took it: their reference, and when the requesting side hears more."""

    action: Literal["acknowledge"]
    b_reference: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9./_-]{1,64}$")] | None = None
    next_update_at: Instant | None = None


class Ask(Act):
    """What is missing, in codes and words."""

    action: Literal["ask"]
    codes: Annotated[tuple[Completion, ...], Field(min_length=1, max_length=len(Completion))]
    text: Text
    due_at: Instant | None = None


class NotifyRisk(Act):
    """Arts. 29(6), 27(8): executing would defeat the purpose; the requesting side decides whether to go on."""

    action: Literal["notify_risk"]
    codes: Annotated[tuple[RiskNotice, ...], Field(min_length=1, max_length=len(RiskNotice))]
    text: Text
    instrument: Instrument | None = None
    due_at: Instant | None = None


class ProposeConditions(Act):
    """Art. 28(2): information would be given on this condition only."""

    action: Literal["propose_conditions"]
    text: Text
    kind: ConditionKind
    instrument: Instrument | None = None


class Accept(Act):
    """It will be executed, on this instrument."""

    action: Literal["accept"]
    instrument: Instrument | None = None
    text: Text | None = None


class Start(Act):
    """The order is issued or the provider asked. Once it is served, no risk can be taken back any more (X7)."""

    action: Literal["start"]
    text: Text | None = None
    order_served: Literal[True] | None = None


class TargetOutcome(Closed):
    """What became of one target of the request, counted from 0."""

    target: TargetIndex
    outcome: Literal["HELD"] | NotExecutable
    text: Text | None = None


class Preserve(Act):
    """What is held, target by target, since when and for how many days. Left out: everything, from now on."""

    action: Literal["preserve"]
    results: Annotated[tuple[TargetOutcome, ...], Field(min_length=1, max_length=MAX_TARGETS)] | None = None
    days: HoldDays | None = None
    preserved_at: Instant | None = None


class Hop(Closed):
    """One station of a communication's path; nothing of what was said."""

    address: HostOrAddress
    country: Country | None = None
    seen_at: Instant | None = None


class DiscloseTrafficPath(Act):
    """Art. 30: the provider abroad and the path, or that they are withheld and on which of two grounds."""

    action: Literal["disclose_traffic_path"]
    provider: Line | None = None
    country: Country | None = None
    path: Annotated[tuple[Hop, ...], Field(max_length=MAX_HOPS)] = ()
    withheld: Literal[RefusalGround.POLITICAL, RefusalGround.ESSENTIAL_INTERESTS] | None = None
    marking: GivenMarking | None = None

    @model_validator(mode="after")
    def _tells_or_withholds(self) -> Self:
        told = self.provider is not None and self.country is not None
        told_something = told or self.provider is not None or self.country is not None or bool(self.path)
        if (self.withheld is None and not told) or (self.withheld is not None and told_something):
            message = "name provider and country, or the ground on which they are withheld, not both"
            raise ValueError(message)
        return self


class NotExecutableAct(Act):
    """It cannot be done, and why. Never a refusal."""

    action: Literal["not_executable"]
    code: NotExecutable
    reasons: Text | None = None
    suggestion: Text | None = None


class Refuse(Act):
    """The first of two signatures under a refusal; nothing is refused, and nobody abroad is told, before the second.

    To an emergency no is said with the other forms of cooperation there are (CETS 224 art. 9(6)): `alternatives`.
    """

    action: Literal["refuse"]
    code: RefusalGround
    reasons: Reasons
    considered_partial: Literal[True]
    reservation_id: ReservationId | None = None
    instrument: Instrument | None = None
    alternatives: Text | None = None


class ConfirmRefusal(Act):
    """The second signature, by a supervisor who is another person."""

    action: Literal["confirm_refusal"]


class Postpone(Act):
    """Art. 27(5): acting now would prejudice an investigation of the requested side."""

    action: Literal["postpone"]
    code: Literal["P-OWN"]
    review_at: Instant
    considered_partial: Literal[True]
    text: Text | None = None


class Resume(Act):
    """The reason for postponing is gone."""

    action: Literal["resume"]


class Refer(Act):
    """Art. 27(9)(c): handed to the authority that is competent."""

    action: Literal["refer"]
    authority: Line
    contact: Line | None = None


class Answer(Act):
    """Information, advice or the data disclosed, in words; advice may be evaluated four by four."""

    action: Literal["answer"]
    text: Text
    marking: GivenMarking | None = None
    source: SourceEvaluation | None = None
    information: InformationEvaluation | None = None


class ReportProgress(Act):
    """How it stands; after the end, a fact that came late."""

    action: Literal["report_progress"]
    text: Text
    next_update_at: Instant | None = None
    order_served: Literal[True] | None = None


class Downgrade(Act):
    """The facts show no risk to life or safety: it goes on at a lower tier; alternatives are named (224 art. 9(6))."""

    action: Literal["downgrade"]
    code: Literal["E-NOTEMERGENCY"] = "E-NOTEMERGENCY"
    tier: Literal[Tier.URGENT, Tier.ROUTINE] = Tier.URGENT
    alternatives: Text


class AcceptInformation(Act):
    """The receiver of spontaneous information accepts it, and with it the condition offered (art. 26(2))."""

    action: Literal["accept_information"]


class CannotComply(Act):
    """The receiver cannot keep the condition; the provider decides."""

    action: Literal["cannot_comply"]
    text: Text | None = None


class RecordOral(Act):
    """CETS 224 art. 9(4): the request was made by voice first."""

    action: Literal["record_oral"]
    made_at: Instant
    made_by: Line
    received_by: Line
    text: Text | None = None


class Regularise(Act):
    """The written confirmation or the formalities asked for after execution (art. 9(4), 9(5)) have come."""

    action: Literal["regularise"]
    text: Text | None = None


class Close(Act):
    """Finished. The requested side closes what it has referred and may name the reference outside the network."""

    action: Literal["close"]
    reference: Line | None = None
