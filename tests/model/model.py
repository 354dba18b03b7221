"""A model of delivery: three nodes, their disks, a clock, and a courier that may do anything.

What is modelled, as plain values without database, broker or network:

* outbox rows (due, confirmed, left), copies, leases, rounds of the relay between their two commits, evidence and probes
  per peer and lane, ways that rest because nothing gets out: `sending.py`. The decisions are those of the program
  (`app/bus/attempts.py`, `app/domain/passage.py`);
* inbox, duplicates, gaps, quarantine, second texts, receipts in the transaction that stores, fates in the order of the
  thread, the one answer per thread: `receiving.py`;
* exchanges at the requested node and replicas with acts under way at the requesting one, through the functions of
  `app/domain` themselves and their wire bodies: `effects.py`, `desks.py`;
* signing keys by name, revocation, signing again, a directory that each node reads when it does;
* a disk put back to an old backup, and the resync that follows (one part per list): `resync.py`;
* processes that die at every commit point, batches in hand, several rounds at once; a courier that loses, doubles,
  refuses, answers nothing and delivers late, on queues that keep their order or do not: `world.py`, `courier.py`.

What is not: cryptography (a text is who signed what when under which key), sizes and limits but one, the audit log,
attachments, heartbeats, HTTP, parties and people beyond the two sides of an exchange, and the text of any screen.

`rules.py` names the rules that can be taken away. `witness.py` and `truths.py` hold the claims; each has a name:

    once             no message has its effect twice at one node
    order            the numbers of a thread have their effects one after the other
    outbox           nothing leaves the outbox without a receipt but receipts
    receipt          what the sender shows as stored is stored, and is that text
    delivery         with an honest courier everything gets through, and every number has one fate
    fate             the requesting side shows of each act the fate it had at the requested side
    equal            both sides show the same state, generation, holds and open question
    replica          the requesting side shows nothing that the requested side has not written
    generation       a replica never goes back, and each write is one generation
    rows             each write follows a row of the table, and an end is an end
    seen             no officer acts on an exchange that has changed since they read it
    withdrawal       nothing is executed while a verified withdrawal waits behind a gap
    undeliverable    the mark goes with the first news
    urgent, lane     what is urgent gets through while the routine lane stands still, and is queued for the other one
    expiry           an opening has expired if its first copy came too late, and only then
    key              nothing is believed under a key that was revoked before it came
    first text       the first text of a message stands, unless its key was revoked and nothing was applied
    one text         nobody ever holds two texts of one message
    needless copy    on queues that keep their order, evidence makes nothing due that is not lost, nor its receipt
    recovery         every resync comes to its end

`machine.py` lets Hypothesis choose what happens, some 5,000 steps in a run of the tests; COUNTERPART_TEST_MODEL_STEPS
sets another number and COUNTERPART_TEST_SEED another seed. `controls.py` and `plays.py` take each rule away and look
for the schedule that shows what it was for.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

if TYPE_CHECKING:
    from tests.model.machine import Schedule

STEPS = 5_000
STEPS_OF_A_RUN = 50


@dataclass(frozen=True, slots=True)
class Size:
    """How long the model is run, and from which seed."""

    steps: int
    seed: int


def wanted_size() -> Size:
    """That of a run of the tests, or what the environment asks for."""
    steps = int(os.environ.get("COUNTERPART_TEST_MODEL_STEPS", str(STEPS)))
    return Size(steps, int(os.environ.get("COUNTERPART_TEST_SEED", "1")))


def run(kind: type[Schedule], size: Size) -> None:
    """As many schedules as make so many steps; raises BrokenError with the steps that led there."""
    given = settings(
        max_examples=max(1, size.steps // STEPS_OF_A_RUN),
        stateful_step_count=STEPS_OF_A_RUN,
        phases=(Phase.generate, Phase.shrink),
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(seed(size.seed)(type(kind.__name__, (kind,), {})), settings=given)


def report(line: str) -> None:
    """For who runs the tests with their output shown, or looks at one that failed."""
    sys.stdout.write(f"{line}\n")
