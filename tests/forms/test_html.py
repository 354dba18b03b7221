"""The form as a page: what it means is in its elements, and nothing on it comes alive."""

from __future__ import annotations

import base64
import hashlib
import re
from itertools import pairwise
from typing import Any

import pytest
from jinja2 import Environment, PackageLoader

from app.domain.codes import RequestType
from app.domain.documents import example
from app.forms.catalogues import LANGUAGES
from app.forms.html import content_security_policy
from tests.forms.printed import NOW, PRINTED_TYPES, Reading, case, html, page

HOSTILE = '<script>alert(1)</script><img src=x onerror=alert(2)> " onmouseover="x" {{ 7*7 }} \u202etxt.exe'


def hostile_document() -> dict[str, Any]:
    """A preservation with an attack in many places."""
    document = example(RequestType.PRESERVATION) | {"facts_summary": HOSTILE, "language": '"><b>', HOSTILE: HOSTILE}
    document["targets"][0]["identifier"] = {"type": HOSTILE, "value": HOSTILE}
    document["marking"] = {"tlp": HOSTILE, "handling": [HOSTILE], "text": HOSTILE}
    return document


@pytest.mark.parametrize("languages", [("en",), ("ar",), ("fr", "ja"), ("ar", "en")])
@pytest.mark.parametrize("type_", PRINTED_TYPES)
def test_page_is_well_formed(type_: RequestType, languages: tuple[str, ...]) -> None:
    """Every element is closed; headings go down one step at a time; terms stand in lists of terms."""
    reading = Reading(html(case(type_), *languages))
    levels = [int(one.tag[1]) for one in reading.elements if re.fullmatch(r"h[1-6]", one.tag)]
    assert levels[0] == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    for term in reading.all("dt") + reading.all("dd"):
        assert any(one.tag == "dl" for one in term.ancestors)
    assert [one.tag for one in reading.elements if one.tag in {"main", "header", "footer"}] == [
        "header",
        "main",
        "footer",
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_page_says_its_language_and_direction(language: str) -> None:
    """The page is in its first language and runs as that is read; every label says which language it is in."""
    reading = Reading(html(case(RequestType.PRESERVATION), language))
    (root,) = reading.all("html")
    assert root.attributes["lang"] == language
    assert root.attributes["dir"] == ("rtl" if language == "ar" else "ltr")
    assert {one.inherited("lang") for one in reading.all("dt")} == {language}


def test_two_languages_stand_side_by_side() -> None:
    """Each heading and each label is there twice, in each language with its direction, under one number."""
    reading = Reading(html(case(RequestType.TECHNICAL_ADVICE), "fr", "ar"))
    for heading in reading.all("h2"):
        inside = [one for one in reading.elements if heading in one.ancestors and "lang" in one.attributes]
        assert [(one.attributes["lang"], one.attributes["dir"]) for one in inside] == [("fr", "ltr"), ("ar", "rtl")]
    numbers = [one.text for one in reading.all("bdi", class_="number") if one.ancestors[-1].tag == "dt"]
    assert numbers[::2] == numbers[1::2] != []


def test_identifiers_are_isolated() -> None:
    """Identifiers, references and times run left to right inside any text, and turn nothing around them."""
    reading = Reading(html(case(RequestType.PRESERVATION), "ar"))
    codes = reading.all("bdi", class_="code")
    assert {one.attributes["dir"] for one in codes} == {"ltr"}
    texts = [one.text for one in codes]
    for expected in ("203.0.113.77", "XA-2026-7K3QF9D", "2026-11-21 22:14:05 UTC", "+99900555017"):
        assert expected in texts


def test_free_text_is_in_its_own_language() -> None:
    """What a person wrote carries the language of the request, whatever the language of the form."""
    reading = Reading(html(case(RequestType.PRESERVATION), "ja"))
    (facts,) = [one for one in reading.all("p", class_="free") if one.text.startswith("On 21 November 2026")]
    assert (facts.attributes["lang"], facts.attributes["dir"]) == ("en", "ltr")


def test_nothing_comes_alive() -> None:
    """Markup, handlers, templates and marks of direction in any member are text on the page and nothing else."""
    text = html(case(RequestType.PRESERVATION, document=hostile_document()), "en", "ar")
    reading = Reading(text)
    assert {one.tag for one in reading.elements}.isdisjoint({"script", "img", "b", "iframe", "object"})
    assert not [name for one in reading.elements for name in one.attributes if name.startswith("on")]
    assert "\u202e" not in text
    (facts,) = [one for one in reading.all("p", class_="free") if one.text.startswith("<script>alert(1)</script><img")][
        :1
    ]
    assert "{{ 7*7 }} ⟨U+202E⟩txt.exe" in facts.text


def test_without_escaping_it_would_come_alive() -> None:
    """Control: the same template without escaping lets the script of the same document through."""
    environment = Environment(loader=PackageLoader("app.forms"), autoescape=False)  # noqa: S701 - that is the point
    printed = page(case(RequestType.PRESERVATION, document=hostile_document()), "en")
    assert "<script>alert(1)</script>" in environment.get_template("form.html.jinja").render(
        page=printed, columns="", style=""
    )


def test_policy_allows_the_style_and_nothing_else() -> None:
    """The policy names the digest of the page's one style sheet; there is no script and no attribute of style."""
    text = html(case(RequestType.PRESERVATION))
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style.group(1).encode()).digest()).decode()
    policy = content_security_policy()
    assert f"style-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert not [one for one in Reading(text).elements if "style" in one.attributes or one.attributes.get("src")]


