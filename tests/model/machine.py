"""Any schedule of what may happen, as a Hypothesis state machine; at the end of each run the courier becomes honest."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from app.domain.codes import Lane, RequestType, Tier
from app.domain.exchange_codes import Side
from tests.model import desks, world
from tests.model.courier import Outcome
from tests.model.ground import Ground
from tests.model.sending import begin_round, settle, sign_again
from tests.model.truths import check_committed, check_healed, heal
from tests.model.values import CODES

if TYPE_CHECKING:
    from uuid import UUID

    from app.domain.exchange.values import Exchange
    from tests.model.ground import Node
    from tests.model.rules import Rule

CODE = st.sampled_from(CODES)
LANE = st.sampled_from(list(Lane))
TYPE = st.sampled_from(
    [
        RequestType.PRESERVATION,
        RequestType.PRESERVATION,
        RequestType.LEGAL_INFORMATION,
        RequestType.SPONTANEOUS_INFORMATION,
    ]
)
TIER = st.sampled_from([Tier.ROUTINE, Tier.URGENT, Tier.EMERGENCY])
ANY = st.integers(0, 999)
FEW = st.integers(1, 6)
SECONDS = st.sampled_from([0, 1, 4, 6, 20, 70, 400, 2_000, 20_000, 90_000, 2_700_000, 5_400_000])
OUTCOMES = st.lists(st.sampled_from([Outcome.TAKEN, *Outcome]), max_size=4)
USUAL = ("acknowledge", "accept_information", "accept", "start", "preserve", "answer", "grant_extension", "release")
DEATHS = st.sampled_from(["", "", "before commit", "before acknowledging"])


class Schedule(RuleBasedStateMachine):
    """Three nodes and a courier. A subclass takes rules away, or narrows what may happen and what is watched."""

    without: ClassVar[frozenset[Rule]] = frozenset()
    restores: ClassVar[bool] = True
    couriers: ClassVar[tuple[bool, ...]] = (True, False)
    watched: ClassVar[frozenset[str]] = frozenset()
    heals: ClassVar[bool] = True
    thieves: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self.ground = Ground(self.without)
        self.read: dict[tuple[str, UUID], Exchange] = {}

    @initialize(data=st.data(), requesting=CODE, type_=TYPE, tier=TIER)
    def begin(self, data: st.DataObject, requesting: str, type_: RequestType, tier: Tier) -> None:
        """One exchange is there; the courier keeps the order of its queues, or does not."""
        fifo = data.draw(st.sampled_from(self.couriers))
        self.ground = Ground(self.without, fifo=fifo)
        self.ground.witness.watched = self.watched
        desks.dispatch(self.node(requesting), self.node(requesting).peers[0], type_, tier=tier)
        for _ in range(data.draw(st.integers(0, 5))):
            self.breathe(1)
            self.work(requesting, 0)

    def node(self, code: str) -> Node:
        """The node of that code."""
        return self.ground.nodes[code]

    # People

    @rule(code=CODE, to=ANY, type_=TYPE, tier=TIER)
    def dispatch(self, code: str, to: int, type_: RequestType, tier: Tier) -> None:
        """A request leaves."""
        node = self.node(code)
        if len(node.store.exchanges) < 4 and node.peers[to % 2] not in node.store.closed:
            desks.dispatch(node, node.peers[to % 2], type_, tier=tier)

    @rule(code=CODE, which=ANY, action=ANY)
    def wish(self, code: str, which: int, action: int) -> None:
        """An officer of a requesting side acts on its snapshot."""
        node = self.node(code)
        mine = world.exchange_ids(node, incoming=False)
        if mine:
            value = node.store.exchanges[mine[which % len(mine)]].value
            choices = desks.choices(node, value, side=Side.REQUESTING)
            if choices:
                desks.wish(node, value.id, choices[action % len(choices)])

    @rule(code=CODE, which=ANY)
    def look(self, code: str, which: int) -> None:
        """An officer of a requested side reads an exchange, to act on it some time later."""
        node = self.node(code)
        ours = world.exchange_ids(node, incoming=True)
        if ours:
            id = ours[which % len(ours)]
            self.read[code, id] = node.store.exchanges[id].value

    @rule(code=CODE, which=ANY, action=ANY, again=st.booleans())
    def act(self, code: str, which: int, action: int, again: bool = True) -> None:  # noqa: FBT001, FBT002 - hypothesis names it
        """An officer of a requested side acts, on what they have just read or read a while ago."""
        node = self.node(code)
        ours = world.exchange_ids(node, incoming=True)
        if ours:
            id = ours[which % len(ours)]
            seen = node.store.exchanges[id].value
            if not again:
                seen = self.read.get((code, id), seen)
            choices = desks.choices(node, seen, side=Side.REQUESTED)
            if choices:
                desks.act_here(node, id, choices[action % len(choices)], seen=seen)

    @rule(code=CODE, which=ANY)
    def work(self, code: str, which: int) -> None:
        """An officer of the requested side takes the next step on the usual way."""
        mine = world.exchange_ids(self.node(code), incoming=False)
        if mine:
            value = self.node(code).store.exchanges[mine[which % len(mine)]].value
            node = self.node(value.requested)
            if value.id in node.store.exchanges:
                seen = node.store.exchanges[value.id].value
                possible = desks.choices(node, seen, side=Side.REQUESTED)
                usual = [choice for choice in possible if choice[0] in USUAL]
                if usual:
                    desks.act_here(node, value.id, usual[0], seen=seen)

    @rule(code=CODE, which=ANY)
    def note(self, code: str, which: int) -> None:
        """A request that was passed by voice is noted at the requested node."""
        node = self.node(code)
        mine = world.exchange_ids(node, incoming=False)
        if mine:
            value = node.store.exchanges[mine[which % len(mine)]].value
            desks.note(self.node(value.requested), code, value.id, type_=value.type)

    # Nodes

    @rule(code=CODE, lane=LANE, outcomes=OUTCOMES)
    def relay(self, code: str, lane: Lane, outcomes: list[Outcome]) -> None:
        """A round of the relay, whole."""
        world.relay(self.node(code), lane, outcomes)

    @rule(code=CODE, lane=LANE, outcomes=OUTCOMES, go=st.booleans())
    def relay_slowly(self, code: str, lane: Lane, outcomes: list[Outcome], go: bool) -> None:  # noqa: FBT001 - as above
        """A round begins, and either stops after its first commit or before its second."""
        begun = begin_round(self.node(code), lane)
        if go:
            world.publish(self.node(code), begun, outcomes)

    @rule(code=CODE)
    def go_on(self, code: str) -> None:
        """The oldest unfinished round comes to its end."""
        node = self.node(code)
        if node.rounds:
            begun = node.rounds[0]
            world.publish(node, begun)
            settle(node, begun)

    @rule(code=CODE, lane=LANE, most=FEW, dies=DEATHS)
    def receive(self, code: str, lane: Lane, most: int, dies: str) -> None:
        """A batch is stored, receipted and applied, and acknowledged if the process lives."""
        handed = world.hand_over(self.node(code), lane, most)
        if handed is not None:
            world.receive(self.node(code), handed, dies=dies)

    @rule(code=CODE, lane=LANE, most=FEW)
    def take_in_hand(self, code: str, lane: Lane, most: int) -> None:
        """A process takes a batch and is slow."""
        world.hand_over(self.node(code), lane, most)

    @rule(code=CODE, which=ANY, only=st.booleans())
    def deal_with_hand(self, code: str, which: int, only: bool) -> None:  # noqa: FBT001 - as above
        """One of the batches in hand is dealt with, whole or as when an effect raises."""
        node = self.node(code)
        if node.hands:
            handed = node.hands[which % len(node.hands)]
            if only:
                world.store_only(node, handed)
            else:
                world.receive(node, handed)

    @rule(times=st.integers(1, 3))
    def breathe(self, times: int) -> None:
        """A quiet minute: what is due leaves, what is under way arrives."""
        for _ in range(times):
            for node in self.ground.nodes.values():
                for lane in Lane:
                    world.relay(node, lane)
            world.deliver_all(self.ground)

    @rule(seed=st.integers(0, 2**16), losses=st.integers(0, 5))
    def rough_minute(self, seed: int, losses: int) -> None:
        """A busy minute on a bad courier: acts, rounds, deaths, losses, batches of all sizes, seconds apart."""
        dice = random.Random(seed)
        here, there = dice.sample(CODES, 2)
        for _ in range(16):
            for code in (here, there):
                self._rough_second(dice, self.node(code), losses)
            self.dispatch(here, 0, RequestType.PRESERVATION, Tier.ROUTINE)
            dice.choice([self.wish, self.act, self.act])(here, dice.randrange(99), dice.randrange(99))
            self.work(here, dice.randrange(99))
            world.pass_time(self.ground, timedelta(seconds=dice.choice([0, 1, 3, 6])))

    def _rough_second(self, dice: random.Random, node: Node, losses: int) -> None:
        for lane in dice.sample(list(Lane), dice.randint(1, 2)):
            world.relay(node, lane, [dice.choice(list(Outcome)) for _ in range(4) if dice.randrange(20) < losses])
            if dice.randrange(20) < losses:
                self.disturb(node.code, lane, dice.randrange(9), dice.choice(["lose", "double", "reorder"]))
            handed = world.hand_over(node, lane, dice.randint(1, 6))
            if handed is not None:
                dies = dice.choice(["", "", "", "before commit", "before acknowledging"]) if losses else ""
                world.receive(node, handed, dies=dies)

    @rule(code=CODE)
    def sweep(self, code: str) -> None:
        """The regular loops of a node."""
        world.sweep(self.node(code))
        desks.let_timers_run(self.node(code))
        sign_again(self.node(code))

    @rule(code=CODE)
    def die(self, code: str) -> None:
        """The processes of a node are killed and started again."""
        self.node(code).die()

    # What breaks

    @rule(code=CODE, lane=LANE, most=FEW)
    def lose(self, code: str, lane: Lane, most: int) -> None:
        """The courier loses the head of a queue."""
        self.ground.courier.lose(code, lane, most if most < 6 else world.ALL)

    @rule(code=CODE, lane=LANE, place=ANY, how=st.sampled_from(["lose", "double", "reorder"]))
    def disturb(self, code: str, lane: Lane, place: int, how: str) -> None:
        """The courier loses, doubles or delays one parcel."""
        courier = self.ground.courier
        if how == "lose":
            courier.lose_one(code, lane, place)
        elif how == "double":
            courier.double(code, lane, place)
        elif not self.ground.fifo:
            courier.reorder(code, lane, place)

    @rule()
    def late(self) -> None:
        """What the courier had taken without an answer gets into its queue."""
        self.ground.courier.bring_late()

    @rule(seconds=SECONDS)
    def time_passes(self, seconds: int) -> None:
        """The clock goes on."""
        world.pass_time(self.ground, timedelta(seconds=seconds))

    @rule(code=CODE)
    def revoke(self, code: str) -> None:
        """A signing key is revoked; its owner knows at once."""
        if self._may_revoke(code):
            world.revoke(self.node(code))
            world.learn(self.node(code))

    def _may_revoke(self, code: str) -> bool:
        return sum(key.startswith(code) for key in self.ground.versions[-1]) < 2

    @rule(code=CODE)
    def learn(self, code: str) -> None:
        """A node reads the newest directory."""
        world.learn(self.node(code))

    @rule(code=CODE, which=ANY)
    def remark(self, code: str, which: int) -> None:
        """A message leaves that its reader is too old for."""
        node = self.node(code)
        keys = list(node.store.threads)
        if keys:
            world.remark(node, *keys[which % len(keys)])

    @rule(code=CODE, which=ANY)
    def crash_on(self, code: str, which: int) -> None:
        """The effect of a held message cannot be carried out."""
        node = self.node(code)
        held = [key for key, kept in node.store.inbox.items() if kept.state.value == "held" and kept.text.thread]
        if held:
            world.crash_on(node, held[which % len(held)])

    @rule(code=CODE, which=ANY)
    def void(self, code: str, which: int) -> None:
        """Two officers void a quarantined message."""
        node = self.node(code)
        kept = [key for key, row in node.store.inbox.items() if row.state.value == "quarantined"]
        if kept:
            world.void(node, kept[which % len(kept)])

    @precondition(lambda self: self.restores)
    @rule(code=CODE, commits=st.integers(1, 60))
    def restore(self, code: str, commits: int) -> None:
        """A node is put back to an old backup; one at a time, and on queues that keep their order."""
        if self.ground.fifo and not any(node.store.closed for node in self.ground.nodes.values()):
            self.ground.courier.bring_late()
            world.restore(self.node(code), commits)
            self.read = {key: seen for key, seen in self.read.items() if key[0] != code}

    @precondition(lambda self: self.thieves)
    @rule(code=CODE, which=ANY, old=st.booleans())
    def forge(self, code: str, which: int, old: bool) -> None:  # noqa: FBT001 - as above
        """Somebody has stolen a signing key, one in use or one that was revoked, and speaks in the node's name."""
        node = self.node(code)
        rows = [row for row in node.store.outbox.values() if row.thread is not None]
        keys = [key for key in node.directory if key.startswith(code)] if old else [node.key]
        if rows and keys:
            world.forge(node, rows[which % len(rows)].id, kid=keys[-1])

    # Claims

    @invariant()
    def holds(self) -> None:
        """What must hold at every moment."""
        check_committed(self.ground)

    def teardown(self) -> None:
        """What must hold in the end."""
        if self.heals:
            heal(self.ground)
            check_healed(self.ground)
