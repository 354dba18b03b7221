"""A second node after docs/protocol.md: jwcrypto for JOSE, aio-pika for AMQP, the standard library, and no database.

Written from that page alone; it shares no line with the node that it talks to. What it leaves out of the checklist: it
forgets everything when it ends, so it never asks for a resync; files; and it publishes again by pauses only (9.2, MAY).
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import aio_pika

from tests.protocol.second_envelope import NotTaken, Text
from tests.protocol.second_resync import key_of, says_the_same, take_list

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.protocol.second_envelope import Seals

JSON = dict[str, Any]
PAUSES = (5, 15, 60, 300, 900, 3600)
THREADED = {"exchange.open/1", "exchange.action/1", "exchange.state/1", "hold.action/1", "void/1"}
READS = {*THREADED, "receipt/1", "heartbeat/1", "resync/1", "resync.copy/1"}
ENDED = {"NOT_EXECUTABLE", "REFUSED", "WITHDRAWN", "CLOSED"}
URGENT = {"EMERGENCY", "URGENT"}


def instant(moment: datetime) -> str:
    """A moment as the wire writes it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class Sent:
    """A message of ours that has no receipt yet."""

    peer: str
    claims: JSON
    lane: str
    text: str = ""
    copies: int = 0
    next_at: float = 0.0


@dataclass
class Line:
    """One thread: our last number and its jti; the peer's: consumed, waiting, not understood, and how they ended."""

    sent: int = 0
    last: str = ""
    consumed: int = 0
    waiting: dict[int, Text] = field(default_factory=dict)
    stopped: set[int] = field(default_factory=set)
    fates: list[JSON] = field(default_factory=list)


