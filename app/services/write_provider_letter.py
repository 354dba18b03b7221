"""The letter with which the requested side has a provider preserve data; that it was made is put on record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.audit.facts import Fact, FactType
from app.domain.codes import Direction, RequestType
from app.errors import Refused
from app.forms.letters import Order, addressees_of, compose_letter
from app.services.read_exchange_document import document_of, side_of_case
from app.services.record import record

if TYPE_CHECKING:
    from app.db.exchanges import ExchangeRecord
    from app.forms.cases import Form
    from app.services.node import Acting


async def write_provider_letter(acting: Acting, exchange: ExchangeRecord, *, place: int) -> tuple[Form, int]:
    """The letter to the provider at that place, counted from 1, and how many providers the request names.

    Raises Refused `letter_not_possible` for anything but a preservation asked of us, Unknown beyond the last place.
    """
    if exchange.direction is not Direction.INCOMING or exchange.value.type is not RequestType.PRESERVATION:
        raise Refused("letter_not_possible", "A letter to a provider belongs to a preservation asked of this state.")
    document = document_of(exchange)
    order = Order(exchange.value, document, side_of_case(acting.node, acting.node.code), acting.now)
    form = compose_letter(order, place=place)
    fact = Fact(FactType.CASE_EXPORTED, thread=str(exchange.value.id), contents={"what": "provider_letter"})
    await record(acting.session, acting.node, fact, actor=acting.actor, now=acting.now)
    return form, len(addressees_of(document))
