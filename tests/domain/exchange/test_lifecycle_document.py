"""docs/lifecycle.md shows the machine that runs."""

from __future__ import annotations

from app.domain.codes import HoldState, State
from app.domain.transitions import EXCHANGE_ROWS
from tests.domain.exchange.diagram import DOCUMENT, exchange_diagram, filled, hold_diagram


def test_the_document_is_what_the_rows_give() -> None:
    """Diagrams and tables are generated; `python tests/domain/exchange/diagram.py` writes them again."""
    written = DOCUMENT.read_text("utf-8")
    assert written == filled(written)


def test_the_diagrams_show_every_state_and_every_transition() -> None:
    """Nothing of the machine is left out of the picture."""
    exchange, hold = exchange_diagram(), hold_diagram()
    assert [state for state in State if state not in exchange] == []
    assert [state for state in HoldState if state not in hold] == []
    assert [row.id for row in EXCHANGE_ROWS if row.targets and f": {row.id}" not in exchange] == []


def test_a_document_that_is_out_of_date_would_be_noticed() -> None:
    """Negative control: one state renamed in the document, and it no longer is what the rows give."""
    written = DOCUMENT.read_text("utf-8").replace("IN_EXECUTION", "EXECUTING")
    assert written != filled(written)
