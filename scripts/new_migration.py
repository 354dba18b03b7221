"""Write the next migration from the difference between the declared tables and the migrations so far.

    .venv/bin/python scripts/new_migration.py pre_add_roster

`pre_…` runs before the new code starts and must leave the old code working; `post_…` runs once no old code is left.
Alembic does not see triggers, functions and rights: add those by hand (rights: app/migrate.py gives them on every run).
Uses an embedded PostgreSQL for the comparison; nothing outside `migrations/versions` is touched.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config

from app.embedded import embedded_postgres

ROOT = Path(__file__).resolve().parent.parent
SLUG = re.compile(r"(pre|post)_[a-z0-9_]{3,50}")


def main() -> int:
    """Write one file and print its name."""
    if len(sys.argv) != 2 or not SLUG.fullmatch(sys.argv[1]):
        print("usage: new_migration.py pre_what_it_does | post_what_it_does", file=sys.stderr)
        return 2
    asyncio.run(write(sys.argv[1]))
    return 0


async def write(slug: str) -> None:
    """Bring an empty database to the present head, compare, write, format."""
    async with embedded_postgres(profile="demo") as server:
        await server.create_database("comparison")
        await asyncio.to_thread(upgrade_and_compare, server.superuser_url("comparison"), slug)


def upgrade_and_compare(url: str, slug: str) -> None:
    """The revision id is the minute it was written: `ls` and the database then show the same."""
    config = Config(str(ROOT / "alembic.ini"))
    config.attributes["url"] = url
    command.upgrade(config, "head")
    made = command.revision(config, slug, autogenerate=True, rev_id=f"{datetime.now(UTC):%Y%m%d_%H%M}")
    if made is None or isinstance(made, list):
        sys.exit("Alembic wrote no single revision.")
    file = Path(made.path)
    file.write_text("".join(line for line in file.read_text().splitlines(keepends=True) if "    # ### " not in line))
    ruff = ROOT / ".venv" / "bin" / "ruff"
    subprocess.run([ruff, "format", "--quiet", file], check=True)
    subprocess.run([ruff, "check", "--fix", "--quiet", file], check=True)
    print(f"{file}: read it, and add what Alembic does not see.")


if __name__ == "__main__":
    sys.exit(main())
