"""README and the commands agree, both ways."""

from __future__ import annotations

import re
from typing import Any

from typer.main import get_command

from app.cli import cli
from tests.architecture.source import ROOT

NAMED = re.compile(r"(?:^|[\s`/])counterpart ((?:[a-z][a-z-]*(?: |\b))+)")


def existing() -> set[str]:
    """Every command as it is typed: `serve`, `audit verify`."""
    root = get_command(cli)
    found = set()
    for name, command in getattr(root, "commands", {}).items():
        below = getattr(command, "commands", {})
        found |= {f"{name} {each}" for each in below} or {name}
    return found


def named(text: str) -> set[str]:
    """Every command that a text names; of two words where the second is no command, the first."""
    known = existing() | {name.split()[0] for name in existing()}
    found = set()
    for words in (match.split() for match in NAMED.findall(text)):
        two = " ".join(words[:2])
        found.add(two if two in known else words[0])
    return found


def test_readme_names_every_command() -> None:
    """Each command of `counterpart --help` is in the README, so that nobody has to find it by chance."""
    assert existing() - named((ROOT / "README.md").read_text()) == set()


def test_readme_names_no_other_command() -> None:
    """Each command the README shows exists."""
    groups = {name.split()[0] for name in existing()}
    assert named((ROOT / "README.md").read_text()) - existing() - groups == set()


def test_invented_command_is_noticed() -> None:
    """A text that names a command which does not exist is found out."""
    assert named("run `counterpart conjure --now` and .venv/bin/counterpart serve") - existing() == {"conjure"}


def test_help_is_written() -> None:
    """Every command and every option says what it does."""
    root = get_command(cli)
    silent = []
    pending: list[tuple[str, Any]] = [("counterpart", root)]
    while pending:
        name, command = pending.pop()
        if not command.help:
            silent.append(name)
        options = [each for each in command.params if each.param_type_name == "option"]
        silent += [f"{name} --{each.name}" for each in options if not each.help]
        pending += [(f"{name} {child}", below) for child, below in getattr(command, "commands", {}).items()]
    assert silent == []


def test_readme_shows_the_make_targets() -> None:
    """The README names the two commands with which everything begins."""
    text = (ROOT / "README.md").read_text()
    assert "make demo" in text
    assert "make test" in text
