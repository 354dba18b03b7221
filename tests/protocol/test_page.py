"""docs/protocol.md is what strangers build from: its names, numbers, tables and links are compared with the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.bus import attempts, topology
from app.bus.definitions import VHOST
from app.bus.outflow import CONTENT_TYPE
from app.bus.topology import Queues
from app.domain import delivery_messages, files, messages, wire
from app.domain.codes import Fate, HoldState, MessageType, ReceiptStatus, RequestType, State
from app.domain.exchange import room
from app.domain.exchange_codes import Flag
from app.domain.hold_transitions import REQUESTING_HOLD_ACTS
from app.domain.snapshot_bodies import MAX_ENTRIES, HoldBody, SnapshotBody
from app.domain.transitions import REQUESTING_ACTS
from app.envelope.format import INNER_MEMBERS
from app.routers.message_forms import BODIES, THREADED
from app.services import inbound, keep, send_receipts, send_state
from tests.domain.exchange import diagram

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "protocol.md").read_text(encoding="utf-8")
LINK = re.compile(r"\]\(([^)#]*)(#[^)]*)?\)")
HEADING = re.compile(r"^#{2,4} (.+)$", re.MULTILINE)
ROW = re.compile(r"^\| (`[^|]+`(?:, `[^|]+`)*) \| ([^|]*) \|", re.MULTILINE)


def section(number: int) -> str:
    """The text of one chapter."""
    return PAGE.split(f"\n## {number}. ")[1].split("\n## ")[0]


def test_every_link_leads_somewhere() -> None:
    """Links point to files of this repository and to headings of this page."""
    anchors = {"#" + re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(PAGE)}
    for path, anchor in LINK.findall(PAGE):
        assert (DOCS / path).exists(), path
        assert not anchor or anchor in anchors, anchor


def test_it_needs_no_other_page() -> None:
    """The page links to its schemas and vectors only: nothing else must be read."""
    assert {path.split("/")[0] for path, _ in LINK.findall(PAGE)} == {"", "schemas", "vectors"}


@pytest.mark.parametrize("name", ["exchange-rows", "hold-rows"])
def test_the_rows_are_those_of_the_machine(name: str) -> None:
    """The tables of Appendix A are made from the rows; after a change put them in from tests/domain/exchange."""
    assert f"<!-- {name} -->\n{diagram.blocks()[name]}\n<!-- /{name} -->" in PAGE


def test_every_type_has_its_row() -> None:
    """The table of messages names every type once, says whether it has a thread, and only receipts go unreceipted."""
    table = section(7).split("### 7.1")[0]
    rows = {
        name: line.split(" | ")
        for line in table.splitlines()
        for name in re.findall(r"`([a-z.-]+/1)`", line.split(" | ")[0])
    }
    assert set(rows) == set(MessageType)
    assert {name for name, row in rows.items() if row[1] != "none"} == set(THREADED)
    assert {name for name, row in rows.items() if "**no**" in row} == {MessageType.RECEIPT}


@pytest.mark.parametrize("type_", BODIES)
def test_every_member_of_a_body_is_named(type_: MessageType) -> None:
    """Each member of each body stands on the page."""
    for name, field in BODIES[type_].model_fields.items():
        assert re.search(rf"\b{field.alias or name}\b", PAGE), f"{type_}: {name}"


@pytest.mark.parametrize("member", [*SnapshotBody.model_fields, *HoldBody.model_fields])
def test_every_member_of_the_snapshot_is_named(member: str) -> None:
    """Each member of the snapshot and of a hold is explained in 12.4 or 13."""
    assert re.search(rf"`[^`]*\b{member}\b", section(12) + section(13)), member


@pytest.mark.parametrize("word", [*State, *HoldState, *Fate, *ReceiptStatus, *RequestType, *Flag])
def test_every_word_of_the_closed_lists_is_named(word: str) -> None:
    """States, fates, statuses, types of requests and flags all stand on the page."""
    assert re.search(rf"(?<![A-Za-z]){word}(?![A-Za-z])", PAGE)


def test_acts_of_the_requesting_side_are_all_there() -> None:
    """The tables of 7.2 and 7.3 name exactly the acts that may be sent."""
    acts, holds = section(7).split("### 7.2 ")[1].split("### 7.4 ")[0].split("### 7.3 ")
    named = {name for cell, _ in ROW.findall(acts) for name in re.findall(r"`(\w+)`", cell)}
    named |= set(
        re.findall(r"`(\w+)`", next(line for line in acts.splitlines() if "provide_anyway" in line).split(" | ")[0])
    )
    assert named >= REQUESTING_ACTS
    assert {name for cell, _ in ROW.findall(holds) for name in re.findall(r"`(\w+)`", cell)} == REQUESTING_HOLD_ACTS


@pytest.mark.parametrize(
    "reason", [inbound.UNKNOWN_TYPE, inbound.MISPLACED, inbound.NOT_UNDERSTOOD, "equivocation", "unknown_version"]
)
def test_reasons_of_receipts_are_named(reason: str) -> None:
    """Every reason that a receipt gives by rule stands in section 8."""
    assert f"`{reason}`" in section(8)


def test_the_broker_is_described_as_it_is_declared() -> None:
    """Names, arguments and permissions of section 3 are those of the topology."""
    text, names = section(3), Queues("XA", "a" * 8)
    for word in (topology.POST, topology.DEAD, VHOST, CONTENT_TYPE):
        assert f"`{word}`" in text
    lanes = [queue for queue in topology.queues_of(names) if queue.exchange == topology.POST]
    for name, value in lanes[0].arguments.items():
        if not name.startswith("x-dead-letter"):
            assert f"| `{name}` | `{str(value).lower()}` |" in text
    (dead,) = (queue for queue in topology.queues_of(names) if queue.exchange == topology.DEAD)
    assert f"`{dead.arguments['x-delivery-limit']}`" in text
    may = topology.permissions_of(names)
    for pattern in (may.write, may.topic_write, may.read.replace("a" * 8, "<suffix>")):
        assert f"`{pattern.replace('|', chr(92) + '|')}`" in text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (keep.MAX_AHEAD, "| numbers ahead of the next one that are kept | {} |"),
        (keep.MAX_MISSING, "| `missing` in an entry | {} written"),
        (send_receipts.MAX_ENTRIES, "| entries of a `receipt/1` | {} written"),
        (messages.MAX_RECEIPTS, "| entries of a `receipt/1` | 100 written, {} read"),
        (send_state.MAX_FATES, "| `answers` of a state | {} written"),
        (messages.MAX_FATES, "| `answers` of a state | 300 written, {} read"),
        (delivery_messages.MAX_TEXT_CHARACTERS, "| text inside `resync.copy/1` | {} characters |"),
        (wire.MAX_WIRE_TEXT, "| texts and lines of a snapshot | {} and"),
        (wire.MAX_TEXT, "| texts of an act | {} characters"),
        (wire.MAX_TARGETS, "| targets of a request, holds | {} |"),
        (MAX_ENTRIES, "| entries of one list in a snapshot | {} read |"),
        (delivery_messages.CHUNK_BYTES, "| body of a message other than `attachment.chunk/1` | {} bytes"),
        (files.PLAIN_BYTES, "| plaintext of a piece | {} bytes"),
        (files.MAX_UNRECEIPTED, "| under way | at most {} unreceipted pieces per peer |"),
        (delivery_messages.MAX_CHUNKS, "at most {} pieces |"),
        (delivery_messages.MAX_RESYNC_PARTS, "| parts, threads per part, wants of a resync | {}, 500, 1,000 |"),
        (room.ROOM_BYTES // 1024, "a snapshot of this node has at most {} KiB"),
        (room.MAX_KEPT, "and {} entries per growing list"),
    ],
)
def test_limits_are_those_of_the_code(number: int, text: str) -> None:
    """A number on the page is the number in the code."""
    assert text.format(f"{number:,}") in PAGE


def test_pauses_are_those_of_the_code() -> None:
    """The growing pauses of 9.2 and 18 are the relay's."""
    seconds = [int(pause.total_seconds()) for pause in attempts.BACK_OFF]
    assert seconds == [5, 15, 60, 300, 900, 3600]
    assert "5 s, 15 s, 1 min, 5 min, 15 min, then hourly, each varied by ± 20 %" in " ".join(PAGE.split())
    assert attempts.JITTER == 0.2


def test_headers_have_no_further_members() -> None:
    """The order in which the vectors write the header of a text names all of its members."""
    assert (
        set(re.findall(r"`(\w+)`", PAGE.split("header members in the order ")[1].split(" without blanks")[0]))
        == INNER_MEMBERS
    )
