"""For each rule: in which kind of schedule a world without it breaks, and which claim it breaks there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.machine import Schedule
from tests.model.rules import Rule
from tests.model.witness import BrokenError

if TYPE_CHECKING:
    from collections.abc import Callable

SEED = 1
MOST = 400
"""Schedules that are tried; the first that breaks a claim ends the search."""

STEPS = 40
Kind = TypeVar("Kind", bound=type[Schedule])

HAPPENINGS = frozenset(name for name in vars(Schedule) if hasattr(getattr(Schedule, name), "hypothesis_stateful_rule"))


def only(*names: str) -> Callable[[Kind], Kind]:
    """Let nothing else happen than these: what is rare among everything is frequent among little."""

    def narrow(kind: Kind) -> Kind:
        for name in HAPPENINGS.difference(names):
            setattr(kind, name, _not_by_itself(getattr(kind, name)))
        return kind

    return narrow


def _not_by_itself(happening: Callable[..., None]) -> Callable[..., None]:
    """The same, without the mark by which the machine finds what it may do: others may still call it."""

    def called(*given: object, **named: object) -> None:
        happening(*given, **named)

    return called


class Anything(Schedule):
    """Everything may happen, on queues that keep their order; no backup is restored."""

    couriers = (True,)
    restores = False


@only("look", "act", "work", "relay", "receive")
class Readers(Schedule):
    """Officers of the requested side act on what they read a while ago."""

    couriers = (True,)
    restores = heals = False


@only("dispatch", "wish", "relay", "receive", "breathe", "disturb", "restore")
class Backups(Schedule):
    """Nodes are put back to old backups."""

    couriers = (True,)


@only("dispatch", "wish", "relay", "receive", "revoke", "learn", "forge", "breathe")
class Thieves(Schedule):
    """Somebody has a signing key of a node, and speaks in its name."""

    couriers = (True,)
    restores = heals = False
    thieves = True


@only("dispatch", "wish", "act", "work", "relay", "receive", "disturb", "breathe")
class Disorder(Schedule):
    """The queues do not keep their order."""

    couriers = (False,)
    restores = heals = False


@dataclass(frozen=True, slots=True)
class Control:
    """Where a world without a rule is looked at, and what is found there. `beside`: rules that must be gone as well."""

    claim: str
    kind: type[Schedule] = Anything
    beside: frozenset[Rule] = frozenset()

    def find(self, rule: Rule) -> BrokenError | None:
        """What breaks without the rule, nothing but the claim being watched."""
        return find_broken(self.kind, self.beside | {rule}, watched=self.claim)


CONTROLS: dict[Rule, Control] = {
    Rule.DEDUPE: Control("once"),
    Rule.ORDER: Control("order"),
    Rule.RESEND: Control("delivery"),
    Rule.CONFIRMED_BEFORE: Control("needless copy"),
    Rule.RECEIPT_ENDS: Control("outbox"),
    Rule.RECEIPT_AFTER_COMMIT: Control("receipt"),
    Rule.RECEIPT_NAMES_TEXT: Control("receipt", Thieves),
    Rule.FIRST_STANDS: Control("first text", Thieves),
    Rule.HELD_RECEIPTED: Control("needless copy"),
    Rule.DUPLICATE_RECEIPTED: Control("delivery"),
    Rule.REQUESTED_DECIDES: Control("replica"),
    Rule.GENERATION_SEEN: Control("seen", Readers),
    Rule.FATE_TOLD: Control("fate"),
    Rule.EXPIRED_ANSWERED: Control("equal"),
    Rule.ONE_TEXT: Control("one text"),
    Rule.SIGNED_AGAIN: Control("delivery"),
    Rule.AWAITS_DIRECTORY: Control("one text"),
    Rule.QUARANTINE_STOPS: Control("order"),
    Rule.LOOSE_SUPERSEDED: Control("one text", Backups),
}


def find_broken(
    kind: type[Schedule], without: frozenset[Rule], *, watched: str, most: int = MOST
) -> BrokenError | None:
    """How a schedule of this kind breaks the claim in a world without these rules; None if none of `most` does."""
    world = type(kind.__name__, (kind,), {"without": without, "watched": frozenset({watched})})
    wanted = settings(
        max_examples=most,
        stateful_step_count=STEPS,
        phases=(Phase.generate,),
        deadline=None,
        database=None,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(seed(SEED)(world), settings=wanted)
    except BrokenError as broken:
        return broken
    return None
