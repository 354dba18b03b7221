"""The desk does one act to every request of a case; what fails for one state delays none of the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.errors import CounterpartError
from app.services.act_on_request import act_on_request

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.db.requests import RequestRecord
    from app.domain.cases import CaseAct
    from app.services.node import Acting


@dataclass(frozen=True, slots=True)
class Done:
    """What came of the act for one request: the request after it, or as it was with the reason."""

    record: RequestRecord
    failed: CounterpartError | None = None


async def act_on_case(acting: Acting, records: Sequence[RequestRecord], act: CaseAct) -> list[Done]:
    """Do the act to those that are meant, each in a savepoint of its own; their rows are locked.

    An act that the caller may not do, or that a request does not allow now, is a result like any other.
    """
    meant = [one for one in records if act.requested is None or one.requested in act.requested]
    return [await _act_on_one(acting, record, act) for record in meant]


async def _act_on_one(acting: Acting, record: RequestRecord, act: CaseAct) -> Done:
    try:
        async with acting.session.begin_nested():
            return Done(await act_on_request(acting, record, {"action": act.action}))
    except CounterpartError as failed:
        return Done(record, failed)
