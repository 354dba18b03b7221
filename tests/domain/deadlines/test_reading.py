"""The operator's file of clocks: read over the packaged targets, or refused with file, line and reason."""

from __future__ import annotations

from datetime import timedelta
from importlib import resources

import pytest

from app.domain.codes import Tier
from app.domain.deadlines import TARGETS, Step
from app.domain.deadlines.reading import SETTABLE, read_clocks
from app.errors import SettingsUnusable


def test_the_packaged_file_says_what_the_program_does() -> None:
    """Every step that can be set is in it, with the target that is used without any file."""
    text = resources.files("app").joinpath("data", "clocks.yaml").read_text("utf-8")
    assert read_clocks("clocks.yaml", text).targets == TARGETS
    assert [line.split(":")[0].strip() for line in text.splitlines() if line.startswith("  ") and "{" in line] == [
        step.value for step in SETTABLE
    ]


def test_a_file_needs_only_what_differs() -> None:
    """The steps it names are changed, the others keep their targets."""
    text = "steps:\n  acknowledgement: {emergency: 5 min, urgent: 30 min, routine: 2 d}\n"
    clocks = read_clocks("clocks.yaml", text)
    assert [clocks.within(Step.ACKNOWLEDGEMENT, tier) for tier in Tier] == [
        timedelta(minutes=5), timedelta(minutes=30), timedelta(days=2),
    ]  # fmt: skip
    assert {step for step in TARGETS if clocks.targets[step] != TARGETS[step]} == {Step.ACKNOWLEDGEMENT}


ROW = "{emergency: 5 min, urgent: 30 min, routine: 2 d}"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "one member is expected, steps"),
        ("stepps: {}\n", 1, "one member is expected, steps"),
        (f"steps:\n  akknowledgement: {ROW}\n", 2, "no step that can be set"),
        (f"steps:\n  delivery_alarm: {ROW}\n", 2, "no step that can be set"),
        ("steps:\n  answer: {emergency: 5 min, urgent: 1 h}\n", 2, "each of emergency, urgent, routine"),
        (f"steps:\n  answer: {ROW}\n  preserved:\n    emergency: 4 hours\n    urgent: 1 d\n    routine: 2 d\n", 4,
         "a length of time is expected"),
        ("steps:\n  answer: {emergency: 0 min, urgent: 1 h, routine: 1 d}\n", 2, "a length of time is expected"),
        ("steps:\n  answer: {emergency: 1 h, urgent: 1 h, routine: 999 d}\n", 2, "at most 366 d"),
        ("steps:\n  answer: {emergency: 2 h, urgent: 1 h, routine: 1 d}\n", 2, "must not take longer"),
        ("steps:\n  triage: {emergency: 5 min, urgent: 1 h, routine: 1 d}\n", 2, "1 working day"),
        (f"steps:\n  answer: {ROW}\n  answer: {ROW}\n", 3, "written twice"),
        ("steps: [\n", 2, "not YAML"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_its_line(text: str, line: int, words: str) -> None:
    """One sentence: the file, the line, the reason; a node does not start with clocks that nobody set."""
    with pytest.raises(SettingsUnusable) as refused:
        read_clocks("clocks.yaml", text)
    assert refused.value.code == "clocks_unusable"
    assert refused.value.detail.startswith(f"clocks.yaml, line {line}: ")
    assert words in refused.value.detail
