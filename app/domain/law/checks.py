"""What the rows of one law file say of those of another: states, periods, instruments, articles."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, TypeVar

from app.domain.codes import Instrument
from app.domain.law.codes import AppliesTo
from app.domain.law.faults import Fault
from app.domain.law.rows import Dated

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from app.domain.law.book import Law
    from app.domain.law.rows import Pair, Statement, Treaty

TWO = 2
Row = TypeVar("Row", bound=Dated)


def check_law(law: Law) -> Iterator[Fault]:
    """Every rule that is broken between rows, file by file."""
    yield from _instruments(law)
    yield from _states(law)
    yield from _parties(law)
    for place, pair in enumerate(law.pairs):
        yield from _pair(law, pair, ("pairs", place))
    yield from _overlapping("parties", "pairs", law.pairs, key=lambda row: (row.instrument, row.states))
    for place, treaty in enumerate(law.treaties):
        yield from _treaty(law, treaty, ("treaties", place))
    yield from _overlapping("parties", "treaties", law.treaties, key=lambda row: (row.instrument, row.states))
    yield from _repeated("parties", "treaties", [treaty.id for treaty in law.treaties])
    for place, statement in enumerate(law.statements):
        yield from _statement(law, statement, ("statements", place))
    yield from _overlapping(
        "statements", "statements", law.statements, key=lambda row: (row.state, row.instrument, row.article)
    )
    yield from _repeated("statements", "statements", [f"{row.id} of {row.state}" for row in law.statements])
    yield from _repeated("countries", "countries", [country.state for country in law.countries])
    yield from _repeated("redirects", "targets", [f"{row.kind} of {row.state}" for row in law.redirects])


def _instruments(law: Law) -> Iterator[Fault]:
    yield from _repeated("instruments", "instruments", [row.instrument for row in law.instruments])
    for place, row in enumerate(law.instruments):
        at = ("instruments", place)
        own = row.instrument in {Instrument.BILATERAL, Instrument.REGIONAL}
        if own != (row.applies_to is AppliesTo.TREATIES):
            yield Fault("instruments", (*at, "applies_to"), "treaties is for BILATERAL and REGIONAL, and only for them")
        if row.protocol_to is not None and law.instrument(row.protocol_to) is None:
            yield Fault("instruments", (*at, "protocol_to"), f"{row.protocol_to} is not among the instruments")
        for name, values in (
            ("measures", [str(measure.type) for measure in row.measures]),
            ("admits", [admitted.article for admitted in row.admits]),
        ):
            for number, value in enumerate(values):
                if values.index(value) != number:
                    yield Fault("instruments", (*at, name, number), f"{value} is listed twice")


def _states(law: Law) -> Iterator[Fault]:
    """Every state is listed with its name, so that a slip of the pen is not a new state."""
    yield from _repeated("parties", "states", [row.state for row in law.states])
    known = {row.state for row in law.states}
    used: tuple[tuple[str, str, Sequence[frozenset[str]]], ...] = (
        ("parties", "parties", [frozenset({row.state}) for row in law.parties]),
        ("parties", "pairs", [row.states for row in law.pairs]),
        ("parties", "treaties", [row.states for row in law.treaties]),
        ("statements", "statements", [frozenset({row.state}) for row in law.statements]),
        ("countries", "countries", [frozenset({row.state}) for row in law.countries]),
        ("redirects", "targets", [frozenset({row.state}) for row in law.redirects]),
    )
    for file, member, rows in used:
        for place, states in enumerate(rows):
            for unknown in sorted(states - known):
                yield Fault(file, (member, place), f"{unknown} is not among the states of parties.yaml")


def _parties(law: Law) -> Iterator[Fault]:
    for place, party in enumerate(law.parties):
        at = ("parties", place)
        row = law.instrument(party.instrument)
        if row is None:
            yield Fault("parties", at, f"{party.instrument} is not among the instruments")
        elif row.applies_to is AppliesTo.TREATIES:
            yield Fault("parties", at, f"{party.instrument} has no parties but treaties")
        else:
            if row.in_force_since is not None and party.since < row.in_force_since:
                yield Fault("parties", at, f"{party.instrument} is in force since {row.in_force_since} only")
            base = row.protocol_to
            if base is not None and not law.is_party(base, party.state, on=party.since):
                yield Fault("parties", at, f"{party.state} is not bound by {base} then, to which this is a protocol")
    yield from _overlapping("parties", "parties", law.parties, key=lambda row: (row.instrument, row.state))


def _pair(law: Law, pair: Pair, at: tuple[str | int, ...]) -> Iterator[Fault]:
    row = law.instrument(pair.instrument)
    if row is None:
        yield Fault("parties", at, f"{pair.instrument} is not among the instruments")
    elif row.applies_to is not AppliesTo.PAIRS:
        yield Fault("parties", at, f"{pair.instrument} needs no pair: it applies to {row.applies_to}")
    elif row.in_force_since is None:
        yield Fault("parties", at, f"{pair.instrument} is not in force: it has no in_force_since")
    elif pair.since < row.in_force_since:
        yield Fault("parties", at, f"{pair.instrument} is in force since {row.in_force_since} only")
    else:
        for state in sorted(pair.states):
            if not law.is_party(pair.instrument, state, on=pair.since):
                yield Fault("parties", at, f"{state} is not bound by {pair.instrument} then")


def _treaty(law: Law, treaty: Treaty, at: tuple[str | int, ...]) -> Iterator[Fault]:
    row = law.instrument(treaty.instrument)
    if row is None or row.applies_to is not AppliesTo.TREATIES:
        yield Fault("parties", at, f"{treaty.instrument} is not a kind of treaty among the instruments")
        return
    if treaty.instrument is Instrument.BILATERAL and len(treaty.states) != TWO:
        yield Fault("parties", (*at, "states"), "a bilateral treaty has two states")
    for type_ in treaty.types:
        if row.measure(type_) is None:
            yield Fault("parties", (*at, "types"), f"{treaty.instrument} does not carry {type_}")
    grounds = [ground.ground for ground in treaty.grounds]
    if len(set(grounds)) != len(grounds):
        yield Fault("parties", (*at, "grounds"), "a ground is listed twice")


def _statement(law: Law, statement: Statement, at: tuple[str | int, ...]) -> Iterator[Fault]:
    row = law.instrument(statement.instrument)
    if row is None:
        yield Fault("statements", at, f"{statement.instrument} is not among the instruments")
    elif row.admitted(statement.article) is None:
        listed = ", ".join(admitted.article for admitted in row.admits) or "none"
        reason = f"{statement.instrument} admits no statement to {statement.article}, only to {listed}"
        yield Fault("statements", (*at, "article"), reason)
    elif not law.is_party(statement.instrument, statement.state, on=statement.since):
        yield Fault("statements", at, f"{statement.state} is not bound by {statement.instrument} then")


def _overlapping(file: str, member: str, rows: Sequence[Row], *, key: Callable[[Row], Hashable]) -> Iterator[Fault]:
    """Two rows on the same thing hold on the same day; the later row in the file is told."""
    groups: dict[Hashable, list[tuple[int, Row]]] = {}
    for place, row in enumerate(rows):
        groups.setdefault(key(row), []).append((place, row))
    for group in groups.values():
        for (_, one), (place, other) in combinations(group, TWO):
            if one.overlaps(other):
                yield Fault(file, (member, place), "this overlaps an earlier row on the same thing")


def _repeated(file: str, member: str, names: Sequence[str]) -> Iterator[Fault]:
    first: set[str] = set()
    for place, name in enumerate(names):
        if name in first:
            yield Fault(file, (member, place), f"{name} is listed twice")
        first.add(name)
