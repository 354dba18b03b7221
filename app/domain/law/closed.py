"""What no edition of the matrix may say: the treaties' own closed lists, which an operator's file cannot widen."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from app.domain.codes import Instrument, RefusalGround, RequestType, RiskNotice
from app.domain.law.codes import Need
from app.domain.law.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from app.domain.law.book import Law
    from app.domain.law.refusals import Column, GroundRow

G = RefusalGround
T = RequestType

PRESERVING = frozenset({T.PRESERVATION, T.PRESERVATION_EXTENSION})
POSTPONABLE = frozenset({T.EVIDENCE_COLLECTION, T.LOCATE_SUSPECT, T.MLA_INITIATION, T.EMERGENCY_MLA_NOTICE})
"""Mutual assistance proper: art. 27(5) knows postponement for these alone."""

_THREE = frozenset({G.POLITICAL, G.ESSENTIAL_INTERESTS, G.DUAL_CRIMINALITY})
_TWO = frozenset({G.POLITICAL, G.ESSENTIAL_INTERESTS})

CLOSED: Mapping[tuple[Instrument, RequestType], frozenset[RefusalGround]] = MappingProxyType(
    {
        (Instrument.ETS185, T.PRESERVATION): _THREE,
        (Instrument.ETS185, T.PRESERVATION_EXTENSION): _THREE,
        (Instrument.ETS185, T.TRAFFIC_PATH_DISCLOSURE): _TWO,
        (Instrument.ETS185, T.SPONTANEOUS_INFORMATION): frozenset(),
        (Instrument.UNCC, T.TRAFFIC_PATH_DISCLOSURE): _TWO,
        (Instrument.CETS224, T.EMERGENCY_DISCLOSURE): frozenset(
            {G.POLITICAL, G.ESSENTIAL_INTERESTS, G.DOMESTIC_LAW, G.DECLARATION}
        ),
    }
)
"""Grounds that a text lists and no others: arts. 29(4)-(5), 30(2) and 26 of ETS 185, and what mirrors them."""

ALWAYS_NEEDS: Mapping[RefusalGround, Need] = MappingProxyType(
    {
        G.FISCAL: Need.OUTSIDE_CONVENTION_OFFENCES,
        G.DECLARATION: Need.DECLARATION,
        G.BEST_EFFORT: Need.ONLY_BEST_EFFORTS,
    }
)


def check_matrix(law: Law) -> Iterator[Fault]:
    """What is wrong with the matrix: it is wider than the treaties, or does not fit the instruments."""
    seen: set[tuple[Instrument, RequestType]] = set()
    for place, column in enumerate(law.columns):
        at = ("columns", place)
        for type_ in column.types:
            key = (column.instrument, type_)
            if key in seen:
                yield Fault("refusals", (*at, "types"), f"{column.instrument} {type_} has a column already")
            seen.add(key)
            row = law.instrument(column.instrument)
            if row is None or row.measure(type_) is None:
                yield Fault("refusals", (*at, "types"), f"{column.instrument} does not carry {type_}")
        yield from _grounds(law, column, at)
        yield from _notices(column, at)
        yield from _giving_way(column, at)
    for place, row in enumerate(law.instruments):
        for number, measure in enumerate(row.measures):
            if (row.instrument, measure.type) not in seen:
                reason = f"{row.instrument} carries {measure.type}, and refusals.yaml has no column for it"
                yield Fault("instruments", ("instruments", place, "measures", number), reason)


def _grounds(law: Law, column: Column, at: tuple[str | int, ...]) -> Iterator[Fault]:
    row = law.instrument(column.instrument)
    named = [ground.ground for ground in column.grounds]
    for number, ground in enumerate(column.grounds):
        here = (*at, "grounds", number)
        if named.index(ground.ground) != number:
            yield Fault("refusals", here, f"{ground.ground} is listed twice")
        for type_ in column.types:
            limit = CLOSED.get((column.instrument, type_))
            if limit is not None and ground.ground not in limit:
                listed = ", ".join(sorted(limit)) or "none"
                reason = f"{column.instrument} gives no ground {ground.ground} for {type_}; its grounds are {listed}"
                yield Fault("refusals", here, reason)
        for need in _needed(column, ground):
            if need not in ground.needs:
                yield Fault("refusals", here, f"{ground.ground} here needs {need}")
        if ground.ground is G.BEST_EFFORT and (row is None or row.duty):
            yield Fault("refusals", here, f"{ground.ground} is for instruments without a duty")


def _needed(column: Column, ground: GroundRow) -> Iterator[Need]:
    if ground.ground in ALWAYS_NEEDS:
        yield ALWAYS_NEEDS[ground.ground]
    conventions = {Instrument.ETS185, Instrument.UNCC}
    if ground.ground is G.DUAL_CRIMINALITY and column.instrument in conventions and PRESERVING & set(column.types):
        yield Need.RESERVATION
        yield Need.OUTSIDE_CONVENTION_OFFENCES


def _notices(column: Column, at: tuple[str | int, ...]) -> Iterator[Fault]:
    for number, row in enumerate(column.notices):
        of_preservation = row.notice is not RiskNotice.CONFIDENTIALITY
        if of_preservation and not PRESERVING.issuperset(column.types):
            yield Fault("refusals", (*at, "notices", number), f"{row.notice} is for preservation alone (art. 29(6))")
    if column.postponement is not None and not POSTPONABLE.issuperset(column.types):
        only = ", ".join(sorted(POSTPONABLE))
        yield Fault("refusals", (*at, "postponement"), f"only these are postponed (art. 27(5)): {only}")


def _giving_way(column: Column, at: tuple[str | int, ...]) -> Iterator[Fault]:
    """Art. 27(1) makes room for a treaty on mutual assistance; arts. 26, 29 and 30 do not."""
    if not column.gives_way:
        return
    if column.instrument is not Instrument.ETS185:
        yield Fault("refusals", (*at, "gives_way"), "only arts. 27 and 28 of ETS185 give way to a treaty")
    for type_ in column.types:
        if (column.instrument, type_) in CLOSED:
            yield Fault("refusals", (*at, "gives_way"), f"the grounds for {type_} give way to no treaty")
