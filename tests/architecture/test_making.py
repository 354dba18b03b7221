"""`make` on a machine that lacks something ends with one sentence, and never with half of the work."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from scripts.check import FONTS, Missing, Report, ensure_broker, ensure_fonts, groups
from tests.architecture.source import ROOT

if TYPE_CHECKING:
    from pathlib import Path

SH = "/bin/sh"
FINDER = str(ROOT / "scripts" / "python.sh")


def find(path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Look for an interpreter with nothing but `path` to look in."""
    command = [SH, FINDER, "-c", "print('found')"]
    environment = {"PATH": str(path)} | environment
    return subprocess.run(command, env=environment, check=False, capture_output=True, text=True)


def interpreter(folder: Path, name: str, body: str) -> Path:
    """A program that answers like some Python."""
    path = folder / name
    path.write_text(f"#!{SH}\n{body}\n")
    path.chmod(0o755)
    return path


def test_newer_python_is_taken_when_the_first_is_old(tmp_path: Path) -> None:
    """An old `python3` does not stand in the way of a `python3.12` beside it."""
    interpreter(tmp_path, "python3", "echo old >&2; exit 1")
    interpreter(tmp_path, "python3.12", f'exec {sys.executable} "$@"')
    done = find(tmp_path)
    assert (done.returncode, done.stdout) == (0, "found\n")


@pytest.mark.parametrize(
    ("answer", "named", "word"),
    [
        ("echo old >&2; exit 1", False, "3.11 or newer"),
        ("echo old >&2; exit 1", True, "PYTHON="),
        ("echo \"No module named 'ensurepip'\" >&2; exit 1", False, "python3-venv"),
    ],
)
def test_unusable_python_is_one_sentence(tmp_path: Path, answer: str, word: str, *, named: bool) -> None:
    """Too old, or unable to make environments: one sentence that says what to do, and a non-zero code."""
    path = interpreter(tmp_path, "python3", answer)
    done = find(tmp_path, **({"PYTHON": str(path)} if named else {}))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert word in done.stderr


def test_unwritable_checkout_is_one_sentence(tmp_path: Path) -> None:
    """Where `.venv` cannot be made, one sentence says so and nothing is installed."""
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "install.py").write_bytes((ROOT / "scripts" / "install.py").read_bytes())
    for name in ("requirements.lock", "requirements-dev.lock", "pyproject.toml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / ".venv").write_text("a file stands in its place")
    command = [sys.executable, str(scripts / "install.py"), "demo"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "cannot be made" in done.stderr


def report(tmp_path: Path, *cases: str, code: int = 0) -> Report:
    """What check.py makes of a pytest report with these cases."""
    file = tmp_path / "report.xml"
    suite = ET.Element("testsuite")
    for case in cases:
        made = ET.SubElement(suite, "testcase", classname="tests.bus.test_relay", name=case or "passes", time="0.5")
        if case:
            ET.SubElement(made, case)
    ET.ElementTree(suite).write(file)
    made_of_it = Report()
    made_of_it.add(code, file)
    return made_of_it


def test_green_run_is_green(tmp_path: Path) -> None:
    """A run in which every test passed fails nothing, and its seconds are told by folder."""
    made = report(tmp_path, "", "")
    assert made.failures == []
    assert made.by_folder == {"tests/bus": 1.0}


def test_skipped_test_fails_the_run(tmp_path: Path) -> None:
    """A skipped test turns a run red that pytest itself calls green."""
    assert report(tmp_path, "", "skipped").failures == ["skipped: tests.bus.test_relay.skipped"]


def test_failure_and_emptiness_fail_the_run(tmp_path: Path) -> None:
    """A failing pytest, a run of nothing, and a missing report are failures."""
    assert report(tmp_path, "", code=1).failures
    assert report(tmp_path).failures
    nothing = Report()
    nothing.add(0, tmp_path / "missing.xml")
    assert nothing.failures


def test_the_runs_are_the_whole() -> None:
    """What one of the runs side by side leaves out of everything is what the others run, and nothing else."""
    runs = [group[2:] for group in groups()]
    (rest,) = [run for run in runs if run[0] == "tests"]
    others = [run for run in runs if run is not rest]
    folders = [name for group in others for name in group]
    assert all(group[:2] == ["-m", "not long"] for group in groups())
    assert folders
    assert all((ROOT / name).is_dir() for name in folders)
    assert rest == ["tests", *(f"--ignore={name}" for name in folders)]


def test_missing_broker_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without RabbitMQ and without a way to install it, one sentence says what to do; with it, nothing is done."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Missing, match=r"rabbitmq-server.*\.$"):
        ensure_broker(tmp_path / "rabbitmq-server")
    (tmp_path / "rabbitmq-server").touch()
    ensure_broker(tmp_path / "rabbitmq-server")


def test_missing_fonts_are_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the fonts of the forms and without a way to install them, one sentence says what to do."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Missing, match=r"fonts-hosny-amiri and fonts-vlgothic.*\.$"):
        ensure_fonts([tmp_path])
    for file in FONTS.values():
        (tmp_path / file).touch()
    ensure_fonts([tmp_path])
