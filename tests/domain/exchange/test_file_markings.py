"""Files bear markings of their own: never more open than what brings them, inherited by all that follows."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from app.domain.approval import decide_approval, propose_approval
from app.domain.codes import Handling, Pap, State, Tlp
from app.domain.delivery_messages import FileBody
from app.domain.exchange.exporting import ATTACHMENT, BroughtFile, export
from app.domain.exchange.file_markings import marking_of_file, with_files
from app.domain.exchange.opening import read_opening
from app.domain.exchange.receiving import received_file, received_item
from app.domain.exchange.room import snapshot_bytes
from app.domain.exchange.values import Condition
from app.domain.exchange_codes import ConditionKind, Side
from app.domain.intake_acts import Approve, read_act
from app.domain.marking_bodies import filed_marking, store_marking, stored_marking, write_marking
from app.domain.markings import DEFAULT, Destination, Marking, combined
from app.errors import Refused
from tests.domain.exchange.build import CONDITION_ID, NOW, in_state, opening

AMBER = Marking(Tlp.AMBER, Pap.AMBER)
RED = Marking(Tlp.RED, Pap.RED, (Handling.H1,))
H3 = Marking(Tlp.AMBER, Pap.RED, (Handling.H3,), "For the Cyber Unit alone.")
FILE = UUID("0193503e-7a52-7c1e-9d0b-3f3c6f6b2f21")


def told(marking: Marking | None) -> FileBody:
    """A file as a message names it."""
    body = None if marking is None else write_marking(marking)
    return FileBody(
        file_id=FILE,
        name="order.pdf",
        media_type="application/pdf",
        size=3,
        sha256="A" * 43,
        key="B" * 43,
        chunks=1,
        marking=body,
    )


def test_a_file_is_never_more_open_than_what_brings_it() -> None:
    """Its own marking counts as far as it is stricter; without one it bears the message's."""
    assert marking_of_file(None, AMBER) == AMBER
    assert marking_of_file(None, None) == DEFAULT
    assert marking_of_file(RED, AMBER) == RED
    assert marking_of_file(Marking(Tlp.GREEN, Pap.RED), AMBER) == Marking(Tlp.AMBER, Pap.RED)


def test_an_exchange_inherits_the_strictest_of_its_files() -> None:
    """From the act that brought it on; a file that adds nothing (control) leaves the exchange as it is, to the byte."""
    exchange = in_state(State.ACKNOWLEDGED)
    exchange = replace(exchange, asked=replace(exchange.asked, marking=AMBER))
    assert with_files(exchange, [told(RED), told(AMBER)]).marking == RED
    assert with_files(exchange, [told(AMBER), told(None)]) is exchange
    assert with_files(with_files(exchange, [told(RED)]), [told(H3)]).marking == combined(RED, H3)


def test_the_texts_of_many_files_leave_room_in_the_snapshot() -> None:
    """However many restrictions files bring, the exchange carries a bounded text and bears H3 (control: one fits)."""
    exchange = in_state(State.ACKNOWLEDGED)
    long = [told(Marking(Tlp.RED, Pap.RED, (Handling.H3,), f"{number:02}" + "x" * 1_998)) for number in range(50)]
    after = with_files(with_files(exchange, long[:25]), long[25:])
    assert after.files_marking is not None
    assert (len(after.files_marking.text or ""), after.marking.handling) == (2_000, (Handling.H3,))
    assert snapshot_bytes(after) - snapshot_bytes(exchange) < 2 * 2_000 + 300
    assert with_files(exchange, [told(H3)]).marking.text == H3.text
    body = opening().model_copy(update={"attachments": tuple(long)})
    assert len((read_opening(body).marking or DEFAULT).text or "") == 2_000


def test_an_opening_inherits_it_too() -> None:
    """Both sides read the opening's marking with its files': an answer is measured by the strictest of them."""
    body = opening().model_copy(update={"marking": write_marking(AMBER), "attachments": (told(RED),)})
    assert read_opening(body).marking == RED
    assert read_opening(body.model_copy(update={"attachments": None})).marking == AMBER


def test_a_file_is_an_item_of_its_own_in_an_export() -> None:
    """It is withheld for its own marking, though what it came with may go; one's own goes anywhere (control)."""
    exchange = in_state(State.ANSWERED)
    exchange = replace(exchange, asked=replace(exchange.asked, marking=AMBER))
    files = [BroughtFile(NOW, own=False, marking=RED), BroughtFile(NOW, own=False), BroughtFile(NOW, own=True)]
    exported = export(exchange, Side.REQUESTING, to=Destination.DOMESTIC_AUTHORITY, files=files)
    assert [entry.number for entry in exported.entries if entry.kind == ATTACHMENT] == [1, 2]
    assert [(entry.number, why) for entry, why in exported.withheld] == [(0, "tlp_too_strict")]
    assert exported.marking == combined(AMBER, exchange.marking)


def test_conditions_bind_who_was_given_the_file() -> None:
    """The condition that the requesting side accepted binds it, and not the side that set it."""
    condition = Condition(CONDITION_ID, ConditionKind.COURT_CONSENT, "Ask first.", NOW, NOW, accepted_at=NOW)
    exchange = replace(in_state(State.ANSWERED), accepted_conditions=(condition,))
    assert received_file(exchange, Side.REQUESTING, AMBER).conditions == {ConditionKind.COURT_CONSENT}
    assert received_file(exchange, Side.REQUESTED, AMBER).conditions == frozenset()


def test_what_was_received_bears_its_files_markings() -> None:
    """A file alone makes it something received, and the strictest of all counts for what is passed on."""
    exchange = in_state(State.ACKNOWLEDGED)
    assert received_item(exchange, Side.REQUESTING).own
    item = received_item(exchange, Side.REQUESTING, files=[RED])
    assert (item.own, item.marking.tlp) == (False, Tlp.RED)


def test_markings_are_kept_as_they_are() -> None:
    """Written beside a file and read again; a document's own word for the text of H3 is understood."""
    assert [stored_marking(store_marking(one)) for one in (None, AMBER, H3)] == [None, AMBER, H3]
    filed = {"tlp": "TLP:AMBER", "pap": "PAP:RED", "handling": ["H3"], "handling_text": H3.text}
    assert filed_marking(filed) == H3


def test_approval_is_as_strict_as_the_files() -> None:
    """Proposed so; an officer who writes a more open one is told to raise it, with the member (V-8)."""
    document = {"marking": {"tlp": "TLP:AMBER", "pap": "PAP:RED", "handling": ["H1"]}}
    plain, strict = propose_approval(document, (), ()), propose_approval(document, (), (), files=[H3, RED])
    assert plain.marking == document["marking"]
    assert strict.marking == {"tlp": "TLP:RED", "pap": "PAP:RED", "handling": ["H1", "H3"], "handling_text": H3.text}
    opener = read_act({"action": "approve", "marking": document["marking"]})
    assert isinstance(opener, Approve)
    with pytest.raises(Refused) as refused:
        decide_approval(opener, strict, bases=(), files=[RED])
    assert [(one.pointer, one.code) for one in refused.value.errors] == [("/marking/tlp", "C-MARKING")]
    assert decide_approval(opener, plain, bases=()).marking == document["marking"]
