"""What callers are shown of cases. Nothing of this is ever shown abroad."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.db.cases import CaseCount, CaseRecord
from app.db.exchanges import ExchangeRecord
from app.db.requests import RequestRecord
from app.domain.codes import IntakeState, RequestType, Tier
from app.domain.intake import DraftOrigin
from app.routers.models import FieldProblem, Moment, View
from app.routers.request_views import AgencyExchange, show_exchange_part
from app.services.act_on_case import Done


class CaseRequest(View):
    """One request of a case: where it stands at home, and what its exchange has come to."""

    id: UUID
    reference: str
    type: RequestType
    requested: str
    tier: Tier
    state: IntakeState
    generation: int
    exchange_id: UUID | None
    draft_of: UUID | None
    origin: DraftOrigin | None
    outcome: dict[str, Any] | None
    allowed_actions: list[str]
    exchange: AgencyExchange | None


class CaseSummary(View):
    """A case in a list: how many of its requests, and of their exchanges, are in which state."""

    id: UUID
    reference: str
    title: str
    agency: str
    created_at: Moment
    requests: dict[str, int]
    exchanges: dict[str, int]


class CaseView(CaseSummary):
    """A case with each of its requests, in the order in which the states were named."""

    states: list[CaseRequest]


class CaseProblem(View):
    """Why an act was not done to one request."""

    code: str
    detail: str
    errors: list[FieldProblem]


class CaseResult(View):
    """What came of an act for one state; `problem` is null where it was done."""

    requested: str
    reference: str
    state: IntakeState
    problem: CaseProblem | None


class CaseActed(View):
    """The case after an act, and the result for each state that was meant."""

    case: CaseView
    results: list[CaseResult]


class CaseChecked(View):
    """What filing would say, state by state."""

    valid: bool
    states: list[dict[str, Any]]


def show_summary(record: CaseRecord, counted: Sequence[CaseCount]) -> CaseSummary:
    """One case in a list."""
    return CaseSummary(**_summary(record, counted))


def show_case(
    record: CaseRecord,
    filed: Sequence[RequestRecord],
    shared: Mapping[UUID, ExchangeRecord],
    *,
    allowed: Mapping[UUID, list[str]],
    now: datetime,
) -> CaseView:
    """One case whole; the exchanges as far as the agency may see them (domain.md 6.11)."""
    own = {one.id: shared.get(one.exchange_id) if one.exchange_id else None for one in filed}
    counted = [CaseCount(one.state, found.value.state if (found := own[one.id]) else None, 1) for one in filed]
    shown = [
        CaseRequest(
            id=one.id,
            reference=one.reference,
            type=one.type,
            requested=one.requested,
            tier=one.tier,
            state=one.state,
            generation=one.generation,
            exchange_id=one.exchange_id,
            draft_of=one.draft_of,
            origin=one.origin,
            outcome=one.outcome,
            allowed_actions=allowed[one.id],
            exchange=show_exchange_part(found, now) if (found := own[one.id]) else None,
        )
        for one in filed
    ]
    return CaseView(**_summary(record, counted), states=shown)


def show_result(done: Done) -> CaseResult:
    """What came of the act for one request."""
    failed = done.failed
    problem = None
    if failed is not None:
        errors = [FieldProblem(pointer=one.pointer, code=one.code, detail=one.detail) for one in failed.errors]
        problem = CaseProblem(code=failed.code, detail=failed.detail, errors=errors)
    record = done.record
    return CaseResult(requested=record.requested, reference=record.reference, state=record.state, problem=problem)


def _summary(record: CaseRecord, counted: Sequence[CaseCount]) -> dict[str, Any]:
    requests: Counter[str] = Counter()
    exchanges: Counter[str] = Counter()
    for one in counted:
        requests[str(one.intake)] += one.requests
        if one.exchange is not None:
            exchanges[str(one.exchange)] += one.requests
    return {
        "id": record.id,
        "reference": record.own_reference,
        "title": record.title,
        "agency": record.agency_id,
        "created_at": record.created_at,
        "requests": dict(sorted(requests.items())),
        "exchanges": dict(sorted(exchanges.items())),
    }
