"""Refusing: a closed list of grounds, two persons, and nothing told abroad before the second signature."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from app.domain.codes import Instrument, RefusalGround, RequestType, State
from app.domain.exchange.grounds import available_grounds, provision
from app.domain.exchange.parties import PartyRules
from app.domain.exchange.values import Asked, Exchange
from app.domain.law import packaged_law
from app.domain.snapshot import take_snapshot
from app.errors import Conflict, Forbidden, Refused
from tests.domain.exchange.build import NOW, REASONS, RULES, SUP_B, TOKYO, B, do, do_under, in_state, officer

G = RefusalGround
T = RequestType
Of = Instrument
RESERVED = replace(RULES, reservations=frozenset({"ETS185:29(4)", "UNCC:42(5)"}), declared=frozenset(Instrument))
UNRESERVED = PartyRules(zone=TOKYO, instruments=tuple(Instrument))
OUTSIDE = Asked(targets=1, articles=("OTHER",))
INSIDE = Asked(targets=1, articles=("OTHER", "2"))

PRESERVING = (T.PRESERVATION, T.PRESERVATION_EXTENSION)
SERVICES = (T.TECHNICAL_ADVICE, T.LEGAL_INFORMATION, T.PROVIDER_CONTACT)
ASSISTANCE = (T.EVIDENCE_COLLECTION, T.LOCATE_SUSPECT, T.MLA_INITIATION)
OF_TREATIES = (T.PRESERVATION, T.PRESERVATION_EXTENSION, T.LEGAL_INFORMATION, *ASSISTANCE)


COLUMNS = (
    ({Of.ETS185}, PRESERVING, "R-POL R-ESS R-DC!*"),
    ({Of.ETS185, Of.UNCC}, (T.TRAFFIC_PATH_DISCLOSURE,), "R-POL R-ESS"),
    ({Of.ETS185}, (*SERVICES, *ASSISTANCE), "R-POL R-ESS R-DC R-LAW R-FISCAL* R-DECL+"),
    ({Of.CETS224}, (T.EMERGENCY_DISCLOSURE,), "R-POL R-ESS R-LAW R-DECL+"),
    ({Of.CETS224}, (T.EMERGENCY_MLA_NOTICE,), "R-POL R-ESS R-DC R-LAW R-FISCAL*"),
    ({Of.UNCC}, PRESERVING, "R-POL R-ESS R-LAW R-DC!*"),
    (
        {Of.UNCC},
        (*SERVICES, *ASSISTANCE, T.EMERGENCY_DISCLOSURE, T.DATA_LOCATION_QUERY),
        "R-POL R-ESS R-DC R-LAW",
    ),
    ({Of.BILATERAL, Of.REGIONAL}, OF_TREATIES, "R-POL R-ESS R-DC R-LAW"),
    ({Of.G7_24_7}, (T.PRESERVATION, *SERVICES, T.MLA_INITIATION), "R-POL R-ESS R-BESTEFFORT~"),
)
"""The matrix of domain.md 2.2 a second time. A ground with ! needs a reservation, with * an offence outside arts. 2 to
11, with + a declaration, with ~ that nothing is owed."""


def listed(instrument: Instrument, kind: RequestType) -> str:
    """The column of the table above, "" where there is none."""
    return next((grounds for instruments, kinds, grounds in COLUMNS if instrument in instruments and kind in kinds), "")


def is_open(row: str, *, outside: bool, on_file: bool, owed: bool) -> bool:
    """Whether a ground of the table above is open in a case."""
    unmet = {"!": not on_file, "+": not on_file, "*": not outside, "~": owed}
    return not any(unmet[mark] for mark in row if mark in unmet)


@pytest.mark.parametrize("kind", list(RequestType))
def test_every_cell_of_the_matrix_is_as_the_design_has_it(kind: RequestType) -> None:
    """By instrument, ground, offence, what is on file and what is owed: open exactly where the table says so."""
    walked = 0
    for instrument, asked, rules, owed in product(
        Instrument, (OUTSIDE, INSIDE, Asked()), (RESERVED, UNRESERVED), (frozenset(), frozenset({Of.ETS185}))
    ):
        under = replace(rules, instruments=(instrument, *owed), owed=owed)
        exchange = replace(in_state(State.ACKNOWLEDGED, kind), asked=asked)
        column = listed(instrument, kind).split()
        bound = Of.ETS185 in owed and (instrument is Of.ETS185 or bool(listed(Of.ETS185, kind)) or offered(kind))
        case = {"outside": asked is OUTSIDE, "on_file": rules is RESERVED, "owed": bound}
        wanted = {row.rstrip("!*+~") for row in column if is_open(row, **case)}
        found = set(available_grounds(exchange, instrument, under))
        assert found == wanted, (instrument, asked, case)
        walked += len(G)
    assert walked == len(Instrument) * 3 * 2 * 2 * len(G)


def offered(kind: RequestType) -> bool:
    """ETS 185 carries it and nothing can be said against it."""
    return kind is T.SPONTANEOUS_INFORMATION


def test_preservation_under_the_convention_knows_three_grounds_and_no_others() -> None:
    """Art. 29(4) and (5), whatever is reserved and declared; without a reservation two, within arts. 2 to 11 two."""
    exchange = replace(in_state(State.ACKNOWLEDGED), asked=OUTSIDE)
    three = (G.POLITICAL, G.ESSENTIAL_INTERESTS, G.DUAL_CRIMINALITY)
    assert available_grounds(exchange, Of.ETS185, RESERVED) == three
    assert available_grounds(exchange, Of.ETS185, UNRESERVED) == three[:2]
    assert available_grounds(replace(exchange, asked=INSIDE), Of.ETS185, RESERVED) == three[:2]
    assert available_grounds(replace(exchange, asked=Asked()), Of.ETS185, RESERVED) == three[:2]


@pytest.mark.parametrize("ground", [ground for ground in G if ground not in {G.POLITICAL, G.ESSENTIAL_INTERESTS}])
def test_an_unlisted_ground_for_a_preservation_is_not_available_and_the_listed_ones_are_named(ground: G) -> None:
    """`refusal_ground_not_available`, with the grounds that are open in this case and their provisions."""
    exchange = replace(in_state(State.ACKNOWLEDGED), asked=INSIDE)
    with pytest.raises(Refused) as caught:
        refuse(exchange, ground, instrument="ETS185")
    assert caught.value.code == "refusal_ground_not_available"
    assert caught.value.errors[0].pointer == "/code"
    assert caught.value.errors[0].detail == "Grounds open in this case: R-POL, R-ESS."
    assert caught.value.extra["legal"] == [
        {"code": "R-POL", "provision": "ETS185:29(5)(a)"},
        {"code": "R-ESS", "provision": "ETS185:29(5)(b)"},
    ]


INSTEAD = {
    "the requested side's law is no ground for a preservation: no power, another state, a question, a notice": (
        T.PRESERVATION, G.DOMESTIC_LAW, {"N-NOPOWER", "N-WRONGSTATE", "N-NODATA", "C-MISSING", "W-PREJ", "W-CONF"},
    ),
    "dual criminality is no condition of a preservation: ask": (T.PRESERVATION, G.DUAL_CRIMINALITY, {"C-MISSING"}),
    "a fiscal offence is preserved for like any other": (T.PRESERVATION, G.FISCAL, set()),
    "evidence is postponed for one's own case, and not declined in free words": (
        T.EVIDENCE_COLLECTION, G.BEST_EFFORT, {"N-NOPOWER", "N-WRONGSTATE", "N-NODATA", "C-MISSING", "W-CONF", "P-OWN"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", INSTEAD)
def test_whoever_means_something_else_is_told_its_code(sentence: str) -> None:
    """`instead` names codes that this type and instrument allow: no postponement, no notice where there is none."""
    kind, ground, wanted = INSTEAD[sentence]
    exchange = replace(in_state(State.ACKNOWLEDGED, kind), asked=INSIDE)
    with pytest.raises(Refused) as caught:
        refuse(exchange, ground, instrument="ETS185")
    assert {road["code"] for road in caught.value.extra["instead"]} == wanted
    acts = {road["action"] for road in caught.value.extra["instead"]}
    assert acts <= {"not_executable", "ask", "notify_risk", "postpone"}


def test_a_refusal_is_held_against_the_instrument_that_was_accepted() -> None:
    """Whoever accepted under the convention does not decline under best efforts; the accepted one is proposed."""
    accepted = do(in_state(State.ACKNOWLEDGED), "accept", instrument="ETS185")
    with pytest.raises(Refused) as caught:
        refuse(accepted, G.BEST_EFFORT, instrument="G7_24_7")
    assert (caught.value.code, caught.value.errors[0].pointer) == ("instrument_not_accepted", "/instrument")
    proposed = refuse(accepted).private.proposed_refusal
    assert proposed is not None
    assert proposed.instrument is Of.ETS185


def test_a_request_under_a_treaty_is_not_declined_as_best_efforts() -> None:
    """Before anything is accepted, the instruments that the request names count; if it names none, those in force."""
    both = replace(RULES, instruments=(Of.ETS185, Of.G7_24_7), owed=frozenset({Of.ETS185}))
    members: dict[str, Any] = {
        "code": "R-BESTEFFORT",
        "reasons": REASONS,
        "considered_partial": True,
        "instrument": "G7_24_7",
    }
    under_treaty = replace(in_state(State.ACKNOWLEDGED), asked=replace(OUTSIDE, instruments=(Of.ETS185,)))
    with pytest.raises(Refused) as of_treaty:
        do_under(both, under_treaty, "refuse", **members)
    assert of_treaty.value.code == "instrument_not_accepted"
    unnamed = replace(under_treaty, asked=OUTSIDE)
    with pytest.raises(Refused) as of_none:
        do_under(both, unnamed, "refuse", **members)
    assert of_none.value.code == "refusal_ground_not_available"
    as_network = replace(under_treaty, asked=replace(OUTSIDE, instruments=(Of.G7_24_7,)))
    assert do_under(both, as_network, "refuse", **members).private.proposed_refusal is not None


@pytest.mark.parametrize("missing", ["reasons", "considered_partial"])
def test_a_refusal_has_reasons_and_the_tick(missing: str) -> None:
    """Art. 27(6) and (7): reasons of 30 characters, and partial or conditional execution was considered."""
    whole: dict[str, Any] = {"code": "R-POL", "reasons": REASONS, "considered_partial": True}
    for wrong in (None, "Too short to be reasons." if missing == "reasons" else False):
        members = {name: value for name, value in (whole | {missing: wrong}).items() if value is not None}
        with pytest.raises((Refused, ValueError)):
            do(in_state(State.ACCEPTED), "refuse", **members)
    assert len(REASONS) >= 30
    assert do(in_state(State.ACCEPTED), "refuse", **whole).private.proposed_refusal is not None


def refuse(exchange: Exchange, ground: G = G.POLITICAL, **members: Any) -> Exchange:  # noqa: ANN401 - members of a body
    """The exchange after the first signature."""
    return do_under(RESERVED, exchange, "refuse", code=ground, reasons=REASONS, considered_partial=True, **members)


def test_dual_criminality_names_the_reservation_on_file() -> None:
    """Art. 29(4): the reservation is named; one of another convention or none does not do."""
    exchange = replace(in_state(State.ACKNOWLEDGED), asked=OUTSIDE)
    for reservation in ({}, {"reservation_id": "UNCC:42(5)"}):
        with pytest.raises(Refused) as caught:
            refuse(exchange, G.DUAL_CRIMINALITY, instrument="ETS185", **reservation)
        assert (caught.value.code, caught.value.errors[0].pointer) == (
            "refusal_ground_not_available",
            "/reservation_id",
        )
    proposed = refuse(exchange, G.DUAL_CRIMINALITY, instrument="ETS185", reservation_id="ETS185:29(4)")
    ended = do_under(RESERVED, proposed, "confirm_refusal", by=SUP_B)
    assert (ended.state, ended.reason, ended.reason_article) == (State.REFUSED, "R-DC", "ETS185:29(4)")


def test_a_refusal_takes_two_persons() -> None:
    """Proposed it stays as it was; confirmed by another, a supervisor, it is refused with code, article and reasons."""
    proposed = refuse(in_state(State.IN_EXECUTION))
    assert (proposed.state, proposed.reason) == (State.IN_EXECUTION, None)
    ended = do(proposed, "confirm_refusal", by=SUP_B)
    assert (ended.state, ended.reason, ended.reason_article) == (State.REFUSED, "R-POL", "ETS185:29(5)(a)")
    assert ended.reason_text == REASONS
    assert ended.instrument is Instrument.ETS185


def test_nobody_confirms_their_own_refusal() -> None:
    """A supervisor who proposed it cannot be the second person either; another supervisor can."""
    proposed = do(in_state(State.ACCEPTED), "refuse", by=SUP_B, code="R-POL", reasons=REASONS, considered_partial=True)
    with pytest.raises(Forbidden) as caught:
        do(proposed, "confirm_refusal", by=SUP_B)
    assert caught.value.code == "four_eyes"
    other = officer(SUP_B.side, SUP_B.role, number=3)
    assert do(proposed, "confirm_refusal", by=other).state is State.REFUSED


def test_a_duty_officer_cannot_confirm_a_refusal() -> None:
    """The second signature is a supervisor's."""
    proposed = refuse(in_state(State.ACCEPTED))
    with pytest.raises(Forbidden) as caught:
        do(proposed, "confirm_refusal", by=officer(B.side, B.role, number=4))
    assert caught.value.code == "role_not_allowed"


