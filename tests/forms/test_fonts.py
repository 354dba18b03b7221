"""No empty box is ever printed: every character is looked for in the fonts before."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import pytest
from fontTools.ttLib import TTCollection, TTFont

from app.domain.codes import RequestType
from app.errors import Refused
from app.forms.catalogues import LANGUAGES, catalogue
from app.forms.cmap import Ranges, read_ranges
from app.forms.fonts import OWN_FAMILY, Shelf, own_characters, package_for
from app.forms.press import Press
from tests.forms.printed import FONTS, NOW, case, html, page, side

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def font_files() -> Iterator[Path]:
    """Some fonts of this machine, of each of its folders."""
    for folder in FONTS:
        for place in sorted({file.parent for file in folder.rglob("*.[to]tf")}):
            yield from sorted(place.glob("*.[to]tf"))[:2]


def points(ranges: Ranges) -> set[int]:
    """The characters one by one."""
    return {point for first, last in ranges.runs for point in range(first, last + 1)}


def test_characters_of_a_font_are_those_of_another_reader() -> None:
    """What our reader finds in a font's table is what fontTools finds there."""
    files = list(font_files())
    assert len(files) >= 3, "install fonts-hosny-amiri and fonts-vlgothic (make test does)"
    for file in files:
        with TTFont(file, lazy=True) as font:
            assert points(read_ranges(file)) == set(font.getBestCmap()), file.name


def test_fonts_of_a_collection_are_read(tmp_path: Path) -> None:
    """A file that holds several fonts is read font by font."""
    one, other = list(font_files())[:2]
    with TTFont(one) as first, TTFont(other) as second:
        both = TTCollection()
        both.fonts = [first, second]
        both.save(tmp_path / "both.ttc")
    for index, file in enumerate((one, other)):
        assert read_ranges(tmp_path / "both.ttc", index=index) == read_ranges(file)


@pytest.mark.parametrize(
    "content", [b"", b"no font", b"ttcf" + b"\xff" * 40, b"\x00\x01\x00\x00\x00\x05" + b"\x00" * 9]
)
def test_what_is_no_font_has_no_characters(tmp_path: Path, content: bytes) -> None:
    """A broken file in a folder of fonts breaks nothing."""
    file = tmp_path / "broken.ttf"
    file.write_bytes(content)
    assert read_ranges(file) == Ranges()
    assert read_ranges(tmp_path / "nothing.ttf") == Ranges()


def test_every_label_has_its_glyphs() -> None:
    """With the two small packages, every character of every catalogue is in a font."""
    for language in LANGUAGES:
        characters = set("".join(catalogue(language).labels.values()))
        assert OWN_FAMILY in Shelf(FONTS).families_for(characters)


def test_japanese_names_have_their_glyphs() -> None:
    """Names and addresses use more than the labels do: JIS X 0208, levels 1 and 2, is there whole."""
    rows = (bytes((row, cell)) for row in (*range(0xB0, 0xCF), *range(0xD0, 0xF4)) for cell in range(0xA1, 0xFF))
    kanji = {character.decode("euc_jp") for character in rows}
    assert len(kanji) > 6000
    Shelf(FONTS).families_for(kanji)


def test_own_families_print_what_they_are_said_to() -> None:
    """Every character that is listed as the typesetter's own is printed without any folder of fonts."""
    listed = [chr(point) for point in sorted(points(own_characters()))]
    assert len(listed) > 3000
    plain = [one for one in listed if not unicodedata.combining(one)]
    printed = page(case(RequestType.TECHNICAL_ADVICE, requested=side("XA")), "en")
    printed["sections"] = []
    printed["letterhead"] = [
        {"text": " ".join(plain[at : at + 40]), "kind": "own", "dir": "ltr", "lang": "en"}
        for at in range(0, len(plain), 40)
    ]
    assert Press(()).print_pdf(printed, at=NOW).startswith(b"%PDF")


@pytest.mark.parametrize(
    ("language", "script", "package"),
    [("ar", "arabic", "fonts-hosny-amiri"), ("ja", "han", "fonts-vlgothic")],
)
def test_missing_font_is_named(tmp_path: Path, language: str, script: str, package: str) -> None:
    """Without a font of the script there is no PDF, but the name of a package; the page needs no font of ours."""
    made = case(RequestType.TECHNICAL_ADVICE, requested=side("XA"))
    with pytest.raises(Refused) as refused:
        Press([tmp_path, tmp_path / "nowhere"]).print_pdf(page(made, language), at=NOW)
    assert refused.value.code == "font_missing"
    assert package in refused.value.detail
    listed = refused.value.extra["missing"]
    assert {"script": script, "package": package} in [
        {name: one[name] for name in ("script", "package")} for one in listed
    ]
    assert html(made, language).startswith("<!doctype html>")


def test_latin_needs_no_folder_of_fonts(tmp_path: Path) -> None:
    """English and French are printed on a machine without any font."""
    document = {**case(RequestType.EMERGENCY_DISCLOSURE).document, "requested": "QX"}
    made = case(RequestType.EMERGENCY_DISCLOSURE, document=document)
    assert Press([tmp_path]).print_pdf(page(made, "en", "fr"), at=NOW).startswith(b"%PDF")


def test_a_rare_character_is_refused_not_boxed(press: Press) -> None:
    """One character that no font has is enough, wherever it stands: in a name, an answer, a file name."""
    document = {**case(RequestType.TECHNICAL_ADVICE).document, "question": "What of \U00013000 there?"}
    with pytest.raises(Refused) as refused:
        press.print_pdf(page(case(RequestType.TECHNICAL_ADVICE, document=document), "en"), at=NOW)
    assert refused.value.extra["missing"] == [
        {"script": "egyptian", "package": "fonts-noto-core", "characters": ["U+13000"]}
    ]
    assert "\U00013000" not in str(refused.value)


def test_packages_are_the_smallest_that_help() -> None:
    """A character of JIS needs a small Japanese font; others of the same script a large one."""
    assert package_for("警") == "fonts-vlgothic"
    assert package_for("々") == "fonts-vlgothic"
    assert package_for("龥") == "fonts-noto-cjk"
    assert package_for("한") == "fonts-nanum"
    assert package_for("ש") == "fonts-noto-core"
