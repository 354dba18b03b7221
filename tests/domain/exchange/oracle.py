"""Which row an act walks, read off the design's own table rather than the program's.

The transitions come from `appendix.py`. What the design settles in rulings only (spontaneous information, emissions) is
taken from the program's rows: `test_rows.py` and `test_whose_act.py` hold those against the rulings.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.codes import RequestType, Role, State
from app.domain.exchange_codes import By, Side
from app.domain.transitions import EXCHANGE_ROWS
from tests.domain.exchange.appendix import NOT_FOR_OFFERS, appendix_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.domain.exchange.parties import Officer

ACTION_OF = {
    "X3": "acknowledge",
    "X4": "ask",
    "X5": "supplement",
    "X6": "not_executable",
    "X7": "notify_risk",
    "X8": "proceed",
    "X9": "stop",
    "X10": "not_executable",
    "X11": "propose_conditions",
    "X12": "accept_condition",
    "X13": "decline_condition",
    "X14": "accept",
    "X15": "start",
    "X16": "preserve",
    "X17": "preserve",
    "X18": "preserve",
    "X19": "not_executable",
    "X20": "confirm_refusal",
    "X21": "postpone",
    "X22": "resume",
    "X23": "refer",
    "X24": "start",
    "X25": "close",
    "X26": "answer",
    "X27": "close",
    "X29": "withdraw",
    "X30": "not_executable",
}
"""The acts of the interface that the design names for the transitions that people make (README 3, ruling 14)."""

SIGNATURES = {By.DO_A: Side.REQUESTING, By.SUP_A: Side.REQUESTING, By.DO_B: Side.REQUESTED, By.SUP_B: Side.REQUESTED}
PERSONS = {
    (Side.REQUESTED, Role.DUTY_OFFICER): {By.DO_B},
    (Side.REQUESTED, Role.SUPERVISOR): {By.DO_B, By.SUP_B},
    (Side.REQUESTING, Role.DUTY_OFFICER): {By.DO_A},
    (Side.REQUESTING, Role.SUPERVISOR): {By.DO_A, By.SUP_A},
}
"""A supervisor may do what a duty officer may; nobody else acts on an exchange."""

BOTH_SIGN = {"X20"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """One row that people walk, as the design has it."""

    id: str
    action: str
    sources: frozenset[State]
    targets: frozenset[State]
    by: tuple[By, ...]
    kinds: frozenset[RequestType]
    both: bool = False

    def signed_by(self, officer: Officer) -> bool:
        """Whether this person completes it; where two sign, the last one does."""
        movers = {self.by[-1]} if self.both else set(self.by)
        return bool(PERSONS.get((officer.side, officer.role), set()) & movers)

    def is_of(self, side: Side) -> bool:
        """Whether people of this side walk it."""
        return any(SIGNATURES.get(by) is side for by in self.by)


def _from_the_appendix() -> Iterator[Wanted]:
    for row_id, parts in appendix_rows().items():
        if row_id not in ACTION_OF:
            continue
        named = {RequestType(name) for name in parts["types"]} or set(RequestType)
        barred = {RequestType(name) for name in parts["not"]}
        if row_id in NOT_FOR_OFFERS:
            barred.add(RequestType.SPONTANEOUS_INFORMATION)
        yield Wanted(
            id=row_id,
            action=ACTION_OF[row_id],
            sources=frozenset(State(name) for name in parts["sources"]),
            targets=frozenset(State(name) for name in parts["targets"]),
            by=tuple(By(name) for name in parts["by"]),
            kinds=frozenset(named - barred),
            both=row_id in BOTH_SIGN,
        )


def _from_the_rulings() -> Iterator[Wanted]:
    known = appendix_rows()
    for row in EXCHANGE_ROWS:
        if row.id not in known and row.action is not None:
            kinds = frozenset(kind for kind in RequestType if row.is_for(kind))
            yield Wanted(row.id, row.action, frozenset(row.sources), frozenset(row.targets), row.by, kinds, row.both)


WANTED = (*_from_the_appendix(), *_from_the_rulings())
ACTIONS = sorted({row.action for row in WANTED})

_BY_ACTION: defaultdict[tuple[str, Side], list[Wanted]] = defaultdict(list)
for _row in WANTED:
    for _side in Side:
        if _row.is_of(_side):
            _BY_ACTION[_row.action, _side].append(_row)


def rows_for(action: str, side: Side) -> list[Wanted]:
    """The rows of the design that people of this side walk with this act."""
    return _BY_ACTION[action, side]


def leaving(action: str, state: State, kind: RequestType, *, side: Side) -> list[Wanted]:
    """Those of them that lead on from here."""
    return [row for row in rows_for(action, side) if state in row.sources and kind in row.kinds]


def may_sign(action: str, by: Officer) -> bool:
    """Whether one of the rows names this person."""
    return any(row.signed_by(by) for row in rows_for(action, by.side))
