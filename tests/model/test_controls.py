"""Without a rule the model breaks: each control finds a schedule, and says which claim it broke."""

from __future__ import annotations

import pytest

from tests.model.controls import CONTROLS, Disorder, find_broken
from tests.model.model import report
from tests.model.plays import PLAYS
from tests.model.rules import Rule


def test_every_rule_has_its_control() -> None:
    """No rule can be taken away without a schedule that shows it."""
    assert {*CONTROLS, *PLAYS} == set(Rule)
    assert not CONTROLS.keys() & PLAYS.keys()


@pytest.mark.parametrize("rule", CONTROLS, ids=lambda rule: rule.name.lower())
def test_a_schedule_breaks_a_world_without(rule: Rule) -> None:
    """A node that does not know the rule breaks the claim that the rule is for."""
    broken = CONTROLS[rule].find(rule)
    assert broken is not None
    report(f"A node that {rule} breaks {broken}")
    assert broken.claim == CONTROLS[rule].claim


@pytest.mark.parametrize("rule", PLAYS, ids=lambda rule: rule.name.lower())
def test_a_few_steps_break_a_world_without(rule: Rule) -> None:
    """The shortest order of steps that breaks a world without the rule breaks nothing in a world with it."""
    play = PLAYS[rule]
    steps = play.shortest(rule)
    assert steps
    broken = play.run(steps, play.beside | {rule})
    assert broken is not None
    report(f"A node that {rule} breaks {broken}, by: {'; '.join(steps)}")
    assert broken.claim == play.claim
    assert play.run(steps, play.beside) is None


def test_the_generation_is_a_second_line() -> None:
    """A node that applies what arrives when it arrives still never shows an older snapshot."""
    assert find_broken(Disorder, frozenset({Rule.ORDER}), watched="generation", most=40) is None
