"""How the law is put into views."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from app.domain.codes import Instrument, RequestType
from app.domain.instruments import Basis, state_of, usable
from app.domain.law import Cell, Law
from app.domain.law.rows import Dated
from app.routers.law_views import (
    ArticleView,
    BasesView,
    BasisView,
    BoundView,
    ConstraintView,
    CountryView,
    GroundView,
    NoticeView,
    ProfileView,
    StatementView,
)


def show_bases(law: Law, requesting: str, requested: str, *, type: RequestType, on: date) -> BasesView:
    """The selector's answer, with the matrix as it holds between the two states."""
    bases = usable(requesting, requested, on=on, type=type, law=law)
    table = law.table_for(frozenset({state_of(requesting), state_of(requested)}), on=on)
    shown = [_basis(law, basis, type, cell=table.cell(basis.instrument, type)) for basis in bases]
    return BasesView(requesting=requesting, requested=requested, type=type, on=on, bases=shown)


def show_country(law: Law, state: str) -> CountryView | None:
    """A state as the law files have it; None for one that they do not know."""
    name = next((row.name for row in law.states if row.state == state), None)
    if name is None:
        return None
    profile = law.country(state)
    return CountryView(
        state=state,
        name=name,
        profile=None if profile is None else ProfileView.model_validate(profile),
        memberships=[_bound(law, row, row.instrument, frozenset()) for row in law.parties if row.state == state],
        switched_on=[
            _bound(law, row, row.instrument, row.states - {state}) for row in law.pairs if state in row.states
        ],
        treaties=[
            _bound(law, row, row.instrument, row.states - {state}).model_copy(update={"id": row.id, "title": row.title})
            for row in law.treaties
            if state in row.states
        ],
        statements=list(_statements(law, state)),
    )


def _basis(law: Law, basis: Basis, type: RequestType, *, cell: Cell | None) -> BasisView:
    row = law.instrument(basis.instrument)
    measure = None if row is None else row.measure(type)
    return BasisView(
        instrument=basis.instrument,
        title="" if row is None else row.title,
        articles=[] if measure is None else [ArticleView.model_validate(role) for role in measure.articles],
        duty=basis.duty,
        constraints=[ConstraintView.model_validate(one) for one in basis.constraints],
        grounds=[]
        if cell is None
        else [
            GroundView(code=one.ground, provision=cell.cite(one.provision), needs=list(one.needs))
            for one in cell.grounds
        ],
        notices=[]
        if cell is None
        else [NoticeView(code=one.notice, provision=f"{basis.instrument}:{one.provision}") for one in cell.notices],
        postponement=None if cell is None or cell.postponement is None else cell.cite(cell.postponement),
    )


def _bound(law: Law, row: Dated, instrument: Instrument, others: frozenset[str]) -> BoundView:
    found = law.instrument(instrument)
    return BoundView(
        instrument=instrument,
        id=None,
        title="" if found is None else found.title,
        others=sorted(others),
        since=row.since,
        until=row.until,
    )


def _statements(law: Law, state: str) -> Iterator[StatementView]:
    for row in law.statements:
        instrument = law.instrument(row.instrument)
        admitted = None if instrument is None else instrument.admitted(row.article)
        if row.state == state and admitted is not None:
            yield StatementView(
                id=row.id,
                kind=admitted.kind,
                effect=admitted.effect,
                instrument=row.instrument,
                article=row.article,
                text=row.text,
                since=row.since,
                until=row.until,
            )
