"""The form as a document: tagged, in its language, with every text that was written and nothing that was not."""

from __future__ import annotations

import re
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
import typst
from pypdf import PdfReader

from app.domain.codes import RequestType
from app.domain.documents import example
from app.errors import Refused
from app.forms import press as press_module
from tests.forms.printed import FONTS, NOW, case, page, pdf, root_of, text_of

if TYPE_CHECKING:
    from pathlib import Path

    from app.forms.press import Press

HOSTILE = (
    '#read("/etc/passwd") #panic() $x^2$ *bold* _it_ `raw` @ref <label> = heading \\u{41} <script>alert(1)</script>'
)
PAGE_LINE = re.compile(r"XA-2026-7K3QF9D\s+Page\s+(\d+) / (\d+)")


def numbers_on(reader: PdfReader) -> list[str]:
    """Section numbers as they stand before the headings, from the outline."""
    found: list[str] = []

    def walk(entries: list[object]) -> None:
        for entry in entries:
            if isinstance(entry, list):
                walk(entry)
            else:
                number = re.match(r"(\d+(?:\.\d+)*|\([a-h]\)(?:\.\d+)?|E\d+(?:\.\d+)*)\b", str(entry["/Title"]))  # type: ignore[index]
                if number:
                    found.append(number.group(1))

    walk(list(reader.outline))
    return found


@pytest.fixture(scope="module")
def english(press: Press) -> PdfReader:
    """The preservation in English."""
    return pdf(press, case(RequestType.PRESERVATION), "en")


def test_document_can_be_read_aloud(english: PdfReader) -> None:
    """It is tagged, says its language and its title, and claims PDF/UA-1."""
    root = root_of(english)
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert english.metadata is not None
    assert english.metadata.title == "Request for the expedited preservation of stored computer data XA-2026-7K3QF9D"
    assert b"<pdfuaid:part>1</pdfuaid:part>" in root["/Metadata"].get_data()


def test_every_page_says_what_it_belongs_to(english: PdfReader) -> None:
    """Reference, digest, marking, page and number of pages are on every page: a sheet of a fax may go astray."""
    made = page(case(RequestType.PRESERVATION), "en")
    for number, one in enumerate(english.pages, start=1):
        text = one.extract_text()
        found = PAGE_LINE.search(text)
        assert found is not None
        assert (int(found.group(1)), int(found.group(2))) == (number, len(english.pages))
        assert made["foot"]["digest"] in text
        assert "TLP:AMBER+STRICT" in text
        assert "EXERCISE" in text


def test_two_languages_have_the_same_numbers(press: Press, english: PdfReader) -> None:
    """The outline of the English and of the bilingual document have the same numbers in the same order."""
    both = pdf(press, case(RequestType.PRESERVATION), "fr", "ja")
    assert numbers_on(english) == numbers_on(both)
    assert len(numbers_on(english)) > 25
    text = text_of(both)
    for expected in ("Exposé sommaire des faits", "事実の概要", "至急", "2026 年 11 月 22 日", "訓練"):
        assert expected.replace(" ", "") in text.replace(" ", "")


def test_arabic_document_runs_right_to_left(press: Press) -> None:
    """The language of the document is Arabic, its letters are there, identifiers stay as they are."""
    reader = pdf(press, case(RequestType.TECHNICAL_ADVICE), "ar", "fr")
    assert root_of(reader)["/Lang"] == "ar"
    text = text_of(reader)
    assert re.search(r"[\u0600-\u06ff]{3}", text)
    for expected in ("AU-CYB-2026-00420", "+99900555017", "XA-2026-7K3QF9D"):
        assert expected in text


def test_markup_in_a_text_stays_text(press: Press) -> None:
    """No text is read as typst: commands, formulas and references are printed letter by letter, no file is opened."""
    document = example(RequestType.PRESERVATION) | {
        "facts_summary": HOSTILE,
        "special_procedures": f"{HOSTILE} \u202eabc",
    }
    document["offences"][0]["title"] = HOSTILE
    text = text_of(pdf(press, case(RequestType.PRESERVATION, document=document), "en"))
    assert text.count(re.sub(r"\s+", " ", HOSTILE)) == 3
    assert "root:" not in text
    assert "⟨U+202E⟩abc" in text.replace(" ", "")


def test_markup_put_into_a_template_would_be_obeyed(tmp_path: Path) -> None:
    """Control: the same text as part of a template's source is a command, and opens the file that it names."""
    (tmp_path / "secret.txt").write_text("root:x:0:0")
    (tmp_path / "form.typ").write_text('#set document(title: "x")\n#read("secret.txt")\n')
    printed = typst.Compiler(str(tmp_path / "form.typ"), root=str(tmp_path)).compile(format="pdf")
    assert isinstance(printed, bytes)
    assert "root:x:0:0" in text_of(PdfReader(BytesIO(printed)))


def test_long_words_are_broken_and_nothing_is_put_in(press: Press) -> None:
    """Runs of hundreds of letters stay inside the page, in identifiers and in texts, and can be copied as they are."""
    url = "https://example.org/" + "abcdefghij" * 148
    arabic = "سجل" * 150
    document = example(RequestType.PRESERVATION) | {"facts_summary": "y" * 900, "special_procedures": arabic}
    document["targets"][0]["identifier"] = {"type": "url", "value": url}
    reader = pdf(press, case(RequestType.PRESERVATION, document=document), "en")
    lines = [line for one in reader.pages for line in one.extract_text().splitlines()]
    assert max(map(len, lines)) < 160
    text = "".join("".join(lines).split())
    assert url in text
    assert "y" * 900 in text
    assert sum(line.count("س") for line in lines) == 150


def test_the_same_page_gives_the_same_bytes(press: Press) -> None:
    """A form printed again from the same data at the same time is the same file."""
    made = page(case(RequestType.TECHNICAL_ADVICE), "en")
    assert press.print_pdf(made, at=NOW) == press.print_pdf(made, at=NOW)


def test_hundred_targets_are_printed(press: Press) -> None:
    """The longest request that can be filed is printed whole."""
    document = example(RequestType.PRESERVATION)
    document["targets"] = document["targets"] * 100
    reader = pdf(press, case(RequestType.PRESERVATION, document=document), "en")
    found = numbers_on(reader)
    for expected in ("14.100", "15.100", "16.100", "25"):
        assert found.count(expected) == 1
    assert PAGE_LINE.search(reader.pages[-1].extract_text())


def test_a_form_without_end_is_refused(press: Press) -> None:
    """What would keep a thread for many seconds is not begun."""
    document = example(RequestType.PRESERVATION) | {"facts_summary": "x " * press_module.MOST_CHARACTERS}
    with pytest.raises(Refused) as refused:
        press.print_pdf(page(case(RequestType.PRESERVATION, document=document)), at=NOW)
    assert refused.value.code == "form_too_long"


def test_fonts_are_those_of_the_folders() -> None:
    """The tests print with the fonts that `make test` provides."""
    assert any(folder.is_dir() for folder in FONTS)
