"""Which fonts print which characters: the ones that the typesetter brings, and those of the operator's folders.

Nothing is printed as an empty box: a character that no font has is refused before, with the package to install.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import typst

from app.errors import Refused
from app.forms.characters import HARMLESS, script_of
from app.forms.cmap import Ranges, read_ranges

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

OWN_FAMILY = "Libertinus Serif"
OWN_SYMBOLS = "DejaVu Sans Mono"
"""Families that the typesetter brings for Latin, Greek, Cyrillic and signs; `embedded.txt` lists what they print."""

PREFERRED = (
    "Amiri",
    "Noto Naskh Arabic",
    "Noto Sans Arabic",
    "IPAexMincho",
    "IPAexGothic",
    "IPAPGothic",
    "VL PGothic",
    "Noto Serif CJK JP",
    "Noto Sans CJK JP",
    "DejaVu Sans",
)
"""Families that are taken before others, in this order."""

PACKAGES: Mapping[str, str] = MappingProxyType(
    {"arabic": "fonts-hosny-amiri", "han": "fonts-vlgothic", "hangul": "fonts-nanum", "symbol": "fonts-symbola"}
)
"""The smallest Debian package with a font of the script."""

ALL_OF_HAN = "fonts-noto-cjk"
"""For Chinese characters that Japanese fonts have not; `fonts-vlgothic` has those of JIS X 0208."""

OTHER_PACKAGE = "fonts-noto-core"
"""For scripts of which no smaller package is known here."""

REGULAR = range(300, 501)
MOST_NAMED = 5


@dataclass(slots=True)
class Shelf:
    """The fonts of these folders. What a font has is read when it is first asked for, and remembered."""

    folders: Sequence[Path]
    _fonts: dict[str, tuple[Path, int]] | None = None
    _ranges: dict[str, Ranges] = field(default_factory=dict)

    def families_for(self, characters: Iterable[str]) -> tuple[str, ...]:
        """The families to print these characters with, the typesetter's own at both ends, and no more than are needed.

        Raises Refused `font_missing`, naming script and package, where there is a character that no font has.
        """
        left = {one for one in set(characters) - HARMLESS if not one.isspace() and not own_characters().has(one)}
        chosen = [OWN_FAMILY]
        for family in self._families() if left else ():
            had = {one for one in left if self._has(family, one)}
            if had:
                chosen.append(family)
                left -= had
            if not left:
                break
        if left:
            raise _refusal(sorted(left))
        return (*chosen, OWN_SYMBOLS)

    def _families(self) -> Iterator[str]:
        """The preferred ones that are here, then the rest by name."""
        fonts = self._read_fonts()
        yield from (family for family in PREFERRED if family in fonts)
        yield from sorted(fonts.keys() - set(PREFERRED))

    def _read_fonts(self) -> dict[str, tuple[Path, int]]:
        if self._fonts is None:
            found = typst.Fonts(
                include_system_fonts=False,
                include_embedded_fonts=False,
                font_paths=[str(folder) for folder in self.folders if folder.is_dir()],
            ).fonts()
            self._fonts = {
                font.family: (Path(font.path), font.index)
                for font in found
                if font.path is not None and font.style == "normal" and font.weight in REGULAR
            }
        return self._fonts

    def _has(self, family: str, character: str) -> bool:
        if family not in self._ranges:
            path, index = self._read_fonts()[family]
            self._ranges[family] = read_ranges(path, index=index)
        return self._ranges[family].has(character)


def _refusal(left: Sequence[str]) -> Refused:
    missing: dict[tuple[str, str], list[str]] = {}
    for character in left:
        missing.setdefault((script_of(character), package_for(character)), []).append(f"U+{ord(character):04X}")
    listed = [
        {"script": script, "package": package, "characters": some[:MOST_NAMED]}
        for (script, package), some in missing.items()
    ]
    packages = ", ".join(dict.fromkeys(package for _, package in missing))
    return Refused(
        "font_missing",
        f"Some characters have no font here: install {packages}, or name a folder of fonts in COUNTERPART_FONTS. "
        "The form as HTML needs none.",
        missing=listed,
    )


def package_for(character: str) -> str:
    """The Debian package to install for a character."""
    script = script_of(character)
    if script != "han":
        return PACKAGES.get(script, OTHER_PACKAGE)
    try:
        character.encode("shift_jis")
    except UnicodeEncodeError:
        return ALL_OF_HAN
    return PACKAGES[script]


@cache
def own_characters() -> Ranges:
    """What the typesetter's own families print, measured with it; see the test that prints them all."""
    text = resources.files("app.forms").joinpath("embedded.txt").read_text("ascii")
    runs = []
    for word in text.split():
        first, _, last = word.partition("-")
        runs.append((int(first, 16), int(last or first, 16)))
    return Ranges(tuple(runs))
