"""Rules on habits that have cost other projects dearly; docs/adr gives the reasons."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.architecture.source import Source

# Two supervisors of loops: the one begins again from nothing, the other ends the process. And the edge of the bus: a
# message whose effect raises is quarantined, visibly, so that it stops its own thread and no other.
MAY_CATCH_EVERYTHING = {"app/bus/supervise.py", "app/receiving.py", "app/workers.py"}
MUTATORS = {
    "append", "extend", "insert", "add", "update", "setdefault", "pop", "popitem", "remove", "discard", "clear", "sort",
}  # fmt: skip

# Each with a letter in brackets, so that this file is not found by its own rules.
UNFINISHED = re.compile(r"\b(TOD[O]|FIXM[E]|XX[X]|HAC[K])\b|NotImplementedErro[r]")
NOT_RUN = re.compile(r"pytest\.(mark\.)?(ski[p]|xfai[l]|importorski[p])")
PATCHED = re.compile(r"(patch|setattr)\(\s*['\"]?app\b")
BARE_IGNORE = re.compile(r"#\s*type:\s*ignore(?!\[)")


def asserts(source: Source) -> Iterator[str]:
    """No check of the application vanishes under `python -O`."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Assert):
            yield source.at(node, "assert is for tests")


def caught_everything(source: Source) -> Iterator[str]:
    """Nobody carries on after a fault it does not know, but for those whose task that is."""
    if source.path in MAY_CATCH_EVERYTHING:
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler):
            caught = {each.id for each in ast.walk(node.type) if isinstance(each, ast.Name)} if node.type else {"all"}
            if caught & {"Exception", "BaseException", "all"}:
                yield source.at(node, "catches everything")


def hidden_imports(source: Source) -> Iterator[str]:
    """No import of our own inside a function: the cycle would still be there, only later."""
    for function in source.functions():
        for node in ast.walk(function):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if any(name == "app" or name.startswith("app.") for name in names):
                yield source.at(node, f"{function.name} imports our own module")


def changed_module_state(source: Source) -> Iterator[str]:
    """Nothing at the level of a module changes after its import: several nodes live in one process."""
    named = {
        target.id
        for node in source.tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    for function in source.functions():
        own = {arg.arg for arg in ast.walk(function.args) if isinstance(arg, ast.arg)}
        own |= {
            each.id for each in ast.walk(function) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
        }
        for node in ast.walk(function):
            if isinstance(node, ast.Global) or _changes(node) in named - own:
                yield source.at(node, f"{function.name} changes the state of its module")


def _binds(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)


def _changes(node: ast.AST) -> str | None:
    """Name of what a statement changes in place: `x.append(…)`, `x[…] = …`, `del x[…]`."""
    target: ast.expr | None = None
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MUTATORS:
        target = node.func.value
    elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
        target = node.value
    return target.id if isinstance(target, ast.Name) else None


def unfinished(source: Source) -> Iterator[str]:
    """Nothing says of itself that it is not finished."""
    yield from _found(source, UNFINISHED, "is unfinished")


def bare_ignores(source: Source) -> Iterator[str]:
    """Who silences the type checker says about what."""
    yield from _found(source, BARE_IGNORE, "silences every error of types")


def tests_not_run(source: Source) -> Iterator[str]:
    """No test is left out or expected to fail."""
    yield from _found(source, NOT_RUN, "is a test that does not count")


def patched_own_code(source: Source) -> Iterator[str]:
    """No test replaces a part of what it tests."""
    yield from _found(source, PATCHED, "patches our own code")


def sleeping_tests(source: Source) -> Iterator[str]:
    """No test sleeps and hopes; polling with a deadline lives in `tests/support`."""
    if source.path.startswith("tests/support/"):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "sleep":
            moment = node.args[0] if node.args else None
            if not (isinstance(moment, ast.Constant) and moment.value == 0):
                yield source.at(node, "sleeps")


def _found(source: Source, pattern: re.Pattern[str], what: str) -> Iterator[str]:
    for number, line in enumerate(source.text.splitlines(), start=1):
        if pattern.search(line):
            yield f"{source.path}:{number}: {what}"
