"""The table of types in the documentation says what the code says."""

from __future__ import annotations

from pathlib import Path

from app.domain.documents.kinds import KINDS
from app.domain.documents.schemas import members
from app.domain.request_types import REQUEST_KINDS, RequestKind

PAGE = Path(__file__).parents[3] / "docs" / "agency-developer.md"
COMMON = frozenset(
    {
        "type",
        "requested",
        "reference",
        "request_status",
        "urgency",
        "investigating_authority",
        "legal_basis",
        "language",
    }
)
"""Members that every document has; the page names them once."""


def row(kind: RequestKind) -> str:
    """The line of the table for one type."""
    if not kind.fileable:
        return f"| `{kind.type}` | {'; '.join(kind.root)} | {kind.opening.value}, not filed | {clocks(kind)} |"
    needed = [f"`{member.name}`" for member in members(kind.type) if member.required and member.name not in COMMON]
    return f"| `{kind.type}` | {'; '.join(kind.root)} | {', '.join(needed)} | {clocks(kind)} |"


def clocks(kind: RequestKind) -> str:
    """The steps that have a clock."""
    return ", ".join(str(step).replace("_", " ") for step in kind.steps)


def test_page_has_a_line_for_each_type() -> None:
    """Legal root, required members and clocks of each type stand in the table, in the order of the closed list."""
    lines = PAGE.read_text("utf-8").splitlines()
    expected = [row(kind) for kind in REQUEST_KINDS.values()]
    assert [line for line in lines if line.startswith("| `") and line.split("`")[1] in set(REQUEST_KINDS)] == expected


def test_common_members_are_common() -> None:
    """What the page leaves out of the table is required by every type."""
    for type_ in KINDS:
        required = {member.name for member in members(type_) if member.required}
        assert required >= COMMON
