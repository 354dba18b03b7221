"""Rules whose absence shows only in a rare order of a few steps: from the steps of a play the shortest is searched."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from app.domain.codes import Lane, RequestType, Tier
from app.domain.exchange_codes import Side
from tests.model import desks, world
from tests.model.courier import Outcome
from tests.model.ground import Ground
from tests.model.rules import Rule
from tests.model.truths import check_committed, check_healed, heal
from tests.model.witness import BrokenError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Step = tuple[str, "Callable[[Ground], object]"]

SEED = 1
MOST = 2_000
"""Orders of steps that are tried."""

LONGEST = 12
HERE, THERE = "XA", "XT"
LOST, TAKEN = Outcome.UNKNOWN_LOST, Outcome.TAKEN


def wish(action: str, ground: Ground) -> None:
    """The officer of the requesting side wishes it, if the snapshot lets them."""
    node = ground.nodes[HERE]
    for record in list(node.store.exchanges.values())[:1]:
        if (action, None) in desks.choices(node, record.value, side=Side.REQUESTING):
            desks.wish(node, record.value.id, (action, None))


def act(action: str, ground: Ground) -> None:
    """The officer of the requested side does it, if the exchange is there and lets them."""
    node = ground.nodes[THERE]
    for record in list(node.store.exchanges.values())[:1]:
        if (action, None) in desks.choices(node, record.value, side=Side.REQUESTED):
            desks.act_here(node, record.value.id, (action, None), seen=record.value)


def relay(code: str, outcomes: Sequence[Outcome], ground: Ground) -> None:
    """A round on both lanes."""
    for lane in Lane:
        world.relay(ground.nodes[code], lane, outcomes)


def receive(code: str, most: int, ground: Ground) -> None:
    """A batch on each lane."""
    for lane in Lane:
        handed = world.hand_over(ground.nodes[code], lane, most)
        if handed is not None:
            world.receive(ground.nodes[code], handed)


def store_only(ground: Ground) -> None:
    """The requested node stores a batch and dies before it has given it its effects."""
    for lane in Lane:
        handed = world.hand_over(ground.nodes[THERE], lane, world.ALL)
        if handed is not None:
            world.store_only(ground.nodes[THERE], handed)


def dispatch(ground: Ground, type_: RequestType = RequestType.LEGAL_INFORMATION) -> None:
    """A request leaves."""
    desks.dispatch(ground.nodes[HERE], THERE, type_, tier=Tier.ROUTINE)


def two_under_way(ground: Ground) -> None:
    """Two requests left, a second apart, and nobody has received them."""
    for _ in range(2):
        dispatch(ground)
        relay(HERE, (), ground)
        ground.now += timedelta(seconds=1)


def acknowledged(ground: Ground) -> None:
    """The request was received and acknowledged."""
    dispatch(ground)
    relay(HERE, (), ground)
    receive(THERE, 9, ground)
    act("acknowledge", ground)


def withdrawn(ground: Ground) -> None:
    """Of a request, a supplement and a withdrawal only the last has arrived."""
    dispatch(ground)
    wish("supplement", ground)
    wish("withdraw", ground)
    relay(HERE, (LOST, LOST), ground)
    receive(THERE, 9, ground)


def gap(ground: Ground) -> None:
    """Of two supplements to an acknowledged request the first is lost, and the second waits behind the gap."""
    acknowledged(ground)
    wish("supplement", ground)
    wish("supplement", ground)
    relay(HERE, (LOST,), ground)
    receive(THERE, 9, ground)


def raised(ground: Ground) -> None:
    """A request was withdrawn and raised, and all that has been received."""
    dispatch(ground)
    wish("withdraw", ground)
    wish("raise_tier", ground)
    relay(HERE, (), ground)
    receive(THERE, 9, ground)


def raised_later(ground: Ground) -> None:
    """A request was acknowledged, then raised, and all that has been received; nothing has been answered."""
    acknowledged(ground)
    wish("raise_tier", ground)
    relay(HERE, (), ground)
    receive(THERE, 9, ground)


def revoke(ground: Ground) -> None:
    """The key of the requesting node is revoked, and it knows."""
    if len(ground.versions) == 1:
        world.revoke(ground.nodes[HERE])
        ground.nodes[HERE].version = 1


def restore(commits: int, ground: Ground, code: str = HERE) -> None:
    """A node is put back to an old backup, once."""
    if not ground.nodes[code].was_restored:
        world.restore(ground.nodes[code], commits)


def reorder(code: str, ground: Ground) -> None:
    """What would arrive next arrives last."""
    for lane in Lane:
        ground.courier.reorder(code, lane, 0)


def lose(ground: Ground) -> None:
    """The courier loses everything that waits for the requested node."""
    for lane in Lane:
        ground.courier.lose(THERE, lane, world.ALL)


STEPS: dict[str, Callable[[Ground], object]] = {
    "A sends": partial(relay, HERE, ()),
    "A sends, the first is lost": partial(relay, HERE, (LOST,)),
    "A sends, the second is lost": partial(relay, HERE, (TAKEN, LOST)),
    "A sends, two are lost": partial(relay, HERE, (LOST, LOST)),
    "A receives": partial(receive, HERE, 9),
    "B receives": partial(receive, THERE, 9),
    "B receives one": partial(receive, THERE, 1),
    "B sends": partial(relay, THERE, ()),
    "B sends, the first is lost": partial(relay, THERE, (LOST,)),
    "A supplements": partial(wish, "supplement"),
    "A withdraws": partial(wish, "withdraw"),
    "A raises the tier": partial(wish, "raise_tier"),
    "B acknowledges": partial(act, "acknowledge"),
    "B reports": partial(act, "report_progress"),
    "B answers": partial(act, "answer"),
    "B cannot": partial(act, "not_executable"),
    "what A gets is reordered": partial(reorder, HERE),
    "the courier loses everything": lose,
    "B stores only": store_only,
    "B sweeps": lambda ground: world.sweep(ground.nodes[THERE]),
    "a month": lambda ground: world.pass_time(ground, timedelta(days=31)),
    "A's key is revoked": revoke,
    "B hears of it": lambda ground: world.learn(ground.nodes[THERE]),
    "A is restored, 2 commits": partial(restore, 2),
    "A is restored, 6 commits": partial(restore, 6),
    "B is restored, 6 commits": partial(restore, 6, code=THERE),
}


@dataclass(frozen=True, slots=True)
class Play:
    """From where, with which steps, and which claim is watched. `heals`: it is broken only when all has healed."""

    claim: str
    steps: tuple[str, ...]
    begins: Callable[[Ground], None] = dispatch
    heals: bool = False
    fifo: bool = True
    beside: frozenset[Rule] = frozenset()

    def run(self, steps: Sequence[str], without: frozenset[Rule]) -> BrokenError | None:
        """What these steps break in a world without these rules."""
        ground = Ground(without, fifo=self.fifo)
        ground.witness.watched = frozenset({self.claim})
        try:
            self.begins(ground)
            for step in steps:
                STEPS[step](ground)
                check_committed(ground)
            if self.heals:
                heal(ground)
                check_healed(ground)
        except BrokenError as broken:
            return broken
        return None

    def shortest(self, rule: Rule) -> tuple[str, ...]:
        """An order of steps that breaks the claim without the rule, and of which no step can be left out; else none."""
        dice, without = random.Random(SEED), self.beside | {rule}
        for _ in range(MOST):
            order = [dice.choice(self.steps) for _ in range(dice.randint(1, LONGEST))]
            if self.run(order, without) is not None:
                return self._shortened(order, without)
        return ()

    def _shortened(self, order: list[str], without: frozenset[Rule]) -> tuple[str, ...]:
        for place in reversed(range(len(order))):
            shorter = order[:place] + order[place + 1 :]
            if self.run(shorter, without) is not None:
                order = shorter
        return tuple(order)


PLAYS: dict[Rule, Play] = {
    Rule.PROBE: Play("delivery", ("A sends", "B receives", "the courier loses everything"), heals=True),
    Rule.LANE_FOLLOWS_TIER: Play("lane", ("A raises the tier", "A sends", "B receives")),
    Rule.FIVE_SECONDS: Play(
        "needless copy",
        ("B receives one", "B sends", "B sends, the first is lost", "A receives", "A sends"),
        two_under_way,
    ),
    Rule.JUDGED: Play("rows", ("A withdraws", "A sends", "B receives", "B acknowledges", "B cannot")),
    Rule.GENERATION_ADOPTED: Play(
        "generation",
        ("B reports", "B sends", "what A gets is reordered", "A receives"),
        acknowledged,
        fifo=False,
        beside=frozenset({Rule.ORDER}),
    ),
    Rule.EXPIRED_BY_FIRST_COPY: Play("expiry", ("A sends", "B receives", "B stores only", "B sweeps", "a month")),
    Rule.RAISE_UNDER_WAY_COUNTS: Play(
        "lane",
        ("A raises the tier", "A sends", "B receives", "B sends", "A receives"),
        raised,
    ),
    Rule.REVOKED_REFUSED: Play("key", ("A sends", "B receives", "A's key is revoked", "B hears of it")),
    Rule.WITHDRAWAL_BLOCKS: Play(
        "withdrawal",
        ("A supplements", "A withdraws", "A sends", "A sends, the first is lost", "B receives", "B answers"),
        acknowledged,
    ),
    Rule.WITHDRAWAL_FOUND_LATER: Play(
        "withdrawal",
        ("A sends", "A sends, the second is lost", "B receives", "B acknowledges", "B answers"),
        withdrawn,
    ),
    Rule.RESYNC: Play(
        "one text",
        ("A supplements", "A sends", "B receives", "A is restored, 6 commits"),
        acknowledged,
        heals=True,
    ),
    Rule.FATES_ADOPTED: Play(
        "fate",
        ("B sends", "A receives", "B is restored, 6 commits"),
        raised_later,
        heals=True,
    ),
    Rule.VOID_FILLS: Play(
        "delivery",
        ("B sends", "A receives", "A is restored, 6 commits"),
        gap,
        heals=True,
    ),
    Rule.ASKED_ON_BOTH_LANES: Play(
        "one text",
        ("A supplements", "A sends", "B receives", "B sends", "A receives", "A is restored, 2 commits"),
        acknowledged,
        heals=True,
    ),
}
