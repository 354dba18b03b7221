"""The demo as its user meets it: what it prints works, its tokens work, and when it ends nothing is left."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import signal
import stat
from typing import TYPE_CHECKING, Any

import httpx

from app.demo.network import run_demo
from app.demo.script import steps
from app.demo.seed import SEATS
from app.serving import listen_on
from tests.cli.shell import logging_of_its_own, refusal
from tests.demo.stage import NODES, STARTING, UP, nothing_remains, processes_in, three_ports
from tests.support.bus import eventually
from tests.support.ports import LOOPBACK, listens
from tests.support.processes import REPOSITORY, run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import pytest

    from tests.demo.stage import Demo


def test_it_says_where_everything_is(demo: Demo) -> None:
    """The banner names three states, their addresses and API docs, the tokens' file, and how all of it ends."""
    said = demo.said()
    for offset, name in enumerate(("Aurelia", "Kitano", "Sahran")):
        (line,) = [line for line in said.splitlines() if name in line]
        url = f"http://127.0.0.1:{demo.port + offset}"
        assert f"{url} " in line
        assert f"{url}/docs" in line
    assert str(demo.folder / "access.json") in said
    assert UP in said


async def test_docs_are_served(demo: Demo) -> None:
    """The address of the API docs that is printed answers with a page, and its API description is there."""
    for node in NODES:
        assert (await demo.ask(node, "/docs")).headers["content-type"].startswith("text/html")
        assert (await demo.ask(node, "/openapi.json")).json()["openapi"].startswith("3.1")


async def type_into_shell(line: str) -> Mapping[str, Any]:
    """The JSON answer that a printed line gets from its node.

    Where a machine has no curl, the words are taken apart by the shell's rules and sent by another client.
    """
    if shutil.which("curl"):
        done = await run("sh", "-c", line)
        assert done.code == 0, done.err
        answer: dict[str, Any] = httpx.Response(200, text=done.out).json()
        return answer
    words = shlex.split(line)
    headers = dict(words[at + 1].split(": ", 1) for at, word in enumerate(words) if word == "-H")
    document = (REPOSITORY / words[words.index("--data") + 1].removeprefix("@")).read_bytes()
    async with httpx.AsyncClient(trust_env=False) as client:
        taken: dict[str, Any] = (await client.post(words[2], headers=headers, content=document)).json()
        return taken


async def test_the_printed_line_files_a_request(demo: Demo) -> None:
    """Typed into a shell as it is printed, the line files a request; typed twice, it is still one request."""
    (line,) = [line for line in demo.said().splitlines() if line.strip().startswith("curl ")]
    first, second = [await type_into_shell(line) for _ in range(2)]
    assert (first["type"], first["state"], first["id"]) == ("PRESERVATION", "INTAKE", second["id"])
    read = await demo.ask("XA", f"/v1/requests/{first['reference']}", seat="duty_officer")
    assert read.json()["id"] == first["id"]


def test_access_is_for_us_alone(demo: Demo) -> None:
    """`access.json` holds tokens, so nobody else may read it; its shape is the documented one."""
    assert stat.S_IMODE((demo.folder / "access.json").stat().st_mode) == 0o600
    access = demo.access()
    assert tuple(access) == NODES
    for offset, node in enumerate(NODES):
        assert access[node].keys() == {"url", "tokens"}
        assert access[node]["url"] == f"http://127.0.0.1:{demo.port + offset}"
        assert list(access[node]["tokens"]) == [seat.key for seat in SEATS]


async def test_every_token_works(demo: Demo) -> None:
    """Each of the 36 tokens lets in at its own node, with its seat's role, and nowhere else."""
    for node in NODES:
        for seat in SEATS:
            me = await demo.ask(node, "/v1/me", seat=seat.key)
            assert me.status_code == 200, (node, seat.key)
            assert me.json()["role"] == seat.role
    foreign = demo.access()["XT"]["tokens"]["duty_officer"]
    async with httpx.AsyncClient(base_url=demo.access()["XA"]["url"], trust_env=False) as client:
        assert (await client.get("/v1/me", headers={"Authorization": f"Bearer {foreign}"})).status_code == 401


