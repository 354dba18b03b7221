"""Characters of texts from outside: what nobody can see is made visible, and which way a text runs."""

from __future__ import annotations

import unicodedata

HARMLESS = frozenset("\n\u00ad\u061c\u200b\u200c\u200d\u200e\u200f\u2060")
"""Invisible characters with a purpose inside words and lines; none of them turns a text around."""

BREAKS = str.maketrans({"\r": None, "\t": " ", "\u2028": "\n", "\u2029": "\n", "\x0b": "\n", "\x0c": "\n"})

OGHAM_BLANK = "\u1680"
"""A blank that is drawn as a line, and that no ordinary font has."""

HIDDEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs"})
"""Categories without a shape of their own: controls, formats, what is not assigned, private, half a pair."""

EAST_ASIAN = frozenset({"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "IDEOGRAPHIC", "FULLWIDTH", "HALFWIDTH"})
EAST_ASIAN_BLOCKS = ((0x3000, 0x30FF), (0xFF00, 0xFFEF))
"""Signs that are written with Chinese characters and are named for what they look like."""

RIGHT_TO_LEFT = frozenset({"R", "AL"})


def visible(text: str) -> str:
    """The text with its line breaks, and every other hidden character written as `⟨U+202E⟩`.

    A mark that turns the direction of reading could make an identifier read as another one; here it is read as itself.
    """
    return "".join(_shown(character) for character in text.translate(BREAKS))


def direction_of(text: str, *, otherwise: str = "ltr") -> str:
    """`rtl` or `ltr` by the first letter that has a direction."""
    for character in text:
        bidirectional = unicodedata.bidirectional(character)
        if bidirectional == "L":
            return "ltr"
        if bidirectional in RIGHT_TO_LEFT:
            return "rtl"
    return otherwise


def script_of(character: str) -> str:
    """The script by the first word of the character's name, such as `arabic`; `han` for all of written Japanese.

    `symbol` for signs that belong to no script.
    """
    word = unicodedata.name(character, "SYMBOL").partition(" ")[0]
    if word in EAST_ASIAN or any(first <= ord(character) <= last for first, last in EAST_ASIAN_BLOCKS):
        return "han"
    is_letter = unicodedata.category(character)[0] in "LM"
    return word.lower() if is_letter or word == "ARABIC" else "symbol"


def _shown(character: str) -> str:
    if character in HARMLESS or (unicodedata.category(character) not in HIDDEN and character != OGHAM_BLANK):
        return character
    return f"\u27e8U+{ord(character):04X}\u27e9"
