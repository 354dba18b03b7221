"""Refusing: a closed list of grounds, two persons, and nothing told abroad before the second signature."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.domain.codes import Instrument, RefusalGround, RequestType, State
from app.domain.exchange.grounds import MATRIX, available_grounds, provision
from app.domain.exchange.parties import PartyRules
from app.domain.exchange.values import Asked, Exchange
from app.domain.snapshot import take_snapshot
from app.errors import Conflict, Forbidden, Refused
from tests.domain.exchange.build import NOW, REASONS, RULES, SUP_B, TOKYO, B, do, do_under, in_state, officer

G = RefusalGround
T = RequestType
ALL = frozenset(Instrument)
RESERVED = replace(RULES, reservations=frozenset({"ETS185:29(4)", "UNCC:42(5)"}), declared=ALL)
UNRESERVED = PartyRules(zone=TOKYO, instruments=tuple(Instrument))
OUTSIDE = Asked(targets=1, articles=("OTHER",))
INSIDE = Asked(targets=1, articles=("OTHER", "2"))

CASES = {
    "preservation knows three grounds, dual criminality on a reservation and outside arts. 2 to 11": (
        Instrument.ETS185, T.PRESERVATION, OUTSIDE, RESERVED, {G.POLITICAL, G.ESSENTIAL_INTERESTS, G.DUAL_CRIMINALITY},
    ),
    "preservation without a reservation knows two": (
        Instrument.ETS185, T.PRESERVATION, OUTSIDE, UNRESERVED, {G.POLITICAL, G.ESSENTIAL_INTERESTS},
    ),
    "a reservation does not reach an offence of arts. 2 to 11": (
        Instrument.ETS185, T.PRESERVATION, INSIDE, RESERVED, {G.POLITICAL, G.ESSENTIAL_INTERESTS},
    ),
    "an offence nobody has read yet is not outside arts. 2 to 11": (
        Instrument.ETS185, T.PRESERVATION, Asked(), RESERVED, {G.POLITICAL, G.ESSENTIAL_INTERESTS},
    ),
    "a traffic path is withheld on two grounds": (
        Instrument.ETS185, T.TRAFFIC_PATH_DISCLOSURE, OUTSIDE, RESERVED, {G.POLITICAL, G.ESSENTIAL_INTERESTS},
    ),
    "assistance at large knows the law of the requested side": (
        Instrument.ETS185, T.EVIDENCE_COLLECTION, OUTSIDE, RESERVED,
        {G.POLITICAL, G.ESSENTIAL_INTERESTS, G.DUAL_CRIMINALITY, G.DOMESTIC_LAW, G.FISCAL, G.DECLARATION},
    ),
    "a fiscal offence is no ground within arts. 2 to 11, nor is a declaration that was not made": (
        Instrument.ETS185, T.EVIDENCE_COLLECTION, INSIDE, UNRESERVED,
        {G.POLITICAL, G.ESSENTIAL_INTERESTS, G.DUAL_CRIMINALITY, G.DOMESTIC_LAW},
    ),
    "an emergency disclosure knows neither dual criminality nor a fiscal ground": (
        Instrument.CETS224, T.EMERGENCY_DISCLOSURE, OUTSIDE, RESERVED,
        {G.POLITICAL, G.ESSENTIAL_INTERESTS, G.DOMESTIC_LAW, G.DECLARATION},
    ),
    "best efforts can be declined in free words": (
        Instrument.G7_24_7, T.PRESERVATION, INSIDE, UNRESERVED, {G.POLITICAL, G.ESSENTIAL_INTERESTS, G.BEST_EFFORT},
    ),
    "the other convention borrows its grounds, dual criminality on its own reservation": (
        Instrument.UNCC, T.PRESERVATION, OUTSIDE, RESERVED,
        {G.POLITICAL, G.ESSENTIAL_INTERESTS, G.DOMESTIC_LAW, G.DUAL_CRIMINALITY},
    ),
    "offered information cannot be refused": (Instrument.ETS185, T.SPONTANEOUS_INFORMATION, OUTSIDE, RESERVED, set()),
    "an instrument that does not cover the type gives no ground": (
        Instrument.CETS224, T.PRESERVATION, OUTSIDE, RESERVED, set(),
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", CASES)
def test_grounds_are_those_of_the_matrix(sentence: str) -> None:
    """Each sentence is one cell or column of the matrix of grounds."""
    instrument, kind, asked, rules, wanted = CASES[sentence]
    exchange = replace(in_state(State.ACKNOWLEDGED, kind), asked=asked)
    assert set(available_grounds(exchange, instrument, rules)) == wanted


@pytest.mark.parametrize("ground", [ground for ground in G if ground not in {G.POLITICAL, G.ESSENTIAL_INTERESTS}])
def test_an_unlisted_ground_for_a_preservation_is_not_available_and_the_listed_ones_are_named(ground: G) -> None:
    """`refusal_ground_not_available`, with the grounds that are open in this case."""
    exchange = replace(in_state(State.ACKNOWLEDGED), asked=INSIDE)
    with pytest.raises(Refused) as caught:
        refuse(exchange, ground)
    assert caught.value.code == "refusal_ground_not_available"
    assert caught.value.errors[0].pointer == "/code"
    assert caught.value.errors[0].detail == "Grounds open in this case: R-POL, R-ESS."


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
    for (instrument, kind), grounds in MATRIX.items():
        exchange = in_state(State.ACKNOWLEDGED, kind)
        for ground, article in grounds.items():
            assert provision(exchange, instrument, ground) == f"{instrument}:{article}"


def test_reasons_are_kept_as_of_their_hour() -> None:
    """The proposal says when and by whom; both stay at the requested side."""
    proposed = refuse(in_state(State.ACCEPTED)).private.proposed_refusal
    assert proposed is not None
    assert (proposed.by, proposed.at) == (B.person, NOW)
