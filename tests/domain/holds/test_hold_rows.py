"""The table of the hold clock against the machine it is written from, and against itself."""

from __future__ import annotations

from itertools import product

import pytest

from app.domain.codes import HoldState, Role
from app.domain.exchange.hold_admission import admit_on_hold, allowed_hold_actions
from app.domain.exchange_codes import By, Side
from app.domain.hold_acts import HOLD_ACT
from app.domain.hold_transitions import HOLD_ROWS, REQUESTING_HOLD_ACTS, HoldRow, hold_rows_of
from app.domain.holds import OPEN_HOLD_STATES
from app.domain.transitions import side_of
from app.errors import Conflict, Forbidden
from tests.domain.exchange.build import NOW, officer
from tests.domain.holds.build import ready_hold

MOVES = {
    ("H1", "preserve", "", "TIMED", "DO_B"),
    ("H2", "request_extension", "TIMED", "", "DO_A"),
    ("H3", "grant_extension", "TIMED", "", "DO_B"),
    ("H4", "claim_mla_sent", "TIMED PENDING_DECISION EXPIRED RELEASED LOST LIFTED", "", "DO_A"),
    ("H5", "confirm_mla_received", "TIMED", "PENDING_DECISION", "DO_B"),
    ("H6", "record_decision", "PENDING_DECISION", "", "DO_B"),
    ("H7", "", "PENDING_DECISION", "RELEASED", "SYS"),
    ("H8", "", "TIMED", "EXPIRED", "SYS"),
    ("H9", "release", "TIMED PENDING_DECISION", "", "DO_A"),
    ("H10", "release", "TIMED PENDING_DECISION", "RELEASED", "DO_B"),
    ("H11", "report_loss", "TIMED PENDING_DECISION EXPIRED RELEASED LIFTED", "LOST", "DO_B"),
    ("H12", "lift", "TIMED PENDING_DECISION", "LIFTED", "DO_B SUP_B"),
}
"""The machine of the hold clock, written a second time."""

ACTIONS = sorted({row.action for row in HOLD_ROWS if row.sources and row.action is not None})
ROLES = (Role.DUTY_OFFICER, Role.SUPERVISOR, Role.AUDITOR)


def test_the_table_says_what_the_machine_says() -> None:
    """Row by row: act, from where, where to, who."""
    assert {
        (row.id, row.action or "", " ".join(row.sources), row.target or "", " ".join(row.by)) for row in HOLD_ROWS
    } == MOVES


def test_nothing_brings_an_ended_hold_back() -> None:
    """Never a silent revival: no row leads from an ended state to an open one."""
    revivals = [row.id for row in HOLD_ROWS if row.target in OPEN_HOLD_STATES and set(row.sources) - OPEN_HOLD_STATES]
    assert revivals == []


def test_requesting_acts_on_holds_are_those_with_a_row_of_the_requesting_side() -> None:
    """Ruling 14, whose act is it."""
    walked = {row.action for row in HOLD_ROWS if any(side_of(by) is Side.REQUESTING for by in row.by)}
    assert walked == REQUESTING_HOLD_ACTS


def test_every_act_on_a_hold_has_a_row_and_the_reverse() -> None:
    """What the interface reads and what the table knows are the same."""
    mapping: dict[str, str] = HOLD_ACT.json_schema()["discriminator"]["mapping"]
    assert set(mapping) == set(ACTIONS)


def may_sign(row: HoldRow, side: Side, role: Role) -> bool:
    """Whether this person may take part in the row."""
    suffix = "A" if side is Side.REQUESTING else "B"
    capacities = {Role.DUTY_OFFICER: {f"DO_{suffix}"}, Role.SUPERVISOR: {f"DO_{suffix}", f"SUP_{suffix}"}}
    return bool(capacities.get(role, set()) & set(row.by))


@pytest.mark.parametrize("action", ACTIONS)
def test_each_act_on_a_hold_works_as_its_row_says(action: str) -> None:
    """State by state and person by person: the row, or the right refusal; and what is offered is what works."""
    for state, side, role in product(HoldState, Side, ROLES):
        rows = hold_rows_of(action, side)
        hold = ready_hold(action, state, side)
        by = officer(side, role)
        offered = action in allowed_hold_actions(hold, by=by, now=NOW)
        if not any(may_sign(row, side, role) for row in rows):
            assert not offered
            with pytest.raises(Forbidden):
                admit_on_hold(hold, action, by=by, now=NOW)
        elif state in rows[0].sources:
            assert offered
            assert admit_on_hold(hold, action, by=by, now=NOW) is rows[0]
        else:
            assert not offered
            with pytest.raises(Conflict) as caught:
                admit_on_hold(hold, action, by=by, now=NOW)
            ended = state not in OPEN_HOLD_STATES
            assert caught.value.code == ("hold_ended" if ended else "action_not_allowed")


def test_only_the_two_timers_are_the_system_s() -> None:
    """The system ends what has run out, and decides nothing."""
    assert [row.id for row in HOLD_ROWS if By.SYS in row.by] == ["H7", "H8"]
