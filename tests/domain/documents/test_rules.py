"""Rules over whole documents: type, addressee, law, marking."""

from __future__ import annotations

from typing import Any

import pytest

from tests.domain.documents.filing import ABSENT, advice, check, emergency, found, preservation, warned

EMERGENCY_BLOCK = emergency()["emergency"]
PERSON = {"type": "person", "name": "N. N."}
TARGET = preservation()["targets"][0]

REFUSED: dict[str, tuple[dict[str, Any], tuple[str, str]]] = {
    "own state": (preservation(("/requested", "XA")), ("/requested", "domestic_matter")),
    "another contact point of the own state": (
        preservation(("/requested", "XA-NORD")),
        ("/requested", "domestic_matter"),
    ),
    "a contact point nobody knows": (preservation(("/requested", "XQ")), ("/requested", "unknown_contact_point")),
    "a code in small letters": (preservation(("/requested", "xt")), ("/requested", "bad_format")),
    "an extension without the request it extends": (
        preservation(("/request_status", "EXTENSION")),
        ("/previous_reference", "C-MISSING"),
    ),
    "a new request with a previous one": (
        preservation(("/previous_reference", "XA-2026-7K3QF9D")),
        ("/previous_reference", "not_applicable"),
    ),
    "an emergency without its facts": (
        preservation(("/urgency/tier", "EMERGENCY")),
        ("/emergency", "C-EMERGENCYFACTS"),
    ),
    "an emergency disclosure that is only urgent": (
        emergency(("/urgency/tier", "URGENT")),
        ("/urgency/tier", "tier_mismatch"),
    ),
    "thin facts of an emergency": (
        emergency(("/emergency/facts", "He will hurt her.")),
        ("/emergency/facts", "C-VAGUE"),
    ),
    "no intention to ask for assistance": (
        preservation(("/mla_intent/intends", False)),
        ("/mla_intent/intends", "C-MLAINTENT"),
    ),
    "content, with only subscriber information to follow": (
        preservation(("/targets/0/data_categories", ["CONTENT"]), ("/mla_intent/measure", "SUBSCRIBER_INFORMATION")),
        ("/mla_intent/measure", "C-MLAINTENT"),
    ),
    "a protocol statement that is not made": (
        emergency(("/protocol_statement", False)),
        ("/protocol_statement", "not_stated"),
    ),
    "an emergency without the penalty": (
        emergency(("/offences/0/max_penalty_years", ABSENT)),
        ("/offences/0/max_penalty_years", "C-MISSING"),
    ),
    "an open marking": (preservation(("/marking/tlp", "TLP:CLEAR")), ("/marking/tlp", "C-MARKING")),
    "an obsolete marking": (preservation(("/marking/tlp", "TLP:WHITE")), ("/marking/tlp", "not_in_list")),
    "H3 without its text": (preservation(("/marking/handling", ["H1", "H3"])), ("/marking/handling_text", "C-MARKING")),
    "a period below sixty days": (
        preservation(("/requested_period_days", 59)),
        ("/requested_period_days", "out_of_range"),
    ),
    "a person as the only target": (preservation(("/targets/0/identifier", PERSON)), ("/targets", "person_only")),
    "a treaty without its title": (
        preservation(("/legal_basis/international/0", {"instrument": "BILATERAL", "articles": []})),
        ("/legal_basis/international/0/title", "C-MISSING"),
    ),
    "an offence outside the list": (
        preservation(("/offences/0/ets185_article", "12")),
        ("/offences/0/ets185_article", "not_in_list"),
    ),
    "a reference in small letters": (preservation(("/reference", "au-1")), ("/reference", "bad_format")),
    "a telephone number without its country": (
        preservation(("/investigating_authority/telephone", "0123456")),
        ("/investigating_authority/telephone", "bad_format"),
    ),
    "a time zone that does not exist": (
        preservation(("/investigating_authority/time_zone", "Europe/Atlantis")),
        ("/investigating_authority/time_zone", "bad_time_zone"),
    ),
    "a time zone that is a folder": (
        preservation(("/investigating_authority/time_zone", "Europe")),
        ("/investigating_authority/time_zone", "bad_time_zone"),
    ),
    "a time zone that is that of the machine which reads": (
        preservation(("/investigating_authority/time_zone", "localtime")),
        ("/investigating_authority/time_zone", "bad_time_zone"),
    ),
    "a time zone that climbs out of its folder": (
        preservation(("/investigating_authority/time_zone", "../../etc/passwd")),
        ("/investigating_authority/time_zone", "bad_time_zone"),
    ),
    "office hours in words": (
        preservation(("/investigating_authority/office_hours", "around the clock")),
        ("/investigating_authority/office_hours", "bad_format"),
    ),
}


