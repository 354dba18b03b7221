"""The pictures and tables of docs/lifecycle.md, made from the rows. Run as a file, it writes them into the document."""

from __future__ import annotations

import sys
from pathlib import Path

DOCUMENT = Path(__file__).parents[3] / "docs" / "lifecycle.md"
if __name__ == "__main__":
    sys.path.insert(0, str(DOCUMENT.parents[1]))

from app.domain.exchange.values import TERMINAL  # noqa: E402 - run as a file, the project is not on the path before
from app.domain.exchange_codes import By  # noqa: E402 - (as above)
from app.domain.hold_transitions import HOLD_ROWS, HoldRow  # noqa: E402 - (as above)
from app.domain.transitions import ENDED, EXCHANGE_ROWS, OPEN, Row  # noqa: E402 - (as above)

INDENT = "    "


def exchange_diagram() -> str:
    """Machine M2 in Mermaid. What is possible from every open state is drawn once, from a box that stands for them."""
    anywhere = [row for row in EXCHANGE_ROWS if _from_anywhere(row)]
    lines = ["stateDiagram-v2", f'{INDENT}state "every open state" as OPEN', f"{INDENT}[*] --> DISPATCHED"]
    lines += [f"{INDENT}{edge}" for row in EXCHANGE_ROWS if row not in anywhere for edge in _edges(row)]
    lines += [f"{INDENT}OPEN --> {row.targets[0]}: {_label(row)}" for row in anywhere]
    lines += [f"{INDENT}{state} --> [*]" for state in ENDED if state in TERMINAL]
    return "\n".join(lines)


def hold_diagram() -> str:
    """Machine M4 in Mermaid."""
    moves = [row for row in HOLD_ROWS if row.target is not None]
    lines = ["stateDiagram-v2", f"{INDENT}[*] --> TIMED: {_label(moves[0])}"]
    lines += [f"{INDENT}{source} --> {row.target}: {_label(row)}" for row in moves for source in row.sources]
    return "\n".join(lines)


def exchange_table() -> str:
    """Every row of M2: id, act, from, to, who, types."""
    head = "| row | act | from | to | by | types |\n| --- | --- | --- | --- | --- | --- |"
    return "\n".join([head, *(_exchange_line(row) for row in EXCHANGE_ROWS)])


def hold_table() -> str:
    """Every row of M4: id, act, from, to, who."""
    head = "| row | act | from | to | by |\n| --- | --- | --- | --- | --- |"
    lines = (
        f"| {row.id} | {_act(row)} | {_states(row.sources)} | {row.target or 'stays'} | {_by(row)} |"
        for row in HOLD_ROWS
    )
    return "\n".join([head, *lines])


def blocks() -> dict[str, str]:
    """Name of a marked place in the document → what belongs there."""
    return {
        "exchange-diagram": f"```mermaid\n{exchange_diagram()}\n```",
        "exchange-rows": exchange_table(),
        "hold-diagram": f"```mermaid\n{hold_diagram()}\n```",
        "hold-rows": hold_table(),
    }


def filled(document: str) -> str:
    """The document with every marked place filled from the rows; ValueError if a place is missing."""
    for name, text in blocks().items():
        begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        head, rest = document.split(begin, 1)
        tail = rest.split(end, 1)[1]
        document = f"{head}{begin}\n{text}\n{end}{tail}"
    return document


def _from_anywhere(row: Row) -> bool:
    return row.sources == OPEN and bool(row.targets)


def _edges(row: Row) -> list[str]:
    return [f"{source} --> {target}: {_label(row)}" for source in row.sources for target in row.targets]


def _label(row: Row | HoldRow) -> str:
    if row.action is not None:
        return f"{row.id} {row.action}"
    return f"{row.id} ({', '.join(row.needs)})" if row.needs else row.id


def _act(row: Row | HoldRow) -> str:
    return f"`{row.action}`" if row.action is not None else "–"


def _by(row: Row | HoldRow) -> str:
    joint = " and " if row.both else " or "
    return joint.join(by.value if by is not By.SYS else "node" for by in row.by)


def _states(states: tuple[str, ...]) -> str:
    if states == OPEN:
        return "every open state"
    if states == ENDED:
        return "every ended state"
    return ", ".join(states) or "–"


def _exchange_line(row: Row) -> str:
    types = ", ".join(row.types) or "all"
    if row.types_not:
        types += f" but {', '.join(row.types_not)}"
    targets = " or ".join(row.targets) or "stays"
    return f"| {row.id} | {_act(row)} | {_states(row.sources)} | {targets} | {_by(row)} | {types} |"


if __name__ == "__main__":
    DOCUMENT.write_text(filled(DOCUMENT.read_text("utf-8")), "utf-8")
