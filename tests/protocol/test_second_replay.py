"""The conversation of docs/vectors played to the second node: another program says what the vectors say."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.protocol.second_envelope import Seals
from tests.protocol.second_node import SecondNode

JSON = dict[str, Any]
VECTORS = Path(__file__).parents[2] / "docs" / "vectors"


def vector(name: str) -> Any:  # noqa: ANN401 - a JSON document
    """A file of the vectors."""
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


def seals(version: int) -> Seals:
    """XT's keys and a directory."""
    keys = [key for kid, key in vector("keys.json")["keys"].items() if kid.startswith("XT")]
    return Seals(keys, vector(f"directory-{version}.json"))


def queued(node: SecondNode, type_: str, known: set[str]) -> list[JSON]:
    """Bodies of this type that were queued since `known`."""
    return [sent.claims["body"] for jti, sent in node.sent.items() if jti not in known and sent.claims["type"] == type_]


def entries_of(step: JSON, steps: list[JSON]) -> list[JSON]:
    """What XT receipts at this step."""
    if step.get("event") == {"code": "XT"}:
        return [one["then"]["receipt"] for one in steps if one.get("then", {}).get("waits")]
    receipt = step.get("then", {}).get("receipt")
    return [receipt] if receipt is not None and not step["then"].get("waits") else []


def test_the_second_node_receipts_and_returns_what_the_vectors_say() -> None:
    """As XT it gives each envelope of XA the receipt of the vectors, and returns XA's own texts as they were signed."""
    steps = [step for step in vector("conversation.json")["steps"] if step.get("to") == "XT" or "event" in step]
    node, returned, answers = SecondNode("XT", seals=seals(41), zone="Asia/Tokyo"), [], []
    for step in steps:
        known, now = set(node.sent), datetime.fromisoformat(step["at"])
        node.clock = lambda now=now: now  # type: ignore[misc] # the loop's own value
        if step.get("event") == {"code": "XT"}:
            node.learn(seals(42))
        elif step.get("arrives"):
            node.take(step["envelope"].encode(), step["lane"])
        else:
            continue
        node.envelopes_due()
        entries = [entry for body in queued(node, "receipt/1", known) for entry in body["receipts"]]
        assert entries == entries_of(step, steps), step["about"]
        returned += queued(node, "resync.copy/1", known)
        answers += queued(node, "resync/1", known)
    said = [step["claims"]["body"] for step in vector("conversation.json")["steps"] if step.get("from") == "XT"]
    assert returned == [body for body in said if "text" in body and "reason" in body]
    theirs = [[thread["in"] for thread in body["threads"]] for body in said if body.get("kind") == "answer"]
    assert [[thread["in"] for thread in body["threads"]] for body in answers] == theirs


def test_every_message_has_its_fate() -> None:
    """Numbers 1 to 8 are consumed in order, the lost one as void; the text that came second had no effect."""
    steps = [step for step in vector("conversation.json")["steps"] if step.get("to") == "XT" and step["arrives"]]
    node = SecondNode("XT", seals=seals(42), zone="Asia/Tokyo")
    for step in steps:
        now = datetime.fromisoformat(step["at"])
        node.clock = lambda now=now: now  # type: ignore[misc] # the loop's own value
        node.take(step["envelope"].encode(), step["lane"])
    (line,) = [line for (_, peer), line in node.lines.items() if peer == "XA"]
    numbered = {step["claims"]["jti"]: step["claims"]["seq"] for step in steps if "seq" in step["claims"]}
    assert [numbered[fate["jti"]] for fate in line.fates] == list(range(1, 9))
    assert [fate["fate"] for fate in line.fates if fate["fate"] == "void"] == ["void"]
    assert len(node.effects) == len(set(node.effects))


def test_what_is_not_opened_is_answered_as_closed() -> None:
    """A request whose parties are not those of its envelope is refused and answered CLOSED; a later act is stale."""
    node, peer = SecondNode("XT", seals=seals(41)), SecondNode("XA", seals=seals_of_xa())
    node.clock = peer.clock = lambda: datetime.fromisoformat("2026-11-22T09:30:00Z")
    document = {"type": "PRESERVATION", "urgency": {"tier": "URGENT"}}
    thread = peer.ask("XT", document, reference="XA-2026-7K3QF9D")
    next(iter(peer.sent.values())).claims["body"]["requested"] = "XS"
    late = {"act": {"action": "supplement", "generation": 1, "text": "More."}, "at": "2026-11-22T09:30:00.000Z"}
    peer.queue("XT", "exchange.action/1", late, thread=thread)
    for _, _, envelope in peer.envelopes_due():
        node.take(envelope, "urgent")
    said = queued(node, "exchange.state/1", set())[-1]
    assert (said["snapshot"]["state"], said["snapshot"]["reason"]) == ("CLOSED", "not_opened:refused")
    assert [(answer["fate"], answer.get("code")) for answer in said["answers"]] == [
        ("refused", "not_yours"),
        ("stale", None),
    ]


def seals_of_xa() -> Seals:
    """XA's keys and the first directory."""
    keys = [key for kid, key in vector("keys.json")["keys"].items() if kid.startswith("XA")]
    return Seals(keys, vector("directory-41.json"))