@pytest.mark.parametrize(("raw", "expected"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(raw: dict[str, Any], expected: tuple[str, str]) -> None:
    """The document is refused for this one reason."""
    assert found(check(raw)) == {expected}


ACCEPTED: dict[str, dict[str, Any]] = {
    "a contact point with a name of its own": preservation(("/requested", "XT-KITANO")),
    "an extension with the request it extends": preservation(
        ("/request_status", "EXTENSION"), ("/previous_reference", "XA-2026-7K3QF9D")
    ),
    "a preservation in an emergency, with its facts": preservation(
        ("/urgency/tier", "EMERGENCY"), ("/emergency", EMERGENCY_BLOCK)
    ),
    "H3 with its text": preservation(("/marking/handling", ["H3"]), ("/marking/handling_text", "Only for the court.")),
    "no marking, no period, no court": preservation(
        ("/marking", ABSENT), ("/requested_period_days", ABSENT), ("/prosecution_or_court", ABSENT)
    ),
    "exactly sixty days": preservation(("/requested_period_days", 60), ("/mla_intent/planned_date", "2027-01-10")),
    "a penalty in words": emergency(
        ("/offences/0/max_penalty_years", ABSENT), ("/offences/0/penalty_note", "Imprisonment for life.")
    ),
    "a person beside a line": preservation(
        ("/targets", [TARGET, {**TARGET, "identifier": PERSON, "assignment": "STATIC"}])
    ),
    "a person in a question for advice": advice(("/targets", [{**TARGET, "identifier": PERSON}])),
    "office hours and a zone": preservation(
        ("/investigating_authority/office_hours", "Mo-Fr 08:00-17:30, Sa 09:00-12:00, Su 00:00-24:00"),
        ("/investigating_authority/time_zone", "Europe/Paris"),
    ),
    "content with a search to follow": preservation(
        ("/targets/0/data_categories", ["CONTENT"]), ("/mla_intent/measure", "SEARCH")
    ),
}


@pytest.mark.parametrize("raw", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_accepted(raw: dict[str, Any]) -> None:
    """The document is accepted: the rule beside it does not reach too far."""
    assert check(raw).errors == ()


@pytest.mark.parametrize("type_", ["TRAFFIC_PATH_DISCLOSURE", "PING", "DRILL"])
def test_what_is_no_request_cannot_be_filed(type_: str) -> None:
    """Acts and test calls are answered `not_a_request`, at the type and nowhere else."""
    checked = check(preservation(("/type", type_)))
    assert found(checked) == {("/type", "not_a_request")}


@pytest.mark.parametrize(
    ("type_", "code"),
    [
        ("SURPRISE", "not_in_list"),
        ("preservation", "not_in_list"),
        (7, "wrong_type"),
        ([], "wrong_type"),
        (None, "C-MISSING"),
    ],
)
def test_unknown_type_is_refused(type_: object, code: str) -> None:
    """A type outside the closed list is refused without being repeated."""
    (error,) = check(preservation(("/type", type_))).errors
    assert (error.pointer, error.code) == ("/type", code)
    assert "SURPRISE" not in error.detail


def test_wrong_state_of_a_custodian_is_a_warning() -> None:
    """V-3: a custodian, a system or a provider in another state than the one asked is pointed out."""
    assert warned(check(preservation(("/targets/0/custodian/country", "XS")))) == {
        ("/targets/0/custodian/country", "D-WRONGSTATE")
    }
    assert ("/providers/0/country", "D-WRONGSTATE") in warned(check(emergency(("/providers/0/country", "XS"))))
    elsewhere = {"country": "XS", "description": "A data centre in Sahran"}
    assert ("/targets/0/system_location/country", "D-WRONGSTATE") in warned(
        check(preservation(("/targets/0/system_location", elsewhere)))
    )


SECRETS = {
    "a private key": "-----BEGIN RSA PRIVATE KEY----- MIIE",
    "a block of PGP": "-----BEGIN PGP PRIVATE KEY BLOCK----- lQdG",
    "a password in Japanese": "パスワード：hunter2",
    "a password in Arabic": "كلمة المرور: hunter2",
    "a password": "The account was opened with Password: hunter2, as the note said.",
}


@pytest.mark.parametrize("text", SECRETS.values(), ids=SECRETS.keys())
def test_secret_in_a_text_is_a_warning(text: str) -> None:
    """V-9: what looks like a key or a password is pointed out without being repeated."""
    checked = check(preservation(("/special_procedures", text)))
    assert warned(checked) == {("/special_procedures", "secret_in_text")}
    assert all("hunter2" not in warning.detail for warning in checked.warnings)


OPEN = {"tlp": "TLP:AMBER", "pap": "PAP:RED", "handling": ["H1"]}


def test_sensitive_data_are_marked_for_who_needs_to_know() -> None:
    """CETS 224 art. 14(4): of what is said to be sensitive an open marking is C-MARKING; of other data it is none."""
    sensitive, fault = ("/contains_sensitive", True), ("/marking/tlp", "C-MARKING")
    assert found(check(preservation(sensitive, ("/marking", OPEN)))) == {fault}
    assert found(check(preservation(("/marking", OPEN)))) == set()
    assert found(check(preservation(sensitive, ("/marking", OPEN | {"tlp": "TLP:AMBER+STRICT"})))) == set()


def test_talk_of_passwords_is_no_secret() -> None:
    """A text that only mentions a password is left alone."""
    for text in ("The victim's password was stolen by phishing.", "The key block begins with PRIVATE KEY: see there."):
        assert check(preservation(("/special_procedures", text))).warnings == ()


def test_password_in_an_address_is_not_kept() -> None:
    """The address of a page is kept without its password, and the officer is told."""
    url = {"type": "url", "value": "https://user:hunter2@example.com:8443/a#b"}
    checked = check(preservation(("/targets/0/identifier", url)))
    assert checked.document["targets"][0]["identifier"]["value"] == "https://user@example.com:8443/a#b"
    assert ("/targets/0/identifier/value", "password_removed") in warned(checked)
    assert "hunter2" not in repr(checked)
