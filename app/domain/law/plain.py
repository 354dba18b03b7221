"""A YAML file as plain values that remember their lines.

Every scalar stays the text that was written: `NO` is a state and not a denial, `29` an article and not a number; the
row's own shape says what it is. Anchors, tags, several documents and a key written twice are refused: whoever reads the
file must see all that it says.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import yaml

from app.errors import SettingsUnusable

if TYPE_CHECKING:
    from collections.abc import Sequence

Plain: TypeAlias = "str | list[Plain] | dict[str, Plain] | None"
Location: TypeAlias = "tuple[str | int, ...]"

LAW_UNUSABLE = "law_unusable"
MAX_NESTING = 12
_NOTHING = frozenset({"", "null", "~"})
_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


@dataclass(frozen=True, slots=True)
class Document:
    """The value of a file and the line, counted from 1, on which each part of it begins."""

    name: str
    value: Plain
    lines: dict[Location, int] = field(default_factory=dict)

    def line_of(self, location: Sequence[str | int]) -> int:
        """The line of that part, or of the nearest part around it."""
        place = tuple(location)
        while place not in self.lines and place:
            place = place[:-1]
        return self.lines.get(place, 1)

    def fault(self, location: Sequence[str | int], reason: str) -> SettingsUnusable:
        """What is wrong with that part, as the error that stops the start."""
        return law_fault(self.name, self.line_of(location), reason)


def law_fault(name: str, line: int, reason: str) -> SettingsUnusable:
    """One sentence: the file, the line, the reason."""
    return SettingsUnusable(
        LAW_UNUSABLE, f"{name}, line {line}: {reason.rstrip('.')}.", file=name, line=line, reason=reason.rstrip(".")
    )


def read_yaml(name: str, text: str) -> Document:
    """The one document in that text; raises `SettingsUnusable` with file, line and reason."""
    try:
        for token in yaml.scan(text, Loader=_LOADER):
            if isinstance(token, yaml.AnchorToken | yaml.AliasToken | yaml.TagToken):
                raise law_fault(name, token.start_mark.line + 1, "anchors, aliases and tags are not used here")
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        reason = f"this is not YAML: {fault.problem or fault.context}"
        raise law_fault(name, 1 if mark is None else mark.line + 1, reason) from fault
    except yaml.YAMLError as fault:
        raise law_fault(name, 1, "this is not YAML: it holds a character that YAML does not allow") from fault
    document = Document(name, {} if node is None else _plain(name, node, 0), {(): 1})
    if node is not None:
        _note_lines(node, (), document.lines)
    return document


def _plain(name: str, node: yaml.Node, depth: int) -> Plain:
    if depth > MAX_NESTING:
        raise law_fault(name, node.start_mark.line + 1, "this is nested too deeply")
    if isinstance(node, yaml.SequenceNode):
        return [_plain(name, inner, depth + 1) for inner in node.value]
    if isinstance(node, yaml.MappingNode):
        members: dict[str, Plain] = {}
        for key, inner in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise law_fault(name, key.start_mark.line + 1, "a name is expected before the colon")
            if key.value in members:
                raise law_fault(name, key.start_mark.line + 1, f"{key.value} is written twice")
            members[key.value] = _plain(name, inner, depth + 1)
        return members
    written: str = node.value
    return None if node.style is None and written in _NOTHING else written


def _note_lines(node: yaml.Node, place: Location, lines: dict[Location, int]) -> None:
    if isinstance(node, yaml.SequenceNode):
        for number, inner in enumerate(node.value):
            lines[*place, number] = inner.start_mark.line + 1
            _note_lines(inner, (*place, number), lines)
    if isinstance(node, yaml.MappingNode):
        for key, inner in node.value:
            lines[*place, key.value] = key.start_mark.line + 1
            _note_lines(inner, (*place, key.value), lines)
