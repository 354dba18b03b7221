"""Bodies for every type: those that the conversation lacks, and those that nobody may send, each with its fault."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from tests.protocol.conversation import conversation
from tests.support.emergency import EMERGENCY, RISK

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON = dict[str, Any]
ID = "019a9f5e-7c00-7000-8000-00000000000f"
AT = "2026-11-22T09:30:00.000Z"
CHUNK = {"file_id": ID, "number": 1, "chunks": 2, "ciphertext": "AAECAwQF"}
FILE = {"file_id": ID, "name": "log.txt", "media_type": "text/plain", "size": 20, "chunks": 1}
FILE |= {"sha256": "A" * 43, "key": "B" * 43}
WANT = {"id": ID, "kind": "want", "lane": "urgent", "want": [ID]}
TEST_CALL: JSON = {"call_id": ID, "kind": "PING", "part": "call", "at": AT}
INCIDENT: JSON = {"incident_id": ID, "discovered_at": AT, "what": "A disk was lost.", "mitigations": "It is encrypted."}
INCIDENT |= {"contact": "Data protection, +99900555099", "exchanges": [ID], "limit_onward": True}
BARE_HOLD = {"id": ID, "state": "TIMED", "preserved_at": AT, "days_granted": 90}
BARE_ENTRY = {"jti": ID, "inner_hash": "A" * 43, "status": "stored", "received_at": AT}
ACTS: Mapping[str, JSON] = {
    "proceed": {"question_id": ID, "narrowing": "The port only."},
    "stop": {"question_id": ID},
    "accept_condition": {"condition_id": ID},
    "decline_condition": {"condition_id": ID, "text": "Our courts publish."},
    "withdraw": {"reasons": "The suspect has been found."},
    "raise_tier": EMERGENCY | {"emergency": RISK | {"imminent_until": AT}},
    "close": {},
    "provide_anyway": {},
    "withhold": {"text": "Then not."},
    "send_content": {
        "text": "The address is in use.",
        "source": "A",
        "information": "1",
        "marking": {"tlp": "TLP:AMBER", "pap": "PAP:RED", "handling": ["H1", "H3"], "text": "Not for the press."},
    },
    "confirm_formally": {"reference": "MOJ-2026-7", "date": "2026-11-25"},
    "request_onward_transfer": {"to": "XS", "purpose": "The account is used there as well."},
    "decide_onward_transfer": {"transfer_id": ID, "decision": "GRANTED", "text": "For that case alone."},
    "ask_use": {"text": "What has become of the name?"},
    "explain_use": {"question_id": ID, "text": "The house was searched."},
}


def good_bodies() -> list[JSON]:
    """Type and body of everything that the conversation says, once each, and of what it does not need."""
    found = [{"type": step["type"], "body": step["claims"]["body"]} for step in conversation() if "claims" in step]
    kinds = {(one["type"], *_kind(one["body"])): one for one in found}
    acts = [{"act": {"action": name, "generation": 3, **more}, "at": AT} for name, more in ACTS.items()]
    more = [{"type": "exchange.action/1", "body": body} for body in acts]
    more += [{"type": "attachment.chunk/1", "body": CHUNK}, {"type": "resync/1", "body": WANT}]
    named = {"act": {"action": "supplement", "generation": 3, "text": "The log."}, "at": AT, "attachments": [FILE]}
    more += [{"type": "exchange.action/1", "body": named}]
    release = {"hold_id": ID, "act": {"action": "release", "generation": 9}, "at": AT}
    more += [{"type": "hold.action/1", "body": release}, {"type": "void/1", "body": {}}]
    more += [{"type": "test-call/1", "body": TEST_CALL}, {"type": "incident/1", "body": INCIDENT}]
    later = {"hold_id": ID, "act": {"action": "release", "generation": 9, "of_a_later_release": 1}, "at": AT, "new": []}
    return [
        *kinds.values(),
        *more,
        {"type": "hold.action/1", "body": later, "not_understood": ["/act/of_a_later_release", "/new"]},
    ]


def _kind(body: JSON) -> tuple[str, ...]:
    told = (body.get("act", {}).get("action"), body.get("kind"), body.get("reason"))
    return tuple(str(one) for one in told)


def bad_bodies() -> list[JSON]:
    """Each a good body with one thing wrong."""
    first = {one["type"]: one["body"] for one in reversed(good_bodies())}
    found = []
    for type_, faults in FAULTS.items():
        for about, (place, value) in faults.items():
            found.append({"type": type_, "about": about, "body": _changed(first[type_], place, value)})
    return found


MISSING = object()

FAULTS: Mapping[str, Mapping[str, tuple[str, object]]] = {
    "exchange.open/1": {
        "without a type": ("type", MISSING),
        "a type that does not exist": ("type", "SURVEILLANCE"),
        "a tier in lower case": ("tier", "urgent"),
        "a code in lower case": ("requesting", "xa"),
        "a document that is no object": ("document", []),
        "a moment without its offset": ("opened_at", "2026-11-22T09:30:00"),
        "a marking without its protocol": ("marking", {"tlp": "TLP:AMBER"}),
        "a reference longer than a line": ("request_reference", "X" * 1001),
    },
    "exchange.action/1": {
        "an act that does not exist": ("act.action", "hurry"),
        "without a generation": ("act.generation", MISSING),
        "a generation in quotes": ("act.generation", "3"),
        "a generation below zero": ("act.generation", -1),
        "without its moment": ("at", MISSING),
        "an empty text": ("act.text", ""),
        "a text of blanks": ("act.text", "   "),
        "a text that is too long": ("act.text", "x" * 8001),
        "a question whose id is none": ("act.question_id", "the first"),
        "a file without its key": ("attachments", [{**FILE, "key": ""}]),
        "a file whose name is a path": ("attachments", [{**FILE, "name": "../log.txt"}]),
    },
    "hold.action/1": {
        "without the hold": ("hold_id", MISSING),
        "a reference that is a number": ("act.ca_reference", 31),
        "a date that is a moment": ("act.date", "2026-11-22T00:00:00Z"),
        "an act on the exchange": ("act.action", "withdraw"),
    },
    "exchange.state/1": {
        "without a snapshot": ("snapshot", MISSING),
        "without what was consumed": ("consumed", MISSING),
        "a number of the other side's below zero": ("consumed", -1),
        "a state that does not exist": ("snapshot.state", "DONE"),
        "a flag that does not exist": ("snapshot.flags", ["HOT"]),
        "a fate that does not exist": ("answers", [{"jti": ID, "fate": "lost"}]),
        "a hold without its follow-up": (
            "snapshot.holds",
            [{"id": ID, "state": "TIMED", "preserved_at": AT, "days_granted": 90}],
        ),
        "a generation that is no whole number": ("snapshot.generation", 1.5),
    },
    "receipt/1": {
        "an empty list": ("receipts", []),
        "an entry without its copy": (
            "receipts",
            [{"jti": ID, "inner_hash": "A" * 43, "status": "stored", "received_at": AT}],
        ),
        "copy 0": ("receipts.0.copy", 0),
        "a hash that is too short": ("receipts.0.inner_hash", "abc"),
        "a status that does not exist": ("receipts.0.status", "read"),
        "number 0 is missing": ("receipts.0.missing", [0]),
    },
    "attachment.chunk/1": {
        "number 0": ("number", 0),
        "more pieces than a file may have": ("chunks", 4097),
        "padding": ("ciphertext", "AAECAwQ="),
        "without its file": ("file_id", MISSING),
    },
    "heartbeat/1": {
        "a type without its version": ("reads", ["receipt"]),
        "without what it reads": ("reads", MISSING),
    },
    "resync/1": {
        "a kind that does not exist": ("kind", "tell"),
        "part 0": ("part", 0),
        "a lane that does not exist": ("lane", "slow"),
        "a thread that is none": ("threads", [{"thread": "all", "out": {"upto": 1}, "in": {"upto": 1}}]),
        "a thread without what is known of the reader's texts": ("threads", [{"thread": ID, "out": {"upto": 1}}]),
    },
    "resync.copy/1": {
        "a text of two parts": ("text", "eyJ9.e30"),
        "a reason that does not exist": ("reason", "lost"),
    },
    "void/1": {"a reason that is no text": ("reason", 7)},
    "test-call/1": {
        "a kind that does not exist": ("kind", "ALARM"),
        "neither call nor answer": ("part", "echo"),
        "without its id": ("call_id", MISSING),
    },
    "incident/1": {
        "without what happened": ("what", MISSING),
        "an exchange that is none": ("exchanges", ["the first"]),
        "a moment without its offset": ("discovered_at", "2026-11-22T09:30:00"),
        "an end without a reason": ("over_at", AT),
    },
}
"""Type → what is wrong → where (parts of the place joined by dots) and what stands there instead."""


def _changed(body: JSON, place: str, value: object) -> JSON:
    changed = deepcopy(body)
    here: Any = changed
    *way, last = [int(part) if part.isdigit() else part for part in place.split(".")]
    for part in way:
        here = here[part]
    if value is MISSING:
        del here[last]
    else:
        here[last] = value
    return changed
