"""A request that asks for what another one already asks for joins that one's exchange: nothing new goes abroad."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.db import exchanges, requests
from app.domain.codes import GateOutcome, IntakeState
from app.domain.holds import is_open
from app.domain.references import check_reference
from app.errors import FieldError, Refused

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.exchanges import ExchangeRecord
    from app.db.requests import RequestRecord
    from app.domain.intake_acts import Merge
    from app.services.node import Acting


async def merge_request(acting: Acting, record: RequestRecord, act: Merge) -> RequestRecord:
    """The request as it joins; its agency sees the exchange from then on, as far as it may see any (domain.md 6.11).

    A person decides it, never a mark alone. Neither agency is told of the other: `into` is kept for the desk only.
    Raises Refused unless `into` is a signed request to the same contact point whose exchange goes on.
    """
    reference = check_reference(act.into)
    into = None if reference is None else await requests.load(acting.session, reference)
    if into is None or into.id == record.id or into.merged_into is not None:
        raise _refused("unknown_request", "This must name another request here, by its reference.")
    if into.state is not IntakeState.SIGNED or into.exchange_id is None:
        raise _refused("not_signed", "That request has no exchange yet: decide on it first.")
    if into.requested != record.requested:
        raise _refused("another_state", "That request went to another contact point.")
    exchange = await exchanges.load(acting.session, into.exchange_id)
    if exchange is None or (exchange.value.is_terminal and not _holds_data(exchange, acting.now)):
        raise _refused("exchange_ended", "That exchange has ended; a new request is needed.")
    outcome = {"action": str(act.action), "code": GateOutcome.MERGED.value, "text": act.text}
    return replace(record, outcome=outcome, merged_into=into.id, exchange_id=into.exchange_id)


def _holds_data(exchange: ExchangeRecord, now: datetime) -> bool:
    return any(is_open(hold, now) for hold in exchange.value.holds)


def _refused(code: str, detail: str) -> Refused:
    return Refused("invalid_act", "The act breaks the rules listed.", errors=(FieldError("/into", code, detail),))
