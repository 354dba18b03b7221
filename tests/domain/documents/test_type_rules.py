"""Rules that single types have: what each must say, what makes it something else, and what a person should look at."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.domain.codes import RequestType
from app.domain.documents import CheckedDocument, check_document
from app.domain.documents.kinds import KINDS
from app.domain.law import packaged_law
from app.domain.request_types import EMERGENCY_ONLY, REQUEST_KINDS
from tests.domain.documents.filing import ABSENT, NOW, TYPES, check, emergency, filed, found, preservation, warned

T = RequestType
Case = tuple[dict[str, Any], tuple[str, str]]

EMERGENCY_BLOCK = emergency()["emergency"]
PERSON = {"type": "person", "name": "N. N."}
TARGET = preservation()["targets"][0]
INFORMATION = filed(T.SPONTANEOUS_INFORMATION)["information"]
EARLIER = "XA-2026-7K3QF9D"
LETTER = {"reference": "MLA-2026-0091", "date": "2026-11-20", "authority": "Ministry of Justice of Aurelia"}
WITHOUT_CASE = frozenset({T.LEGAL_INFORMATION, T.PROVIDER_CONTACT, T.PRESERVATION_EXTENSION, T.EMERGENCY_MLA_NOTICE})
"""Types that need no offence and no facts of their own; an offer has no facts at all: they would be the content."""


def oral(made_at: str) -> dict[str, str]:
    """A call made at that time."""
    return {"made_at": made_at, "by": "Duty investigator 4", "to": "Officer on duty"}


REFUSED: dict[str, Case] = {
    "an extension that says it is new": (
        filed(T.PRESERVATION_EXTENSION, ("/request_status", "NEW")),
        ("/request_status", "not_in_list"),
    ),
    "an extension of nothing": (
        filed(T.PRESERVATION_EXTENSION, ("/previous_reference", ABSENT)),
        ("/previous_reference", "C-MISSING"),
    ),
    "an extension without a letter to come": (
        filed(T.PRESERVATION_EXTENSION, ("/mla_intent/intends", False)),
        ("/mla_intent/intends", "C-MLAINTENT"),
    ),
    "a letter begun by nobody": (
        filed(T.MLA_INITIATION, ("/mla_intent/intends", False)),
        ("/mla_intent/intends", "C-MLAINTENT"),
    ),
    "content as evidence without a letter": (
        filed(T.EVIDENCE_COLLECTION, ("/targets/0/data_categories", ["CONTENT"]), ("/mla_intent", ABSENT)),
        ("/mla_intent", "C-MLAINTENT"),
    ),
    "content as evidence, with only subscriber information to follow": (
        filed(
            T.EVIDENCE_COLLECTION,
            ("/targets/0/data_categories", ["CONTENT"]),
            ("/mla_intent/measure", "SUBSCRIBER_INFORMATION"),
        ),
        ("/mla_intent/measure", "C-MLAINTENT"),
    ),
    "a person alone to be located as data": (
        filed(T.DATA_LOCATION_QUERY, ("/targets/0/identifier", PERSON)),
        ("/targets", "person_only"),
    ),
    "data of tomorrow as evidence": (
        filed(T.EVIDENCE_COLLECTION, ("/targets/0/interval/end", "2026-11-24T00:00:00Z")),
        ("/targets/0/interval/end", "future_interval"),
    ),
    "facts beside an offer": (
        filed(T.SPONTANEOUS_INFORMATION, ("/facts_summary", "A search found credentials of a bank's customers. " * 2)),
        ("/facts_summary", "unknown_field"),
    ),
    "information without its evaluation": (
        filed(T.SPONTANEOUS_INFORMATION, ("/information/evaluation", ABSENT)),
        ("/information/evaluation", "C-MISSING"),
    ),
    "information whose source nobody judged": (
        filed(T.SPONTANEOUS_INFORMATION, ("/information/source", "D")),
        ("/information/source", "not_in_list"),
    ),
    "an offer that tells the information": (
        filed(T.SPONTANEOUS_INFORMATION, ("/teaser", f"We found this:  {INFORMATION['text']}")),
        ("/teaser", "content_in_teaser"),
    ),
    "an offer that is a piece of the information": (
        filed(T.SPONTANEOUS_INFORMATION, ("/teaser", INFORMATION["text"][:60].upper())),
        ("/teaser", "content_in_teaser"),
    ),
    "a call that was not made yet": (
        emergency(("/oral_request", oral("2026-11-22T12:00:00Z"))),
        ("/oral_request/made_at", "future_observation"),
    ),
    "an undertaking that is not given": (
        emergency(("/post_formalities", {"undertaken": False, "authority": "Ministry", "planned_date": "2026-11-30"})),
        ("/post_formalities/undertaken", "not_stated"),
    ),
    "a notice without the letter": (filed(T.EMERGENCY_MLA_NOTICE, ("/letter", ABSENT)), ("/letter", "C-MISSING")),
    "a notice that nobody can be asked about": (
        filed(T.EMERGENCY_MLA_NOTICE, ("/central_authority_contact/telephone", ABSENT)),
        ("/central_authority_contact/telephone", "C-MISSING"),
    ),
    "a question about no topic": (filed(T.LEGAL_INFORMATION, ("/topics", [])), ("/topics", "C-MISSING")),
    "a target beside a question of law": (
        filed(T.LEGAL_INFORMATION, ("/targets", [TARGET])),
        ("/targets", "unknown_field"),
    ),
    "an uncertain place without reasons": (
        preservation(("/location_uncertain", {"reason": "CLOUD", "text": "A cloud."})),
        ("/location_uncertain/text", "C-VAGUE"),
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused(what: str) -> None:
    """The document is refused for this one reason."""
    raw, expected = REFUSED[what]
    assert found(check(raw)) == {expected}


WARNED: dict[str, Case] = {
    "data somewhere in a cloud": (
        preservation(("/location_uncertain", {"reason": "CLOUD", "text": "Its machines stand in several states."})),
        ("/location_uncertain", "location_uncertain"),
    ),
    "a search that no letter carries": (
        filed(T.EVIDENCE_COLLECTION, ("/measure", "SEARCH"), ("/mla_intent", ABSENT)),
        ("/measure", "D-MLA"),
    ),
    "a suspect under a warrant": (
        filed(T.LOCATE_SUSPECT, ("/suspect/warrant", {"authority": "Court of Port-Clair", "number": "W-17/26"})),
        ("/suspect/warrant", "D-INTERPOL"),
    ),
    "a provider of another state": (
        filed(T.PROVIDER_CONTACT, ("/providers_sought/0/country", "XS")),
        ("/providers_sought/0/country", "D-WRONGSTATE"),
    ),
    "evidence under no provision of the own law": (
        filed(T.EVIDENCE_COLLECTION, ("/legal_basis/domestic", ABSENT)),
        ("/legal_basis/domestic", "C-AUTH"),
    ),
    "a suspect under no provision of the own law": (
        filed(T.LOCATE_SUSPECT, ("/legal_basis/domestic", ABSENT)),
        ("/legal_basis/domestic", "C-AUTH"),
    ),
    "an offer and its information marked differently": (
        filed(
            T.SPONTANEOUS_INFORMATION,
            ("/information/marking", {"tlp": "TLP:RED", "pap": "PAP:RED", "handling": ["H2"]}),
        ),
        ("/information/marking", "mixed_marking"),
    ),
    "an article that carries another measure": (
        preservation(("/legal_basis/international/0/articles", ["31", "35(1)(c)"])),
        ("/legal_basis/international/0/articles", "articles_of_another_measure"),
    ),
}


@pytest.mark.parametrize("what", WARNED)
def test_warned(what: str) -> None:
    """The document is accepted, and this is pointed out; the example it was made from is the control."""
    raw, expected = WARNED[what]
    checked = check(raw)
    assert checked.errors == ()
    assert expected in warned(checked)
    assert expected not in warned(check(filed(T(raw["type"]))))


ACCEPTED: dict[str, dict[str, Any]] = {
    "a search that a letter carries": filed(
        T.EVIDENCE_COLLECTION, ("/measure", "SEARCH"), ("/mla_intent", ABSENT), ("/letter", LETTER)
    ),
    "a letter begun for content": filed(
        T.MLA_INITIATION, ("/targets", [{**TARGET, "data_categories": ["CONTENT"]}]), ("/mla_intent/measure", "SEARCH")
    ),
    "an article with its paragraph": preservation(("/legal_basis/international/0/articles", ["29 (2)(c)"])),
    "no articles at all": preservation(("/legal_basis/international/0", {"instrument": "ETS185"})),
    "an offer without condition": filed(T.SPONTANEOUS_INFORMATION, ("/condition", ABSENT)),
    "an extension by its status": preservation(("/request_status", "EXTENSION"), ("/previous_reference", EARLIER)),
    "a provider of unknown seat": filed(T.PROVIDER_CONTACT, ("/providers_sought/0/country", ABSENT)),
    "a suspect nobody can name": filed(T.LOCATE_SUSPECT, ("/suspect/person", ABSENT)),
}


@pytest.mark.parametrize("what", ACCEPTED)
def test_accepted(what: str) -> None:
    """The rule beside it does not reach too far: no fault, and nothing to be pointed out."""
    checked = check(ACCEPTED[what])
    assert checked.errors == ()
    assert checked.warnings == ()


def test_call_is_confirmed_within_a_day() -> None:
    """Art. 9(4): writing that comes a day after the call is accepted and pointed out; earlier, simply accepted."""
    late = ("/oral_request/made_at", "confirmation_overdue")
    for hours, expected in ((23, False), (25, True)):
        made_at = (NOW - timedelta(hours=hours)).isoformat()
        checked = check(emergency(("/oral_request", oral(made_at))))
        assert checked.errors == ()
        assert (late in warned(checked)) is expected


@pytest.mark.parametrize("type_", TYPES)
def test_emergency_needs_a_person_at_risk(type_: RequestType) -> None:
    """V-7, for every type: the tier EMERGENCY without its facts is refused, and URGENT with a date is offered."""
    checked = check(
        filed(type_, ("/urgency/tier", "EMERGENCY"), ("/emergency", EMERGENCY_BLOCK), ("/emergency", ABSENT))
    )
    (error,) = [error for error in checked.errors if error.code == "C-EMERGENCYFACTS"]
    assert error.pointer == "/emergency"
    assert "URGENT with expected_loss_at" in error.detail


@pytest.mark.parametrize("type_", TYPES)
def test_tiers_are_those_published(type_: RequestType) -> None:
    """What exists for emergencies takes no other tier; every other type takes all three, with the facts of one."""
    assert (type_ in EMERGENCY_ONLY) is (len(REQUEST_KINDS[type_].tiers) == 1)
    for tier in ("EMERGENCY", "URGENT", "ROUTINE"):
        checked = check(filed(type_, ("/urgency/tier", tier), ("/emergency", EMERGENCY_BLOCK)))
        refused = ("/urgency/tier", "tier_mismatch") in found(checked)
        assert refused is (tier not in REQUEST_KINDS[type_].tiers)


@pytest.mark.parametrize("type_", [type_ for type_ in TYPES if type_ not in {T.PRESERVATION, T.PRESERVATION_EXTENSION}])
def test_only_a_preservation_is_extended(type_: RequestType) -> None:
    """The status EXTENSION on anything else is refused: signed, it would become an act on somebody's hold."""
    raw = filed(type_, ("/request_status", "EXTENSION"), ("/previous_reference", EARLIER))
    assert ("/request_status", "not_applicable") in found(check(raw))


