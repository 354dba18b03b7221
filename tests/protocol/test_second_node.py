"""A stranger's node takes part: written from docs/protocol.md alone, it completes preservations on both sides."""

from __future__ import annotations

import ast
import asyncio
import json
import sys
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aio_pika
import jsonschema

from app.domain.codes import Lane, Tier
from tests.protocol.second_envelope import Seals, Text
from tests.protocol.second_node import SecondNode, instant
from tests.protocol.second_post import serve
from tests.support import driving
from tests.support.processes import until
from tests.support.world import seen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.e2e.ground import Network

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"
JSON = dict[str, Any]
PATIENCE = 60.0
ZONE = "Asia/Riyadh"
ALONE = ("second_node.py", "second_envelope.py", "second_resync.py", "second_post.py")
ITS_OWN = {"aio_pika", "jwcrypto", *(f"tests.protocol.{name[:-3]}" for name in ALONE)}


@dataclass
class Withholding:
    """A courier that loses the first copy of what a test names."""

    node: SecondNode
    loses: set[str] = field(default_factory=set)

    def due(self) -> list[Any]:
        """What is due, less what is lost on the way; the node believes that it has published all of it."""
        everything = SecondNode.envelopes_due(self.node)
        return [one for one in everything if not (one[0] in self.loses and one[1].copies == 1)]


def seals_of(network: Network, code: str) -> Seals:
    """A contact point's keys from its folder, and the directory that all have."""
    settings = network.settings[code]
    keys = [json.loads(path.read_text()) for path in settings.keys_dir.glob("*.json")]
    return Seals(keys, json.loads(settings.directory.read_text()))


def make_node(network: Network) -> SecondNode:
    """XS, with nothing in its memory."""
    return SecondNode("XS", seals=seals_of(network, "XS"), zone=ZONE)


@asynccontextmanager
async def running(network: Network, node: SecondNode) -> AsyncIterator[None]:
    """It consumes and publishes under its own account until the end of the block."""
    stopping, access = asyncio.Event(), network.access("XS")
    task = asyncio.create_task(serve(node, access.url, suffix=access.suffix, stopping=stopping))
    try:
        yield
    finally:
        stopping.set()
        await task


