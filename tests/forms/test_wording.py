"""Values in words: dates, states, languages, clocks; which way texts run, and what hides in them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from app.domain.codes import RequestType
from app.domain.documents import example
from app.forms.catalogues import LANGUAGES, catalogue
from app.forms.characters import direction_of, script_of, visible
from app.forms.composing import compose, digest_of
from app.forms.printing import choose_languages
from app.forms.values import Amount, Code, Country, Day, Flag, Free, Moment, Plain, Tongue, Value
from app.forms.wording import pieces
from tests.forms.printed import case, page, side

FORM = compose(case(RequestType.PRESERVATION))


def said(value: Value, language: str) -> str:
    """The value in that language, its pieces one after the other."""
    return " ".join(piece.text for piece in pieces(value, FORM, catalogue(language)))


READS: dict[str, tuple[Value, str, str]] = {
    "a day in English": (Day(date(2026, 11, 22)), "en", "22 November 2026 2026-11-22"),
    "a day in French": (Day(date(2026, 11, 22)), "fr", "22 novembre 2026 2026-11-22"),
    "a day in Arabic": (Day(date(2026, 11, 22)), "ar", "22 نوفمبر 2026 2026-11-22"),
    "a day in Japanese": (Day(date(2026, 11, 22)), "ja", "2026年11月22日 2026-11-22"),
    "days in French": (Amount(90, "day"), "fr", "90\u00a0jours"),
    "days in Japanese": (Amount(60, "day"), "ja", "60 日"),
    "a state that everybody knows": (Country("JP"), "ar", "اليابان JP"),
    "an invented state in its own language": (Country("XT"), "ja", "北野国 XT"),
    "an invented state in another language": (Country("XT"), "fr", "Kitano XT"),
    "a state that nobody knows": (Country("QX"), "en", "QX"),
    "a language": (Tongue("ja"), "fr", "japonais ja"),
    "a language of a region": (Tongue("pt-BR"), "en", "Brazilian Portuguese pt-BR"),
    "a tier": (Code("tier", "URGENT"), "ja", "至急 URGENT"),
    "a refusal ground": (Code("refusal_ground", "R-POL"), "ar", "جريمة سياسية R-POL"),
    "a word that no list has": (Code("tier", "NEW-TIER"), "fr", "NEW-TIER"),
    "yes": (Flag(is_so=True), "ar", "نعم"),
}


@pytest.mark.parametrize("case_", READS)
def test_value_reads(case_: str) -> None:
    """A coded value stands in the words of the language, with its code beside it."""
    value, language, expected = READS[case_]
    assert said(value, language) == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_moment_is_on_three_clocks(language: str) -> None:
    """An instant is printed in UTC and on both contact points' clocks, alike in every language, left to right."""
    moment = Moment(datetime(2026, 11, 21, 22, 14, 5, tzinfo=UTC), "2026-11-21T23:14:05+01:00")
    told = pieces(moment, FORM, catalogue(language))
    assert [piece.text for piece in told] == [
        "2026-11-21 22:14:05 UTC",
        "XA 2026-11-21 23:14:05 +01:00",
        "XT 2026-11-22 07:14:05 +09:00",
    ]
    assert {piece.dir for piece in told} == {"ltr"}


def test_moment_as_written_is_kept_where_it_says_more() -> None:
    """Another offset, a fraction that was cut or a leap second stay readable as evidence."""
    moment = Moment(datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC), "2016-12-31T23:59:60Z")
    assert said(moment, "en").endswith("(2016-12-31T23:59:60Z)")


@pytest.mark.parametrize("moment", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_ends_of_the_calendar_are_printed(moment: datetime) -> None:
    """Another node may send the first or the last second that there is."""
    assert " UTC" in said(Moment(moment), "ja")


def test_hidden_characters_are_made_visible() -> None:
    """A mark that turns the direction round is printed as what it is; letters that need joining marks keep them."""
    assert visible("a\u202eb\u2066c\u0007d\ue000") == "a⟨U+202E⟩b⟨U+2066⟩c⟨U+0007⟩d⟨U+E000⟩"
    assert visible("one\r\ntwo\tthree\u2028four") == "one\ntwo three\nfour"
    assert visible("می\u200cخواهم") == "می\u200cخواهم"


def test_direction_is_that_of_the_first_letter() -> None:
    """Digits and signs have no direction; without a letter the language decides."""
    assert direction_of("(24) شرطة") == "rtl"
    assert direction_of("24/7 Police شرطة") == "ltr"
    assert direction_of("123") == "ltr"
    (piece,) = pieces(Free("123", "ar"), FORM, catalogue("en"))
    assert piece.dir == "rtl"


def test_identifier_never_turns() -> None:
    """An identifier is left to right, whatever it holds and wherever it stands."""
    (piece,) = pieces(Plain("ابج-123"), FORM, catalogue("ar"))
    assert (piece.kind, piece.dir) == ("code", "ltr")


def test_scripts_are_told_by_name() -> None:
    """A character says which script it is of; signs of written Japanese count as Japanese."""
    named = {one: script_of(one) for one in "aاَ、。ヶー漢한ก☃"}
    assert list(named.values()) == ["latin", "arabic", "arabic", *["han"] * 5, "hangul", "thai", "symbol"]


def test_text_in_an_unread_language_is_marked() -> None:
    """Free text in a language that the addressee does not read is marked in every language of the form."""
    document = example(RequestType.PRESERVATION) | {"language": "pt"}
    assert remarks(document) == ["To be translated: the addressee does not read this language"]
    with_translation = document | {"translations": [{"language": "en", "machine_translation": False}]}
    assert remarks(with_translation) == ["A translation is attached"]
    assert remarks(document | {"language": "ja"}) == []


def remarks(document: dict[str, Any]) -> list[str]:
    """What stands beside the summary of the facts."""
    printed = page(case(RequestType.PRESERVATION, document=document), "en")
    (row,) = next(one for one in printed["sections"] if one["number"] == "13")["fields"]
    assert row["own"][0][0]["lang"] == document["language"]
    return [one["text"] for one in row["remarks"]]


def test_languages_are_those_of_both_sides() -> None:
    """Without a wish: our own first language, then the first of the other side that the form has words for."""
    assert choose_languages(side("XA").point, side("XT").point) == ("fr", "ja")
    assert choose_languages(side("XT").point, side("XA").point) == ("ja", "fr")
    assert choose_languages(side("XS").point, side("XS").point) == ("ar",)
    assert choose_languages(None, None) == ("en",)


def test_digest_is_that_of_the_document_alone() -> None:
    """The digest is over the canonical form: neither order nor our own readings change it."""
    document = example(RequestType.PRESERVATION)
    turned = dict(reversed(document.items()))
    assert digest_of(document) == digest_of(turned)
    one, other = (
        compose(case(RequestType.PRESERVATION, document=each)) for each in (document, document | {"normalised": {}})
    )
    assert one.digest == other.digest == digest_of(document)