@pytest.mark.parametrize("type_", TYPES)
def test_offence_and_facts_are_needed_where_a_case_is(type_: RequestType) -> None:
    """A request out of an investigation names offence and facts; questions and what follows a request need none."""
    for name in ("offences", "facts_summary"):
        field = KINDS[type_].model.model_fields.get(name)
        needed = type_ not in {*WITHOUT_CASE, T.SPONTANEOUS_INFORMATION}
        assert (field is not None and field.is_required()) is needed
        errors = found(check(filed(type_, (f"/{name}", None), (f"/{name}", ABSENT))))
        assert ((f"/{name}", "C-MISSING") in errors) is needed


@pytest.mark.parametrize("type_", TYPES)
def test_every_example_has_a_road_but_one(type_: RequestType) -> None:
    """Each example rests on an instrument in force, but the emergency one: CETS 224 is not applied to that state."""
    roadless = [warning for warning in check(filed(type_)).warnings if warning.code == "instrument_not_in_force"]
    assert bool(roadless) is (type_ is T.EMERGENCY_DISCLOSURE)


def aurelian(*changes: tuple[str, object]) -> CheckedDocument:
    """An emergency disclosure that Sahran asks of Aurelia, which has made declarations to art. 9."""
    raw = emergency(("/requested", "XA"), ("/providers/0/country", "XA"), *changes)
    return check_document(raw, requesting="XS", known={"XA"}, now=NOW, law=packaged_law())


def test_declarations_of_the_state_asked_are_pointed_out() -> None:
    """CETS 224 art. 9(1)(b), (5): what it does not execute, what it wants afterwards; and nothing where that is met."""
    alone = ("/targets/0/data_categories", ["SUBSCRIBER"])
    undertaken = {"undertaken": True, "authority": "Public Prosecution of Sahran", "planned_date": "2026-11-30"}
    assert warned(aurelian(alone)) == {
        ("/targets", "excluded_by_declaration"),
        ("/post_formalities", "formalities_required"),
    }
    assert warned(aurelian(("/post_formalities", undertaken))) == set()
