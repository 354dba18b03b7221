"""The requested side's own law, as the directory and the law between the two states have it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from app.domain.codes import Instrument, RequestType, Role, State
from app.domain.contact_points import ContactPoint, PreservationPower, Statement
from app.domain.directory import load_profile
from app.domain.exchange.parties import party_rules
from app.domain.exchange_codes import By, Side
from app.domain.instruments import Law, Pair
from tests.domain.exchange.build import NOW, in_state, officer

TODAY = NOW.date()
ENTRIES = Path(__file__).parents[3] / "app" / "data" / "contact_points"


def statement(instrument: Instrument, article: str, *, until: date | None = None) -> Statement:
    """A reservation or declaration made long ago."""
    return Statement(instrument=instrument, article=article, text="As deposited.", since=date(2012, 11, 1), until=until)


def kitano(*, reservations: tuple[Statement, ...] = (), declarations: tuple[Statement, ...] = ()) -> ContactPoint:
    """The example entry of XT with these statements; its keys do not matter here."""
    profile = load_profile((ENTRIES / "XT.json").read_text("utf-8"), source="XT")
    members = {name: getattr(profile, name) for name in type(profile).model_fields}
    return ContactPoint.model_construct(
        **{**members, "reservations": reservations, "declarations": declarations, "keys": ()}
    )


def test_zone_terms_and_extensions_are_those_of_the_directory_entry() -> None:
    """Days are counted in the requested side's zone, by its own law, and never fewer than sixty."""
    entry = kitano()
    rules = party_rules(in_state(State.ACKNOWLEDGED), entry, now=NOW)
    power = entry.preservation_power
    assert rules.zone.key == entry.time_zone
    assert (rules.default_days, rules.max_extensions) == (max(60, power.default_days), power.max_extensions)
    short = power.model_copy(update={"default_days": 30, "extension_days": 0})
    assert isinstance(short, PreservationPower)
    rules = party_rules(in_state(State.ACKNOWLEDGED), entry.model_copy(update={"preservation_power": short}), now=NOW)
    assert (rules.default_days, rules.extension_days) == (60, 1)


def test_the_instruments_are_those_in_force_between_the_two_for_this_type() -> None:
    """Switched on by pair and date: what is not in force is not there."""
    exchange = in_state(State.ACKNOWLEDGED, RequestType.EMERGENCY_DISCLOSURE)
    assert party_rules(exchange, kitano(), now=NOW, law=Law()).instruments == ()
    pair = Pair(instrument=Instrument.CETS224, states=frozenset({"XA", "XT"}), since=TODAY)
    assert party_rules(exchange, kitano(), now=NOW, law=Law(pairs=(pair,))).instruments == (Instrument.CETS224,)


def test_reservations_on_dual_criminality_are_those_to_the_articles_on_preservation() -> None:
    """However the article is written; other articles, and what has been withdrawn, do not count."""
    entry = kitano(
        reservations=(
            statement(Instrument.ETS185, "art. 29 (4)"),
            statement(Instrument.UNCC, "42(5)"),
            statement(Instrument.ETS185, "290"),
            statement(Instrument.ETS185, "22(2)"),
            statement(Instrument.CETS224, "29"),
            statement(Instrument.ETS185, "29", until=TODAY - timedelta(days=1)),
        )
    )
    rules = party_rules(in_state(State.ACKNOWLEDGED), entry, now=NOW)
    assert rules.reservations == {"ETS185:29(4)", "UNCC:42(5)"}


def test_declarations_are_read_for_what_they_exclude_and_for_formalities_after_execution() -> None:
    """CETS 224 art. 9(1)(b) and 9(5)."""
    entry = kitano(declarations=(statement(Instrument.CETS224, "9(1)(b)"), statement(Instrument.CETS224, "9(5)")))
    rules = party_rules(in_state(State.ACKNOWLEDGED), entry, now=NOW)
    assert rules.declared == {Instrument.CETS224}
    assert rules.formalities_after_execution
    assert not party_rules(in_state(State.ACKNOWLEDGED), kitano(), now=NOW).formalities_after_execution


def test_a_supervisor_can_do_what_a_duty_officer_can_and_no_other_role_can_do_anything() -> None:
    """Two roles of the desk, on two sides."""
    assert officer(Side.REQUESTED, Role.SUPERVISOR).capacities == {By.DO_B, By.SUP_B}
    assert officer(Side.REQUESTING).capacities == {By.DO_A}
    others = set(Role) - {Role.DUTY_OFFICER, Role.SUPERVISOR}
    assert all(officer(side, role).capacities == frozenset() for side in Side for role in others)
