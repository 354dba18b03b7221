"""Legal bases: data per state, pair and day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from app.domain.codes import GateOutcome, Instrument, RequestType
from app.domain.directory import load_profile
from app.domain.directory_codes import Network
from app.domain.instruments import Basis, other_roads, packaged_law, require_basis, state_of, usable
from app.domain.law import ConstraintCode, Law, Pair, Party
from app.domain.request_types import REQUEST_KINDS
from app.errors import Refused

TODAY = date(2026, 11, 22)
T = RequestType
LAW = packaged_law()
PROFILES = Path(__file__).parents[3] / "app" / "data" / "contact_points"
CODES = ("XA", "XT", "XS")


def names(requesting: str, requested: str, type_: RequestType, *, on: date = TODAY, law: Law = LAW) -> list[str]:
    """The instruments usable, by name."""
    return [basis.instrument for basis in usable(requesting, requested, on=on, type=type_, law=law)]


def constraints(requesting: str, requested: str, type_: RequestType, *, law: Law = LAW) -> dict[str, set[str]]:
    """What goes with each basis."""
    bases = usable(requesting, requested, on=TODAY, type=type_, law=law)
    return {basis.instrument: {str(one.code) for one in basis.constraints} for basis in bases}


@pytest.mark.parametrize(("one", "other"), [("XA", "XT"), ("XA", "XS"), ("XT", "XS")])
def test_invented_states_can_preserve_under_the_convention(one: str, other: str) -> None:
    """ETS 185 carries a preservation between any two of the invented states, both ways."""
    assert names(one, other, T.PRESERVATION)[0] == names(other, one, T.PRESERVATION)[0] == Instrument.ETS185


def test_emergency_disclosure_has_no_basis_between_aurelia_and_kitano() -> None:
    """CETS 224 is off between the two: no instrument carries the canonical emergency example, either way."""
    assert names("XA", "XT", T.EMERGENCY_DISCLOSURE) == names("XT", "XA", T.EMERGENCY_DISCLOSURE) == []
    assert names("XA", "XT", T.EMERGENCY_MLA_NOTICE) == names("XT", "XS", T.EMERGENCY_DISCLOSURE) == []


@pytest.mark.parametrize("kind", [kind for kind in T if REQUEST_KINDS[kind].fileable])
def test_every_request_has_a_basis_between_aurelia_and_sahran(kind: RequestType) -> None:
    """The packaged law lets every type be tried, both ways; in the other direction it is the same instruments."""
    assert names("XA", "XS", kind)
    assert names("XS", "XA", kind) == names("XA", "XS", kind)


@pytest.mark.parametrize(
    ("instrument", "type_"), [(Instrument.CETS224, T.EMERGENCY_DISCLOSURE), (Instrument.UNCC, T.DATA_LOCATION_QUERY)]
)
def test_new_treaties_are_switched_on_per_pair_and_day(instrument: Instrument, type_: RequestType) -> None:
    """Being a party is not enough: the pair is switched on, for these two, from a day to a day."""
    pair = Pair(instrument=instrument, states=frozenset({"XA", "XT"}), since=TODAY, until=date(2026, 12, 31))
    parties = tuple(Party(instrument=instrument, state=state, since=TODAY) for state in CODES)
    law = replace(LAW, parties=parties, pairs=(pair,))
    assert names("XT", "XA", type_, law=law) == [instrument]
    assert names("XA", "XS", type_, law=law) == []
    assert names("XA", "XT", type_, on=date(2026, 11, 21), law=law) == []
    assert names("XA", "XT", type_, on=date(2027, 1, 1), law=law) == []
    assert names("XA", "XT", type_, law=replace(law, pairs=())) == []
    assert names("XA", "XT", type_, law=replace(law, parties=parties[1:])) == []


def test_an_instrument_that_is_not_in_force_carries_nothing() -> None:
    """Off by default: without the day of its entry into force, parties and switches change nothing."""
    rows = tuple(
        row.model_copy(update={"in_force_since": None}) if row.instrument is Instrument.CETS224 else row
        for row in LAW.instruments
    )
    assert Instrument.CETS224 in names("XA", "XS", T.EMERGENCY_DISCLOSURE)
    assert Instrument.CETS224 not in names("XA", "XS", T.EMERGENCY_DISCLOSURE, law=replace(LAW, instruments=rows))
    assert names("XA", "XT", T.PRESERVATION, on=date(2004, 6, 30)) == []


def test_emergency_assistance_comes_through_the_contact_point_where_that_was_declared() -> None:
    """CETS 224 art. 10(9): it is the requested state that has to have said so."""
    assert names("XA", "XS", T.EMERGENCY_MLA_NOTICE) == [Instrument.CETS224]
    without = tuple(row for row in LAW.statements if (row.state, row.article) != ("XS", "10(9)"))
    law = replace(LAW, statements=without)
    assert names("XA", "XS", T.EMERGENCY_MLA_NOTICE, law=law) == []
    assert names("XS", "XA", T.EMERGENCY_MLA_NOTICE, law=law) == [Instrument.CETS224]


def test_party_counts_from_its_first_day_to_its_last() -> None:
    """A convention binds a state from accession to denunciation, both days included."""
    parties = (
        Party(instrument=Instrument.ETS185, state="XA", since=date(2010, 1, 1)),
        Party(instrument=Instrument.ETS185, state="XT", since=date(2020, 1, 1), until=date(2025, 12, 31)),
    )
    law = replace(LAW, parties=parties)
    days = {date(2019, 12, 31): [], date(2020, 1, 1): ["ETS185"], date(2025, 12, 31): ["ETS185"], date(2026, 1, 1): []}
    for day, expected in days.items():
        assert names("XA", "XT", T.PRESERVATION, on=day, law=law) == expected


def test_treaty_stands_before_best_efforts() -> None:
    """Where both carry a request, the convention comes first, and the network owes no duty."""
    bases = usable("XA", "XT", on=TODAY, type=T.PRESERVATION, law=LAW)
    assert [(basis.instrument, basis.duty) for basis in bases] == [
        (Instrument.ETS185, True),
        (Instrument.G7_24_7, False),
    ]
    upside_down = replace(LAW, instruments=LAW.instruments[::-1])
    assert names("XA", "XT", T.PRESERVATION, law=upside_down)[-1] == Instrument.G7_24_7


def test_a_treaty_carries_the_types_that_it_covers() -> None:
    """Between Kitano and Sahran one is on file; it says nothing of preservation."""
    assert names("XT", "XS", T.EVIDENCE_COLLECTION) == [Instrument.ETS185, Instrument.BILATERAL]
    assert names("XT", "XS", T.PRESERVATION) == [Instrument.ETS185]
    assert names("XT", "XS", T.EVIDENCE_COLLECTION, on=date(2021, 3, 31)) == [Instrument.ETS185]
    assert names("XA", "XS", T.EVIDENCE_COLLECTION) == [Instrument.ETS185, Instrument.UNCC]


CONSTRAINTS = {
    "a reservation of the requested state goes with a preservation, and best efforts with the network": (
        "XA", "XT", T.PRESERVATION, {"ETS185": {"reservation"}, "G7_24_7": {"best_efforts"}},
    ),
    "the reservation of the requesting state does not": (
        "XT", "XA", T.PRESERVATION, {"ETS185": set(), "G7_24_7": {"best_efforts"}},
    ),
    "urgent mutual assistance goes to the authority that the requested state has named": (
        "XA", "XS", T.EVIDENCE_COLLECTION, {"ETS185": {"urgent_to_central_authority"}, "UNCC": set()},
    ),
    "a treaty on mutual assistance governs in place of arts. 27 and 28": (
        "XS", "XT", T.EVIDENCE_COLLECTION, {"ETS185": {"treaty_governs"}, "BILATERAL": {"treaty_governs"}},
    ),
    "emergency disclosure comes with declarations on what is excluded and what follows": (
        "XS", "XA", T.EMERGENCY_DISCLOSURE,
        {"CETS224": {"declaration", "formalities_after_execution"}, "UNCC": set()},
    ),
    "and where nothing was declared with none": ("XA", "XS", T.EMERGENCY_DISCLOSURE, {"CETS224": set(), "UNCC": set()}),
    "emergency assistance through the contact point rests on a declaration": (
        "XA", "XS", T.EMERGENCY_MLA_NOTICE, {"CETS224": {"through_contact_point"}},
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", CONSTRAINTS)
def test_each_basis_comes_with_what_binds_its_use(sentence: str) -> None:
    """Reservations and declarations of the requested state, the treaty that governs, and that nothing is owed."""
    requesting, requested, kind, wanted = CONSTRAINTS[sentence]
    assert constraints(requesting, requested, kind) == wanted


def test_a_constraint_says_where_it_stands() -> None:
    """The article, the id of the statement on file, and its words."""
    (basis, _) = usable("XA", "XT", on=TODAY, type=T.PRESERVATION, law=LAW)
    (constraint,) = basis.constraints
    assert constraint.code is ConstraintCode.RESERVATION
    assert (constraint.provision, constraint.statement) == ("ETS185:29(4)", "ETS185:29(4)")
    assert constraint.detail.startswith("Kitano may refuse preservation")


def test_contact_points_of_one_state_share_its_law() -> None:
    """A contact point with a name of its own is bound by what its state is bound by; at home nothing is needed."""
    assert state_of("XT-KITANO") == "XT"
    assert names("XA-NORD", "XT-KITANO", T.PRESERVATION) == names("XA", "XT", T.PRESERVATION)
    assert names("XA", "XA-NORD", T.PRESERVATION) == []


def test_network_membership_agrees_with_the_directory() -> None:
    """The packaged law and the packaged directory entries say the same of the networks."""
    networks = {Network.G7_24_7: Instrument.G7_24_7, Network.ETS185_35: Instrument.ETS185}
    members = {
        (networks[membership.network], code, membership.since)
        for code in CODES
        for membership in load_profile((PROFILES / f"{code}.json").read_text("utf-8"), source=code).networks
        if membership.network in networks
    }
    rows = {(row.instrument, row.state, row.since) for row in LAW.parties if row.instrument in networks.values()}
    assert rows == members


def test_profiles_and_statements_agree_with_the_directory() -> None:
    """What the packaged files say of a state is what its packaged directory entry says."""
    for code in CODES:
        entry = load_profile((PROFILES / f"{code}.json").read_text("utf-8"), source=code)
        country = LAW.country(code)
        assert country is not None
        power = entry.preservation_power
        at_home = country.preservation
        assert (at_home.power, at_home.citation, at_home.days) == (power.kind, power.citation, power.default_days)
        assert (at_home.extension_days, at_home.max_extensions) == (power.extension_days, power.max_extensions)
        assert country.user_notification is entry.user_notification_rule
        assert country.central_authority.phone == entry.central_authorities[0].contact.phone
        declared = {(row.instrument, row.article) for row in (*entry.reservations, *entry.declarations)}
        assert declared <= {(row.instrument, row.article) for row in LAW.statements if row.state == code}


def test_basis_is_required_for_signing() -> None:
    """The chosen instrument must be usable; without a choice the best one is taken; with none it is N-NOBASIS."""
    bases = usable("XA", "XT", on=TODAY, type=T.PRESERVATION, law=LAW)
    assert require_basis(bases).instrument is Instrument.ETS185
    assert require_basis(bases, Instrument.G7_24_7).instrument is Instrument.G7_24_7
    nothing: tuple[Basis, ...] = ()
    for wrong, chosen in ((bases, Instrument.UNCC), (nothing, None)):
        with pytest.raises(Refused) as refused:
            require_basis(wrong, chosen)
        assert refused.value.code == "N-NOBASIS"


def test_without_a_basis_another_road_is_named() -> None:
    """Interpol and mutual assistance, with the authorities of our own state."""
    roads = other_roads(LAW, "XA")
    assert [road["code"] for road in roads] == ["D-INTERPOL", "D-MLA"]
    assert roads[1]["contact"].startswith("Ministry of Justice, Mutual Assistance Division, +99900555030")
    with pytest.raises(Refused) as refused:
        require_basis((), instead=roads)
    assert refused.value.extra == {"instead": roads}
    assert other_roads(replace(LAW, redirects=()), "XA") == []


def test_a_redirect_names_our_own_authority_but_for_providers_abroad() -> None:
    """Mutual assistance starts at home; the portal and the registry are those of the state that has the provider."""
    mutual = LAW.turn_to(GateOutcome.MLA, own="XA", asked="XT")
    portal = LAW.turn_to(GateOutcome.PROVIDER, own="XA", asked="XT")
    assert mutual is not None
    assert portal is not None
    assert (mutual.state, portal.state) == ("XA", "XT")
    assert LAW.turn_to(GateOutcome.RIGHTS, own="XA", asked="XT") is None


def test_every_instrument_has_its_row() -> None:
    """No instrument of the closed list is forgotten."""
    assert {row.instrument for row in LAW.instruments} == set(Instrument)
