"""What `make test` runs: lint, types, contracts, the whole suite. Every part runs; one failure fails the whole.

`check.py all [PATH…]`, or one part by name. Standard library only; runs in the project's environment. A test that was
skipped counts as failed: nobody reads the line that says so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
BROKER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
POLICY = Path("/usr/sbin/policy-rc.d")
FONT_FOLDERS = (Path("/usr/local/share/fonts"), Path("/usr/share/fonts"))
FONTS = {"fonts-hosny-amiri": "Amiri-Regular.ttf", "fonts-vlgothic": "VL-PGothic-Regular.ttf"}
"""Packages whose fonts the printed forms are tested with, for Arabic and Japanese, each with a file that it brings."""

PARTS = {
    "lint": [["ruff", "check"], ["ruff", "format", "--check"]],
    "types": [["mypy"]],
    "contracts": [["lint-imports", "--no-logo"]],
}

SLOW = ("bus", "delivery", "e2e", "faults", "protocol", "demo", "cli")
"""Folders of the first run: tests that mostly wait, for processes to start, brokers to fail, a second to pass."""

LIVING = ("world", "recovery", "scenarios")
"""Folders of the second: whole contact points in one process. Those that live to its end come last."""

GATEWAY = ("contract", "routers", "files")
"""Folders of the fourth: gateways that are asked in every way, and what goes through them."""

AT_ONCE = 2
"""Runs side by side: with their servers they keep two processors busy, and no test waits for them in vain."""


class Missing(Exception):
    """Something that this machine must have; the sentence says how to get it."""


def main() -> int:
    """Run what the command line names; 0 only if all of it held."""
    wanted, paths = sys.argv[1], sys.argv[2:]
    os.chdir(ROOT)
    if wanted in PARTS:
        return 0 if run_tools(wanted) else 1
    seconds: dict[str, float] = {}
    failed: list[str] = []
    try:
        with timed("system packages", seconds):
            ensure_broker()
            ensure_fonts()
    except Missing as error:
        print(error, file=sys.stderr)
        return 1
    for part in PARTS:
        with timed(part, seconds):
            if not run_tools(part):
                failed.append(part)
    with timed("tests", seconds):
        report = run_suite(paths)
    failed += report.failures
    print_seconds(seconds, report)
    print(f"FAILED: {', '.join(failed)}" if failed else "All parts passed.")
    return 1 if failed else 0


@contextmanager
def timed(part: str, seconds: dict[str, float]) -> Iterator[None]:
    """Announce a part and note how long it took."""
    print(f"== {part}", flush=True)
    started = time.monotonic()
    try:
        yield
    finally:
        seconds[part] = time.monotonic() - started


def run_tools(part: str) -> bool:
    """Run the tools of one part, all of them; whether each was content."""
    codes = [subprocess.run([BIN / tool, *arguments], check=False).returncode for tool, *arguments in PARTS[part]]
    return not any(codes)


class Report:
    """What pytest says of itself: what failed, what was skipped, seconds by test folder."""

    def __init__(self) -> None:
        self.failures: list[str] = []
        self.count = 0
        self.by_folder: dict[str, float] = defaultdict(float)

    def add(self, code: int, file: Path) -> None:
        """Take in what one run of pytest left behind."""
        if code != 0:
            self.failures.append(f"tests (pytest ended with {code})")
        if not file.exists():
            self.failures.append("tests (no report was written)")
            return
        found = 0
        for case in ET.parse(file).iter("testcase"):  # noqa: S314 - our own pytest wrote it a moment ago
            found += 1
            self.by_folder[folder_of(case.get("classname", ""))] += float(case.get("time", "0"))
            if case.find("skipped") is not None:
                self.failures.append(f"skipped: {case.get('classname')}.{case.get('name')}")
        self.count += found
        if not found:
            self.failures.append("tests (none ran)")


def folder_of(classname: str) -> str:
    """`tests.bus.test_relay` belongs to `tests/bus`, `tests.test_cli` to `tests`."""
    return "/".join(classname.split(".")[:-1][:2]) or "tests"


def run_suite(paths: list[str]) -> Report:
    """Run the named part of the suite, or all of it: as runs side by side, each with servers of its own.

    The output of all but the first is printed when they have ended, so that two texts are never mixed.
    """
    report = Report()
    wanted = [paths] if paths else groups()
    with tempfile.TemporaryDirectory() as folder:
        share_compiled(Path(folder) / "compiled")
        runs: list[Run] = []
        for at, group in enumerate(wanted):
            while sum(run.goes_on() for run in runs) >= AT_ONCE:
                time.sleep(0.2)
            runs.append(Run(Path(folder) / str(at), group, is_shown=at == 0))
        for run in runs:
            report.add(run.wait(), run.file)
    return report


def share_compiled(folder: Path) -> None:
    """Where nothing may be written beside the sources, every process of the suite would compile them all anew."""
    if sys.dont_write_bytecode:
        os.environ["PYTHONPYCACHEPREFIX"] = str(folder)
        os.environ["PYTHONDONTWRITEBYTECODE"] = ""


def groups() -> list[list[str]]:
    """The folders of real processes and brokers, of whole worlds, all the rest, gateways, the model: the longest first.

    The model is alone: what Hypothesis draws depends on which modules are loaded, and alone it is the same each time.
    What is marked `long` is for `make faults`.
    """
    slow, living, gateway = ([f"tests/{name}" for name in names] for names in (SLOW, LIVING, GATEWAY))
    model = ["tests/model"]
    rest = ["tests", *(f"--ignore={name}" for name in (*slow, *living, *gateway, *model))]
    return [["-m", "not long", *group] for group in (slow, living, rest, gateway, model)]


class Run:
    """One pytest at work."""

    def __init__(self, folder: Path, arguments: list[str], *, is_shown: bool) -> None:
        folder.mkdir()
        self.file = folder / "report.xml"
        self._text = None if is_shown else (folder / "output.txt").open("w+b")
        options = [f"--junitxml={self.file}", "--durations=10", "-o", f"cache_dir={folder}/cache"]
        self._process = subprocess.Popen(
            [BIN / "pytest", *options, *arguments],
            stdout=self._text,
            stderr=subprocess.STDOUT if self._text else None,
        )

    def goes_on(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def wait(self) -> int:
        """Its exit code, when it has ended; then what it said is on the screen."""
        code = self._process.wait()
        if self._text is not None:
            self._text.seek(0)
            shutil.copyfileobj(self._text, sys.stdout.buffer)
            sys.stdout.flush()
            self._text.close()
        return code


def print_seconds(seconds: dict[str, float], report: Report) -> None:
    """Print where the time went."""
    print(f"\n{'seconds':>8}  part")
    for part, spent in seconds.items():
        print(f"{spent:8.1f}  {part}")
    for folder, spent in sorted(report.by_folder.items(), key=lambda item: -item[1]):
        print(f"{spent:8.1f}    {folder}")
    print(f"{sum(seconds.values()):8.1f}  in all, {report.count} tests")


def ensure_broker(program: Path = BROKER) -> None:
    """Install RabbitMQ from the system's packages when it is missing and we may; the tests start their own node."""
    if program.exists():
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise Missing(
            "The tests need RabbitMQ 3.10 or newer: install it (Debian and Ubuntu: apt-get install rabbitmq-server), "
            "or run as root on Debian and it will be installed."
        )
    install_packages("rabbitmq-server")
    if not program.exists():
        raise Missing(f"The package rabbitmq-server is installed, but {program} is not there.")


