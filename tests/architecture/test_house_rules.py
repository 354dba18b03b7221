"""The house rules hold in every file, and each rule notices when it is broken."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.architecture import habits, sizes, words
from tests.architecture.source import Source, python_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Rule(NamedTuple):
    """A rule, where it holds, and a file that breaks it."""

    find: Callable[[Source], Iterator[str]]
    folders: tuple[str, ...]
    broken_by: Source


def broken(text: str, path: str = "app/domain/example.py") -> Source:
    """A file that breaks a rule."""
    return Source(path, text)


def a_test(text: str) -> Source:
    """A test that breaks a rule."""
    return Source("tests/domain/test_example.py", text)


APP = ("app",)
TESTS = ("tests",)
ALL = ("app", "tests", "scripts")
SILENT = "class Hold:\n    'A.'\n    def end(self): ..."
APPENDS = "SEEN = []\ndef f(x):\n    SEEN.append(x)"
ASSIGNS = "SEEN = {}\ndef f(x):\n    SEEN[x] = 1"

RULES = {
    "modules are short": Rule(sizes.long_modules, ("app", "tests"), broken("x = 1\n" * 301)),
    "functions are short": Rule(sizes.long_bodies, APP, broken("def f():\n" + "    x = 1\n" * 41)),
    "calls can be read": Rule(sizes.many_parameters, APP, broken("def f(a, b, c, *, d, e, f): ...")),
    "calls name what they pass": Rule(sizes.many_parameters, APP, broken("def f(session, a, b, c, d): ...")),
    "files have a subject": Rule(words.subjectless_files, ALL, broken("", "app/bus/utils.py")),
    "classes have a subject": Rule(words.empty_class_names, ALL, broken("class RequestManager: ...")),
    "the field's words are used": Rule(words.foreign_words, APP, broken("def close(ticket): ...")),
    "modules say what they are for": Rule(words.missing_module_docstring, ALL, broken("x = 1")),
    "guarantees are stated": Rule(words.missing_docstrings, APP, broken(SILENT)),
    "tests state a claim": Rule(words.claimless_tests, TESTS, a_test("def test_it(): ...")),
    "the application does not assert": Rule(habits.asserts, APP, broken("assert x")),
    "nobody catches everything": Rule(habits.caught_everything, APP, broken("try: f()\nexcept (A, Exception): ...")),
    "nobody catches without a name": Rule(habits.caught_everything, APP, broken("try: f()\nexcept: ...")),
    "imports stand at the top": Rule(habits.hidden_imports, APP, broken("def f():\n    from app.db import outbox")),
    "modules keep no list": Rule(habits.changed_module_state, APP, broken(APPENDS)),
    "modules keep no map": Rule(habits.changed_module_state, APP, broken(ASSIGNS)),
    "there are no globals": Rule(habits.changed_module_state, APP, broken("def f():\n    global N\n    N = 1")),
    "nothing is unfinished": Rule(habits.unfinished, ALL, broken("# TO" + "DO later")),
    "types are silenced by name": Rule(habits.bare_ignores, ALL, broken("x = y  # type: " + "ignore")),
    "every test counts": Rule(habits.tests_not_run, TESTS, a_test("@pytest.mark.ski" + "p")),
    "tests leave our code alone": Rule(habits.patched_own_code, TESTS, a_test('patch("ap' + 'p.bus")')),
    "tests do not sleep": Rule(habits.sleeping_tests, TESTS, a_test("time.sleep(1)")),
}


@pytest.mark.parametrize("name", RULES)
def test_rule_holds(name: str) -> None:
    """A house rule is kept in every file it is for."""
    rule = RULES[name]
    sources = [source for folder in rule.folders for source in python_files(folder)]
    assert sources, "nothing was read"
    findings = [finding for source in sources for finding in rule.find(source)]
    assert not findings, "\n" + "\n".join(findings)


@pytest.mark.parametrize("name", RULES)
def test_rule_notices(name: str) -> None:
    """A house rule finds the fault in a file made to break it."""
    rule = RULES[name]
    assert list(rule.find(rule.broken_by))


def test_harmless_code_is_let_through() -> None:
    """The rules find nothing in a small file that keeps them all."""
    kept = (
        'WORDS = {"a": 1}\n\n\ndef read(word):\n    """The number."""\n    WORDS_ = dict(WORDS)\n    WORDS_["b"] = 2\n'
    )
    source = broken(f'"""A module."""\n\n{kept}')
    assert [finding for rule in RULES.values() for finding in rule.find(source)] == []
