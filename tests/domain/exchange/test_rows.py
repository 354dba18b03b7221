"""The table of the exchange against the appendix it comes from, and against itself."""

from __future__ import annotations

import pytest

from app.domain.acts import EXCHANGE_ACT
from app.domain.codes import State
from app.domain.exchange.values import TERMINAL
from app.domain.exchange_codes import By, Side
from app.domain.transitions import (
    BLOCKED_BY_WITHDRAWAL,
    ENDED,
    EXCHANGE_ROWS,
    OFFER,
    OPEN,
    REQUESTING_ACTS,
    Row,
    rows_of,
    side_of,
)
from tests.domain.exchange.appendix import NOT_FOR_OFFERS, appendix_rows

TRANSITIONS = {row.id: row for row in EXCHANGE_ROWS if row.id.startswith("X")}


def actions_of_the_interface() -> set[str]:
    """The actions that a body can name."""
    mapping: dict[str, str] = EXCHANGE_ACT.json_schema()["discriminator"]["mapping"]
    return set(mapping)


def test_the_table_has_exactly_the_transitions_of_the_appendix() -> None:
    """No row of the appendix is missing and none was made up: X2 is struck, X30 is added."""
    assert set(TRANSITIONS) == set(appendix_rows())


@pytest.mark.parametrize("row_id", sorted(TRANSITIONS))
def test_each_row_says_what_the_appendix_says(row_id: str) -> None:
    """Sources, targets, movers, needs, codes and types are those of the appendix."""
    row, wanted = TRANSITIONS[row_id], appendix_rows()[row_id]
    assert row.sources == wanted["sources"]
    assert row.targets == wanted["targets"]
    assert row.by == wanted["by"]
    assert row.needs == wanted["needs"]
    if wanted["codes"]:
        assert row.codes == wanted["codes"]
    assert row.types == wanted["types"]
    assert set(row.types_not) - set(OFFER) == set(wanted["not"])


def test_only_rows_that_execute_or_answer_are_closed_to_offered_information() -> None:
    """Beyond the appendix, spontaneous information lacks exactly the rows in which the receiver would give."""
    assert {row_id for row_id, row in TRANSITIONS.items() if OFFER[0] in row.types_not} == NOT_FOR_OFFERS


def test_open_and_ended_states_are_all_states() -> None:
    """Every state is open or ended, none both, and the exchange counts the same four as its end."""
    assert set(OPEN) | set(ENDED) == set(State)
    assert not set(OPEN) & set(ENDED)
    assert set(ENDED) == TERMINAL


def test_no_row_leads_out_of_an_ended_state() -> None:
    """Ended is ended: rows from there change no state."""
    assert [row.id for row in EXCHANGE_ROWS if row.targets and set(row.sources) & set(ENDED)] == []


def test_row_ids_are_unique() -> None:
    """A row is named by its id."""
    assert len({row.id for row in EXCHANGE_ROWS}) == len(EXCHANGE_ROWS)


def test_requesting_acts_are_those_with_a_row_of_the_requesting_side() -> None:
    """Whose act it is (rulings 14, 18) and who walks the rows are the same statement."""
    walked = {row.action for row in EXCHANGE_ROWS if any(side_of(by) is Side.REQUESTING for by in row.by)}
    assert walked == REQUESTING_ACTS


def test_every_action_of_the_interface_has_a_row_and_the_reverse() -> None:
    """There is no act without a place in the table, and no row that nobody can walk."""
    in_rows = {row.action for row in EXCHANGE_ROWS if row.action is not None}
    assert in_rows == actions_of_the_interface()


def test_the_system_refuses_nothing_and_decides_nothing() -> None:
    """The system alone delivers, resumes at the review date, and closes what is over."""
    by_system = {(row.id, *row.targets) for row in EXCHANGE_ROWS if By.SYS in row.by}
    assert by_system == {
        ("X1", State.DELIVERED),
        ("X22", State.ACKNOWLEDGED),
        ("X27", State.CLOSED),
        ("X28", State.CLOSED),
    }


def test_only_a_refusal_needs_two_signatures() -> None:
    """Both must sign X20 and nothing else of this machine."""
    assert [row.id for row in EXCHANGE_ROWS if row.both] == ["X20"]


def test_what_a_waiting_withdrawal_blocks_is_the_requested_side_s() -> None:
    """Start, preserve, disclose and answer exist and belong to the requested side."""
    assert all(rows_of(action, Side.REQUESTED) for action in BLOCKED_BY_WITHDRAWAL)


def test_close_belongs_to_both_sides_from_different_states() -> None:
    """The same word is X25 on one side and X27 on the other."""
    ids = {side: [row.id for row in rows_of("close", side)] for side in Side}
    assert ids == {Side.REQUESTING: ["X27"], Side.REQUESTED: ["X25"]}


def ambiguous(rows: tuple[Row, ...]) -> set[tuple[str | None, State]]:
    """Actions that more than one row takes from the same state on the same side."""
    seen: set[tuple[str | None, State, Side | None]] = set()
    twice: set[tuple[str | None, State]] = set()
    for row in rows:
        for source in row.sources:
            key = (row.action, source, side_of(row.by[0]))
            if row.action is not None and key in seen:
                twice.add((row.action, source))
            seen.add(key)
    return twice


def test_only_results_and_supplements_choose_between_rows() -> None:
    """Everywhere else action and state name one row; these two are chosen by what the act says."""
    assert ambiguous(EXCHANGE_ROWS) == {
        ("preserve", State.IN_EXECUTION),
        ("supplement", State.CLARIFICATION),
    }
