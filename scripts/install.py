"""Make `.venv` and install what is locked: `install.py demo` or `install.py test`. A second run does nothing.

Standard library only; scripts/python.sh has found an interpreter that can run it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCKS = {"demo": "requirements.lock", "test": "requirements-dev.lock"}


class NotInstalled(Exception):
    """Something stands in the way; the sentence says what."""


def main() -> int:
    """Install the set named on the command line; 0 when it is there."""
    wanted = sys.argv[1]
    try:
        # One installer at a time: `make demo` and `make test` may be started together.
        folder = os.open(ROOT, os.O_RDONLY)
        fcntl.flock(folder, fcntl.LOCK_EX)
        install(wanted)
    except NotInstalled as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"The virtual environment {VENV} cannot be written: {error}.", file=sys.stderr)
        return 1
    return 0


def install(wanted: str) -> None:
    """Bring `.venv` to the lock, unless a stamp says that it is there already."""
    # What `test` needs contains what `demo` needs: going back to the smaller set would remove nothing.
    if any(stamp_of(name).exists() and stamp_of(name).read_text() == state(name) for name in {wanted, "test"}):
        return
    started = time.monotonic()
    if not runs():
        shutil.rmtree(VENV, ignore_errors=True)
        try:
            venv.create(VENV, with_pip=True)
        except (OSError, ValueError, subprocess.CalledProcessError) as error:
            raise NotInstalled(f"The virtual environment {VENV} cannot be made: {error}.") from error
    lock = ROOT / LOCKS[wanted]
    count = sum("==" in line for line in lock.read_text().splitlines())
    print(f"Installing {count} locked packages into .venv (once) …", flush=True)
    pip("--require-hashes", "--requirement", str(lock))
    pip("--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    stamp_of(wanted).write_text(state(wanted))
    print(f"Installed in {time.monotonic() - started:.0f} s.", flush=True)


def runs() -> bool:
    """Whether there is an environment with a Python that still works and is new enough."""
    probe = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    try:
        return subprocess.run([PYTHON, "-c", probe], check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def stamp_of(name: str) -> Path:
    """Where it is noted that this set was installed."""
    return VENV / f".installed-{name}"


def state(name: str) -> str:
    """What an installation depends on: the lock, the project's own description, the place of the checkout."""
    digest = hashlib.sha256(str(ROOT).encode())
    for file in (LOCKS[name], "pyproject.toml"):
        digest.update((ROOT / file).read_bytes())
    return digest.hexdigest()


def pip(*arguments: str) -> None:
    """Run pip quietly; when it fails, what it said is shown."""
    command = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        print(done.stdout, file=sys.stderr)
        raise NotInstalled("The locked packages could not be installed (see above): can pip reach its package index?")


if __name__ == "__main__":
    sys.exit(main())
