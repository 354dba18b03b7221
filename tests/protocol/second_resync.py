"""Sections 11.2 and 17 of docs/protocol.md, as every node owes them to others: texts given back, lists answered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.protocol.second_envelope import Text, decode

if TYPE_CHECKING:
    from tests.protocol.second_node import SecondNode

JSON = dict[str, Any]
LANES = ("urgent", "routine")
UNCHANGED = ("thread", "seq", "prev", "type", "exp", "body")


def says_the_same(one: str, other: str) -> bool:
    """Whether two texts of one `jti` are one message signed twice: other keys, and equal where they must be."""
    first, second = (_claims(text) for text in (one, other))
    return key_of(one) != key_of(other) and all(first.get(name) == second.get(name) for name in UNCHANGED)


def key_of(text: str) -> str:
    """The key id in the header of a text."""
    return str(json.loads(decode(text.split(".", maxsplit=1)[0]))["kid"])


def take_list(node: SecondNode, text: Text, lane: str) -> None:
    """A `resync/1`: answered when all its parts have come on both lanes, once."""
    body, peer = text.body, text.iss
    if body["lane"] != lane or body["kind"] == "answer":
        return
    if body["kind"] == "want":
        wanted = [raw for (iss, jti), (raw, _) in node.seen.items() if iss == peer and jti in body["want"]]
        _give_back(node, peer, wanted, {"reason": "wanted", "resync": body["id"]})
        return
    parts = node.lists.setdefault((peer, body["id"]), {})
    parts[lane, body.get("part", 1)] = body
    whole = range(1, body.get("parts", 1) + 1)
    if all((on, part) in parts for on in LANES for part in whole) and (peer, body["id"]) not in node.answered:
        node.answered.add((peer, body["id"]))
        told = {one["thread"]: one for (on, _), part in parts.items() if on == lane for one in part.get("threads", [])}
        _answer(node, peer, body["id"], told)


def _answer(node: SecondNode, peer: str, name: str, told: dict[str, JSON]) -> None:
    theirs = sorted((thread, seq) for iss, thread, seq in node.places if iss == peer and seq)
    lacking = [
        node.places[peer, thread, seq]
        for thread, seq in theirs
        if not thread.startswith("att:") and not _listed(told, thread, "out", seq)
    ]
    _give_back(node, peer, lacking, {"reason": "resync", "resync": name})
    mine = [sent for sent in node.sent.values() if sent.peer == peer and "thread" in sent.claims]
    for sent in mine:
        if not _listed(told, sent.claims["thread"], "in", sent.claims["seq"]):
            sent.next_at = 0.0
            node.outbox[sent.claims["jti"]] = sent
    threads: list[JSON] = []
    for thread in sorted({sent.claims["thread"] for sent in mine} | {thread for thread, _ in theirs}):
        out = [sent.claims["seq"] for sent in mine if sent.claims["thread"] == thread]
        in_ = [seq for one, seq in theirs if one == thread]
        threads.append({"thread": thread, "out": _numbers(out), "in": _numbers(in_)})
    for lane in LANES:
        body = {"id": name, "kind": "answer", "lane": lane, "part": 1, "parts": 1, "threads": threads}
        node.queue(peer, "resync/1", body, lane=lane)


def _give_back(node: SecondNode, peer: str, texts: list[str], members: JSON) -> None:
    for text in texts:
        node.queue(peer, "resync.copy/1", {"text": text, **members}, lane="urgent")


def _listed(told: dict[str, JSON], thread: str, side: str, seq: int) -> bool:
    numbers = told.get(thread, {}).get(side, {"upto": 0})
    return bool(seq <= numbers["upto"] or seq in numbers.get("also", []))


def _numbers(numbers: list[int]) -> JSON:
    upto = 0
    while upto + 1 in numbers:
        upto += 1
    return {"upto": upto, "also": sorted(number for number in numbers if number > upto)}


def _claims(text: str) -> JSON:
    claims: JSON = json.loads(decode(text.split(".")[1]))
    return claims
