"""Pre conversation.

Revises: 20261122_1022
Created: 2026-11-22 10:23 UTC

Each statement waits at most 5 s for a lock and runs at most 10 min (app/migrate.py); a longer one is cut into steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

if TYPE_CHECKING:
    from collections.abc import Sequence

revision: str = "20261122_1023"
down_revision: str | None = "20261122_1022"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


RECIPIENTS = "recipient IN ('contact_point', 'agency', 'domestic_authority', 'court', 'other_state')"
DISCLOSURES = "To whom received information was disclosed at home, and for what (CETS 224 art. 14(9)); never changed"


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "disclosure",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("exchange_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("other_use", sa.Boolean(), nullable=False),
        sa.Column("transfer_id", sa.Uuid(), nullable=True),
        sa.Column("marking", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint(RECIPIENTS, name=op.f("ck_disclosure_recipient_known")),
        sa.ForeignKeyConstraint(["exchange_id"], ["exchange.id"], name=op.f("fk_disclosure_exchange_id_exchange")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_disclosure_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disclosure")),
        comment=DISCLOSURES,
    )
    op.create_index("ix_disclosure_exchange_id", "disclosure", ["exchange_id", "id"])


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table("disclosure")