def test_a_proposed_refusal_leaves_no_trace_in_the_snapshot() -> None:
    """Before the second signature the other side sees nothing of it but the generation (domain.md 6.11)."""
    exchange = in_state(State.ACCEPTED)
    proposed = refuse(exchange)
    before = take_snapshot(exchange).model_dump(mode="json", exclude={"generation", "changed_at"})
    after = take_snapshot(proposed).model_dump(mode="json", exclude={"generation", "changed_at"})
    assert proposed.private.proposed_refusal is not None
    assert before == after


def test_an_act_that_moves_the_exchange_overtakes_a_proposed_refusal() -> None:
    """What was proposed against one state is not confirmed against another."""
    moved = do(refuse(in_state(State.ACCEPTED)), "start")
    with pytest.raises(Conflict) as caught:
        do(moved, "confirm_refusal", by=SUP_B)
    assert caught.value.extra["reason"] == "refusal_not_proposed"


def test_a_refusal_is_held_against_the_law_again_when_it_is_confirmed() -> None:
    """An instrument that went out of force, or a reservation withdrawn between the two signatures, counts."""
    exchange = replace(in_state(State.ACCEPTED), asked=OUTSIDE)
    proposed = refuse(exchange, G.DUAL_CRIMINALITY, instrument="ETS185", reservation_id="ETS185:29(4)")
    with pytest.raises(Refused) as without_reservation:
        do_under(UNRESERVED, proposed, "confirm_refusal", by=SUP_B)
    assert without_reservation.value.code == "refusal_ground_not_available"
    with pytest.raises(Refused) as out_of_force:
        do_under(replace(RESERVED, instruments=()), proposed, "confirm_refusal", by=SUP_B)
    assert out_of_force.value.code == "instrument_not_in_force"


