"""The operator's clocks as a file, read once when the node starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.deadlines import PACKAGED
from app.domain.deadlines.reading import read_clocks
from app.keystore.files import read_text

if TYPE_CHECKING:
    from pathlib import Path

    from app.domain.deadlines import Clocks

MAX_CLOCKS_BYTES = 65_536


def read_clocks_file(path: Path | None) -> Clocks:
    """The targets of that file over the packaged ones; raises `SettingsUnusable` with file, line and reason."""
    return PACKAGED if path is None else read_clocks(path.name, read_text(path, MAX_CLOCKS_BYTES))
