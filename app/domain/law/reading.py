"""The law files as rows: each file by its shape, each fault with file, line and reason."""

# ruff: noqa: TC001, TC003 - pydantic reads the annotations at run time

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import Field, ValidationError

from app.domain.law.book import Law
from app.domain.law.checks import check_law
from app.domain.law.closed import check_matrix
from app.domain.law.countries import Comparator, Country, RedirectTarget
from app.domain.law.intervals import IntervalsFile, check_intervals
from app.domain.law.plain import Document, law_fault, read_yaml
from app.domain.law.refusals import Column, InsteadRow, table_of
from app.domain.law.rows import InstrumentRow, Named, Pair, Paragraph, Party, Row, Statement, Treaty

if TYPE_CHECKING:
    from collections.abc import Mapping

SUFFIX = ".yaml"


class LawFile(Row):
    """`law.yaml`: which version of the law this is."""

    version: Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,39}$")]
    dated: date
    note: Paragraph


class InstrumentsFile(Row):
    """`instruments.yaml`, in order of preference."""

    instruments: Annotated[tuple[InstrumentRow, ...], Field(min_length=1)]


class PartiesFile(Row):
    """`parties.yaml`: the states, who is bound, which pairs are switched on, which treaties are on file."""

    states: tuple[Named, ...] = ()
    parties: tuple[Party, ...] = ()
    pairs: tuple[Pair, ...] = ()
    treaties: tuple[Treaty, ...] = ()


class StatementsFile(Row):
    """`statements.yaml`: reservations and declarations."""

    statements: tuple[Statement, ...] = ()


class RefusalsFile(Row):
    """`refusals.yaml`: the matrix."""

    columns: Annotated[tuple[Column, ...], Field(min_length=1)]
    instead: tuple[InsteadRow, ...] = ()


class CountriesFile(Row):
    """`countries.yaml`: the profiles of states' own law."""

    countries: tuple[Country, ...] = ()
    comparators: tuple[Comparator, ...] = ()


class RedirectsFile(Row):
    """`redirects.yaml`: where an agency can turn."""

    targets: tuple[RedirectTarget, ...] = ()


SHAPES: Mapping[str, type[Row]] = {
    "law": LawFile,
    "instruments": InstrumentsFile,
    "parties": PartiesFile,
    "statements": StatementsFile,
    "refusals": RefusalsFile,
    "countries": CountriesFile,
    "redirects": RedirectsFile,
    "intervals": IntervalsFile,
}
"""Every file of the folder, by its name without `.yaml`. All must be there and no other."""

File = TypeVar("File", bound=Row)


@dataclass(frozen=True, slots=True)
class _Files:
    """The files as read, with their lines."""

    rows: Mapping[str, Row]
    documents: Mapping[str, Document]

    def of(self, shape: type[File]) -> File:
        return next(row for row in self.rows.values() if isinstance(row, shape))


def read_law(texts: Mapping[str, str]) -> Law:
    """The law in these texts, by file name.

    Raises `SettingsUnusable` `law_unusable` with one sentence: the file, the line, the reason, which are also its
    extra members. The first fault in the order of the files is told.
    """
    for name in sorted(texts):
        if name.removesuffix(SUFFIX) not in SHAPES:
            raise law_fault(name, 1, f"there is no such law file; the files are {_listed()}")
    for name in SHAPES:
        if name + SUFFIX not in texts:
            raise law_fault(name + SUFFIX, 1, f"this file is missing; the files are {_listed()}")
    documents = {name: read_yaml(name + SUFFIX, texts[name + SUFFIX]) for name in SHAPES}
    files = _Files({name: _rows(shape, documents[name]) for name, shape in SHAPES.items()}, documents)
    law = _assembled(files, digest_of(texts))
    for fault in (*check_law(law), *check_matrix(law), *check_intervals(law.intervals)):
        raise documents[fault.file].fault(fault.location, fault.reason)
    return law


def digest_of(texts: Mapping[str, str]) -> str:
    """What `LC_ALL=C sha256sum *.yaml | sha256sum` prints in the folder of these files."""
    listed = "".join(f"{hashlib.sha256(texts[name].encode()).hexdigest()}  {name}\n" for name in sorted(texts))
    return hashlib.sha256(listed.encode()).hexdigest()


def _listed() -> str:
    return ", ".join(name + SUFFIX for name in SHAPES)


def _rows(shape: type[File], document: Document) -> File:
    try:
        return shape.model_validate(document.value)
    except ValidationError as faulty:
        first = min(
            faulty.errors(include_url=False, include_input=False), key=lambda error: document.line_of(error["loc"])
        )
        raise document.fault(first["loc"], _reason(first)) from faulty


def _reason(error: Any) -> str:  # noqa: ANN401 - pydantic's own mapping
    member = next((str(part) for part in reversed(error["loc"]) if isinstance(part, str)), "the file")
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "missing":
        return f"{member} is missing"
    if error["type"] == "extra_forbidden":
        return f"there is no member {member} here"
    return f"{member}: {message[:1].lower()}{message[1:]}"


def _assembled(files: _Files, digest: str) -> Law:
    head, bound, grounds = files.of(LawFile), files.of(PartiesFile), files.of(RefusalsFile)
    countries = files.of(CountriesFile)
    return Law(
        version=head.version,
        dated=head.dated,
        note=head.note,
        digest=digest,
        instruments=files.of(InstrumentsFile).instruments,
        states=bound.states,
        parties=bound.parties,
        pairs=bound.pairs,
        treaties=bound.treaties,
        statements=files.of(StatementsFile).statements,
        columns=grounds.columns,
        table=table_of(grounds.columns, grounds.instead),
        countries=countries.countries,
        comparators=countries.comparators,
        redirects=files.of(RedirectsFile).targets,
        intervals=files.of(IntervalsFile),
    )
