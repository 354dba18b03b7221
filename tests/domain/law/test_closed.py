"""No file of an operator makes refusable what the treaties do not."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.codes import Instrument, RefusalGround, RequestType, RiskNotice, State
from app.domain.exchange.grounds import available_grounds, can_be_postponed
from app.domain.exchange.parties import PartyRules
from app.domain.exchange.values import Asked
from app.domain.law import Law, Need, packaged_law
from app.domain.law.closed import CLOSED, check_matrix
from app.domain.law.refusals import Column, GroundRow, NoticeRow, table_of
from tests.domain.exchange.build import TOKYO, in_state

G = RefusalGround
T = RequestType
LAW = packaged_law()
THREE = {G.POLITICAL, G.ESSENTIAL_INTERESTS, G.DUAL_CRIMINALITY}
OUTSIDE, INSIDE = Asked(targets=1, articles=("OTHER",)), Asked(targets=1, articles=("2",))

GROUNDS = st.lists(
    st.builds(
        lambda ground, needs: GroundRow(ground=ground, provision="1", needs=tuple(sorted(needs))),
        st.sampled_from(G),
        st.sets(st.sampled_from(Need)),
    ),
    max_size=5,
).map(tuple)
NOTICES = st.lists(st.sampled_from(RiskNotice), max_size=2).map(
    lambda notices: tuple(NoticeRow(notice=notice, provision="1") for notice in notices)
)


@st.composite
def editions(draw: st.DrawFn) -> Law:
    """The packaged law with one column rewritten."""
    place = draw(st.integers(0, len(LAW.columns) - 1))
    column = LAW.columns[place]
    changed = Column(
        instrument=column.instrument,
        types=column.types,
        grounds=draw(GROUNDS),
        notices=draw(NOTICES),
        postponement=draw(st.sampled_from([None, "27(5)"])),
        gives_way=draw(st.booleans()),
    )
    columns = (*LAW.columns[:place], changed, *LAW.columns[place + 1 :])
    return replace(LAW, columns=columns, table=table_of(columns, ()))


def rules(law: Law, instrument: Instrument, *, reserved: bool) -> PartyRules:
    """A requested side under this law alone, with everything on file that can be, or nothing."""
    on_file = frozenset({f"{one}:29(4)" for one in Instrument}) if reserved else frozenset()
    governed = law.table_for(frozenset({"XT", "XS"}), on=law.dated)
    return PartyRules(
        zone=TOKYO, instruments=(instrument,), reservations=on_file, declared=frozenset(Instrument), table=governed
    )


def preserving_stays_closed(law: Law) -> bool:
    """Art. 29: three grounds at most, the third on a reservation and outside arts. 2 to 11; art. 30 two; art. 26 none.

    Also between states with a treaty of their own, and never postponed.
    """
    for reserved, asked in product((True, False), (OUTSIDE, INSIDE)):
        held = rules(law, Instrument.ETS185, reserved=reserved)
        for kind in (T.PRESERVATION, T.PRESERVATION_EXTENSION, T.TRAFFIC_PATH_DISCLOSURE, T.SPONTANEOUS_INFORMATION):
            exchange = replace(in_state(State.ACKNOWLEDGED, kind), asked=asked)
            found = set(available_grounds(exchange, Instrument.ETS185, held))
            third = reserved and asked is OUTSIDE and kind in {T.PRESERVATION, T.PRESERVATION_EXTENSION}
            allowed = CLOSED[Instrument.ETS185, kind] - (set() if third else {G.DUAL_CRIMINALITY})
            if not found <= allowed or can_be_postponed(exchange, Instrument.ETS185, held):
                return False
    return True


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(editions())
def test_an_edition_widens_no_closed_list_or_is_not_read(law: Law) -> None:
    """Whatever an operator writes: arts. 26, 29 and 30 stay as they are, or the start stops."""
    assert list(check_matrix(law)) or preserving_stays_closed(law)


def test_without_the_check_an_edition_could_widen_them() -> None:
    """The negative control: what the check refuses would be refusable."""
    (first, *others) = LAW.columns
    assert first.types == (T.PRESERVATION, T.PRESERVATION_EXTENSION)
    wider = first.model_copy(update={"grounds": (*first.grounds, GroundRow(ground=G.DOMESTIC_LAW, provision="1"))})
    law = replace(LAW, columns=(wider, *others), table=table_of((wider, *others), ()))
    assert not preserving_stays_closed(law)
    assert next(check_matrix(law)).reason.startswith("ETS185 gives no ground R-LAW")


def test_the_packaged_matrix_has_exactly_the_three_two_and_none() -> None:
    """Art. 29 three, art. 30 two, art. 26 none."""
    table = LAW.table
    for kind, wanted in ((T.PRESERVATION, THREE), (T.TRAFFIC_PATH_DISCLOSURE, THREE - {G.DUAL_CRIMINALITY})):
        cell = table.cell(Instrument.ETS185, kind)
        assert cell is not None
        assert {row.ground for row in cell.grounds} == wanted == CLOSED[Instrument.ETS185, kind]
    offered = table.cell(Instrument.ETS185, T.SPONTANEOUS_INFORMATION)
    assert offered is not None
    assert offered.grounds == ()