class SecondNode:
    """One contact point. `exchanges` are those opened towards us, `shown` ours as their snapshots say."""

    def __init__(self, code: str, *, seals: Seals, zone: str = "UTC") -> None:
        self.code = code
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.seals = seals
        self.zone = ZoneInfo(zone)
        self.outbox: dict[str, Sent] = {}
        self.sent: dict[str, Sent] = {}
        self.lines: dict[tuple[str, str], Line] = {}
        self.seen: dict[tuple[str, str], tuple[str, str]] = {}
        self.places: dict[tuple[str, str, int], str] = {}
        self.opened_by: dict[str, str] = {}
        self.exchanges: dict[str, JSON] = {}
        self.shown: dict[str, JSON] = {}
        self.acts: dict[str, str | None] = {}
        self.receipts: list[JSON] = []
        self.effects: list[str] = []
        self.heard: list[Text] = []
        self.put_aside: list[str] = []
        self.awaiting: list[tuple[Text, str]] = []
        self.lists: dict[tuple[str, str], dict[tuple[str, int], JSON]] = {}
        self.answered: set[tuple[str, str]] = set()
        self.due = asyncio.Event()

    # --- sending ------------------------------------------------------------------------------------------------------

    def queue(self, peer: str, type_: str, body: JSON, *, thread: str | None = None, lane: str = "routine") -> str:
        """Give a message its name and number; from here on it is published until its receipt."""
        jti = str(uuid.uuid4())
        claims: JSON = {"v": 1, "suite": "cp1", "iss": self.code, "aud": peer, "jti": jti, "type": type_, "body": body}
        claims |= {"dir": {"v": self.seals.version}}
        if thread is not None:
            line = self._line(thread, peer)
            line.sent += 1
            claims |= {"thread": thread, "seq": line.sent} | ({"prev": line.last} if line.sent > 1 else {})
            line.last = jti
        self.outbox[jti] = self.sent[jti] = Sent(peer, claims, lane)
        self.due.set()
        return jti

    def envelopes_due(self) -> list[tuple[str, Sent, bytes]]:
        """What is to be published now, signed once, closed anew, its copy counted."""
        now, due = time.monotonic(), []
        iat = int(self.clock().timestamp())
        for jti, sent in self.outbox.items():
            if sent.next_at <= now:
                sent.text = sent.text or self.seals.sign(sent.claims | {"iat": iat})
                sent.copies += 1
                sent.next_at = now + PAUSES[min(sent.copies, len(PAUSES)) - 1]
                due.append((jti, sent, self.seals.close(sent.text, self.code, aud=sent.peer, copy=sent.copies)))
        return due

    async def publish(self, exchange: aio_pika.abc.AbstractExchange) -> None:
        """One round. What the broker does not take stays and comes again."""
        for jti, sent, envelope in self.envelopes_due():
            message = aio_pika.Message(envelope, content_type="application/jose", delivery_mode=2, user_id=self.code)
            key = f"{sent.peer}.{self.code}.{sent.lane}"
            try:
                await exchange.publish(message, key, mandatory=True, timeout=3)
            except (aio_pika.exceptions.AMQPError, TimeoutError):
                continue
            if sent.claims["type"] == "receipt/1":
                self.outbox.pop(jti, None)

    # --- receiving ----------------------------------------------------------------------------------------------------

    def take(self, raw: bytes, lane: str) -> None:
        """Everything that one delivery brings about; the caller acknowledges it afterwards."""
        try:
            text = self.seals.open(raw, self.code, now=self.clock())
        except NotTaken as fault:
            self.put_aside.append(str(fault))
            return
        self.heard.append(text)
        if text.type == "receipt/1":
            for entry in text.body["receipts"]:
                self._take_receipt(text.iss, entry)
        else:
            self._settle(text, lane)

    def learn(self, seals: Seals) -> None:
        """Another directory: what waited for one is looked at again."""
        self.seals, waiting, self.awaiting = seals, self.awaiting, []
        for text, lane in waiting:
            self._settle(replace(text, copy=1), lane)

    def _settle(self, text: Text, lane: str) -> None:
        """Store, receipt, apply, answer."""
        is_new = (text.iss, text.jti) not in self.seen
        entry = self._file(text)
        if entry is None:
            self.awaiting.append((text, lane))
            return
        self._receipt(text, lane, entry)
        if text.type == "resync/1" and is_new:
            take_list(self, text, lane)
        if text.thread is not None and self._run(text.thread, text.iss) and self.opened_by.get(text.thread) == text.iss:
            self._answer(text.thread)

    def _file(self, text: Text) -> JSON | None:
        """Store it; what the receipt says beside the names, None if nothing may be said yet."""
        place = (text.iss, text.thread or "", text.seq)
        known = self.seen.get((text.iss, text.jti))
        first = known[0] if known else self.places.get(place) if text.seq else None
        if first is not None and first != text.raw:
            return self._second(text, first, since=known[1] if known else None)
        is_new = self._remember(text)
        received_at = self.seen[text.iss, text.jti][1]
        if text.type not in READS or (text.thread is not None) != (text.type in THREADED):
            reason = "misplaced" if text.type in READS else "unknown_type"
            if text.thread is not None:
                self._line(text.thread, text.iss).stopped.add(text.seq)
            return {"status": "quarantined", "reason": reason, "received_at": received_at}
        if text.thread is None:
            self.effects += [text.jti] if is_new else []
            return {"status": "stored", "received_at": received_at}
        line = self._line(text.thread, text.iss)
        if is_new and text.seq > line.consumed:
            line.waiting[text.seq] = text
        here = line.waiting.keys() | line.stopped
        missing = [at for at in range(line.consumed + 1, max(here, default=0)) if at not in here]
        if all(at in line.waiting for at in range(line.consumed + 1, text.seq)):
            return {"status": "stored", "received_at": received_at}
        return {"status": "held", "received_at": received_at} | ({"missing": missing[:100]} if missing else {})

    def _second(self, text: Text, first: str, *, since: str | None) -> JSON | None:
        """Another text under a known name (since when) or in a taken place: section 11."""
        if since is None or not says_the_same(first, text.raw):
            self.queue(text.iss, "resync.copy/1", {"reason": "equivocation", "text": first}, lane="urgent")
            return {"status": "quarantined", "reason": "equivocation", "received_at": self._now()}
        if not self.seals.is_revoked(text.iss, key_of(first)):
            return None
        line = self._line(text.thread or "", text.iss)
        line.waiting |= {text.seq: text} if text.seq in line.waiting else {}
        return {"status": "held" if text.seq in line.waiting else "stored", "received_at": since}

    def _remember(self, text: Text) -> bool:
        """Whether it is new: one jti has one effect."""
        is_new = (text.iss, text.jti) not in self.seen
        self.seen.setdefault((text.iss, text.jti), (text.raw, self._now()))
        self.places.setdefault((text.iss, text.thread or "", text.seq), text.raw)
        return is_new

    def _receipt(self, text: Text, lane: str, entry: JSON) -> None:
        named = {"jti": text.jti, "copy": min(text.copy, 2**31 - 1), "inner_hash": text.hash}
        self.queue(text.iss, "receipt/1", {"receipts": [named | entry]}, lane=lane)

    def _take_receipt(self, peer: str, entry: JSON) -> None:
        self.receipts.append(entry)
        sent = self.outbox.get(entry["jti"])
        if sent is not None and sent.peer == peer and Text.hash_of(sent.text) == entry["inner_hash"]:
            thread = self.outbox.pop(entry["jti"]).claims.get("thread")
            for other in self.outbox.values():
                if entry.get("missing") and other.peer == peer and other.claims.get("thread") == thread:
                    other.next_at, other.lane = 0.0, "urgent"
            self.due.set()

    def _run(self, thread: str, peer: str) -> bool:
        """Give what has its turn its effect and its fate, in order; whether anything had."""
        line, moved = self._line(thread, peer), False
        while (text := line.waiting.pop(line.consumed + 1, None)) is not None:
            line.consumed, moved = line.consumed + 1, True
            fate, code = self._effect(text)
            line.fates.append({"jti": text.jti, "fate": fate} | ({"code": code} if code else {}))
            self.effects.append(text.jti)
        return moved

    def _effect(self, text: Text) -> tuple[str, str | None]:
        thread, owner = text.thread or "", self.opened_by.get(text.thread or "")
        if text.type == "void/1":
            return "void", None
        if text.type == "exchange.open/1":
            return self._open(text) if text.seq == 1 and owner is None else ("refused", "not_yours")
        if text.type == "exchange.state/1":
            return self._adopt(thread, text.body) if owner == self.code else ("refused", "not_yours")
        if owner != text.iss:
            return "refused", "not_yours"
        snapshot: JSON = self.exchanges[thread]
        act: JSON = text.body["act"]
        if snapshot.get("reason", "").startswith("not_opened"):
            return "stale", None
        judge = self._judge_hold if text.type == "hold.action/1" else self._judge
        fate, code = judge(snapshot, act, text.body)
        if fate == "applied":
            self._written(snapshot)
        return fate, code

    # --- side A -------------------------------------------------------------------------------------------------------

    def ask(self, peer: str, document: JSON, *, reference: str) -> str:
        """Open an exchange; returns its id."""
        thread, tier = str(uuid.uuid4()), document["urgency"]["tier"]
        body = {"type": document["type"], "tier": tier, "requesting": self.code, "requested": peer}
        body |= {"request_reference": reference, "opened_at": self._now(), "document": document}
        self.opened_by[thread] = self.code
        self.queue(peer, "exchange.open/1", body, thread=thread, lane="urgent" if tier in URGENT else "routine")
        return thread

    def wish(self, thread: str, action: str, *, hold: str | None = None, **members: Any) -> str:  # noqa: ANN401 - members of an act
        """An act of side A; its fate comes with a state."""
        shown = self.shown[thread]
        body = {"act": {"action": action, "generation": shown["generation"], **members}, "at": self._now()}
        type_, body = ("exchange.action/1", body) if hold is None else ("hold.action/1", body | {"hold_id": hold})
        lane = "urgent" if shown["tier"] in URGENT else "routine"
        jti = self.queue(shown["requested"], type_, body, thread=thread, lane=lane)
        self.acts[jti] = None
        return jti

    def _adopt(self, thread: str, body: JSON) -> tuple[str, str | None]:
        for answer in body["answers"]:
            if self.acts.get(answer["jti"], "") is None:
                self.acts[answer["jti"]] = answer["fate"]
        known = self.shown.get(thread)
        if known is not None and body["snapshot"]["generation"] < known["generation"]:
            return "stale", None
        self.shown[thread] = body["snapshot"]
        return "applied", None

    # --- side B -------------------------------------------------------------------------------------------------------

    def _open(self, text: Text) -> tuple[str, str | None]:
        body, now, thread = text.body, self._now(), text.thread or ""
        code = None
        if (body["requesting"], body["requested"]) != (text.iss, self.code):
            code = "not_yours"
        elif text.iss[:2] == self.code[:2]:
            code = "domestic_matter"
        elif body["type"] in {"TRAFFIC_PATH_DISCLOSURE", "PING", "DRILL"}:
            code = "not_a_request"
        self.opened_by[thread] = text.iss
        names = ("requesting", "requested", "type", "tier", "request_reference", "opened_at")
        told = {"id": thread, "state": "DELIVERED", "generation": 1, "changed_at": now, "state_since": now}
        told |= {} if code is None else {"state": "CLOSED", "reason": "not_opened:refused"}
        self.exchanges[thread] = {name: body[name] for name in names} | told
        if code is None:
            return "applied", None
        self.exchanges[thread] |= {"requesting": text.iss, "requested": self.code}
        return "refused", code

    def move(self, thread: str, state: str, **members: Any) -> None:  # noqa: ANN401 - members of the snapshot
        """A person of ours has acted: the next generation, and one state for the other side."""
        snapshot = self.exchanges[thread]
        snapshot |= {"state": state, "state_since": self._now(), **members}
        self._written(snapshot)
        self._answer(thread)

    def preserve(self, thread: str, targets: int, *, days: int = 90) -> JSON:
        """Everything is held; returns the hold."""
        begun = self.clock()
        midnight = datetime.combine(begun.astimezone(self.zone).date() + timedelta(days=days + 1), datetime.min.time())
        ends = max(midnight.replace(tzinfo=self.zone), begun + timedelta(days=days))
        hold = {"id": str(uuid.uuid4()), "state": "TIMED", "preserved_at": instant(begun), "days_granted": days}
        hold |= {"expires_at": instant(ends), "targets": list(range(targets)), "mla": {"status": "NONE"}}
        self.move(thread, "PRESERVED", results=[{"target": at} for at in range(targets)], holds=[hold])
        return hold

    def _judge(self, snapshot: JSON, act: JSON, _body: JSON) -> tuple[str, str | None]:
        """12.3, as far as a preservation needs it."""
        ended = snapshot["state"] in ENDED
        if act["action"] == "supplement":
            told = {"at": self._now(), "text": act["text"]} | ({"side": "requesting"} if ended else {})
            snapshot.setdefault("late_facts" if ended else "supplements", []).append(told)
            return "applied", None
        if act["action"] not in {"withdraw", "stop"}:
            return "stale", None
        if ended:
            return "stale", None
        snapshot |= {"state": "WITHDRAWN", "state_since": self._now(), "reason": "withdrawn"}
        for hold in snapshot.get("holds", []):
            self._let_go(hold)
        return "applied", None

    def _judge_hold(self, snapshot: JSON, act: JSON, body: JSON) -> tuple[str, str | None]:
        hold = next((hold for hold in snapshot.get("holds", []) if hold["id"] == body["hold_id"]), None)
        if hold is None:
            return "refused", "unknown_hold"
        if act["action"] == "claim_mla_sent":
            hold["mla"] |= {
                "status": "CLAIMED_SENT",
                "claimed_reference": act["ca_reference"],
                "claimed_at": self._now(),
            }
            hold["mla"]["claimed_on"] = act["date"]
        elif hold["expires_at"] <= self._now():
            return "stale", None
        elif act["action"] == "release":
            self._let_go(hold)
        elif hold.get("releasing"):
            return "stale", None
        else:
            hold["extension_wish"] = {"days": act.get("days", 60), "asked_at": self._now()}
        return "applied", None

    def _let_go(self, hold: JSON) -> None:
        hold |= {"releasing": True, "release_due_at": instant(self.clock() + timedelta(hours=24))}

    def _written(self, snapshot: JSON) -> None:
        snapshot |= {"generation": snapshot["generation"] + 1, "changed_at": self._now()}

    def _answer(self, thread: str) -> None:
        peer = self.opened_by[thread]
        line, snapshot = self._line(thread, peer), json.loads(json.dumps(self.exchanges[thread]))
        body = {"snapshot": snapshot, "consumed": line.consumed, "answers": line.fates[-500:]}
        self.queue(
            peer, "exchange.state/1", body, thread=thread, lane="urgent" if snapshot["tier"] in URGENT else "routine"
        )

    def _now(self) -> str:
        return instant(self.clock())

    def _line(self, thread: str, peer: str) -> Line:
        return self.lines.setdefault((thread, peer), Line())
