"""An officer of the requested side acts: the exchange moves on, here and nowhere else, and the other side is told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.audit.facts import FactType
from app.db import exchanges
from app.domain.exchange.admission import admit
from app.domain.exchange.advance import act, act_on_hold
from app.domain.exchange.file_markings import with_files
from app.domain.exchange.hold_admission import admit_on_hold, admit_person, find_hold
from app.domain.exchange.proposals import propose, propose_on_hold
from app.domain.exchange.timers import next_timer
from app.domain.exchange_codes import Side
from app.domain.hold_acts import HoldOrder
from app.domain.moments import to_milliseconds
from app.domain.tiers import lane_of
from app.errors import Conflict
from app.services.attach_uploads import files_of_act
from app.services.exchange_rules import officer, rules_for
from app.services.send import move_lane
from app.services.send_state import send_state
from app.services.tell import Happening, tell

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from app.db.exchanges import ExchangeRecord
    from app.domain.acts import ExchangeAct
    from app.domain.delivery_messages import FileBody
    from app.domain.exchange.values import Exchange
    from app.domain.hold_acts import HoldAct
    from app.domain.wire import Act
    from app.services.node import Acting
    from app.services.wanted import Wanted


async def act_on_exchange(acting: Acting, record: ExchangeRecord, wanted: Wanted[ExchangeAct]) -> ExchangeRecord:
    """Do the act; the caller has locked the thread row and then the exchange's.

    Raises, in this order: Forbidden, Conflict (`stale_generation`, `action_not_allowed`), Refused.
    """
    by, now = officer(acting.actor, Side.REQUESTED), acting.now
    admit(record.value, wanted.action, generation=wanted.generation, by=by, now=to_milliseconds(now))
    body = wanted.read()
    rules = rules_for(acting.node, record.value, now=now)
    completed = propose(record.value, body, rules=rules, now=now, random=acting.node.random)
    changed = act(record.value, completed, by=by, rules=rules, now=now)
    files = await files_of_act(acting, record, wanted, marking=changed.marking)
    return await _write(acting, record, with_files(changed, files), (completed, files))


async def act_on_hold_here(
    acting: Acting, record: ExchangeRecord, *, hold_id: UUID, wanted: Wanted[HoldAct]
) -> ExchangeRecord:
    """The same for an act on one of the exchange's holds; Unknown comes first, `hold_ended` is a Conflict."""
    by, now = officer(acting.actor, Side.REQUESTED), acting.now
    hold = find_hold(record.value, hold_id)
    admit_person(hold, wanted.action, by=by)
    if wanted.generation is not None and wanted.generation != record.value.generation:
        raise Conflict("stale_generation", "The exchange has changed since you read it.")
    admit_on_hold(hold, wanted.action, by=by, now=to_milliseconds(now))
    rules = rules_for(acting.node, record.value, now=now)
    order = propose_on_hold(record.value, HoldOrder(hold_id, wanted.read()), rules=rules)
    changed = act_on_hold(record.value, order, by=by, rules=rules, now=now)
    return await _write(acting, record, changed, (order.act, ()))


async def _write(
    acting: Acting, record: ExchangeRecord, changed: Exchange, said_with: tuple[Act, Sequence[FileBody]]
) -> ExchangeRecord:
    session, node, now = acting.session, acting.node, acting.now
    body, files = said_with
    action = str(getattr(body, "action", ""))
    after = replace(record, value=changed, due_at=next_timer(changed))
    await exchanges.save(session, after, read_generation=record.value.generation, now=now)
    if changed.tier is not record.value.tier:
        await move_lane(session, changed.id, lane_of(changed.tier), now=now)
    await send_state(session, node, after, attachments=files, now=now)
    said: dict[str, Any] = body.model_dump(mode="json", exclude_none=True, exclude={"action", "generation"})
    happened = Happening(
        kind="exchange",
        subject=changed.id,
        event=action,
        state=changed.state,
        generation=changed.generation,
        detail=said,
        for_agency=False,
        fact=FactType.ACK_HUMAN if action == "acknowledge" else FactType.CASE_CHANGED,
        ids={"reference": changed.request_reference},
    )
    await tell(session, node, happened, actor=acting.actor, now=now)
    return after
