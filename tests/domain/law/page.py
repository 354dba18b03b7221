"""The tables of docs/law.md, made from the packaged law. Run as a module it writes them into the page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.codes import RefusalGround, RequestType
from app.domain.law import Need, packaged_law
from app.domain.law.codes import AppliesTo

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

PAGE = Path(__file__).parents[3] / "docs" / "law.md"
LAW = packaged_law()
MARKS = {
    Need.RESERVATION: "¹",
    Need.OUTSIDE_CONVENTION_OFFENCES: "²",
    Need.DECLARATION: "³",
    Need.ONLY_BEST_EFFORTS: "⁴",
}
REACH = {
    AppliesTo.PARTIES: "any two parties",
    AppliesTo.PAIRS: "two parties, switched on per pair",
    AppliesTo.TREATIES: "treaties on file",
}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def instruments() -> str:
    """The instruments in order of preference."""
    rows = (
        [f"`{row.instrument}`", row.title, REACH[row.applies_to], "yes" if row.duty else "no: best efforts"]
        for row in LAW.instruments
    )
    return table(["instrument", "title", "applies to", "duty"], rows)


def measures() -> str:
    """Which type rests on which articles."""
    return table(["type", *(f"`{row.instrument}`" for row in LAW.instruments)], _measures())


def _measures() -> Iterator[list[str]]:
    for type_ in RequestType:
        cells = []
        for row in LAW.instruments:
            measure = row.measure(type_)
            articles = "" if measure is None else ", ".join(role.article for role in measure.articles) or "yes"
            declared = (
                ""
                if measure is None or measure.only_if_declared is None
                else f" (only with {measure.only_if_declared})"
            )
            cells.append(articles + declared)
        if any(cells):
            yield [f"`{type_}`", *cells]


def matrix() -> str:
    """The grounds, with their provisions and what they need."""
    head = ["instrument", "types", *(f"`{ground}`" for ground in RefusalGround), "`P-OWN`", "notices"]
    return table(head, _matrix())


def _matrix() -> Iterator[list[str]]:
    for column in LAW.columns:
        provisions = {
            row.ground: " ".join((row.provision, *(MARKS[need] for need in row.needs))) for row in column.grounds
        }
        yield [
            f"`{column.instrument}`" + (" ⁵" if column.gives_way else ""),
            ", ".join(f"`{type_}`" for type_ in column.types),
            *(provisions.get(ground, "–") for ground in RefusalGround),
            column.postponement or "–",
            ", ".join(f"`{row.notice}` {row.provision}" for row in column.notices) or "–",
        ]


def statements() -> str:
    """What a state can reserve or declare with an effect here."""
    rows = (
        [f"`{row.instrument}` {one.article}", one.kind, one.effect or "", ", ".join(f"`{t}`" for t in one.types)]
        for row in LAW.instruments
        for one in row.admits
        if one.effect is not None
    )
    return table(["article", "kind", "effect", "reaches"], rows)


TABLES = {"instruments": instruments, "measures": measures, "matrix": matrix, "statements": statements}


def with_tables(page: str) -> str:
    """The page with each table between its two marks made anew."""
    for name, make in TABLES.items():
        opening, closing = f"<!-- {name} -->\n", f"\n<!-- end of {name} -->"
        before, rest = page.split(opening)
        _, after = rest.split(closing)
        page = before + opening + make() + closing + after
    return page


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text("utf-8")), "utf-8")
