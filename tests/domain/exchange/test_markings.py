"""Markings: the strictest of several is one value, never opens anything, and decides where an item may go."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.codes import Handling, Pap, Tlp
from app.domain.exchange_codes import ConditionKind
from app.domain.markings import (
    DEFAULT,
    SEPARATOR,
    Destination,
    Item,
    Marking,
    combined,
    faults,
    may_leave,
    more_open,
    strictest,
)

markings = st.builds(
    Marking,
    st.sampled_from(Tlp),
    st.sampled_from(Pap),
    st.lists(st.sampled_from(Handling), max_size=4).map(tuple),
    st.none() | st.text(alphabet="ab \n*", min_size=1, max_size=12),
)
LEAST = Marking(Tlp.CLEAR, Pap.CLEAR)
HOME = (Destination.CONTACT_POINT, Destination.AGENCY, Destination.DOMESTIC_AUTHORITY, Destination.COURT)
"""From the nearest to the farthest."""


@given(markings, markings, markings)
def test_the_strictest_is_associative_commutative_and_idempotent(one: Marking, two: Marking, three: Marking) -> None:
    """In whatever order items are put together, the label is the same, and a label adds nothing to itself."""
    assert strictest(one, strictest(two, three)) == strictest(strictest(one, two), three)
    assert strictest(one, two) == strictest(two, one)
    assert strictest(one, one) == one
    assert strictest(one, LEAST) == one
    assert combined(one, two, three) == combined(three, one, two)


@given(markings, markings)
def test_the_strictest_never_opens_anything(one: Marking, two: Marking) -> None:
    """A derived item is in no part more open than what it is made from, and keeps every restriction in words."""
    derived = strictest(one, two)
    assert more_open(derived, than=one) == more_open(derived, than=two) == ()
    texts = set((derived.text or "").split(SEPARATOR))
    assert all(set((part.text or "").split(SEPARATOR)) <= texts | {""} for part in (one, two))


@given(markings, markings, st.frozensets(st.sampled_from(ConditionKind)))
def test_a_stricter_item_never_goes_further(one: Marking, two: Marking, kinds: frozenset[ConditionKind]) -> None:
    """What is forbidden to one of two items is forbidden to the item made from both; conditions open nothing."""
    derived = Item(strictest(one, two), kinds)
    for to, other_use in product(Destination, (False, True)):
        if may_leave(Item(one), to=to, other_use=other_use) is not None:
            assert may_leave(derived, to=to, other_use=other_use) is not None


def test_a_label_that_took_the_more_open_part_would_be_noticed() -> None:
    """Negative control: combined the wrong way round, a derived item is more open than its source."""
    red, green = Marking(Tlp.RED, Pap.RED, (Handling.H2,)), Marking(Tlp.GREEN, Pap.GREEN)
    assert more_open(green, than=red) == ("tlp", "pap", "handling")
    assert more_open(strictest(red, green), than=red) == ()


@given(markings)
def test_one_s_own_and_what_was_granted_goes_anywhere(marking: Marking) -> None:
    """The originator may downgrade and pass on; so may whoever it has allowed to."""
    for to, other_use in product(Destination, (False, True)):
        assert may_leave(Item(marking, own=True), to=to, other_use=other_use) is None
        assert may_leave(Item(marking, granted=True), to=to, other_use=other_use) is None


@given(markings)
def test_nothing_received_goes_abroad_by_its_marking(marking: Marking) -> None:
    """However open its label: to a third state only with a grant (CETS 224 art. 14(10))."""
    assert may_leave(Item(marking), to=Destination.OTHER_STATE) == "onward_transfer_not_granted"


TABLE = {
    "named recipients have it, whatever its colour": (Item(Marking(Tlp.RED, Pap.RED)), Destination.AGENCY, None),
    "red and strict amber stay with those named": (Item(DEFAULT), Destination.DOMESTIC_AUTHORITY, "tlp_too_strict"),
    "amber is for the other authorities too": (
        Item(Marking(Tlp.AMBER, Pap.RED)),
        Destination.DOMESTIC_AUTHORITY,
        None,
    ),
    "H2 is not disseminated": (
        Item(Marking(Tlp.GREEN, Pap.GREEN, (Handling.H2,))),
        Destination.DOMESTIC_AUTHORITY,
        "dissemination_not_permitted",
    ),
    "H1 does not come before a court": (
        Item(Marking(Tlp.GREEN, Pap.GREEN, (Handling.H1,))),
        Destination.COURT,
        "court_use_not_permitted",
    ),
    "nor does what needs consent for it": (
        Item(Marking(Tlp.GREEN, Pap.GREEN), frozenset({ConditionKind.COURT_CONSENT})),
        Destination.COURT,
        "court_use_not_permitted",
    ),
    "what is confidential stays so": (
        Item(Marking(Tlp.GREEN, Pap.GREEN), frozenset({ConditionKind.CONFIDENTIAL})),
        Destination.COURT,
        "dissemination_not_permitted",
    ),
    "green and unconditional may be shown to a court": (Item(Marking(Tlp.GREEN, Pap.GREEN)), Destination.COURT, None),
}


@pytest.mark.parametrize("row", TABLE)
def test_where_an_item_may_go(row: str) -> None:
    """The mapping of the labels to contact points, line by line (domain.md 5.2)."""
    item, to, reason = TABLE[row]
    assert may_leave(item, to=to) == reason


def test_other_use_is_what_a_condition_or_h3_forbids() -> None:
    """Even to those named."""
    bound = Item(LEAST, frozenset({ConditionKind.NO_OTHER_USE}))
    assert may_leave(bound, to=Destination.AGENCY) is None
    assert may_leave(bound, to=Destination.AGENCY, other_use=True) == "other_use_not_permitted"
    written = Item(Marking(Tlp.GREEN, Pap.GREEN, (Handling.H3,), "For this case."))
    assert may_leave(written, to=Destination.AGENCY, other_use=True) == "other_use_not_permitted"


def test_what_may_go_farther_may_go_nearer() -> None:
    """What a court may see, every nearer recipient may see as well."""
    for tlp, handling in product(Tlp, ((), (Handling.H0,), (Handling.H1,), (Handling.H2,))):
        item = Item(Marking(tlp, Pap.RED, handling))
        allowed = [may_leave(item, to=to) is None for to in HOME]
        assert allowed == sorted(allowed, reverse=True)


def test_faults_of_a_marking() -> None:
    """CLEAR is for nothing that names a person, H3 says nothing without words."""
    assert faults(LEAST, personal=False) == ()
    assert [member for member, _ in faults(LEAST)] == ["tlp"]
    assert [member for member, _ in faults(Marking(Tlp.RED, Pap.RED, (Handling.H3,)))] == ["text"]
    assert faults(Marking(Tlp.RED, Pap.RED, (Handling.H3,), "For the desk.")) == ()
