"""The matrix of grounds, notices and postponement, keyed by instrument and type of request (domain.md 2.2)."""

# ruff: noqa: TC001 - pydantic reads the annotations at run time

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from app.domain.codes import Instrument, RefusalGround, RequestType, RiskNotice
from app.domain.law.codes import Need
from app.domain.law.rows import Line, Provision, Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from app.domain.law.rows import Treaty


class GroundRow(Row):
    """A ground, the provision behind it, and what must be so before it is open."""

    ground: RefusalGround
    provision: Provision
    needs: tuple[Need, ...] = ()


class NoticeRow(Row):
    """A notice that the requesting side answers, and its provision."""

    notice: RiskNotice
    provision: Provision


class Column(Row):
    """What can be said to requests of these types under one instrument; no grounds: it cannot be refused.

    With `gives_way`, grounds and postponement are those of a treaty on mutual assistance of the two states, where they
    have one.
    """

    instrument: Instrument
    types: Annotated[tuple[RequestType, ...], Field(min_length=1)]
    grounds: tuple[GroundRow, ...] = ()
    notices: tuple[NoticeRow, ...] = ()
    postponement: Provision | None = None
    gives_way: bool = False


class InsteadRow(Row):
    """What to say in place of a ground that is not open: a code, the act that carries it, and when it is apt."""

    grounds: Annotated[tuple[RefusalGround, ...], Field(min_length=1)]
    code: Annotated[str, Field(pattern=r"^[CNPW]-[A-Z]{2,16}$")]
    action: Line
    when: Line


@dataclass(frozen=True, slots=True)
class Cell:
    """A column as it holds between two states. `source` names what the provisions belong to."""

    source: str
    grounds: tuple[GroundRow, ...] = ()
    notices: tuple[NoticeRow, ...] = ()
    postponement: str | None = None

    def row(self, ground: RefusalGround) -> GroundRow | None:
        """The row of that ground, None where it is not listed."""
        return next((row for row in self.grounds if row.ground is ground), None)

    def cite(self, provision: str) -> str:
        """A provision with its instrument or treaty, as `ETS185:29(5)(a)`."""
        return f"{self.source}:{provision}"


@dataclass(frozen=True, slots=True)
class RefusalTable:
    """The matrix. `governing` is the treaty on mutual assistance between the two states it is read for."""

    columns: Mapping[tuple[Instrument, RequestType], Column]
    instead: tuple[InsteadRow, ...] = ()
    treaties: Mapping[Instrument, Treaty] | None = None
    governing: Treaty | None = None

    def cell(self, instrument: Instrument, type: RequestType) -> Cell | None:
        """What holds for a type under an instrument; None where the matrix has no such column."""
        column = self.columns.get((instrument, type))
        if column is None:
            return None
        own = (self.treaties or {}).get(instrument)
        treaty = self.governing if column.gives_way and self.governing is not None else own
        if treaty is None:
            return Cell(str(instrument), column.grounds, column.notices, column.postponement)
        return self._under(treaty, type, notices=column.notices)

    def in_place_of(self, ground: RefusalGround) -> Iterator[InsteadRow]:
        """What may be apt where that ground is not open."""
        return (row for row in self.instead if ground in row.grounds)

    def _under(self, treaty: Treaty, type: RequestType, *, notices: tuple[NoticeRow, ...]) -> Cell:
        """As the treaty says; where it lists no ground of its own, as the matrix says of such treaties."""
        general = self.columns.get((treaty.instrument, type))
        own = tuple(GroundRow(ground=row.ground, provision=row.provision) for row in treaty.grounds)
        return Cell(
            treaty.id,
            own or (() if general is None else general.grounds),
            notices,
            treaty.postponement or (None if general is None else general.postponement),
        )


def table_of(columns: tuple[Column, ...], instead: tuple[InsteadRow, ...]) -> RefusalTable:
    """The matrix from its columns."""
    by_key = {(column.instrument, type): column for column in columns for type in column.types}
    return RefusalTable(by_key, instead)
