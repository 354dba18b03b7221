"""A preservation from the opening to the end of its hold, with everything on the way that can go wrong, byte by byte.

The exchange is that of the domain: each snapshot is what a node would have sent at that moment.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.domain.acts import EXCHANGE_ACT
from app.domain.codes import Fate, Instrument, RequestType, Role, Tier
from app.domain.documents import example
from app.domain.exchange.advance import act, act_on_hold
from app.domain.exchange.judging import judge
from app.domain.exchange.opening import open_exchange
from app.domain.exchange.parties import Officer, PartyRules
from app.domain.exchange_codes import Side
from app.domain.hold_acts import HOLD_ACT, HoldOrder
from app.domain.messages import ActionBody, FateBody, HoldActionBody, OpenBody, ReceiptBody, StateBody, write_body
from app.domain.moments import write_instant
from app.domain.snapshot import take_snapshot
from tests.protocol.stage import Message, Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.domain.exchange.values import Exchange

ZONE = ZoneInfo("Asia/Tokyo")
RULES = PartyRules(zone=ZONE, instruments=(Instrument.ETS185,), default_days=90, extension_days=60)
DESK = Officer(Side.REQUESTED, Role.DUTY_OFFICER, UUID(int=7))
THREAD = "019a9f5e-7c00-7000-8000-00000000000a"
LOST = "The broker loses it."
JSON = dict[str, Any]


@dataclass
class Play:
    """The stage, and the exchange as XT has it."""

    stage: Stage = field(default_factory=Stage)
    exchange: Exchange | None = None
    fates: list[FateBody] = field(default_factory=list)

    @property
    def value(self) -> Exchange:
        """The exchange, once it is opened."""
        assert self.exchange is not None
        return self.exchange

    # --- what both do -------------------------------------------------------------------------------------------------

    def receipt(self, step: JSON, status: str = "stored", *, lost: bool = False, **more: Any) -> None:  # noqa: ANN401 - members of an entry
        """The receiver of a step receipts it."""
        self.receipts([step], lost=lost, statuses=[{"status": status, **more}])

    def receipts(self, steps: Sequence[JSON], *, statuses: Sequence[JSON], lost: bool = False) -> None:
        """One list for several steps; `received_at` is that of the first copy unless it is given."""
        entries = [
            {
                "jti": step["claims"]["jti"],
                "copy": step["copy"],
                "inner_hash": step["inner_hash"],
                "received_at": step["at"],
                **said,
            }
            for step, said in zip(steps, statuses, strict=True)
        ]
        body = write_body(ReceiptBody.model_validate({"receipts": entries}, strict=False))
        for step, entry in zip(steps, body["receipts"], strict=True):
            step["then"]["receipt"] = entry
        message = self.stage.say(steps[0]["to"], "receipt/1", body, lane=steps[0]["lane"])
        if lost:
            self.stage.carry(message, LOST)
            return
        self.stage.carry(message, "The receipt.", effect="The texts it names leave the outbox.", receipt=None)

    def given(self, message: Message, about: str, **expect: Any) -> JSON:  # noqa: ANN401 - what the receiver does
        """A message arrives and is receipted."""
        step = self.stage.carry(message, about, **expect)
        self.receipt(step)
        return step

    # --- XA -----------------------------------------------------------------------------------------------------------

    def open(self) -> Message:
        """The request of the example."""
        body = OpenBody(
            type=RequestType.PRESERVATION,
            tier=Tier.URGENT,
            requesting="XA",
            requested="XT",
            request_reference="XA-2026-7K3QF9D",
            opened_at=self.stage.now,
            document=dict(example(RequestType.PRESERVATION)),
        )
        exp = int((self.stage.now + timedelta(days=30)).timestamp())
        return self.stage.say("XA", "exchange.open/1", write_body(body), thread=THREAD, exp=exp)

    def wish(self, action: str, *, hold: UUID | None = None, **members: Any) -> Message:  # noqa: ANN401 - members of an act
        """An act of XA's officer, who sees what XT has."""
        told = {"action": action, "generation": self.value.generation, **members}
        body: JSON = {"act": told, "at": write_instant(self.stage.now)}
        if hold is None:
            return self.stage.say("XA", "exchange.action/1", body, thread=THREAD)
        return self.stage.say("XA", "hold.action/1", body | {"hold_id": str(hold)}, thread=THREAD)

    @property
    def _turn(self) -> datetime:
        """When the envelope came that brought a message its turn: the one carried last."""
        return datetime.fromisoformat(self.stage.steps[-1]["at"])

    # --- XT -----------------------------------------------------------------------------------------------------------

    def begin(self, opening: Message) -> None:
        """The opening has its effect."""
        body = OpenBody.model_validate(opening.claims["body"], strict=False)
        self.exchange = open_exchange(UUID(THREAD), body, now=self._turn)
        self._ended(opening, Fate.APPLIED)

    def judge(self, message: Message, at: str) -> None:
        """An act of XA has its turn; `at` is when its first copy came."""
        form = HoldActionBody if message.claims["type"] == "hold.action/1" else ActionBody
        wish = form.model_validate_json(json.dumps(message.claims["body"]))
        first = datetime.fromisoformat(at)
        judged = judge(self.value, wish, now=self._turn, first_received_at=first, zone=ZONE)
        self.exchange = judged.exchange
        self._ended(message, judged.fate, judged.code)

    def void(self, message: Message) -> None:
        """A number without text has its turn."""
        self._ended(message, Fate.VOID)

    def _ended(self, message: Message, fate: Fate, code: str | None = None) -> None:
        self.fates.append(FateBody(jti=UUID(message.jti), fate=fate, code=code))

    def state(self) -> Message:
        """What XT says of the exchange now."""
        body = StateBody(snapshot=take_snapshot(self.value), answers=tuple(self.fates), consumed=len(self.fates))
        return self.stage.say("XT", "exchange.state/1", write_body(body), thread=THREAD)

    def decide(self, action: str, **members: Any) -> Message:  # noqa: ANN401 - members of an act
        """An act of XT's duty officer, and the state that tells it."""
        told = {"action": action, "generation": self.value.generation, **members}
        body = EXCHANGE_ACT.validate_json(json.dumps(told))
        self.exchange = act(self.value, body, by=DESK, rules=RULES, now=self.stage.now)
        return replace(self.state(), act=told)

    def decide_on_hold(self, action: str, **members: Any) -> Message:  # noqa: ANN401 - members of an act
        """The same about its hold."""
        told = {"action": action, "generation": self.value.generation, **members}
        order = HoldOrder(self.value.holds[0].id, HOLD_ACT.validate_json(json.dumps(told)))
        self.exchange = act_on_hold(self.value, order, by=DESK, rules=RULES, now=self.stage.now)
        return replace(self.state(), act=told | {"hold_id": str(order.hold_id)})
