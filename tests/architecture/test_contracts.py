"""The rooms of `app` are held apart, and the contracts notice a trespass."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

LINT_IMPORTS = Path(sys.executable).parent / "lint-imports"

# A line that breaks a contract, and the module it is added to.
TRESPASSES = {
    "a service names the broker": ("services/node.py", "import app.bus.broker"),
    "the domain reads settings": ("domain/codes.py", "import app.settings"),
    "the envelope looks at the database": ("envelope/canonical.py", "import app.db.engine"),
    "the audit log does I/O": ("audit/merkle.py", "import asyncio"),
    "the courier opens letters": ("bus/broker.py", "import app.envelope.open"),
    "HTTP enters the services": ("services/node.py", "import fastapi"),
    "a room appears without a place": ("attic.py", '"""Old things."""'),
}


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    """Check the contracts of a copy of the repository, or of the repository itself."""
    command = [str(LINT_IMPORTS), "--no-logo", "--no-cache", "--config", "pyproject.toml"]
    return subprocess.run(command, cwd=tree, env={"PYTHONPATH": str(tree)}, check=False, capture_output=True, text=True)


def test_rooms_are_kept_apart() -> None:
    """Every import goes from a room to one below it, as docs/adr/0010 lists them."""
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("what", TRESPASSES)
def test_trespass_is_noticed(what: str, tmp_path: Path) -> None:
    """One line in the wrong room breaks the contracts."""
    module, line = TRESPASSES[what]
    shutil.copytree(ROOT / "app", tmp_path / "app", ignore=shutil.ignore_patterns("__pycache__", "static", "data"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    file = tmp_path / "app" / module
    file.write_text((file.read_text() if file.exists() else "") + f"\n{line}\n")
    done = lint(tmp_path)
    assert done.returncode != 0
    assert "Traceback" not in done.stdout + done.stderr