async def test_a_second_demo_on_the_same_port_is_refused(demo: Demo, make_demo: Callable[[], Demo]) -> None:
    """One sentence names the port, nothing is left of the second, and the first goes on."""
    second = make_demo()
    sentence = await refusal("demo", "--port", str(demo.port), "--folder", second.folder)
    assert f"Port {demo.port} on 127.0.0.1 is in use" in sentence
    assert not second.folder.exists()
    assert (await demo.ask("XA", "/readyz")).json()["status"] == "ready"


async def test_the_last_of_three_ports_in_use_is_refused(tmp_path: Path) -> None:
    """It is named as well, and the two that were free are free again."""
    port = three_ports()
    with listen_on(LOOPBACK, port + 2):
        assert f"Port {port + 2} " in await refusal("demo", "--port", str(port), "--folder", tmp_path / "demo")
    assert not any(listens(port + offset) for offset in range(3))
    assert not (tmp_path / "demo").exists()


async def test_a_second_demo_in_the_same_folder_is_refused(demo: Demo) -> None:
    """Its keys and tokens would take the place of the first one's: one sentence, and the first one's are untouched."""
    before = {path: path.read_bytes() for path in demo.folder.rglob("*.json")}
    sentence = await refusal("demo", "--port", str(three_ports()), "--folder", demo.folder)
    assert f"Another demo runs in {demo.folder}" in sentence
    assert {path: path.read_bytes() for path in demo.folder.rglob("*.json")} == before


async def ends_well(demo: Demo, number: signal.Signals) -> None:
    """Stop a demo that is up, and look at everything that it must not leave."""
    assert demo.remains().keys() == {"processes", "temporary files", "files", "ports"}  # the control
    assert len(processes_in(demo.room)) > 3
    assert await demo.ends(number) == 0, demo.said()
    await nothing_remains(demo)
    assert "Traceback" not in demo.said()


async def test_sigterm_leaves_nothing(make_demo: Callable[[], Demo]) -> None:
    """Ended by its supervisor, a demo exits with 0: no process, no file, no listening port, no dead token."""
    demo = make_demo()
    demo.start()
    await demo.says(UP)
    await ends_well(demo, signal.SIGTERM)


async def test_a_stop_while_it_starts_leaves_nothing(make_demo: Callable[[], Demo]) -> None:
    """Interrupted in the middle of its start, a demo ends as well and with 0."""
    demo = make_demo()
    demo.start()
    await demo.says(STARTING)
    assert await demo.ends(signal.SIGINT) == 0, demo.said()
    await nothing_remains(demo)
    assert UP not in demo.said()
    assert "Traceback" not in demo.said()


async def test_a_day_that_was_cut_short_did_not_happen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A stop is no failure of the demo, but `--once` exits with 0 only if every step happened."""
    with logging_of_its_own():
        playing = asyncio.create_task(run_demo(tmp_path / "demo", port=three_ports(), once=True))
        await eventually((tmp_path / "demo" / "network" / "XS.toml").exists, what="it does not start")
        os.kill(os.getpid(), signal.SIGTERM)
        assert await playing == 1
    assert UP not in capsys.readouterr().out
    assert list((tmp_path / "demo").iterdir()) == []


async def test_the_scripted_day_happens(make_demo: Callable[[], Demo]) -> None:
    """`--once` plays the day, prints a line per step, exits with 0, and leaves nothing."""
    demo = make_demo()
    demo.start("--once")
    assert await demo.process.ended(seconds=120) == 0, demo.said()
    said = demo.said()
    for number, (what, _) in enumerate(steps(), start=1):
        assert f" {number:<5} {what} " in said
    assert "FAILED" not in said
    assert said.endswith("Every step happened.\n")
    await nothing_remains(demo)


async def test_a_setting_of_a_real_node_stops_the_demo(
    demo: Demo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An exported DATABASE_URL would win over the demo's own; it is named, and nobody's database is written to."""
    monkeypatch.setenv("COUNTERPART_DATABASE_URL", "postgresql://counterpart_xa_app@db.example/real")
    sentence = await refusal("demo", "--port", str(three_ports()), "--folder", tmp_path / "demo")
    assert sentence.startswith("COUNTERPART_DATABASE_URL is set")
    assert not (tmp_path / "demo").exists()


async def test_ctrl_c_leaves_nothing(demo: Demo) -> None:
    """Ctrl-C does too. The last test here, for it ends the demo that the others look at."""
    await ends_well(demo, signal.SIGINT)