def check_forms(node: SecondNode) -> None:
    """Everything that the real nodes have said is valid after docs/schemas."""
    assert {text.type for text in node.heard} >= {"exchange.state/1", "receipt/1"} or node.exchanges
    claims = jsonschema.Draft202012Validator(json.loads((SCHEMAS / "claims.json").read_text(encoding="utf-8")))
    for text in node.heard:
        claims.validate(text.claims)
        schema = json.loads((SCHEMAS / f"{text.type.replace('/', '.')}.json").read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator(schema).validate(text.body)


async def post_as(network: Network, sender: str, envelope: bytes, *, to: str) -> None:
    """The courier delivers an envelope of `sender` once more."""
    async with await aio_pika.connect(network.access(sender).url) as connection:
        channel = await connection.channel()
        post = await channel.get_exchange("cp.post", ensure=False)
        message = aio_pika.Message(envelope, delivery_mode=2, user_id=sender)
        await post.publish(message, f"{to}.{sender}.urgent", mandatory=True, timeout=5)


async def text_of(node: SecondNode, jti: str) -> str:
    """The text of a message that has just been queued."""
    sent = node.outbox[jti]
    await wait_for(lambda: sent.text, "it is signed")
    return sent.text


def receipted(node: SecondNode) -> set[tuple[str, int]]:
    """Message and copy of every entry in every receipt that came."""
    return {(entry["jti"], entry["copy"]) for entry in node.receipts}


async def wait_for(look: Any, what: str) -> None:  # noqa: ANN401 - a predicate
    """Poll the predicate."""

    async def holds() -> bool:
        return bool(look())

    await until(holds, what=what, seconds=PATIENCE)


async def test_it_asks_and_the_other_side_preserves(network: Network) -> None:
    """As side A: what was lost is sent when asked for, a copy has no effect, order is kept, acts get their fates."""
    node, xt = make_node(network), network["XT"]
    courier = Withholding(node)
    node.envelopes_due = courier.due  # type: ignore[method-assign] # the courier stands between the node and the broker
    async with running(network, node):
        document = driving.preservation("SH-2026-7") | {"requested": "XT"}
        thread = node.ask("XT", document, reference="XS-2026-7K3QF9D")
        await wait_for(lambda: thread in node.shown, "the opening is answered")
        assert (node.shown[thread]["state"], node.shown[thread]["generation"]) == ("DELIVERED", 1)
        first = node.wish(thread, "supplement", text="The port was 51544.")
        courier.loses.add(first)
        await wait_for(lambda: node.outbox[first].copies == 1, "the first copy is on its way, and lost")
        second = node.wish(thread, "supplement", text="The clock of the source is exact.")
        texts = {second: (await text_of(node, second))}
        await wait_for(lambda: node.acts[second] is not None, "both acts have their fate")
        assert (node.acts[first], node.acts[second]) == ("applied", "applied")
        assert [one["text"] for one in node.shown[thread]["supplements"]] == [
            "The port was 51544.",
            "The clock of the source is exact.",
        ]
        held = [entry for entry in node.receipts if entry["status"] == "held"]
        assert {(entry["jti"], *entry["missing"]) for entry in held} == {(second, 2)}
        again = node.seals.close(texts[second], "XS", aud="XT", copy=2)
        await post_as(network, "XS", again, to="XT")
        await wait_for(lambda: (second, 2) in receipted(node), "the copy is receipted")
        await driving.act(xt, thread, "acknowledge", "accept", "start", "preserve", generation=3)
        await wait_for(lambda: node.shown[thread]["state"] == "PRESERVED", "the preservation is shown")
        assert len(node.shown[thread]["supplements"]) == 2
        (hold,) = node.shown[thread]["holds"]
        theirs = driving.accepted(await xt.as_("duty_officer").get(f"/v1/exchanges/{thread}"))["holds"]
        assert [(hold["id"], hold["expires_at"])] == [(one["id"], one["expires_at"]) for one in theirs]
        claim = node.wish(thread, "claim_mla_sent", hold=hold["id"], ca_reference="MLA-9", date="2027-01-10")
        await wait_for(lambda: node.acts[claim] is not None, "the claim has its fate")
        assert (node.acts[claim], node.shown[thread]["holds"][0]["mla"]["status"]) == ("applied", "CLAIMED_SENT")
        await wait_for(lambda: not node.outbox, "everything is receipted")
    assert len(node.effects) == len(set(node.effects))
    assert node.put_aside == []
    check_forms(node)


async def test_it_is_asked_and_preserves(network: Network) -> None:
    """As side B: an opening that the broker lost comes again, a copy has no effect, the hold is shown abroad."""
    node, xa = make_node(network), network["XA"]
    document = driving.preservation("AU-2026-11", tier=Tier.URGENT) | {"requested": "XS"}
    document["targets"] = [{**document["targets"][0], "custodian": {"name": "Sahran Telecom", "country": "XS"}}]
    exchange = (await driving.send(xa, document)).exchange
    confirmed = (
        "SELECT count(*) FROM outbox JOIN publication ON outbox_id = outbox.id"
        " WHERE thread = $1 AND publication.confirmed_at IS NOT NULL"
    )

    async def taken() -> bool:
        return await xa.count(confirmed, exchange) > 0

    await until(taken, what="the broker has it", seconds=PATIENCE)
    await network.ground.purge(network.queues("XS").inbound(Lane.URGENT))
    async with running(network, node):
        await wait_for(lambda: exchange in node.exchanges, "the opening comes again")
        opening = next(text for text in node.heard if text.thread == exchange)
        assert opening.copy > 1
        desk, path = xa.as_("duty_officer"), f"/v1/exchanges/{exchange}"
        await driving.delivered(xa, exchange)
        envelope = seals_of(network, "XA").close(opening.raw, "XA", aud="XS", copy=opening.copy)
        await post_as(network, "XA", envelope, to="XS")
        await wait_for(lambda: [text.raw for text in node.heard].count(opening.raw) > 1, "the copy")
        assert node.effects.count(opening.jti) == 1
        node.move(exchange, "ACKNOWLEDGED", b_reference="SH/77", next_update_at=opening.body["opened_at"])
        node.move(exchange, "ACCEPTED", instrument="ETS185")
        node.move(exchange, "IN_EXECUTION")
        hold = node.preserve(exchange, targets=1)
        shown = await seen(
            lambda: desk.get(path), lambda answer: answer.json()["state"] == "PRESERVED", seconds=PATIENCE
        )
        (theirs,) = shown.json()["holds"]
        assert (theirs["id"], theirs["expires_at"]) == (hold["id"], hold["expires_at"])
        await driving.withdraw(xa, exchange)
        shown = await seen(
            lambda: desk.get(path), lambda answer: answer.json()["state"] == "WITHDRAWN", seconds=PATIENCE
        )
        assert shown.json()["under_way"] == []
        assert node.exchanges[exchange]["holds"][0]["releasing"]
        await wait_for(lambda: not node.outbox, "everything is receipted")
    assert node.put_aside == []
    check_forms(node)


async def test_it_contradicts_itself_forgets_and_gets_its_texts_back(network: Network) -> None:
    """A second text for a number is answered with the first one; after a loss the real node returns all it was sent."""
    node = make_node(network)
    async with running(network, node):
        document = driving.advice("SH-2026-8") | {"requested": "XT"}
        thread = node.ask("XT", document, reference="XS-2026-8J4RG2K")
        opening = await text_of(node, node.lines[thread, "XT"].last)
        await wait_for(lambda: thread in node.shown and not node.outbox, "the opening is answered")
        node.lines[thread, "XT"].sent = 0
        wrong = node.queue("XT", "exchange.open/1", {"another": "request"}, thread=thread)
        await wait_for(lambda: returned(node), "the first text comes back")
        assert returned(node) == [("equivocation", opening)]
        await wait_for(lambda: wrong in {entry["jti"] for entry in node.receipts}, "the second text is receipted")
        assert {entry["reason"] for entry in node.receipts if entry["jti"] == wrong} == {"equivocation"}
        states = list(
            {text.raw: text for text in node.heard if text.type == "exchange.state/1" and text.thread == thread}
        )
        name, nothing = str(uuid.uuid4()), {"part": 1, "parts": 1, "threads": []}
        for lane in Lane:
            node.queue("XT", "resync/1", {"id": name, "kind": "ask", "lane": lane, **nothing}, lane=lane)
        await wait_for(lambda: len(answers(node)) == 2, "the list is answered on both lanes")
        assert [body["lane"] for body in sorted(answers(node), key=lambda body: body["lane"])] == ["routine", "urgent"]
        (listed,) = [one for one in answers(node)[0]["threads"] if one["thread"] == thread]
        assert (listed["in"]["upto"], listed["out"]["upto"]) == (1, len(states))
        await wait_for(lambda: ("resync", opening) in returned(node), "the opening comes back")
        await wait_for(lambda: [text.raw for text in node.heard].count(states[0]) > 1, "its state is sent again")
    assert len(node.effects) == len(set(node.effects))


def returned(node: SecondNode) -> list[tuple[str, str]]:
    """Reason and text of every text of its own that came back."""
    bodies = [text.body for text in node.heard if text.type == "resync.copy/1"]
    return list(dict.fromkeys((body["reason"], body["text"]) for body in bodies))


def answers(node: SecondNode) -> list[JSON]:
    """What came as answer to its list, once per lane."""
    bodies = [text.body for text in node.heard if text.type == "resync/1"]
    return list({body["lane"]: body for body in bodies if body["kind"] == "answer"}.values())


async def test_a_running_node_describes_its_messages(network: Network) -> None:
    """A real process answers `/asyncapi.json` without a token."""
    answer = await network["XT"].http.get("/asyncapi.json")
    assert (answer.status_code, answer.json()["asyncapi"]) == (200, "3.0.0")


class Forgetful(SecondNode):
    """The protection taken away: it remembers nothing of what came."""

    def _remember(self, text: Text) -> bool:
        self.seen.clear()
        self.places.clear()
        return super()._remember(text)


def test_without_its_memory_a_repeated_message_has_two_effects(network: Network) -> None:
    """Control: a second node that does not remember what came has the effect of a repeated message twice."""
    remembering = make_node(network)
    forgetful = Forgetful("XS", seals=remembering.seals)
    sender = SecondNode("XA", seals=seals_of(network, "XA"))
    sender.queue("XS", "heartbeat/1", {"at": instant(sender.clock()), "software": "control", "reads": []})
    ((_, _, envelope),) = sender.envelopes_due()
    for node in (remembering, forgetful):
        for _ in range(2):
            node.take(envelope, "routine")
    assert (len(remembering.effects), len(forgetful.effects)) == (1, 2)


def test_it_knows_nothing_of_this_project() -> None:
    """The second node imports the standard library, jwcrypto, aio-pika and its own two files, nothing of `app`."""
    for name in ALONE:
        tree = ast.parse((Path(__file__).parent / name).read_text(encoding="utf-8"))
        imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        strangers = {one for one in imported if one.split(".")[0] not in sys.stdlib_module_names}
        assert {one if one.startswith("tests") else one.split(".")[0] for one in strangers} <= ITS_OWN
