"""The law as data: files that a lawyer reads and an operator edits, checked before anything rests on them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib import resources

from app.domain.law.book import Law
from app.domain.law.codes import ConstraintCode, Effect, Need, StatementKind, TargetKind
from app.domain.law.reading import SHAPES, SUFFIX, digest_of, read_law
from app.domain.law.refusals import Cell, RefusalTable
from app.domain.law.rows import Pair, Party, Statement, Treaty
from app.domain.law.warning_lists import WarningLists, read_warning_list

__all__ = [
    "SHAPES",
    "SUFFIX",
    "Cell",
    "ConstraintCode",
    "Effect",
    "Law",
    "Need",
    "Pair",
    "Party",
    "RefusalTable",
    "Statement",
    "StatementKind",
    "TargetKind",
    "Treaty",
    "WarningLists",
    "digest_of",
    "packaged_law",
    "packaged_texts",
    "packaged_warning_lists",
    "read_law",
    "read_warning_list",
]


def packaged_texts() -> dict[str, str]:
    """The law files that come with the program, by name."""
    folder = resources.files("app").joinpath("data/law")
    return {name + SUFFIX: folder.joinpath(name + SUFFIX).read_text("utf-8") for name in SHAPES}


@cache
def packaged_law() -> Law:
    """The law that comes with the program: the invented states of the demonstration."""
    return replace(read_law(packaged_texts()), warning_lists=packaged_warning_lists())


@cache
def packaged_warning_lists() -> WarningLists:
    """The warning lists that come with the program; an operator's own stand beside them."""
    folder = resources.files("app").joinpath("data/warning_lists")
    found = sorted((path for path in folder.iterdir() if path.name.endswith(SUFFIX)), key=lambda path: path.name)
    return WarningLists(tuple(read_warning_list(path.name, path.read_text("utf-8")) for path in found))