def ensure_fonts(folders: Sequence[Path] = FONT_FOLDERS) -> None:
    """Install the two small fonts that forms in Arabic and Japanese are printed with, when they are missing."""
    here = {file.name for folder in folders for file in folder.rglob("*.ttf")}
    missing = [package for package, file in FONTS.items() if file not in here]
    if not missing:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise Missing(
            f"The tests need the fonts {' and '.join(missing)}: install them (Debian and Ubuntu: apt-get install "
            f"{' '.join(missing)}), or run as root on Debian and they will be installed."
        )
    install_packages(*missing)


def install_packages(*packages: str) -> None:
    """Install these packages of the system; Missing, with its own words, where it cannot."""
    named = " and ".join(packages)
    print(f"Installing {named} from the system's packages (once) …", flush=True)
    with no_service_starts():
        for arguments in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
            environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
            done = subprocess.run(["apt-get", "-q", *arguments], check=False, capture_output=True, env=environment)
            if done.returncode != 0:
                words = (done.stderr or done.stdout).decode(errors="replace").strip()
                raise Missing(f"apt-get {arguments[0]} failed, and the tests need {named}: {words[-400:]}")


@contextmanager
def no_service_starts() -> Iterator[None]:
    """Debian starts a service when it installs one; the tests need the program only. Undone afterwards."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()


if __name__ == "__main__":
    sys.exit(main())
