"""Any schedule of acts, losses, deaths, revocations and restores ends with both sides equal."""

from __future__ import annotations

import random
from datetime import timedelta

from hypothesis.stateful import invariant

from app.domain.codes import Lane, RequestType, Tier
from tests.model import desks, world
from tests.model.courier import Outcome
from tests.model.ground import Ground
from tests.model.machine import Schedule
from tests.model.model import Size, report, run, wanted_size
from tests.model.truths import check_committed, check_healed, heal
from tests.model.values import START

WEEKEND = timedelta(hours=64)
SILENT_AFTER_A_DAY = 70
"""Probes of a weekend on one way: six in the first twenty minutes, then one an hour."""

BACKLOG = 300


def test_any_schedule_ends_equal() -> None:
    """Whatever happens, every message has its effect once and in order, and in the end both sides show the same."""
    size = wanted_size()
    counted = 0

    class Counted(Schedule):
        @invariant()
        def count(self) -> None:
            nonlocal counted
            counted += 1

    run(Counted, size)
    report(f"model: {counted} steps, seed {size.seed}")
    assert counted >= size.steps * 0.7


def test_stolen_keys_give_no_second_text_its_effect() -> None:
    """Who has a node's key can be first with a text, and can never replace one, nor make a receipt speak of his."""

    class Thieves(Schedule):
        thieves = True
        restores = heals = False

    run(Thieves, Size(2_000, wanted_size().seed))


def test_a_silent_weekend_gets_probes_and_no_storm() -> None:
    """To a peer that is away for a weekend each way carries the copies it had on Friday and some seventy probes."""
    ground = Ground()
    node = ground.nodes["XA"]
    for _ in range(20):
        desks.dispatch(node, "XT", RequestType.PRESERVATION, tier=Tier.ROUTINE)
    while ground.now < START + WEEKEND:
        world.relay(node, Lane.ROUTINE)
        ground.now += timedelta(seconds=61)
    copies = sum(row.copy for row in node.store.outbox.values())
    assert 20 + 60 <= copies <= 20 + SILENT_AFTER_A_DAY
    heal(ground)
    check_healed(ground)


def test_a_backlog_on_an_honest_courier_is_sent_once() -> None:
    """Evidence and probes add nothing to a backlog that drains without losses, however slow the receiver is."""
    ground = Ground()
    here, there = ground.nodes["XA"], ground.nodes["XT"]
    for _ in range(BACKLOG):
        desks.dispatch(here, "XT", RequestType.PRESERVATION, tier=Tier.ROUTINE)
    dice = random.Random(wanted_size().seed)
    while any(row.left_by is None for row in here.store.outbox.values()):
        world.relay(here, Lane.ROUTINE)
        handed = world.hand_over(there, Lane.ROUTINE, dice.randint(1, 8))
        if handed is not None:
            world.receive(there, handed)
        world.relay(there, Lane.ROUTINE)
        back = world.hand_over(here, Lane.ROUTINE, world.ALL)
        if back is not None:
            world.receive(here, back)
        ground.now += timedelta(seconds=1)
        check_committed(ground)
    copies = sum(row.copy for row in here.store.outbox.values() if row.type == "exchange.open/1")
    assert copies <= BACKLOG * 1.05


def test_a_broker_that_takes_nothing_is_not_stormed() -> None:
    """While nothing gets out to a peer, each way costs one round per pause, however much waits for it."""
    ground = Ground()
    node = ground.nodes["XA"]
    for _ in range(100):
        desks.dispatch(node, "XT", RequestType.PRESERVATION, tier=Tier.ROUTINE)
    while ground.now < START + timedelta(hours=12):
        world.relay(node, Lane.ROUTINE, [Outcome.REFUSED] * 10)
        ground.now += timedelta(seconds=31)
    assert ground.courier.published <= 25 * 6
    heal(ground)
    check_healed(ground)