def test_exercise_is_visible_in_every_language() -> None:
    """A test shows at head and foot that it is none, in each language printed; a real request shows nothing of it."""
    reading = Reading(html(case(RequestType.PRESERVATION), "en", "ja"))
    banners = reading.all("div", class_="exercise")
    assert len(banners) == 2
    for banner in banners:
        assert "EXERCISE" in banner.text
        assert "訓練" in banner.text
    real = example(RequestType.PRESERVATION) | {"is_test": False}
    assert not Reading(html(case(RequestType.PRESERVATION, document=real), "en")).all("div", class_="exercise")


def test_marking_is_at_head_and_foot() -> None:
    """TLP, PAP and handling codes stand before and after everything else, with their meaning in each language."""
    reading = Reading(html(case(RequestType.PRESERVATION), "fr", "ar"))
    boxes = reading.all("div", class_="marks")
    assert [box.ancestors[-1].tag for box in boxes] == ["header", "footer"]
    for box in boxes:
        for expected in ("TLP:AMBER+STRICT", "PAP:RED", "H1", "besoin d’en connaître", "للجهة المستلمة فقط"):
            assert expected in box.text


def test_draft_is_a_draft() -> None:
    """A request that nobody has signed says so above everything; a signed one says who signed it and when."""
    draft = Reading(html(case(RequestType.PRESERVATION)))
    assert "Not signed: this is a draft" in draft.all("div", class_="notice")[0].text
    signed = Reading(html(case(RequestType.PRESERVATION, signed_at=NOW)))
    assert not signed.all("div", class_="notice")
    assert "Signed electronically by the contact point" in signed.all("main")[0].text


def test_colours_can_be_read() -> None:
    """Every colour of text has a contrast of 4.5 to its ground, as WCAG asks."""
    style = re.search(r"<style>(.*?)</style>", html(case(RequestType.PRESERVATION)), re.DOTALL)
    assert style is not None
    texts = re.findall(r"(?<![-\w])color: (#[0-9a-f]{3,6})", style.group(1))
    assert len(texts) >= 4
    grounds = ["#fff", *re.findall(r"background: (#[0-9a-f]{3,6})", style.group(1))]
    assert min(contrast(text, ground) for text in texts for ground in grounds) >= 4.5
    assert contrast("#999", "#fff") < 4.5, "the measure would find a pale colour"


def contrast(one: str, other: str) -> float:
    """The contrast of two colours (WCAG 2.2)."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Relative luminance of #rgb or #rrggbb."""
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_no_text_is_wider_than_the_page() -> None:
    """A word of any length is broken wherever it stands: the text of a marking and a notice stand in no table."""
    made = case(RequestType.PRESERVATION, marking={"tlp": "TLP:RED", "handling": ["H3"], "text": "x" * 500})
    reading = Reading(html(made, "en"))
    (style,) = (one.text for one in reading.all("style"))
    broken = [rule.split("{")[0].strip() for rule in style.split("}") if "overflow-wrap: anywhere" in rule]
    long = [one for one in reading.elements if one.text == "x" * 500 and one.tag == "p"]
    assert long, "the control: the word is on the page"
    assert all(any(above.tag in broken for above in one.ancestors) for one in long)
