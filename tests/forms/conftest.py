"""One typesetter for all tests of this folder: what it has read of the fonts is read once."""

from __future__ import annotations

import pytest

from app.forms.press import Press
from tests.forms.printed import FONTS


@pytest.fixture(scope="session")
def press() -> Press:
    """A press with this machine's fonts."""
    return Press(FONTS)
