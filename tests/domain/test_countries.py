"""Which two letters are a state."""

from __future__ import annotations

from importlib import resources

from app.domain.countries import ASSIGNED, INVENTED, is_country
from tests.domain.identifiers.reading import fault_of

NO_STATE = {
    "the United Kingdom under its other letters": "UK",
    "a state that has ended": "SU",
    "a union of states that has ended": "YU",
    "letters that nobody has": "JX",
    "the unknown state of the standard's users": "ZZ",
    "small letters": "gb",
    "three letters": "GBR",
    "nothing": "",
}


def test_assigned_codes_are_those_of_the_zone_database() -> None:
    """The list is the one that the IANA database of time zones keeps of ISO 3166-1, and nothing is on two lists."""
    table = resources.files("tzdata").joinpath("zoneinfo/iso3166.tab").read_text("utf-8")
    assert frozenset(line[:2] for line in table.splitlines() if not line.startswith("#")) == ASSIGNED
    assert not ASSIGNED & INVENTED


def test_kosovo_the_union_and_invented_states_are_taken_and_nothing_else() -> None:
    """Beside the assigned codes: XK, EU, and the letters left to users; a slip of the pen is no state."""
    assert all(map(is_country, ("GB", "XK", "EU", "XA", "XT", "XS")))
    assert {name for name, code in NO_STATE.items() if is_country(code)} == set()


def test_document_that_names_no_state_is_told_so() -> None:
    """An identifier with UK for a state is refused under its own code; with GB it is taken."""
    person = {"name": "Kim Park"}
    assert fault_of("person", **person, nationality="UK") == "bad_country"
    assert fault_of("person", **person, nationality="GB") == ""
