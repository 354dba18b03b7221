"""Pre initial.

Revises: nothing
Created: 2026-11-22 05:08 UTC

Each statement waits at most 5 s for a lock and runs at most 10 min (app/migrate.py); a longer one is cut into steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

if TYPE_CHECKING:
    from collections.abc import Sequence

revision: str = "20261122_0433"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# The server itself keeps the audit log append-only (docs/adr/0007).
APPEND_ONLY = (
    """
CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: the audit log only grows', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$
""",
    """
CREATE OR REPLACE FUNCTION audit_only_grow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.epoch <> OLD.epoch OR NEW.origin <> OLD.origin OR NEW.opened_at <> OLD.opened_at
            OR NEW.size < OLD.size OR NEW.published_size < OLD.published_size THEN
        RAISE EXCEPTION 'UPDATE on audit_tree is refused: a log never becomes smaller nor another one'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
""",
    "CREATE OR REPLACE TRIGGER audit_leaf_rows BEFORE UPDATE OR DELETE ON audit_leaf FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    "CREATE OR REPLACE TRIGGER audit_leaf_whole BEFORE TRUNCATE ON audit_leaf FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
    "CREATE OR REPLACE TRIGGER audit_node_rows BEFORE UPDATE OR DELETE ON audit_node FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    "CREATE OR REPLACE TRIGGER audit_node_whole BEFORE TRUNCATE ON audit_node FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
    "CREATE OR REPLACE TRIGGER audit_checkpoint_rows BEFORE UPDATE OR DELETE ON audit_checkpoint FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    "CREATE OR REPLACE TRIGGER audit_checkpoint_whole BEFORE TRUNCATE ON audit_checkpoint FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
    "CREATE OR REPLACE TRIGGER audit_cosig_rows BEFORE UPDATE OR DELETE ON audit_cosig FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    "CREATE OR REPLACE TRIGGER audit_cosig_whole BEFORE TRUNCATE ON audit_cosig FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
    "CREATE OR REPLACE TRIGGER audit_pending_rows BEFORE UPDATE ON audit_pending FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    "CREATE OR REPLACE TRIGGER audit_pending_whole BEFORE TRUNCATE ON audit_pending FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
    "CREATE OR REPLACE TRIGGER commitment_rows BEFORE UPDATE ON commitment FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    "CREATE OR REPLACE TRIGGER commitment_whole BEFORE TRUNCATE ON commitment FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
    "CREATE OR REPLACE TRIGGER audit_tree_rows BEFORE DELETE ON audit_tree FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    "CREATE OR REPLACE TRIGGER audit_tree_whole BEFORE TRUNCATE ON audit_tree FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
    "CREATE OR REPLACE TRIGGER audit_tree_grows BEFORE UPDATE ON audit_tree FOR EACH ROW EXECUTE FUNCTION audit_only_grow()",
    "ALTER TABLE audit_pending SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500)",
)

APPEND_ONLY_UNDONE = (
    "DROP TRIGGER IF EXISTS audit_leaf_rows ON audit_leaf",
    "DROP TRIGGER IF EXISTS audit_leaf_whole ON audit_leaf",
    "DROP TRIGGER IF EXISTS audit_node_rows ON audit_node",
    "DROP TRIGGER IF EXISTS audit_node_whole ON audit_node",
    "DROP TRIGGER IF EXISTS audit_checkpoint_rows ON audit_checkpoint",
    "DROP TRIGGER IF EXISTS audit_checkpoint_whole ON audit_checkpoint",
    "DROP TRIGGER IF EXISTS audit_cosig_rows ON audit_cosig",
    "DROP TRIGGER IF EXISTS audit_cosig_whole ON audit_cosig",
    "DROP TRIGGER IF EXISTS audit_pending_rows ON audit_pending",
    "DROP TRIGGER IF EXISTS audit_pending_whole ON audit_pending",
    "DROP TRIGGER IF EXISTS commitment_rows ON commitment",
    "DROP TRIGGER IF EXISTS commitment_whole ON commitment",
    "DROP TRIGGER IF EXISTS audit_tree_rows ON audit_tree",
    "DROP TRIGGER IF EXISTS audit_tree_whole ON audit_tree",
    "DROP TRIGGER IF EXISTS audit_tree_grows ON audit_tree",
    "DROP FUNCTION IF EXISTS audit_only_grow()",
    "DROP FUNCTION IF EXISTS audit_refuse()",
)


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "agency",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agency")),
    )
    op.create_table(
        "audit_checkpoint",
        sa.Column("epoch", sa.SmallInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("octet_length(root) = 32", name=op.f("ck_audit_checkpoint_root_length")),
        sa.PrimaryKeyConstraint("epoch", "size", name=op.f("pk_audit_checkpoint")),
        comment="Every head this node ever signed",
    )
    op.create_table(
        "audit_leaf",
        sa.Column("epoch", sa.SmallInteger(), nullable=False),
        sa.Column("leaf_index", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=True),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("epoch", "leaf_index", name=op.f("pk_audit_leaf")),
        sa.UniqueConstraint("event_id", name=op.f("uq_audit_leaf_event_id")),
        comment="The log itself: exactly the bytes that were hashed",
    )
    op.create_index(
        "ix_audit_leaf_subject",
        "audit_leaf",
        ["subject"],
        unique=False,
        postgresql_where=sa.text("subject IS NOT NULL"),
    )
    op.create_table(
        "audit_node",
        sa.Column("epoch", sa.SmallInteger(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("idx", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("octet_length(hash) = 32", name=op.f("ck_audit_node_hash_length")),
        sa.PrimaryKeyConstraint("epoch", "level", "idx", name=op.f("pk_audit_node")),
        comment="Hashes of complete subtrees: level 0 are leaf hashes, (level, idx) covers leaves from idx << level",
    )
    op.create_table(
        "audit_pending",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=True),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_pending")),
        sa.UniqueConstraint("event_id", name=op.f("uq_audit_pending_event_id")),
        comment="Facts committed with their business rows and not yet in the tree; the sequencer empties it",
    )
    op.create_table(
        "audit_tree",
        sa.Column("epoch", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("published_size", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "0 <= published_size AND published_size <= size", name=op.f("ck_audit_tree_published_exists")
        ),
        sa.PrimaryKeyConstraint("epoch", name=op.f("pk_audit_tree")),
        sa.UniqueConstraint("origin", name=op.f("uq_audit_tree_origin")),
        comment="One row per epoch; `size` is the compare-and-swap that keeps the log from forking",
    )
    op.create_table(
        "commitment",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("erase_after", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("event_id", "field", name=op.f("pk_commitment")),
        comment="Openings of the commitments in leaves. Deleting a row erases its content; no proof suffers",
    )
    op.create_table(
        "inbox",
        sa.Column("iss", sa.Text(), nullable=False),
        sa.Column("jti", sa.Uuid(), nullable=False),
        sa.Column("thread", sa.Text(), nullable=True),
        sa.Column("seq", sa.Integer(), nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("inner_hash", sa.Text(), nullable=False),
        sa.Column("jws", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("copy", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("duplicates", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "(state IN ('held', 'quarantined')) = (applied_at IS NULL)", name=op.f("ck_inbox_waits_or_ended")
        ),
        sa.CheckConstraint("lane IN ('urgent', 'routine')", name=op.f("ck_inbox_lane_known")),
        sa.CheckConstraint(
            "state IN ('held', 'quarantined', 'applied', 'stale', 'refused', 'expired', 'void')",
            name=op.f("ck_inbox_state_known"),
        ),
        sa.CheckConstraint("(thread IS NULL) = (seq IS NULL)", name=op.f("ck_inbox_thread_has_seq")),
        sa.PrimaryKeyConstraint("iss", "jti", name=op.f("pk_inbox")),
        comment="Every authenticated message, once, with the text its sender signed",
        postgresql_with={"fillfactor": 85},
    )
    op.create_index("ix_inbox_duplicates", "inbox", ["iss"], unique=False, postgresql_where=sa.text("duplicates > 0"))
    op.create_index(
        "ix_inbox_waiting",
        "inbox",
        ["state", "received_at"],
        unique=False,
        postgresql_where=sa.text("applied_at IS NULL"),
    )
    op.create_index(
        "uq_inbox_iss_thread_seq",
        "inbox",
        ["iss", "thread", "seq"],
        unique=True,
        postgresql_where=sa.text("thread IS NOT NULL"),
    )
    op.create_table(
        "node_secret",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_node_secret")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("jti", sa.Uuid(), nullable=False),
        sa.Column("peer", sa.Text(), nullable=False),
        sa.Column("thread", sa.Text(), nullable=True),
        sa.Column("seq", sa.Integer(), nullable=True),
        sa.Column("prev", sa.Uuid(), nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("exp", sa.DateTime(timezone=True), nullable=True),
        sa.Column("exchange_id", sa.Uuid(), nullable=True),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("jws", sa.Text(), nullable=True),
        sa.Column("jws_kid", sa.Text(), nullable=True),
        sa.Column("jws_hash", sa.Text(), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resigned", sa.Integer(), server_default="0", nullable=False),
        sa.Column("copy", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.Column("receipted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("receipt_status", sa.Text(), nullable=True),
        sa.Column("receipt_reason", sa.Text(), nullable=True),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("left_by", sa.Text(), nullable=True),
        sa.CheckConstraint("lane IN ('urgent', 'routine')", name=op.f("ck_outbox_lane_known")),
        sa.CheckConstraint("left_by IN ('receipt', 'confirm', 'replaced')", name=op.f("ck_outbox_left_by_known")),
        sa.CheckConstraint(
            "receipt_status IN ('stored', 'held', 'quarantined')", name=op.f("ck_outbox_receipt_status_known")
        ),
        sa.CheckConstraint(
            "trouble IN ('unknown_peer', 'no_key', 'unroutable', 'not_taken', 'outcome_unknown', 'unsealable')",
            name=op.f("ck_outbox_trouble_known"),
        ),
        sa.CheckConstraint(
            "(jws IS NULL) = (jws_kid IS NULL) AND (jws IS NULL) = (jws_hash IS NULL)",
            name=op.f("ck_outbox_signed_whole"),
        ),
        sa.CheckConstraint("(left_at IS NULL) = (left_by IS NULL)", name=op.f("ck_outbox_left_for_a_reason")),
        sa.CheckConstraint("(thread IS NULL) = (seq IS NULL)", name=op.f("ck_outbox_thread_has_seq")),
        sa.CheckConstraint("copy = 0 OR jws IS NOT NULL", name=op.f("ck_outbox_signed_before_published")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("jti", name=op.f("uq_outbox_jti")),
        comment="Every message this node ever queued; what has not left is published again until its receipt",
        postgresql_with={"fillfactor": 70, "autovacuum_vacuum_scale_factor": 0.01, "autovacuum_vacuum_threshold": 500},
    )
    op.create_index(
        "ix_outbox_due", "outbox", ["lane", "next_at", "id"], unique=False, postgresql_where=sa.text("left_at IS NULL")
    )
    op.create_index(
        "ix_outbox_exchange_id",
        "outbox",
        ["exchange_id"],
        unique=False,
        postgresql_where=sa.text("exchange_id IS NOT NULL"),
    )
    op.create_index(
        "uq_outbox_peer_thread_seq",
        "outbox",
        ["peer", "thread", "seq"],
        unique=True,
        postgresql_where=sa.text("thread IS NOT NULL"),
    )
    op.create_table(
        "peer_log",
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("origin", name=op.f("pk_peer_log")),
        comment="What this node, as a witness, last saw of a counterpart's log",
    )
    op.create_table(
        "quarantine",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("authenticated", sa.Boolean(), nullable=False),
        sa.Column("iss", sa.Text(), nullable=True),
        sa.Column("jti", sa.Text(), nullable=True),
        sa.Column("thread", sa.Text(), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("times", sa.Integer(), server_default="1", nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.CheckConstraint("lane IN ('urgent', 'routine')", name=op.f("ck_quarantine_lane_known")),
        sa.CheckConstraint("state IN ('open', 'released', 'discarded')", name=op.f("ck_quarantine_state_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine")),
        sa.UniqueConstraint("digest", name=op.f("uq_quarantine_digest")),
        comment="What could not be trusted or understood, byte for byte, and how often it came",
    )
    op.create_index(
        "ix_quarantine_open",
        "quarantine",
        ["authenticated", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "read_fact",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("person_id", "subject", name=op.f("pk_read_fact")),
        comment="When a person last left a read fact for a case, so that one sitting makes one fact",
    )
    op.create_table(
        "signed_text",
        sa.Column("jti", sa.Uuid(), nullable=False),
        sa.Column("inner_hash", sa.Text(), nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("jws", sa.Text(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("jti", "inner_hash", name=op.f("pk_signed_text")),
        comment="Texts that a newer signature replaced in the outbox: kept as evidence, and receipts for them still count",
    )
    op.create_table(
        "thread",
        sa.Column("peer", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("exchange_id", sa.Uuid(), nullable=True),
        sa.Column("opened_by", sa.Text(), nullable=True),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("next_out", sa.Integer(), nullable=False),
        sa.Column("last_out", sa.Uuid(), nullable=True),
        sa.Column("last_out_but_one", sa.Uuid(), nullable=True),
        sa.Column("consumed_in", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("lane IN ('urgent', 'routine')", name=op.f("ck_thread_lane_known")),
        sa.CheckConstraint("next_out > 0 AND consumed_in >= 0", name=op.f("ck_thread_numbers_from_one")),
        sa.PrimaryKeyConstraint("peer", "id", name=op.f("pk_thread")),
        comment="Both counters of a thread with one peer; this row is the lock under which the thread moves",
        postgresql_with={"fillfactor": 70, "autovacuum_vacuum_scale_factor": 0.01, "autovacuum_vacuum_threshold": 500},
    )
    op.create_index(
        "ix_thread_exchange_id",
        "thread",
        ["exchange_id"],
        unique=False,
        postgresql_where=sa.text("exchange_id IS NOT NULL"),
    )
    op.create_index(
        "uq_thread_id_opened", "thread", ["id"], unique=True, postgresql_where=sa.text("opened_by IS NOT NULL")
    )
    op.create_table(
        "timeline",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("subject_id", sa.UUID(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("party", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("for_agency", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_timeline")),
    )
    op.create_index("ix_timeline_subject_id_id", "timeline", ["subject_id", "id"], unique=False)
    op.create_table(
        "audit_cosig",
        sa.Column("epoch", sa.SmallInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("witness", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("ts", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["epoch", "size"],
            ["audit_checkpoint.epoch", "audit_checkpoint.size"],
            name=op.f("fk_audit_cosig_epoch_size_audit_checkpoint"),
        ),
        sa.PrimaryKeyConstraint("epoch", "size", "witness", name=op.f("pk_audit_cosig")),
        comment="Signature lines by which counterparts confirm that our log only grows",
    )
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "txid", sa.BigInteger(), server_default=sa.text("(pg_current_xact_id()::text)::bigint"), nullable=False
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("agency_id", sa.Text(), nullable=True),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("octet_length(data::text) <= 1000", name=op.f("ck_event_data_is_thin")),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_event_agency_id_agency")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    op.create_index("ix_event_agency_id_txid_id", "event", ["agency_id", "txid", "id"], unique=False)
    op.create_index("ix_event_txid_id", "event", ["txid", "id"], unique=False)
    op.create_table(
        "person",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("pseudonym", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("agency_id", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(role IN ('agency_officer', 'agency_viewer')) = (agency_id IS NOT NULL)",
            name=op.f("ck_person_agency_roles_have_agency"),
        ),
        sa.CheckConstraint(
            "role IN ('agency_officer', 'agency_viewer', 'duty_officer', 'supervisor', 'auditor', 'monitor', 'registrar', 'administrator')",
            name=op.f("ck_person_role_known"),
        ),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_person_agency_id_agency")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("pseudonym", name=op.f("uq_person_pseudonym")),
    )
    op.create_index("ix_person_agency_id", "person", ["agency_id"], unique=False)
    op.create_table(
        "publication",
        sa.Column("outbox_id", sa.BigInteger(), nullable=False),
        sa.Column("copy", sa.Integer(), nullable=False),
        sa.Column("peer", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.Column("receipted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("lane IN ('urgent', 'routine')", name=op.f("ck_publication_lane_known")),
        sa.CheckConstraint(
            "trouble IN ('unknown_peer', 'no_key', 'unroutable', 'not_taken', 'outcome_unknown', 'unsealable')",
            name=op.f("ck_publication_trouble_known"),
        ),
        sa.CheckConstraint("copy > 0", name=op.f("ck_publication_copies_from_one")),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"], name=op.f("fk_publication_outbox_id_outbox")),
        sa.PrimaryKeyConstraint("outbox_id", "copy", name=op.f("pk_publication")),
        comment="One row per attempt to publish, written before the attempt; the receipt of a copy is evidence for others",
        postgresql_with={"fillfactor": 80},
    )
    op.create_table(
        "idempotency",
        sa.Column("person_id", sa.UUID(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_idempotency_person_id_person")),
        sa.PrimaryKeyConstraint("person_id", "route", "key", name=op.f("pk_idempotency")),
    )
    op.create_index("ix_idempotency_expires_at", "idempotency", ["expires_at"], unique=False)
    op.create_table(
        "request",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("agency_id", sa.Text(), nullable=False),
        sa.Column("filed_by", sa.UUID(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("requested", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("own_reference", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("warnings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("approved_by", sa.UUID(), nullable=True),
        sa.Column("declined_by", sa.UUID(), nullable=True),
        sa.Column("signed_by", sa.UUID(), nullable=True),
        sa.Column("approval", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("outcome", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("withdrawal_wished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("exchange_id", sa.UUID(), nullable=True),
        sa.Column("is_test", sa.Boolean(), nullable=False),
        sa.Column("triage_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(state = 'SIGNED') = (exchange_id IS NOT NULL)", name=op.f("ck_request_signed_has_exchange")
        ),
        sa.CheckConstraint(
            "state IN ('INTAKE', 'TRIAGE', 'RETURNED', 'REDIRECTED', 'DECLINE_PROPOSED', 'DECLINED', 'DRAFTED', 'SIGNED', 'WITHDRAWN_DOMESTIC')",
            name=op.f("ck_request_state_known"),
        ),
        sa.CheckConstraint("tier IN ('EMERGENCY', 'URGENT', 'ROUTINE')", name=op.f("ck_request_tier_known")),
        sa.CheckConstraint(
            "type IN ('PRESERVATION', 'PRESERVATION_EXTENSION', 'TRAFFIC_PATH_DISCLOSURE', 'TECHNICAL_ADVICE', 'LEGAL_INFORMATION', 'PROVIDER_CONTACT', 'EVIDENCE_COLLECTION', 'LOCATE_SUSPECT', 'MLA_INITIATION', 'SPONTANEOUS_INFORMATION', 'EMERGENCY_DISCLOSURE', 'EMERGENCY_MLA_NOTICE', 'DATA_LOCATION_QUERY', 'PING', 'DRILL')",
            name=op.f("ck_request_type_known"),
        ),
        sa.CheckConstraint("generation > 0", name=op.f("ck_request_generation_positive")),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_request_agency_id_agency")),
        sa.ForeignKeyConstraint(["approved_by"], ["person.id"], name=op.f("fk_request_approved_by_person")),
        sa.ForeignKeyConstraint(["declined_by"], ["person.id"], name=op.f("fk_request_declined_by_person")),
        sa.ForeignKeyConstraint(["filed_by"], ["person.id"], name=op.f("fk_request_filed_by_person")),
        sa.ForeignKeyConstraint(["signed_by"], ["person.id"], name=op.f("fk_request_signed_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request")),
        sa.UniqueConstraint("reference", name=op.f("uq_request_reference")),
    )
    op.create_index("ix_request_agency_id_id", "request", ["agency_id", "id"], unique=False)
    op.create_index(
        "ix_request_exchange_id", "request", ["exchange_id"], unique=False, postgresql_where="exchange_id IS NOT NULL"
    )
    op.create_index("ix_request_state_id", "request", ["state", "id"], unique=False)
    op.create_table(
        "token",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.UUID(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("expires_at > created_at", name=op.f("ck_token_expires_after_creation")),
        sa.CheckConstraint("octet_length(secret_hash) = 32", name=op.f("ck_token_secret_hash_is_sha256")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_token_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
    )
    op.create_index("ix_token_person_id", "token", ["person_id"], unique=False)
    op.create_table(
        "exchange",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("requesting", sa.Text(), nullable=False),
        sa.Column("requested", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.UUID(), nullable=True),
        sa.Column("request_reference", sa.Text(), nullable=False),
        sa.Column("opening", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("not_understood", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("undeliverable", sa.Boolean(), nullable=False),
        sa.Column("delivery_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("direction IN ('incoming', 'outgoing')", name=op.f("ck_exchange_direction_known")),
        sa.CheckConstraint(
            "state IN ('DISPATCHED', 'DELIVERED', 'ACKNOWLEDGED', 'CLARIFICATION', 'RISK_NOTICE', 'CONDITIONS', 'ACCEPTED', 'IN_EXECUTION', 'POSTPONED', 'REFERRED', 'PRESERVED', 'PARTIALLY_PRESERVED', 'ANSWERED', 'NOT_EXECUTABLE', 'REFUSED', 'WITHDRAWN', 'CLOSED')",
            name=op.f("ck_exchange_state_known"),
        ),
        sa.CheckConstraint("tier IN ('EMERGENCY', 'URGENT', 'ROUTINE')", name=op.f("ck_exchange_tier_known")),
        sa.CheckConstraint(
            "type IN ('PRESERVATION', 'PRESERVATION_EXTENSION', 'TRAFFIC_PATH_DISCLOSURE', 'TECHNICAL_ADVICE', 'LEGAL_INFORMATION', 'PROVIDER_CONTACT', 'EVIDENCE_COLLECTION', 'LOCATE_SUSPECT', 'MLA_INITIATION', 'SPONTANEOUS_INFORMATION', 'EMERGENCY_DISCLOSURE', 'EMERGENCY_MLA_NOTICE', 'DATA_LOCATION_QUERY', 'PING', 'DRILL')",
            name=op.f("ck_exchange_type_known"),
        ),
        sa.CheckConstraint("generation >= 0", name=op.f("ck_exchange_generation_not_negative")),
        sa.CheckConstraint("requesting <> requested", name=op.f("ck_exchange_two_states")),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=op.f("fk_exchange_request_id_request")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange")),
    )
    op.create_index(
        "ix_exchange_delivery_due_at",
        "exchange",
        ["delivery_due_at"],
        unique=False,
        postgresql_where="delivery_due_at IS NOT NULL",
    )
    op.create_index("ix_exchange_created_at_id", "exchange", ["created_at", "id"], unique=False)
    op.create_index("ix_exchange_direction_created_at_id", "exchange", ["direction", "created_at", "id"], unique=False)
    op.create_index("ix_exchange_due_at", "exchange", ["due_at"], unique=False, postgresql_where="due_at IS NOT NULL")
    op.create_table(
        "act",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("exchange_id", sa.UUID(), nullable=False),
        sa.Column("hold_id", sa.UUID(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("person_id", sa.UUID(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fate", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("fate_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "fate IN ('applied', 'stale', 'refused', 'expired', 'void')", name=op.f("ck_act_fate_known")
        ),
        sa.ForeignKeyConstraint(["exchange_id"], ["exchange.id"], name=op.f("fk_act_exchange_id_exchange")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_act_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_act")),
    )
    op.create_index("ix_act_exchange_id", "act", ["exchange_id"], unique=False)
    op.create_table(
        "hold",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("exchange_id", sa.UUID(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("preserved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("days_granted", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("direction = 'outgoing' OR days_granted >= 60", name=op.f("ck_hold_sixty_days")),
        sa.CheckConstraint(
            "direction = 'outgoing' OR expires_at IS NULL OR expires_at >= preserved_at + interval '1440 hours'",
            name=op.f("ck_hold_treaty_minimum"),
        ),
        sa.CheckConstraint(
            "direction = 'outgoing' OR state <> 'PENDING_DECISION' OR expires_at IS NULL",
            name=op.f("ck_hold_pending_has_no_end"),
        ),
        sa.CheckConstraint(
            "direction = 'outgoing' OR state <> 'TIMED' OR expires_at IS NOT NULL", name=op.f("ck_hold_timed_has_end")
        ),
        sa.CheckConstraint("direction IN ('incoming', 'outgoing')", name=op.f("ck_hold_direction_known")),
        sa.CheckConstraint(
            "state IN ('TIMED', 'PENDING_DECISION', 'EXPIRED', 'RELEASED', 'LOST', 'LIFTED')",
            name=op.f("ck_hold_state_known"),
        ),
        sa.ForeignKeyConstraint(["exchange_id"], ["exchange.id"], name=op.f("fk_hold_exchange_id_exchange")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
    )
    op.create_index("ix_hold_exchange_id", "hold", ["exchange_id"], unique=False)
    op.create_index("ix_hold_state_expires_at", "hold", ["state", "expires_at"], unique=False)
    for statement in APPEND_ONLY:
        op.execute(statement)


def downgrade() -> None:
    """Go back."""
    for statement in APPEND_ONLY_UNDONE:
        op.execute(statement)
    op.drop_index("ix_hold_state_expires_at", table_name="hold")
    op.drop_index("ix_hold_exchange_id", table_name="hold")
    op.drop_table("hold")
    op.drop_index("ix_act_exchange_id", table_name="act")
    op.drop_table("act")
    op.drop_index("ix_exchange_due_at", table_name="exchange", postgresql_where="due_at IS NOT NULL")
    op.drop_index("ix_exchange_direction_created_at_id", table_name="exchange")
    op.drop_index("ix_exchange_created_at_id", table_name="exchange")
    op.drop_index("ix_exchange_delivery_due_at", table_name="exchange", postgresql_where="delivery_due_at IS NOT NULL")
    op.drop_table("exchange")
    op.drop_index("ix_token_person_id", table_name="token")
    op.drop_table("token")
    op.drop_index("ix_request_state_id", table_name="request")
    op.drop_index("ix_request_exchange_id", table_name="request", postgresql_where="exchange_id IS NOT NULL")
    op.drop_index("ix_request_agency_id_id", table_name="request")
    op.drop_table("request")
    op.drop_index("ix_idempotency_expires_at", table_name="idempotency")
    op.drop_table("idempotency")
    op.drop_table("publication")
    op.drop_index("ix_person_agency_id", table_name="person")
    op.drop_table("person")
    op.drop_index("ix_event_txid_id", table_name="event")
    op.drop_index("ix_event_agency_id_txid_id", table_name="event")
    op.drop_table("event")
    op.drop_table("audit_cosig")
    op.drop_index("ix_timeline_subject_id_id", table_name="timeline")
    op.drop_table("timeline")
    op.drop_index("uq_thread_id_opened", table_name="thread", postgresql_where=sa.text("opened_by IS NOT NULL"))
    op.drop_index("ix_thread_exchange_id", table_name="thread", postgresql_where=sa.text("exchange_id IS NOT NULL"))
    op.drop_table("thread")
    op.drop_table("signed_text")
    op.drop_table("read_fact")
    op.drop_index("ix_quarantine_open", table_name="quarantine", postgresql_where=sa.text("state = 'open'"))
    op.drop_table("quarantine")
    op.drop_table("peer_log")
    op.drop_index("uq_outbox_peer_thread_seq", table_name="outbox", postgresql_where=sa.text("thread IS NOT NULL"))
    op.drop_index("ix_outbox_exchange_id", table_name="outbox", postgresql_where=sa.text("exchange_id IS NOT NULL"))
    op.drop_index("ix_outbox_due", table_name="outbox", postgresql_where=sa.text("left_at IS NULL"))
    op.drop_table("outbox")
    op.drop_table("node_secret")
    op.drop_index("uq_inbox_iss_thread_seq", table_name="inbox", postgresql_where=sa.text("thread IS NOT NULL"))
    op.drop_index("ix_inbox_waiting", table_name="inbox", postgresql_where=sa.text("applied_at IS NULL"))
    op.drop_index("ix_inbox_duplicates", table_name="inbox", postgresql_where=sa.text("duplicates > 0"))
    op.drop_table("inbox")
    op.drop_table("commitment")
    op.drop_table("audit_tree")
    op.drop_table("audit_pending")
    op.drop_table("audit_node")
    op.drop_index("ix_audit_leaf_subject", table_name="audit_leaf", postgresql_where=sa.text("subject IS NOT NULL"))
    op.drop_table("audit_leaf")
    op.drop_table("audit_checkpoint")
    op.drop_table("agency")
