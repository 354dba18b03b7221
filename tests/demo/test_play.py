"""The scripted day counts as played only if every step was; the first that did not happen is named."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from app.demo.client import StepFailed, open_line
from app.demo.play import play
from app.demo.script import steps
from app.domain.codes import RequestType
from tests.demo.theatre import open_theatre, seated
from tests.support.ports import LOOPBACK, free_ports

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.demo.theatre import Theatre
    from tests.support.postgres import PostgresServer

FIRST_STEP_OF_XT = 5


@pytest.fixture(scope="module")
async def stage(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Theatre]:
    """The nodes, kept by a task of its own: a fixture begins in one task and ends in another, task groups may not."""
    opened: asyncio.Future[Theatre] = asyncio.get_running_loop().create_future()
    done = asyncio.Event()

    async def keep() -> None:
        async with open_theatre(postgres, tmp_path_factory.mktemp("theatre")) as theatre:
            opened.set_result(theatre)
            await done.wait()

    keeping = asyncio.create_task(keep())
    either: set[asyncio.Future[Any]] = {keeping, opened}
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    if keeping.done():
        await keeping
    yield opened.result()
    done.set()
    await keeping


@pytest.fixture
async def theatre(stage: Theatre) -> Theatre:
    """The nodes, XT well again whatever the test before did to it."""
    stage.start_xt()
    return stage


def failure(said: str) -> tuple[int, str]:
    """Number and name of the step that the last line names; the table shows the same and nothing after it."""
    table, last = said.rstrip("\n").rsplit("\n", 1)
    assert last.startswith("Step "), said
    number = int(last.split()[1])
    what = steps()[number - 1][0]
    assert last.startswith(f"Step {number} failed: {what}. ")
    assert last.endswith(".")
    row = table.splitlines()[-1]
    assert row.split()[0] == str(number)
    assert "FAILED: " in row
    return number, last.removeprefix(f"Step {number} failed: {what}. ")


STOPPED = {1: FIRST_STEP_OF_XT, FIRST_STEP_OF_XT: FIRST_STEP_OF_XT, 9: 9, 12: 13}
"""With XT stopped before which step, which is the first that needs it: what happens at home does happen."""


@pytest.mark.parametrize("before", STOPPED)
async def test_a_node_that_stopped_is_named_by_the_step(
    theatre: Theatre, capsys: pytest.CaptureFixture[str], before: int
) -> None:
    """With XT stopped before a step, the day ends with 1 at the first step from there on that needs XT, at once.

    The steps before it are the control: each of them happened.
    """
    assert await play(theatre.day(), theatre.stopping_before(before)) == 1
    number, why = failure(capsys.readouterr().out)
    assert number == STOPPED[before]
    assert why.startswith("XT does not answer (")


async def test_nobody_at_the_address_is_named(theatre: Theatre, capsys: pytest.CaptureFixture[str]) -> None:
    """A day whose address of XT is a port on which nobody listens fails at the first step of XT."""
    day = theatre.day()
    async with open_line(f"http://{LOOPBACK}:{free_ports(1)[0]}") as line:
        away = {seat: replace(person, http=line) for seat, person in day.people["XT"].items()}
        assert await play(replace(day, people={**day.people, "XT": away})) == 1
    assert failure(capsys.readouterr().out) == (FIRST_STEP_OF_XT, "XT does not answer (ConnectError).")


async def test_a_node_that_only_answers_people_is_named(theatre: Theatre, capsys: pytest.CaptureFixture[str]) -> None:
    """When XT's gateway answers but its loops receive nothing, the step waits for the day's patience and no longer."""
    theatre.world.bus.pause("XT")
    assert await play(replace(theatre.day(), patience=3.0)) == 1
    number, why = failure(capsys.readouterr().out)
    assert number == FIRST_STEP_OF_XT
    assert why == "delivery: not within 3 s at XA; last seen state DISPATCHED."


REFUSED: dict[str, tuple[str, dict[str, str], int, str]] = {
    "an agency that may only read": ("XA", {"agency_officer": "agency_viewer"}, 1, "403 role_not_allowed"),
    "a duty officer who signs": ("XA", {"supervisor": "duty_officer"}, 4, "403 "),
    "a monitor at the desk of XT": ("XT", {"duty_officer": "monitor"}, 5, "403 role_not_allowed"),
}


@pytest.mark.parametrize("who", REFUSED)
async def test_a_refusal_is_shown_with_its_code(theatre: Theatre, capsys: pytest.CaptureFixture[str], who: str) -> None:
    """A node that answers no fails the step, and what it said is shown: path, status, code."""
    node, seats, step, answer = REFUSED[who]
    assert await play(seated(theatre.day(), node, **seats)) == 1
    number, why = failure(capsys.readouterr().out)
    assert number == step
    assert f" at {node}: {answer}" in why


async def test_a_proof_that_does_not_hold_fails_the_day(theatre: Theatre, capsys: pytest.CaptureFixture[str]) -> None:
    """A proof is verified with the key of its own log: with another one the step fails."""
    day = theatre.day()
    proving = [step for step in steps() if "XA can be proven" in step[0]]
    assert await play(day, proving) == 0
    false = replace(day, log_keys={**day.log_keys, "XA": day.log_keys["XT"]})
    assert await play(false, proving) == 1
    assert "the proof of XA does not hold" in capsys.readouterr().out


async def test_waiting_ends_with_what_was_last_seen(theatre: Theatre) -> None:
    """Who waits for what does not come gives up in time and says so."""
    monitor = theatre.nodes["XA"].person("monitor")
    with pytest.raises(StepFailed, match="the moon: not within 0 s at XA") as gave_up:
        await monitor.awaited("/readyz", lambda _: False, seconds=0.05, what="the moon")
    assert monitor.token not in repr(monitor) + str(gave_up.value)


async def test_a_proxy_of_the_environment_is_not_asked(theatre: Theatre, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo talks to its own machine directly, whatever HTTP_PROXY says."""
    monkeypatch.setenv("HTTP_PROXY", f"http://{LOOPBACK}:{free_ports(1)[0]}")
    node = theatre.nodes["XA"]
    async with open_line(node.url) as line:
        seen = await replace(node.person("monitor"), http=line).get("/readyz")
    assert seen["status"] == "ready"


