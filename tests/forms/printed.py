"""Cases to print, and what is read back from the page."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pypdf import PdfReader

from app.domain.codes import RequestType
from app.domain.documents import example
from app.forms.cases import Case, Side
from app.forms.composing import compose
from app.forms.html import render_html
from app.forms.printing import to_page
from app.keystore import example_profile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.forms.press import Press

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
EXCHANGE = UUID("0193503e-9c10-7d52-8a44-1e6f0c9b7a20")
FONTS = (Path("/usr/local/share/fonts"), Path("/usr/share/fonts"))
PRINTED_TYPES = tuple(one for one in RequestType if one.name not in {"TRAFFIC_PATH_DISCLOSURE", "PING", "DRILL"})

VOID = frozenset({"meta", "link", "br", "hr", "img"})


def case(type_: RequestType, **members: Any) -> Case:  # noqa: ANN401 - any member of a case
    """The example of a type as a case between XA and whoever it asks, not signed yet."""
    document = members.pop("document", None) or example(type_)
    made: dict[str, Any] = {
        "type": type_,
        "document": document,
        "reference": "XA-2026-7K3QF9D",
        "requesting": side("XA"),
        "requested": side(document.get("requested", "XT")),
        "filed_at": NOW,
        "now": NOW,
        "printed_by": "XA",
        "exchange_id": EXCHANGE,
    }
    return Case(**(made | members))


def side(code: str) -> Side:
    """A contact point with its example profile."""
    return Side(code, example_profile(code) if code in {"XA", "XT", "XS"} else None)


def page(made: Case, *languages: str) -> dict[str, Any]:
    """The form as the templates are given it."""
    return to_page(compose(made), languages or ("en",))


def html(made: Case, *languages: str) -> str:
    """The form as a page."""
    return render_html(page(made, *languages))


def pdf(press: Press, made: Case, *languages: str) -> PdfReader:
    """The form as a document, read back."""
    return PdfReader(BytesIO(press.print_pdf(page(made, *languages), at=NOW)))


def root_of(reader: PdfReader) -> Any:  # noqa: ANN401 - what a PDF has at its root
    """The catalogue of the document."""
    return reader.trailer["/Root"].get_object()


def text_of(reader: PdfReader) -> str:
    """All its text, blanks as one."""
    return re.sub(r"\s+", " ", " ".join(one.extract_text() for one in reader.pages))


def numbers_of(printed: dict[str, Any]) -> list[str]:
    """Every number of a page in its order, those of the exchange's course after the others."""
    found = []
    for section in (*printed["sections"], *printed["course"]["sections"]):
        found += [section["number"], *(row["number"] for row in section["fields"])]
        for part in section["parts"]:
            found += [part["number"], *(row["number"] for row in part["fields"])]
    return [number for number in found if number]


def texts_in(value: object) -> Sequence[str]:
    """Every text of a page."""
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inner for text in texts_in(one)]


@dataclass(slots=True)
class Element:
    """An element of a page; `texts` are its own and its descendants' texts in order."""

    tag: str
    attributes: dict[str, str | None]
    ancestors: tuple[Element, ...]
    texts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text inside, blanks as one."""
        return re.sub(r"\s+", " ", "".join(self.texts)).strip()

    def inherited(self, name: str) -> str | None:
        """The attribute, of the nearest element that has it."""
        return next((one.attributes[name] for one in (self, *reversed(self.ancestors)) if name in one.attributes), None)


class Reading(HTMLParser):
    """A page as its elements; an element that is not closed, or closed twice, is an error."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(text)
        self.close()
        assert not self._open, f"never closed: {[one.tag for one in self._open]}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        element = Element(tag, dict(attrs), tuple(self._open))
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        """The innermost open element ends."""
        assert self._open, f"</{tag}> closes nothing"
        ended = self._open.pop()
        assert ended.tag == tag, f"</{tag}> closes <{ended.tag}>"

    def handle_data(self, data: str) -> None:
        """Text belongs to every element that is open."""
        for element in self._open:
            element.texts.append(data)

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """Elements of that name with these attributes; `class_` is one of their classes."""
        wanted = dict(attributes)
        class_ = wanted.pop("class_", None)
        return [
            one
            for one in self.elements
            if one.tag == tag
            and all(one.attributes.get(name) == value for name, value in wanted.items())
            and (class_ is None or class_ in (one.attributes.get("class") or "").split())
        ]
