"""The form as a PDF that can be read aloud (PDF/UA-1), set by typst from a template and data.

The texts of a case are data all the way: the template reads them as JSON and never as markup.
"""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import typst

from app.errors import Refused
from app.forms.fonts import Shelf

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

STANDARD: Final = "ua-1"

MOST_CHARACTERS = 1_500_000
"""Of all texts of one form, some 600 pages: more would keep a thread for many seconds."""


class Press:
    """One typesetter with the fonts of these folders, made when first needed. Prints one form at a time."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._shelf = Shelf(folders)
        self._compiler: typst.Compiler | None = None
        self._at_work = Lock()

    def print_pdf(self, page: Mapping[str, Any], *, at: datetime) -> bytes:
        """The form (see `printing.to_page`) as PDF; blocks until it is set: call it in a thread.

        The same page at the same time gives the same bytes. Raises Refused: `font_missing` for characters that no font
        here prints, `form_too_long` for what is better read than printed.
        """
        texts = list(_texts(page))
        if sum(map(len, texts)) > MOST_CHARACTERS:
            raise Refused(
                "form_too_long", f"More than {MOST_CHARACTERS} characters cannot be printed; read it as HTML."
            )
        with self._at_work:
            families = self._shelf.families_for(set().union(*texts))
            inputs = {"page": json.dumps(page), "families": json.dumps(families)}
            try:
                printed = self._typesetter().compile(
                    format="pdf", pdf_standards=STANDARD, sys_inputs=inputs, timestamp=int(at.timestamp())
                )
            except typst.TypstError as fault:
                raise _refused(fault) from None
        if not isinstance(printed, bytes):
            raise TypeError("the typesetter gave no document")
        return printed

    def _typesetter(self) -> typst.Compiler:
        if self._compiler is None:
            templates = Path(str(resources.files("app.forms").joinpath("templates")))
            self._compiler = typst.Compiler(
                str(templates / "form.typ"),
                root=str(templates),
                font_paths=[str(folder) for folder in self._shelf.folders if folder.is_dir()],
                ignore_system_fonts=True,
            )
        return self._compiler


def _refused(fault: typst.TypstError) -> Exception:
    """A glyph that a font promised and has not; all else is our own mistake. The message quotes texts: it stays."""
    if "could not be displayed" in str(fault):
        return Refused("font_missing", "A font here has not what it says it has: install fonts-noto-core.", missing=[])
    return RuntimeError("the template of the form cannot be set")


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
