"""Sections and numbers: those of the templates, the same in every language, and nothing of a document is lost."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.codes import RequestType
from app.domain.documents import example
from app.domain.mla_export import Authority, Channel, PriorPreservation, Reference
from app.domain.office_hours import Interval, Weekday, spell_interval
from app.forms.cases import Enclosure
from app.forms.catalogues import LANGUAGES
from app.forms.characters import visible
from app.forms.composing import compose
from app.forms.laying import HEADING
from app.forms.layouts import COMMON, layout_of
from tests.forms.printed import NOW, PRINTED_TYPES, case, numbers_of, page, texts_in

if TYPE_CHECKING:
    from collections.abc import Iterator


def leaves(value: object) -> Iterator[object]:
    """Every text, number and truth value of a document."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in HEADING:
                yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    else:
        yield value


@pytest.mark.parametrize("type_", PRINTED_TYPES)
def test_numbers_are_the_same_in_every_language(type_: RequestType) -> None:
    """A number is said by telephone to somebody who reads another language: it must find the same line."""
    made = case(type_)
    pairs = [("en",), ("ja",), ("fr", "ja"), ("ar", "en")]
    seen = [numbers_of(page(made, *languages)) for languages in pairs]
    assert all(numbers == seen[0] for numbers in seen)
    assert len(set(seen[0])) == len(seen[0]), "a number stands twice"


@pytest.mark.parametrize("type_", PRINTED_TYPES)
def test_every_text_of_an_example_is_printed(type_: RequestType) -> None:
    """Nothing that an agency filed is lost on the form, whatever the type."""
    made = case(type_)
    printed = "\n".join(texts_in(page(made)))
    lost = [leaf for leaf in leaves(made.document) if isinstance(leaf, str) and visible(leaf) not in printed]
    lost = [leaf for leaf in lost if leaf[:10] not in printed]  # a time is printed in UTC and on two clocks
    assert lost == []
    assert "99" not in [section.number for section in compose(made).sections], "a member has no section"


def test_preservation_has_the_sections_of_the_template() -> None:
    """T-CY(2018)11: twenty-five sections in their order."""
    sections = compose(case(RequestType.PRESERVATION)).sections
    assert [section.number for section in sections] == [str(number) for number in range(1, 26)]
    by_number = {section.number: section.key for section in sections}
    assert by_number["5"] == "requesting_authority"
    assert by_number["14"] == "targets"
    assert by_number["19"] == "mla_intent"


def test_emergency_has_the_letters_of_the_protocol() -> None:
    """CETS 224 art. 9(3): (a) to (h), each with its subject."""
    sections = compose(case(RequestType.EMERGENCY_DISCLOSURE)).sections
    letters = [(section.number, section.key) for section in sections if section.number.startswith("(")]
    assert letters == [
        ("(a)", "competent_authority"),
        ("(b)", "protocol_statement"),
        ("(c)", "providers"),
        ("(d)", "offences"),
        ("(e)", "emergency"),
        ("(f)", "data_sought"),
        ("(g)", "special_procedures"),
        ("(h)", "other_information"),
    ]


def test_emergency_bears_the_date_of_its_issue() -> None:
    """CETS 224 art. 9(3)(a): the document's own, else that of the signature or filing; always under one number."""
    own = example(RequestType.EMERGENCY_DISCLOSURE) | {"issued_at": "2026-11-21T20:00:00Z"}
    signed = NOW - timedelta(minutes=3)
    shown = [
        next(
            (field.number, getattr(field.values[0], "utc", None))
            for section in compose(case(RequestType.EMERGENCY_DISCLOSURE, **members)).sections
            for field in section.fields
            if field.key == "request.issued_at"
        )
        for members in ({"document": own}, {"signed_at": signed}, {"signed_at": None})
    ]
    assert shown == [("(a).11", datetime(2026, 11, 21, 20, tzinfo=UTC)), ("(a).11", signed), ("(a).11", NOW)]


def test_assistance_has_the_sections_of_its_template() -> None:
    """T-CY(2018)10: section 9 is earlier assistance, section 10 earlier preservations with the five items of each."""
    related = [
        {"kind": "MLA", "date": "2026-10-01", "reference": "MLA-1"},
        {"kind": "PRESERVATION", "date": "2026-11-01", "reference": "PRES-1"},
    ]
    document = example(RequestType.MLA_INITIATION) | {"related_requests": related}
    asked = Authority("XA", "Police", "Cyber Unit", "Investigator 17", "+99900555001", "a@police.example")
    known = PriorPreservation(NOW.date(), Reference("XT-9", "XA-8"), asked, asked, Channel("network", "an id"))
    sections = {
        one.number: one
        for one in compose(case(RequestType.MLA_INITIATION, document=document, earlier=(known,))).sections
    }
    assert sections.keys() >= {str(number) for number in range(1, 18)}
    assert [part.number for part in sections["9"].parts] == ["9.1"]
    assert [part.key for part in sections["10"].parts] == ["related_request", "earlier_hold"]
    assert [field.key.rpartition(".")[2] for field in sections["10"].parts[1].fields] == [
        "date",
        "reference",
        "requester_contact",
        "responder_contact",
        "channel",
    ]


