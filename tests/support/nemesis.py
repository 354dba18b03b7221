"""Three nodes under load and under attack: seeded faults of all kinds, and in the end the histories are compared.

Run as `python -m tests.support.nemesis --seed N --seconds S --out FOLDER`; it ends with 0 only if nothing was lost,
doubled, disordered or off the record. The report is `FOLDER/seed-N.json` and `.md`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.e2e.ground import ControlledRabbit, Ground, GuardedPostgres
from tests.support.crew import siblings
from tests.support.evidence import are_quiet, find, same_at_both, verify_log
from tests.support.people import People
from tests.support.processes import until
from tests.support.servers import running
from tests.support.strikes import Nemesis, Post

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from tests.support.processes import Site

CODES = ("XA", "XT", "XS")
AT_WORK = 4
"""People who send at the same time."""

QUIET_SECONDS = 300.0
"""Within which everything has to be as it should after the last fault; an hour's pause must not be among them."""

RESTS = (0.5, 4.0)
"""Seconds between two faults."""


@dataclass
class Report:
    """One run."""

    seed: int
    seconds: float
    faults: list[str] = field(default_factory=list)
    people: dict[str, object] = field(default_factory=dict)
    settled_after: float | None = None
    findings: dict[str, list[str]] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether nothing is to be told."""
        return not any(self.findings.values()) and not self.differences and not self.trouble

    def written(self) -> str:
        """The report for people."""
        settled = "never" if self.settled_after is None else f"after {self.settled_after:.1f} s"
        faults = f"{len(self.faults)} faults in {self.seconds:.0f} s of load on {', '.join(CODES)}; quiet {settled}."
        sets = [f"| {name} | {len(members)} |" for name, members in self.findings.items()]
        named = [f"- {name}: {member}" for name, members in self.findings.items() for member in members[:50]]
        return "\n".join(
            [
                f"# Faults, seed {self.seed}: {'nothing found' if self.is_clean else 'FOUND SOMETHING'}",
                "",
                faults,
                f"People: {json.dumps(self.people)}",
                "",
                "| set | members |",
                "| --- | --- |",
                *sets,
                *(f"\n{line}" for line in [*named, *self.differences, *self.trouble]),
                "",
                "## What was done",
                "",
                *(f"{number}. {fault}" for number, fault in enumerate(self.faults, start=1)),
                "",
            ]
        )


@asynccontextmanager
async def network_of(folder: Path) -> AsyncIterator[tuple[Mapping[str, Sequence[Site]], Nemesis]]:
    """XA as two gateways and two workers, XT and XS whole; all of them at work. The dice are the caller's."""
    async with AsyncExitStack() as stack:
        postgres = stack.enter_context(running(GuardedPostgres))
        rabbit = stack.enter_context(running(ControlledRabbit))
        await postgres.admit()
        ground = Ground(postgres, rabbit)
        network = await stack.enter_async_context(ground.network(folder / "network", CODES, living=CODES))
        apart = await stack.enter_async_context(siblings(network["XA"], "g1", "g2", "w1", "w2"))
        posts = [Post(site, verb) for site, verb in zip(apart, ("gateway", "gateway", "work", "work"), strict=True)]
        posts += [Post(network[code], "serve") for code in CODES[1:]]
        for post in posts:
            post.start()
        gateways = {"XA": apart[:2], "XT": [network["XT"]], "XS": [network["XS"]]}
        await asyncio.gather(*(site.ready() for sites in gateways.values() for site in sites))
        yield gateways, Nemesis(network, posts, random.Random(0))


async def run(seed: int, seconds: float, folder: Path) -> Report:
    """Load and faults for so many seconds, then rest and compare."""
    report = Report(seed, seconds)
    async with network_of(folder) as (gateways, nemesis):
        nemesis.dice, over = random.Random(seed), asyncio.Event()
        people = People(gateways, random.Random(seed + 1))
        async with asyncio.TaskGroup() as load:
            for person in range(AT_WORK):
                load.create_task(people.work(f"P{person}", over))
            await attack(nemesis, seconds)
            over.set()
        report.faults, report.people = nemesis.said, asdict(people.tally)
        await compare(report, gateways, people)
    return report


async def attack(nemesis: Nemesis, seconds: float) -> None:
    """One fault after the other until the time is up; then everything runs again."""
    begun = time.monotonic()
    while (passed := time.monotonic() - begun) < seconds:
        await asyncio.sleep(nemesis.span(*RESTS))
        await nemesis.strike()
        print(f"{passed:6.0f} s  {nemesis.said[-1]}", flush=True)  # noqa: T201 - to whoever waits for minutes
    await nemesis.heal()


async def compare(report: Report, gateways: Mapping[str, Sequence[Site]], people: People) -> None:
    """Wait for quiet, and look for what is not as it should be."""
    sites, begun = {code: some[0] for code, some in gateways.items()}, time.monotonic()
    await asyncio.gather(*(site.ready() for site in sites.values()))
    try:
        await until(lambda: are_quiet(sites.values()), what="nothing under way", seconds=QUIET_SECONDS)
        report.settled_after = time.monotonic() - begun
    except AssertionError as fault:
        report.trouble.append(str(fault))
    found = await find(sites, people.wanted.values())
    report.findings = {name: sorted(members) for name, members in found.sets().items()}
    for ours in sites.values():
        for theirs in sites.values():
            if ours is not theirs and (difference := await same_at_both(ours, theirs)):
                report.differences.append(f"{ours.code} and {theirs.code}: {difference}")
        try:
            await verify_log(ours)
        except AssertionError as fault:
            report.trouble.append(str(fault))


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cp-faults-") as folder:
        report = asyncio.run(run(asked.seed, asked.seconds, Path(folder)))
    asked.out.mkdir(parents=True, exist_ok=True)
    written = report.written()
    (asked.out / f"seed-{asked.seed}.json").write_text(json.dumps(asdict(report), indent=2) + "\n")
    (asked.out / f"seed-{asked.seed}.md").write_text(written)
    print(written)  # noqa: T201 - (as above)
    return 0 if report.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
