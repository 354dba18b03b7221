"""Write docs/schemas from the models. Run it after a change of a body; a test compares."""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "schemas"
sys.path.insert(0, str(ROOT))

from app.routers.message_forms import schemas  # noqa: E402 - run as a file, the project is not on the path before


def texts() -> dict[str, str]:
    """Name of each file and what belongs into it."""
    return {name: json.dumps(schema, indent=1, ensure_ascii=False) + "\n" for name, schema in schemas().items()}


def main() -> None:
    """Write every file and take away what is none of them."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    wanted = texts()
    for path in FOLDER.glob("*.json"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    print(f"{len(wanted)} schemas in docs/schemas")


if __name__ == "__main__":
    main()
