"""The requested side's own law, as the directory and the law between the two states have it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from app.domain.codes import DataCategory, Instrument, RequestType, Role, State
from app.domain.contact_points import ContactPoint, PreservationPower, Statement
from app.domain.directory import load_profile
from app.domain.exchange.grounds import available_grounds, can_be_postponed, provision
from app.domain.exchange.parties import party_rules
from app.domain.exchange.values import Asked, Exchange
from app.domain.exchange_codes import By, Side
from app.domain.law import Law, Pair, Party, packaged_law
from app.domain.law import Statement as OnFile
from tests.domain.exchange.build import NOW, in_state, officer

TODAY = NOW.date()
ENTRIES = Path(__file__).parents[3] / "app" / "data" / "contact_points"
LAW = packaged_law()
NOTHING_ON_FILE = replace(LAW, statements=())


def statement(instrument: Instrument, article: str, *, until: date | None = None) -> Statement:
    """A reservation or declaration made long ago, in a directory entry."""
    return Statement(instrument=instrument, article=article, text="As deposited.", since=date(2012, 11, 1), until=until)


def on_file(instrument: Instrument, article: str, *, until: date | None = None, state: str = "XT") -> OnFile:
    """The same in the law files."""
    return OnFile(
        id=f"{instrument}:{article}",
        state=state,
        instrument=instrument,
        article=article,
        text="As deposited.",
        since=date(2013, 2, 1),
        until=until,
    )


def kitano(*, reservations: tuple[Statement, ...] = (), declarations: tuple[Statement, ...] = ()) -> ContactPoint:
    """The example entry of XT with these statements; its keys do not matter here."""
    profile = load_profile((ENTRIES / "XT.json").read_text("utf-8"), source="XT")
    members = {name: getattr(profile, name) for name in type(profile).model_fields}
    return ContactPoint.model_construct(
        **{**members, "reservations": reservations, "declarations": declarations, "keys": ()}
    )


def between(requesting: str, requested: str, kind: RequestType, *categories: DataCategory) -> Exchange:
    """A request of one state to another that asks for these data and nothing else."""
    exchange = in_state(State.ACKNOWLEDGED, kind)
    asked = Asked(targets=1, articles=("OTHER",), categories=categories)
    return replace(exchange, requesting=requesting, requested=requested, asked=asked)


def test_zone_terms_and_extensions_are_those_of_the_directory_entry() -> None:
    """Days are counted in the requested side's zone, by its own law, and never fewer than sixty."""
    entry = kitano()
    rules = party_rules(in_state(State.ACKNOWLEDGED), entry, now=NOW, law=LAW)
    power = entry.preservation_power
    assert rules.zone.key == entry.time_zone
    assert (rules.default_days, rules.max_extensions) == (max(60, power.default_days), power.max_extensions)
    short = power.model_copy(update={"default_days": 30, "extension_days": 0})
    assert isinstance(short, PreservationPower)
    shorter = entry.model_copy(update={"preservation_power": short})
    rules = party_rules(in_state(State.ACKNOWLEDGED), shorter, now=NOW, law=LAW)
    assert (rules.default_days, rules.extension_days) == (60, 1)


def test_the_instruments_are_those_in_force_between_the_two_for_this_type() -> None:
    """Switched on by pair and date: what is not in force is not there; what is owed is told from best efforts."""
    exchange = in_state(State.ACKNOWLEDGED, RequestType.EMERGENCY_DISCLOSURE)
    assert party_rules(exchange, kitano(), now=NOW, law=Law()).instruments == ()
    assert party_rules(exchange, kitano(), now=NOW, law=LAW).instruments == ()
    party = Party(instrument=Instrument.CETS224, state="XT", since=TODAY)
    pair = Pair(instrument=Instrument.CETS224, states=frozenset({"XA", "XT"}), since=TODAY)
    switched = replace(LAW, parties=(*LAW.parties, party), pairs=(pair,))
    assert party_rules(exchange, kitano(), now=NOW, law=switched).instruments == (Instrument.CETS224,)
    rules = party_rules(in_state(State.ACKNOWLEDGED), kitano(), now=NOW, law=LAW)
    assert rules.instruments == (Instrument.ETS185, Instrument.G7_24_7)
    assert rules.owed == {Instrument.ETS185}


def test_reservations_on_dual_criminality_are_those_to_the_articles_on_preservation() -> None:
    """However the article is written; other articles, and what has been withdrawn, do not count."""
    entry = kitano(
        reservations=(
            statement(Instrument.ETS185, "art. 29 (4)"),
            statement(Instrument.UNCC, "42(5)"),
            statement(Instrument.ETS185, "290"),
            statement(Instrument.ETS185, "22(2)"),
            statement(Instrument.CETS224, "29"),
        )
    )
    rules = party_rules(in_state(State.ACKNOWLEDGED), entry, now=NOW, law=NOTHING_ON_FILE)
    assert rules.reservations == {"ETS185:29(4)", "UNCC:42(5)"}
    withdrawn = kitano(reservations=(statement(Instrument.ETS185, "29(4)", until=TODAY - timedelta(days=1)),))
    assert not party_rules(in_state(State.ACKNOWLEDGED), withdrawn, now=NOW, law=NOTHING_ON_FILE).reservations


