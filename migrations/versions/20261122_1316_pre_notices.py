"""The central authority is told, and that a hold was lost or lifted.

Revises: 20261122_1315
Created: 2026-11-22 13:16 UTC

Each statement waits at most 5 s for a lock and runs at most 10 min (app/migrate.py); a longer one is cut into steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import op

if TYPE_CHECKING:
    from collections.abc import Sequence

revision: str = "20261122_1316"
down_revision: str | None = "20261122_1315"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Alembic does not compare CHECKs: closed lists that grew.
_AUDIENCES = "'desk', 'second_contact', 'escalation', 'supervisor', 'registrar'"
_NOTICES = (
    "'receipt_to_confirm', 'extension_to_grant', 'release_to_do', 'receipt_unconfirmed', 'expired', "
    "'ended_not_confirmed'"
)
WIDER = {
    ("channel", "audience_known"): f"audience IN ({_AUDIENCES}, 'central_authority', 'operator')",
    ("notification", "audience_known"): f"audience IN ({_AUDIENCES}, 'central_authority', 'operator')",
    ("hold_notice", "notice_known"): f"notice IN ({_NOTICES}, 'lost', 'lifted')",
}
AS_BEFORE = {
    ("channel", "audience_known"): f"audience IN ({_AUDIENCES}, 'operator')",
    ("notification", "audience_known"): f"audience IN ({_AUDIENCES}, 'operator')",
    ("hold_notice", "notice_known"): f"notice IN ({_NOTICES})",
}


def _replace_checks(checks: dict[tuple[str, str], str]) -> None:
    for (table, name), condition in checks.items():
        op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)


def upgrade() -> None:
    """Bring the schema to this revision."""
    _replace_checks(WIDER)


def downgrade() -> None:
    """Bring the schema back to the revision before; what only the wider lists know is left out."""
    for table, column, words in (
        ("notification", "audience", "'central_authority'"),
        ("channel", "audience", "'central_authority'"),
        ("hold_notice", "notice", "'lost', 'lifted'"),
    ):
        op.execute(f"DELETE FROM {table} WHERE {column} IN ({words})")  # noqa: S608 - words of this file
    _replace_checks(AS_BEFORE)
