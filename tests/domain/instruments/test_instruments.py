"""Legal bases: data per state, pair and day."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.domain.codes import Instrument, RequestType
from app.domain.directory import load_profile
from app.domain.directory_codes import Network
from app.domain.instruments import SCOPES, Law, Pair, Party, packaged_law, read_law, require_basis, state_of, usable
from app.errors import Refused

TODAY = date(2026, 11, 22)
T = RequestType
PROFILES = Path(__file__).parents[3] / "app" / "data" / "contact_points"


def names(
    requesting: str, requested: str, type_: RequestType, *, on: date = TODAY, law: Law | None = None
) -> list[str]:
    """The instruments usable, by name."""
    return [basis.instrument for basis in usable(requesting, requested, on=on, type=type_, law=law)]


@pytest.mark.parametrize(("one", "other"), [("XA", "XT"), ("XA", "XS"), ("XT", "XS")])
def test_invented_states_can_preserve_under_the_convention(one: str, other: str) -> None:
    """ETS 185 carries a preservation between any two of the invented states, both ways."""
    assert names(one, other, T.PRESERVATION)[0] == names(other, one, T.PRESERVATION)[0] == Instrument.ETS185


def test_emergency_disclosure_has_no_basis_by_default() -> None:
    """CETS 224 is off: no instrument carries an emergency disclosure."""
    assert names("XA", "XT", T.EMERGENCY_DISCLOSURE) == []


@pytest.mark.parametrize(
    ("instrument", "type_"), [(Instrument.CETS224, T.EMERGENCY_DISCLOSURE), (Instrument.UNCC, T.DATA_LOCATION_QUERY)]
)
def test_new_treaties_are_switched_on_per_pair_and_day(instrument: Instrument, type_: RequestType) -> None:
    """Being a party is not enough: the pair is switched on, for these two, from a day to a day."""
    pair = Pair(instrument=instrument, states=frozenset({"XA", "XT"}), since=TODAY, until=date(2026, 12, 31))
    parties = tuple(Party(instrument=instrument, state=state, since=TODAY) for state in ("XA", "XT", "XS"))
    law = Law(parties=parties, pairs=(pair,))
    assert names("XT", "XA", type_, law=law) == [instrument]
    assert names("XA", "XS", type_, law=law) == []
    assert names("XA", "XT", type_, on=date(2026, 11, 21), law=law) == []
    assert names("XA", "XT", type_, on=date(2027, 1, 1), law=law) == []
    assert names("XA", "XT", type_, law=Law(parties=parties)) == []


def test_party_counts_from_its_first_day_to_its_last() -> None:
    """A convention binds a state from accession to denunciation, both days included."""
    law = Law(
        parties=(
            Party(instrument=Instrument.ETS185, state="XA", since=date(2010, 1, 1)),
            Party(instrument=Instrument.ETS185, state="XT", since=date(2020, 1, 1), until=date(2025, 12, 31)),
        )
    )
    days = {date(2019, 12, 31): [], date(2020, 1, 1): ["ETS185"], date(2025, 12, 31): ["ETS185"], date(2026, 1, 1): []}
    for day, expected in days.items():
        assert names("XA", "XT", T.PRESERVATION, on=day, law=law) == expected


def test_treaty_stands_before_best_efforts() -> None:
    """Where both carry a request, the convention comes first, and the network owes no duty."""
    bases = usable("XA", "XT", on=TODAY, type=T.PRESERVATION)
    assert [(basis.instrument, basis.duty) for basis in bases] == [
        (Instrument.ETS185, True),
        (Instrument.G7_24_7, False),
    ]


def test_contact_points_of_one_state_share_its_law() -> None:
    """A contact point with a name of its own is bound by what its state is bound by."""
    assert state_of("XT-KITANO") == "XT"
    assert names("XA-NORD", "XT-KITANO", T.PRESERVATION) == names("XA", "XT", T.PRESERVATION)


def test_network_membership_agrees_with_the_directory() -> None:
    """The packaged law and the packaged directory entries say the same of the G7 network."""
    members = {
        (code, membership.since)
        for code in ("XA", "XT", "XS")
        for membership in load_profile((PROFILES / f"{code}.json").read_text("utf-8"), source=code).networks
        if membership.network is Network.G7_24_7
    }
    parties = packaged_law().parties
    assert {(party.state, party.since) for party in parties if party.instrument is Instrument.G7_24_7} == members


def test_basis_is_required_for_signing() -> None:
    """The chosen instrument must be usable; without a choice the best one is taken; with none it is N-NOBASIS."""
    bases = usable("XA", "XT", on=TODAY, type=T.PRESERVATION)
    assert require_basis(bases).instrument is Instrument.ETS185
    assert require_basis(bases, Instrument.G7_24_7).instrument is Instrument.G7_24_7
    for wrong, chosen in ((bases, Instrument.UNCC), ((), None)):
        with pytest.raises(Refused) as refused:
            require_basis(wrong, chosen)
        assert refused.value.code == "N-NOBASIS"


def test_every_instrument_has_its_scope() -> None:
    """No instrument of the closed list is forgotten."""
    assert set(SCOPES) == set(Instrument)


@pytest.mark.parametrize(
    "law",
    [
        {"parties": [{"instrument": "ETS185", "state": "XA"}]},
        {"parties": [{"instrument": "ETS185", "state": "Aurelia", "since": "2010-01-01"}]},
        {"pairs": [{"instrument": "UNCC", "states": ["XA", "XA"], "since": "2010-01-01"}]},
        {"treaties": []},
    ],
)
def test_senseless_law_is_not_read(law: dict[str, object]) -> None:
    """A row without its day, a state by name, a pair of one, an unknown list: refused."""
    with pytest.raises(ValidationError):
        read_law(json.dumps(law))
