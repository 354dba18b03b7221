"""What `make faults` runs: minutes of seeded faults on three nodes, then the heavy versions of some tests.

`faults.py [SEED]`: without a seed one is thrown and printed, so that what it finds can be had again. Reports go to
`build/faults/`. Standard library only; runs in the project's environment.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = Path("build/faults")
SECONDS = "240"
"""Of load and faults; COUNTERPART_FAULTS_SECONDS says otherwise."""

BUDGETS = {"COUNTERPART_TEST_BACKLOG": "20000", "COUNTERPART_TEST_MODEL_STEPS": "100000"}
"""What the tests below read: the length of the backlog, and how many steps the model is taken."""

HEAVY = ("tests/delivery", "tests/model")


def main() -> int:
    """Run all parts; 0 only if each of them found nothing."""
    os.chdir(ROOT)
    seed = sys.argv[1] if len(sys.argv) > 1 and sys.argv[1] else str(secrets.randbelow(1_000_000))
    seconds = os.environ.get("COUNTERPART_FAULTS_SECONDS", SECONDS)
    print(f"== faults, SEED={seed}", flush=True)
    nemesis = ["-m", "tests.support.nemesis", "--seed", seed, "--seconds", seconds, "--out", str(OUT)]
    failed = [] if run(*nemesis) else [f"faults with SEED={seed}"]
    heavy = [folder for folder in HEAVY if (ROOT / folder).is_dir()]
    print(f"== {' '.join(heavy)}, with {BUDGETS}", flush=True)
    given = BUDGETS | {"COUNTERPART_TEST_SEED": seed}
    if not run("-m", "pytest", "-q", "--durations=10", "-o", "timeout=1800", *heavy, **given):
        failed.append("the heavy tests")
    if not run("-m", "pytest", "-q", "-m", "long", "tests"):
        failed.append("the long tests")
    print(f"FAILED: {', '.join(failed)}" if failed else f"Nothing found; the report is in {OUT}.")
    return 1 if failed else 0


def run(*words: str, **environment: str) -> bool:
    """Whether this ended well."""
    done = subprocess.run([sys.executable, *words], check=False, env=os.environ | environment)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
