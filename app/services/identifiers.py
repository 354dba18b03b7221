"""Time-ordered identifiers (UUID version 7, RFC 9562): a newer thing has a greater id, so a list pages by id."""

from __future__ import annotations

from uuid import UUID

import uuid_utils


def new_id() -> UUID:
    """An id nobody can guess from another; its first 48 bits are the time in milliseconds."""
    return UUID(bytes=uuid_utils.uuid7().bytes)
