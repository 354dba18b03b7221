"""What the demo prints when it is ready."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import app

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES = {"XA": "Aurelia", "XT": "Kitano", "XS": "Sahran"}
EXAMPLE = "preservation.json"


def banner(urls: Mapping[str, str], token: str, access: Path) -> str:
    """Addresses, where the API docs are, and a line that files the first request at XA as printed, with `token`."""
    lines = [f"  {code}  {NAMES[code]:<8} {url}   API docs: {url}/docs" for code, url in urls.items()]
    return "\n".join(
        [
            "Three invented states are up:",
            *lines,
            f"Tokens of everybody: {access}",
            "File the first request:",
            f"  {filing_line(urls['XA'], token, _example())}",
            "Ctrl-C stops all of it and leaves nothing running.",
        ]
    )


def filing_line(url: str, token: str, document: Path) -> str:
    """What to type into a shell to file that document; typed again it is answered again and files nothing."""
    words = [
        *("curl", "-sS", f"{url}/v1/requests"),
        *("-H", f"Authorization: Bearer {token}"),
        *("-H", "Content-Type: application/json"),
        *("-H", "Idempotency-Key: first-request"),
        *("--data", f"@{document}"),
    ]
    return shlex.join(words)


def _example() -> Path:
    """The example document: the one in sight if there is one, else the one inside the package."""
    near = Path("examples") / EXAMPLE
    return near if near.is_file() else Path(app.__file__).parent / "data" / "examples" / EXAMPLE
