"""Rules on names and docstrings."""

from __future__ import annotations

import ast
import re
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.architecture.source import Source

ROOMS_WITH_GUARANTEES = {"domain", "envelope", "audit", "services", "bus"}

SUBJECTLESS_FILES = {"util", "utils", "helper", "helpers", "common", "core", "lib", "libs", "kit", "misc", "shared"}
EMPTY_SUFFIX = re.compile(r"(Manager|Helper|Util|Utils|Handler|Processor|Service|Repository)$")
FOREIGN_WORDS = re.compile(r"(^|_)(ticket|job|manager|helper|util)s?(_|$)", re.IGNORECASE)


def subjectless_files(source: Source) -> Iterator[str]:
    """No file or folder is named for having no subject."""
    found = {part.removesuffix(".py") for part in PurePath(source.path).parts} & SUBJECTLESS_FILES
    if found:
        yield f"{source.path}: a room without a subject takes in everything"


def empty_class_names(source: Source) -> Iterator[str]:
    """No class is named by a word that fits any class."""
    for node in source.classes():
        if EMPTY_SUFFIX.search(node.name):
            yield source.at(node, f"{node.name}: say what it is, not that it does something")


def foreign_words(source: Source) -> Iterator[str]:
    """No function, class or parameter is named by a word of other fields."""
    for node in (*source.functions(), *source.classes()):
        names = [node.name]
        if not isinstance(node, ast.ClassDef):
            names += [each.arg for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
        for name in names:
            if FOREIGN_WORDS.search(name):
                yield source.at(node, f"{name} is not a word of this field (docs/glossary.md)")


def missing_module_docstring(source: Source) -> Iterator[str]:
    """Every module says what it is for."""
    if not ast.get_docstring(source.tree):
        yield f"{source.path}: no module docstring"


def missing_docstrings(source: Source) -> Iterator[str]:
    """In the rooms that give guarantees, every public function and class states its own.

    A method of a class with a base keeps the base's promise, and a property reads like a field: both may be silent.
    """
    if source.room not in ROOMS_WITH_GUARANTEES:
        return
    classes = [node for node in source.tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    for node in (*source.tree.body, *(node for owner in classes if not _has_base(owner) for node in owner.body)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        if not _is_property(node) and not ast.get_docstring(node):
            yield source.at(node, f"{node.name} has no docstring")


def _has_base(node: ast.ClassDef) -> bool:
    return any(not (isinstance(base, ast.Name) and base.id in {"Protocol", "NamedTuple"}) for base in node.bases)


def _is_property(node: ast.AST) -> bool:
    decorators = getattr(node, "decorator_list", [])
    return any(isinstance(each, ast.Name) and each.id in {"property", "cached_property"} for each in decorators)


def claimless_tests(source: Source) -> Iterator[str]:
    """Every test function states its one claim in a sentence."""
    for function in source.functions():
        if function.name.startswith("test_") and not (ast.get_docstring(function) or "").strip().endswith("."):
            yield source.at(function, f"{function.name} states no claim")