def test_what_the_law_files_say_of_a_statement_goes_before_the_directory_entry() -> None:
    """A reservation on file needs no directory entry; one withdrawn in the files is gone, whatever the entry says."""
    exchange = in_state(State.ACKNOWLEDGED)
    filed = replace(LAW, statements=(on_file(Instrument.ETS185, "29(4)"),))
    assert party_rules(exchange, kitano(), now=NOW, law=filed).reservations == {"ETS185:29(4)"}
    gone = replace(LAW, statements=(on_file(Instrument.ETS185, "29(4)", until=TODAY - timedelta(days=1)),))
    entry = kitano(reservations=(statement(Instrument.ETS185, "29(4)"),))
    assert not party_rules(exchange, entry, now=NOW, law=gone).reservations
    assert party_rules(exchange, entry, now=NOW, law=NOTHING_ON_FILE).reservations == {"ETS185:29(4)"}
    others = replace(LAW, statements=(on_file(Instrument.ETS185, "29(4)", state="XS"),))
    assert not party_rules(exchange, kitano(), now=NOW, law=others).reservations


def test_a_declaration_reaches_requests_for_subscriber_information_alone() -> None:
    """CETS 224 art. 9(1)(b): other data, or nobody knows which, and the request is not excluded."""
    entry = kitano(declarations=(statement(Instrument.CETS224, "9(1)(b)"), statement(Instrument.CETS224, "9(5)")))
    for categories, excluded in (
        ((DataCategory.SUBSCRIBER,), True),
        ((DataCategory.SUBSCRIBER, DataCategory.TRAFFIC), False),
        ((), False),
    ):
        exchange = between("XA", "XT", RequestType.EMERGENCY_DISCLOSURE, *categories)
        rules = party_rules(exchange, entry, now=NOW, law=NOTHING_ON_FILE)
        assert (Instrument.CETS224 in rules.declared) is excluded
        assert rules.formalities_after_execution
    preserving = between("XA", "XT", RequestType.PRESERVATION, DataCategory.SUBSCRIBER)
    rules = party_rules(preserving, entry, now=NOW, law=NOTHING_ON_FILE)
    assert (rules.declared, rules.formalities_after_execution) == (frozenset(), False)


def test_where_a_treaty_is_on_file_mutual_assistance_follows_it() -> None:
    """Arts. 27(1), 28(1): its grounds and its postponement; art. 29 stays as it is. XT and XS have such a treaty."""
    exchange = between("XT", "XS", RequestType.EVIDENCE_COLLECTION)
    rules = party_rules(exchange, kitano(), now=NOW, law=LAW)
    assert rules.instruments == (Instrument.ETS185, Instrument.BILATERAL)
    for instrument in rules.instruments:
        grounds = available_grounds(exchange, instrument, rules)
        assert grounds == ("R-POL", "R-ESS", "R-DC", "R-LAW")
        assert [provision(exchange, instrument, ground, rules=rules) for ground in grounds] == [
            "XT-XS-2021:3(1)(a)",
            "XT-XS-2021:3(1)(b)",
            "XT-XS-2021:3(2)",
            "XT-XS-2021:4",
        ]
        assert can_be_postponed(exchange, instrument, rules)
    preserving = between("XT", "XS", RequestType.PRESERVATION)
    of_preservation = party_rules(preserving, kitano(), now=NOW, law=LAW)
    assert (
        provision(
            preserving,
            Instrument.ETS185,
            available_grounds(preserving, Instrument.ETS185, of_preservation)[0],
            rules=of_preservation,
        )
        == "ETS185:29(5)(a)"
    )


def test_a_treaty_whose_states_keep_article_27_changes_nothing() -> None:
    """The negative control, and a treaty that has ended: arts. 27 and 28 hold."""
    exchange = between("XT", "XS", RequestType.EVIDENCE_COLLECTION)
    (treaty,) = LAW.treaties
    for change in ({"keeps_articles_27_28": True}, {"until": TODAY - timedelta(days=1)}, {"mutual_assistance": False}):
        law = replace(LAW, treaties=(treaty.model_copy(update=change),))
        rules = party_rules(exchange, kitano(), now=NOW, law=law)
        ground = available_grounds(exchange, Instrument.ETS185, rules)[0]
        assert provision(exchange, Instrument.ETS185, ground, rules=rules) == "ETS185:27(4)(a)"


def test_a_supervisor_can_do_what_a_duty_officer_can_and_no_other_role_can_do_anything() -> None:
    """Two roles of the desk, on two sides."""
    assert officer(Side.REQUESTED, Role.SUPERVISOR).capacities == {By.DO_B, By.SUP_B}
    assert officer(Side.REQUESTING).capacities == {By.DO_A}
    others = set(Role) - {Role.DUTY_OFFICER, Role.SUPERVISOR}
    assert all(officer(side, role).capacities == frozenset() for side in Side for role in others)