PLACES = {
    RequestType.PRESERVATION: ("XA files an urgent preservation", "XT reports the data preserved"),
    RequestType.PRESERVATION_EXTENSION: ("asks for more time", "XT grants more time"),
    RequestType.TRAFFIC_PATH_DISCLOSURE: ("XT finds a provider in a third state on the path",),
    RequestType.TECHNICAL_ADVICE: ("asks XS for technical advice", "XS acknowledges and answers"),
    RequestType.LEGAL_INFORMATION: ("asks XT what its law permits", "XT acknowledges and answers"),
    RequestType.PROVIDER_CONTACT: ("asks XT how a provider is reached",),
    RequestType.EVIDENCE_COLLECTION: ("asks XS for evidence", "XS collects it"),
    RequestType.LOCATE_SUSPECT: ("asks XT to locate a suspect", "XT tells where the suspect is"),
    RequestType.MLA_INITIATION: ("asks XT to begin mutual assistance",),
    RequestType.SPONTANEOUS_INFORMATION: ("offers XT information under a condition", "XA sends the information"),
    RequestType.EMERGENCY_DISCLOSURE: ("what was asked by voice is sent in writing", "XS discloses at once"),
    RequestType.EMERGENCY_MLA_NOTICE: ("gives notice of an emergency letter", "XS answers the notice"),
    RequestType.DATA_LOCATION_QUERY: ("asks XS where data are",),
    RequestType.PING: ("XA pings the desk of XT",),
    RequestType.DRILL: ("XA drills the desk of XS",),
}
"""Type of request → words of the steps in which it leaves and is answered."""


def test_each_type_has_its_place() -> None:
    """Every type of the closed list has its steps in the day: requests, the act, and the test calls."""
    names = [what for what, _ in steps()]
    assert PLACES.keys() == set(RequestType)
    for words in PLACES.values():
        assert all(any(word in name for name in names) for word in words), words


def test_the_day_has_the_steps_of_the_design() -> None:
    """The script has the steps of the design: filed, signed, delivered, preserved, held, answered, declined, proven."""
    names = " ".join(what for what, _ in steps())
    for word in (
        "files",
        "signs",
        "delivered to XT",
        "on the path",
        "preserved",
        "60 days",
        "grants more time",
        "XS acknowledges and answers",
        "accepts the condition",
        "sends the information",
        "regularised",
        "declined",
        "Nobody abroad",
        "proven",
    ):
        assert word in names
