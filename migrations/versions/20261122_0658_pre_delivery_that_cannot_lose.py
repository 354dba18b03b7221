"""Pre delivery that cannot lose.

Revises: 20261122_0433
Created: 2026-11-22 06:58 UTC

Each statement waits at most 5 s for a lock and runs at most 10 min (app/migrate.py); a longer one is cut into steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

if TYPE_CHECKING:
    from collections.abc import Sequence

revision: str = "20261122_0658"
down_revision: str | None = "20261122_0433"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Alembic does not compare CHECKs: closed lists that grew, and conditions on the new columns.
WIDER = {
    ("outbox", "left_by_known"): "left_by IN ('receipt', 'confirm', 'replaced', 'superseded')",
    (
        "quarantine",
        "state_known",
    ): "state IN ('open', 'released', 'discarded', 'rejected', 'voided', 'admitted')",
}
AS_BEFORE = {
    ("outbox", "left_by_known"): "left_by IN ('receipt', 'confirm', 'replaced')",
    ("quarantine", "state_known"): "state IN ('open', 'released', 'discarded')",
}
NEW_CHECKS = {
    "published_lane_known": "published_lane IN ('urgent', 'routine')",
    "due_or_confirmed": "next_at IS NOT NULL OR confirmed_at IS NOT NULL OR left_at IS NOT NULL",
}

# What is cleared after a day, and by which moment it and everything else is listed.
FLEETING = {"outbox": "created_at", "inbox": "received_at"}


def _replace_checks(checks: dict[tuple[str, str], str]) -> None:
    for (table, name), condition in checks.items():
        op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "adopted_fate",
        sa.Column("iss", sa.Text(), nullable=False),
        sa.Column("jti", sa.Uuid(), nullable=False),
        sa.Column("thread", sa.Text(), nullable=False),
        sa.Column("fate", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "fate IN ('applied', 'stale', 'refused', 'expired', 'void')", name=op.f("ck_adopted_fate_fate_known")
        ),
        sa.PrimaryKeyConstraint("iss", "jti", name=op.f("pk_adopted_fate")),
        comment="What we had answered to acts we do not remember: they end so again, without effect",
    )
    op.create_table(
        "adopted_state",
        sa.Column("thread", sa.Text(), nullable=False),
        sa.Column("peer", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("thread", name=op.f("pk_adopted_state")),
        comment="The newest exchange.state/1 of our own that a peer gave back, until the exchange is what it says",
    )
    op.create_table(
        "attachment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("peer", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("exchange_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("chunks", sa.Integer(), nullable=False),
        sa.Column("queued", sa.Integer(), server_default="0", nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("complete_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("direction IN ('incoming', 'outgoing')", name=op.f("ck_attachment_direction_known")),
        sa.CheckConstraint("state IN ('arriving', 'complete', 'wrong')", name=op.f("ck_attachment_state_known")),
        sa.CheckConstraint("chunks > 0 AND queued BETWEEN 0 AND chunks", name=op.f("ck_attachment_chunks_from_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
        comment="A file that a signed message names: what it must be when all its chunks are there",
    )
    op.create_index("ix_attachment_exchange_id", "attachment", ["exchange_id"], unique=False)
    op.create_index(
        "ix_attachment_leaving",
        "attachment",
        ["peer", "created_at"],
        unique=False,
        postgresql_where=sa.text("direction = 'outgoing' AND state = 'arriving'"),
    )
    op.create_table(
        "attachment_chunk",
        sa.Column("peer", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("chunks", sa.Integer(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("named", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("peer", "file_id", "number", name=op.f("pk_attachment_chunk")),
        comment="Chunks as they travel, encrypted; those that no message names go after seven days",
    )
    op.create_index(
        "ix_attachment_chunk_unnamed",
        "attachment_chunk",
        ["peer", "stored_at"],
        unique=False,
        postgresql_where=sa.text("named IS false"),
    )
    op.create_table(
        "directory_seen",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_directory_seen")),
        comment="Each version of the directory this node has worked with, and since when",
    )
    op.create_table(
        "passage",
        sa.Column("peer", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("proven_began_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fresh_began_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fresh_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("probed_id", sa.BigInteger(), nullable=True),
        sa.Column("probe_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("silent", sa.Integer(), server_default="0", nullable=False),
        sa.Column("stuck", sa.Integer(), server_default="0", nullable=False),
        sa.Column("stuck_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("lane IN ('urgent', 'routine')", name=op.f("ck_passage_lane_known")),
        sa.PrimaryKeyConstraint("peer", "lane", name=op.f("pk_passage")),
        comment="One row per peer and lane: what its receipts prove, and what it is spared while it is silent",
        postgresql_with={"fillfactor": 50, "autovacuum_vacuum_scale_factor": 0.01, "autovacuum_vacuum_threshold": 200},
    )
    op.create_table(
        "pulse",
        sa.Column("peer", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_jti", sa.Uuid(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("round_trip_ms", sa.Integer(), nullable=True),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("skew_ms", sa.BigInteger(), nullable=True),
        sa.Column("software", sa.Text(), nullable=True),
        sa.Column("reads", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint("lane IN ('urgent', 'routine')", name=op.f("ck_pulse_lane_known")),
        sa.PrimaryKeyConstraint("peer", "lane", name=op.f("pk_pulse")),
        comment="The latest heartbeat to and from each peer on each lane; each replaces the one before",
        postgresql_with={"fillfactor": 50, "autovacuum_vacuum_scale_factor": 0.01, "autovacuum_vacuum_threshold": 200},
    )
    op.create_table(
        "recovery",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("remembers_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reopened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery")),
        comment="One time that this node found its database older than its own word; `reopened_at`: the new log epoch",
    )
    op.create_table(
        "replaced_text",
        sa.Column("iss", sa.Text(), nullable=False),
        sa.Column("jti", sa.Uuid(), nullable=False),
        sa.Column("inner_hash", sa.Text(), nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("jws", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("iss", "jti", "inner_hash", name=op.f("pk_replaced_text")),
        comment="Texts of a peer beside the one in the inbox: signed under a key since revoked, or signed again",
    )
    op.create_table(
        "returned_text",
        sa.Column("peer", sa.Text(), nullable=False),
        sa.Column("inner_hash", sa.Text(), nullable=False),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("peer", "inner_hash", name=op.f("pk_returned_text")),
        comment="When a peer last got a text of its own back because it had signed another one in its place",
    )
    op.create_table(
        "revocation_seen",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("learned_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("code", "kid", "revoked_at", name=op.f("pk_revocation_seen")),
        comment="When this node learned that a signing key is revoked, and since when that is said to be so",
    )
    op.create_table(
        "resync_part",
        sa.Column("peer", sa.Text(), nullable=False),
        sa.Column("resync_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('ask', 'answer', 'want')", name=op.f("ck_resync_part_kind_known")),
        sa.CheckConstraint("lane IN ('urgent', 'routine')", name=op.f("ck_resync_part_lane_known")),
        sa.PrimaryKeyConstraint("peer", "resync_id", "kind", "lane", "part", name=op.f("pk_resync_part")),
        comment="Parts of lists that came, kept until all parts have come on both lanes",
    )
    op.create_table(
        "lost_item",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("recovery_id", sa.Uuid(), nullable=False),
        sa.Column("peer", sa.Text(), nullable=False),
        sa.Column("thread", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=True),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["recovery_id"], ["recovery.id"], name=op.f("fk_lost_item_recovery_id_recovery")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lost_item")),
        comment="What nobody holds any more: a number filled with void/1, an act that lost its place",
    )
    op.create_index("ix_lost_item_recovery_id", "lost_item", ["recovery_id"], unique=False)
    op.create_table(
        "recovering_peer",
        sa.Column("recovery_id", sa.Uuid(), nullable=False),
        sa.Column("peer", sa.Text(), nullable=False),
        sa.Column("resync_id", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["recovery_id"], ["recovery.id"], name=op.f("fk_recovering_peer_recovery_id_recovery")),
        sa.PrimaryKeyConstraint("recovery_id", "peer", name=op.f("pk_recovering_peer")),
        comment="A peer whose threads stay closed until `done_at`",
    )
    op.create_index(
        "uq_recovering_peer_closed",
        "recovering_peer",
        ["peer"],
        unique=True,
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_table(
        "quarantine_decision",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("quarantine_id", sa.BigInteger(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "act IN ('retry', 'reject', 'void', 'discard', 'admit')", name=op.f("ck_quarantine_decision_act_known")
        ),
        sa.CheckConstraint(
            "confirmed_by IS NULL OR confirmed_by <> proposed_by", name=op.f("ck_quarantine_decision_four_eyes")
        ),
        sa.CheckConstraint(
            "confirmed_by IS NULL OR decided_at IS NOT NULL", name=op.f("ck_quarantine_decision_confirmed_is_decided")
        ),
        sa.ForeignKeyConstraint(
            ["confirmed_by"], ["person.id"], name=op.f("fk_quarantine_decision_confirmed_by_person")
        ),
        sa.ForeignKeyConstraint(["proposed_by"], ["person.id"], name=op.f("fk_quarantine_decision_proposed_by_person")),
        sa.ForeignKeyConstraint(
            ["quarantine_id"], ["quarantine.id"], name=op.f("fk_quarantine_decision_quarantine_id_quarantine")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine_decision")),
        comment="Who decided what about something in quarantine, and who agreed",
    )
    op.create_index("ix_quarantine_decision_quarantine_id", "quarantine_decision", ["quarantine_id"], unique=False)
    op.create_table(
        "statement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("exchange_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("jws", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('undeliverable')", name=op.f("ck_statement_kind_known")),
        sa.ForeignKeyConstraint(["exchange_id"], ["exchange.id"], name=op.f("fk_statement_exchange_id_exchange")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement")),
        comment="What this node states about an exchange under its own signature; never changed",
    )
    op.create_index("uq_statement_exchange_id_kind", "statement", ["exchange_id", "kind"], unique=True)
    op.create_index("ix_inbox_kid", "inbox", ["iss", "kid", "received_at"], unique=False)
    op.add_column("outbox", sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("outbox", sa.Column("published_lane", sa.Text(), nullable=True))
    for table, moment in FLEETING.items():
        op.add_column(table, sa.Column("fleeting", sa.Boolean(), server_default=sa.text("false"), nullable=False))
        op.create_index(f"ix_{table}_{moment}", table, [moment], unique=False)
        op.create_index(f"ix_{table}_fleeting", table, [moment], unique=False, postgresql_where=sa.text("fleeting"))
    op.add_column("thread", sa.Column("gap_alarmed", sa.Integer(), nullable=True))
    op.alter_column("outbox", "next_at", existing_type=postgresql.TIMESTAMP(timezone=True), nullable=True)
    op.create_index(
        "ix_outbox_confirmed",
        "outbox",
        ["peer", "published_lane", "confirmed_at", "id"],
        unique=False,
        postgresql_where=sa.text("left_at IS NULL AND next_at IS NULL"),
    )
    op.drop_index("ix_outbox_due", table_name="outbox")
    op.create_index(
        "ix_outbox_due",
        "outbox",
        ["lane", "peer", "next_at", "id"],
        unique=False,
        postgresql_where=sa.text("left_at IS NULL"),
    )
    _replace_checks(WIDER)
    for name, condition in NEW_CHECKS.items():
        op.create_check_constraint(op.f(f"ck_outbox_{name}"), "outbox", condition)


def downgrade() -> None:
    """Go back."""
    for name in NEW_CHECKS:
        op.drop_constraint(op.f(f"ck_outbox_{name}"), "outbox", type_="check")
    _replace_checks(AS_BEFORE)
    op.drop_index(
        "ix_outbox_confirmed", table_name="outbox", postgresql_where=sa.text("left_at IS NULL AND next_at IS NULL")
    )
    op.drop_index("ix_outbox_due", table_name="outbox", postgresql_where=sa.text("left_at IS NULL"))
    op.create_index(
        "ix_outbox_due", "outbox", ["lane", "next_at", "id"], unique=False, postgresql_where=sa.text("left_at IS NULL")
    )
    op.execute("UPDATE outbox SET next_at = coalesce(confirmed_at, created_at) WHERE next_at IS NULL")
    op.alter_column("outbox", "next_at", existing_type=postgresql.TIMESTAMP(timezone=True), nullable=False)
    op.drop_column("thread", "gap_alarmed")
    for table, moment in FLEETING.items():
        op.drop_index(f"ix_{table}_fleeting", table_name=table, postgresql_where=sa.text("fleeting"))
        op.drop_index(f"ix_{table}_{moment}", table_name=table)
        op.drop_column(table, "fleeting")
    op.drop_column("outbox", "published_lane")
    op.drop_column("outbox", "confirmed_at")
    op.drop_index("ix_inbox_kid", table_name="inbox")
    op.drop_index("uq_statement_exchange_id_kind", table_name="statement")
    op.drop_table("statement")
    op.drop_index("ix_quarantine_decision_quarantine_id", table_name="quarantine_decision")
    op.drop_table("quarantine_decision")
    op.drop_index(
        "uq_recovering_peer_closed", table_name="recovering_peer", postgresql_where=sa.text("done_at IS NULL")
    )
    op.drop_table("recovering_peer")
    op.drop_index("ix_lost_item_recovery_id", table_name="lost_item")
    op.drop_table("lost_item")
    op.drop_table("resync_part")
    op.drop_table("revocation_seen")
    op.drop_table("returned_text")
    op.drop_table("replaced_text")
    op.drop_table("recovery")
    op.drop_table("pulse")
    op.drop_table("passage")
    op.drop_table("directory_seen")
    op.drop_index(
        "ix_attachment_chunk_unnamed", table_name="attachment_chunk", postgresql_where=sa.text("named IS false")
    )
    op.drop_table("attachment_chunk")
    op.drop_index(
        "ix_attachment_leaving",
        table_name="attachment",
        postgresql_where=sa.text("direction = 'outgoing' AND state = 'arriving'"),
    )
    op.drop_index("ix_attachment_exchange_id", table_name="attachment")
    op.drop_table("attachment")
    op.drop_table("adopted_state")
    op.drop_table("adopted_fate")
