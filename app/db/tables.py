"""Every table of the node; importing this module fills `metadata.metadata`."""

from __future__ import annotations

from app.db import (
    tables_access,
    tables_audit,
    tables_clocks,
    tables_conversation,
    tables_delivery,
    tables_directory,
    tables_domestic,
    tables_evidence,
    tables_exchange,
    tables_files,
    tables_holds,
    tables_law,
    tables_passage,
    tables_recovery,
    tables_roster,
    tables_statistics,
    tables_uploads,
)
from app.db.metadata import metadata

__all__ = [
    "metadata",
    "tables_access",
    "tables_audit",
    "tables_clocks",
    "tables_conversation",
    "tables_delivery",
    "tables_directory",
    "tables_domestic",
    "tables_evidence",
    "tables_exchange",
    "tables_files",
    "tables_holds",
    "tables_law",
    "tables_passage",
    "tables_recovery",
    "tables_roster",
    "tables_statistics",
    "tables_uploads",
]
