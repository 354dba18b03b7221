"""Rules on size: what does not fit on a screen or in a head is split by subject."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.architecture.source import Function, Source

MODULE_LINES = 300
TEST_MODULE_LINES = 400
BODY_LINES = 40
PARAMETERS = 5
BY_POSITION = 3
CALLED_BY_NAME = {"cli", "routers"}  # the framework passes every argument of a command or an operation by its name
NOT_COUNTED = {"self", "cls", "session", "connection"}


def long_modules(source: Source) -> Iterator[str]:
    """A module has at most 300 lines; one of tests 400."""
    limit = TEST_MODULE_LINES if source.path.startswith("tests/") else MODULE_LINES
    count = len(source.text.splitlines())
    if count > limit:
        yield f"{source.path}: {count} lines, at most {limit}"


def long_bodies(source: Source) -> Iterator[str]:
    """The body of a function, without its docstring, has at most 40 lines."""
    for function in source.functions():
        body = function.body[1:] if ast.get_docstring(function) is not None else function.body
        count = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
        if count > BODY_LINES:
            yield source.at(function, f"{function.name} has a body of {count} lines, at most {BODY_LINES}")


def many_parameters(source: Source) -> Iterator[str]:
    """At most five parameters; of a public function at most three by position, the session not counted."""
    for function in source.functions():
        positional, named = _parameters(function)
        if len(positional) + len(named) > PARAMETERS:
            yield source.at(function, f"{function.name} has more than {PARAMETERS} parameters")
        elif len(positional) > BY_POSITION and source.room not in CALLED_BY_NAME and not function.name.startswith("_"):
            yield source.at(function, f"{function.name} takes more than {BY_POSITION} arguments by position")


def _parameters(function: Function) -> tuple[list[str], list[str]]:
    arguments = function.args
    positional = [
        each.arg for each in (*arguments.posonlyargs, *arguments.args) if each.arg.lstrip("_") not in NOT_COUNTED
    ]
    return positional, [each.arg for each in arguments.kwonlyargs]
