"""The words of the form, one catalogue per language: `labels/<language>.yaml`, read once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING

import yaml
from babel import Locale

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LANGUAGES = ("en", "fr", "ar", "ja")
"""Languages that the form can be printed in; the first one is taken where none of a contact point's own is here."""


LOCALES = MappingProxyType({"en": "en_GB"})
"""Where CLDR's name of the language alone means one country's habits: in the United States the month comes first."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The labels of one language, by keys such as `fields.offence.title`, and what CLDR knows of the language."""

    language: str
    dir: str
    locale: Locale
    labels: Mapping[str, str]

    def label(self, key: str) -> str:
        """The label of a key that this release has; KeyError for another one, which is a mistake of ours."""
        return self.labels[key]

    def code(self, of: str, code: str) -> str | None:
        """The label of a word of a closed list; None for one that this release does not know."""
        return self.labels.get(f"codes.{of}.{code}")


@cache
def catalogue(language: str) -> Catalogue:
    """The catalogue of one of `LANGUAGES`."""
    text = resources.files("app.forms").joinpath(f"labels/{language}.yaml").read_text("utf-8")
    locale = Locale.parse(LOCALES.get(language, language))
    labels = MappingProxyType(dict(_flat("", yaml.safe_load(text))))
    return Catalogue(language, locale.text_direction, locale, labels)


def _flat(stem: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _flat(f"{stem}.{name}" if stem else str(name), inner)
    else:
        yield stem, str(value)