def test_a_refusal_needs_an_instrument_in_force() -> None:
    """Where no instrument obliges, there is nothing to refuse: it is not executable."""
    with pytest.raises(Refused) as caught:
        do_under(
            replace(RESERVED, instruments=()),
            in_state(State.ACKNOWLEDGED),
            "refuse",
            code="R-POL",
            reasons=REASONS,
            considered_partial=True,
        )
    assert caught.value.code == "N-NOBASIS"


def test_a_preserved_request_is_not_refused_afterwards() -> None:
    """PRESERVED → REFUSED is illegal: an order annulled at home lifts the hold."""
    with pytest.raises(Conflict):
        refuse(in_state(State.PRESERVED))


def test_every_ground_of_the_matrix_has_its_provision() -> None:
    """Whoever is refused learns the article: no cell is without one."""
    for column in packaged_law().columns:
        for kind, row in product(column.types, column.grounds):
            exchange = in_state(State.ACKNOWLEDGED, kind)
            cited = provision(exchange, column.instrument, row.ground, rules=RULES)
            assert cited == f"{column.instrument}:{row.provision}"
    with pytest.raises(KeyError):
        provision(in_state(State.ACKNOWLEDGED), Of.ETS185, G.DOMESTIC_LAW, rules=RULES)


def test_reasons_are_kept_as_of_their_hour() -> None:
    """The proposal says when and by whom; both stay at the requested side."""
    proposed = refuse(in_state(State.ACCEPTED)).private.proposed_refusal
    assert proposed is not None
    assert (proposed.by, proposed.at) == (B.person, NOW)
