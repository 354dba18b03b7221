"""What every command shares: an error that is ours is one sentence, wherever it happened; another one is not hidden."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import typer

from app.cli.frame import run_command, say, sentence_of, show
from app.demo.client import StepFailed
from app.errors import Conflict, LogBroken, SettingsUnusable
from tests.cli.shell import logging_of_its_own
from tests.support.processes import counterpart

if TYPE_CHECKING:
    from collections.abc import Iterator

BROKEN = LogBroken("log_behind_anchor", "the audit log in this database is older than its anchor: restored?")
SENTENCE = (
    "The audit log in this database is older than its anchor: restored? Nothing more is signed: see docs/audit-log.md."
)


@pytest.fixture(autouse=True)
def logging_restored() -> Iterator[None]:
    """Commands set up logging."""
    with logging_of_its_own():
        yield


def ending(fault: BaseException) -> typer.Typer:
    """A command that ends in this fault, however deep in its tasks."""
    cli = typer.Typer(pretty_exceptions_enable=False)

    @cli.command()
    def do() -> None:
        raise fault

    return cli


def groups(*faults: BaseException) -> BaseExceptionGroup[BaseException]:
    """What nested task groups make of them."""
    return BaseExceptionGroup("outer", [BaseExceptionGroup("inner", list(faults))])


KNOWN: dict[str, tuple[BaseException, str]] = {
    "a setting": (SettingsUnusable("x", "COUNTERPART_CODE is not set."), "COUNTERPART_CODE is not set."),
    "a broken log": (BROKEN, SENTENCE),
    "a failed step": (StepFailed("XT does not answer"), "XT does not answer."),
    "a broken log in groups": (groups(BROKEN), SENTENCE),
    "a setting in groups": (groups(SettingsUnusable("x", "It is so.")), "It is so."),
    "a failed step in groups": (groups(StepFailed("start: not within 20 s at XA")), "Start: not within 20 s at XA."),
    "three nodes that say the same": (groups(BROKEN, BROKEN, BROKEN), SENTENCE),
    "one of ours among others": (
        groups(KeyError("secret"), Conflict("x", "It is there."), asyncio.CancelledError()),
        "It is there. Besides: CancelledError, KeyError.",
    ),
}


@pytest.mark.parametrize("case", KNOWN)
def test_an_error_of_ours_is_one_sentence(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It goes to standard error with exit code 2, without its code, without a traceback."""
    fault, sentence = KNOWN[case]
    with pytest.raises(SystemExit) as ended:
        run_command(ending(fault), [])
    assert ended.value.code == 2
    assert capsys.readouterr() == ("", f"{sentence}\n")


UNKNOWN: dict[str, BaseException] = {
    "a bug": KeyError("x"),
    "a bug in groups": groups(KeyError("x"), ValueError("y")),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_a_bug_is_not_hidden(case: str) -> None:
    """The control: what is not ours passes through as it is, with its traceback."""
    with pytest.raises(type(UNKNOWN[case])) as ended:
        run_command(ending(UNKNOWN[case]), [])
    assert ended.value is UNKNOWN[case]


def test_a_real_task_group_is_taken_apart(capsys: pytest.CaptureFixture[str]) -> None:
    """A fault raised by one of several running tasks reaches the shell as its sentence."""
    cli = typer.Typer(pretty_exceptions_enable=False)

    async def raise_broken() -> None:
        raise BROKEN

    async def work() -> None:
        async with asyncio.TaskGroup() as node:
            node.create_task(asyncio.sleep(0))
            node.create_task(raise_broken())
            await asyncio.Event().wait()

    @cli.command()
    def do() -> None:
        with asyncio.Runner() as runner:
            runner.run(work())

    with pytest.raises(SystemExit) as ended:
        run_command(cli, [])
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"{SENTENCE}\n"


def test_sentences_are_sentences() -> None:
    """They begin with a capital letter and end with a stop."""
    assert sentence_of(StepFailed("it broke")) == "It broke."
    assert sentence_of(StepFailed("Is it so?")) == "Is it so?"


def test_rows_are_shown_alike(capsys: pytest.CaptureFixture[str]) -> None:
    """A table has the names of its columns and no `None`; JSON has the values; no rows are an empty list."""
    rows = [{"id": "a", "until": None, "long": "x" * 300}]
    show(rows, as_json=False)
    head, line = capsys.readouterr().out.splitlines()
    assert head.split() == ["id", "until", "long"]
    assert line.split() == ["a", "x" * 300]
    show([], as_json=True)
    assert capsys.readouterr().out == "[]\n"
    say("A sentence.", as_json=True, id="a")
    assert capsys.readouterr().out == '[\n  {\n    "id": "a"\n  }\n]\n'
    say("A sentence.", id="a")
    assert capsys.readouterr().out == "A sentence.\n"


async def test_a_missing_setting_is_one_sentence_in_a_shell() -> None:
    """The program itself, started from a shell without any setting: exit code 2 and one line."""
    done = await counterpart("tokens", "list")
    assert (done.code, done.out) == (2, "")
    assert done.err == "COUNTERPART_CODE is not set.\n"