def test_no_number_has_two_subjects() -> None:
    """In the common layout a number belongs to one subject, for all types that have it."""
    numbers = [line.number for line in COMMON]
    assert len(set(numbers)) == len(numbers)
    for type_ in PRINTED_TYPES:
        lines = layout_of(type_)
        assert len({line.number for line in lines}) == len(lines)


def test_a_field_keeps_its_number_when_others_are_missing() -> None:
    """The e-mail address of an authority is x.5, whether or not there is a mobile telephone."""
    short, long = (
        case(RequestType.PRESERVATION, document=deepcopy(example(RequestType.PRESERVATION))) for _ in range(2)
    )
    long.document["investigating_authority"]["cell_phone"] = "+99900555099"
    long.document["investigating_authority"]["fax"] = "+99900555098"
    numbers = [numbers_of(page(made)) for made in (short, long)]
    for found in numbers:
        assert "7.5" in found
    assert "7.6" in numbers[1]
    assert "7.6" not in numbers[0]


def test_what_is_empty_says_so() -> None:
    """A section that the request leaves empty is there, and says that nothing was stated."""
    printed = page(case(RequestType.PRESERVATION), "en", "fr")
    section = next(one for one in printed["sections"] if one["number"] == "6")
    assert [one["text"] for one in section["empty"]] == ["Not stated", "Non indiqué"]
    assert section["fields"] == section["parts"] == []


def test_unknown_members_are_printed_where_they_were_found() -> None:
    """What another node adds to a document is printed at the end, under its place."""
    document = example(RequestType.PRESERVATION) | {"novelty": {"of": ["them"]}}
    document["targets"][0]["surprise"] = "nobody knows it"
    sections = compose(case(RequestType.PRESERVATION, document=document)).sections
    assert sections[-1].number == "99"
    printed = texts_in(page(case(RequestType.PRESERVATION, document=document)))
    assert {"/novelty/of/0", "them", "/targets/0/surprise", "nobody knows it"} <= set(printed)


def test_files_are_listed_with_their_digests() -> None:
    """Attachments are section 34 of every layout, after everything else that is known."""
    files = (Enclosure("traduction.pdf", 2048, "ab" * 32, "application/pdf"),)
    for type_ in (RequestType.PRESERVATION, RequestType.EMERGENCY_DISCLOSURE):
        section = compose(case(type_, enclosures=files)).sections[-1]
        assert (section.number, section.key) == ("34", "enclosures")
    assert "ab" * 32 in texts_in(page(case(RequestType.PRESERVATION, enclosures=files)))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=30, deadline=None)
@given(data=st.data(), type_=st.sampled_from(PRINTED_TYPES), language=st.sampled_from(LANGUAGES))
def test_any_document_is_printed_and_nothing_lost(data: st.DataObject, type_: RequestType, language: str) -> None:
    """Whatever a node sends in place of any member, the form is made, and every text of it is there to read."""
    document: dict[str, Any] = json.loads(json.dumps(example(type_)))
    for name in data.draw(st.lists(st.sampled_from(sorted(document.keys() - HEADING)), max_size=3)):
        holder: Any = document
        if isinstance(document[name], dict) and document[name] and data.draw(st.booleans()):
            holder, name = document[name], data.draw(st.sampled_from(sorted(document[name])))  # noqa: PLW2901 - one step in
        holder[name] = data.draw(JSON)
    document = {name: value for name, value in document.items() if name not in HEADING}
    printed = "\n".join(texts_in(page(case(type_, document=document), language)))
    for leaf in leaves(document):
        if isinstance(leaf, str) and leaf.strip():
            as_json = json.dumps(leaf, ensure_ascii=False)[1:-1]
            assert any(one in printed for one in (visible(leaf), visible(as_json), leaf[:10]))


def test_contact_points_are_printed_with_their_hours() -> None:
    """When somebody is there, on the wall clock of its own zone, and how far that is from UTC at present (5.7, 5.8)."""
    texts = texts_in(page(case(RequestType.PRESERVATION)))
    assert {"Mo-Fr 07:00-19:00", "Europe/Paris", "+01:00", "Mo-Su 08:00-22:00", "Asia/Tokyo", "+09:00"} <= set(texts)
    summer = texts_in(page(case(RequestType.PRESERVATION, now=NOW - timedelta(days=120))))
    assert "+02:00" in summer
    split = Interval(days=(Weekday.FRI, Weekday.MON, Weekday.TUE), start="08:00", end="24:00")
    assert spell_interval(split) == "Mo-Tu,Fr 08:00-24:00"
