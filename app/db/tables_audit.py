"""Tables of the audit log, who may do what to them, and the triggers by which the server itself keeps them append-only.

A tree is one epoch of the log (its origin names the year). Only complete subtrees are stored, so no row ever changes.
A superuser can switch triggers off: what he then does is not prevented but found out (docs/audit-log.md).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
)

from app.db.metadata import metadata

audit_tree = Table(
    "audit_tree",
    metadata,
    Column("epoch", SmallInteger, primary_key=True, autoincrement=False),
    Column("origin", Text, nullable=False, unique=True),
    Column("size", BigInteger, nullable=False),
    Column("published_size", BigInteger, nullable=False),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("0 <= published_size AND published_size <= size", name="published_exists"),
    comment="One row per epoch; `size` is the compare-and-swap that keeps the log from forking",
)

audit_pending = Table(
    "audit_pending",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("event_id", Uuid, nullable=False, unique=True),
    Column("origin", Text, nullable=False),
    Column("subject", Uuid),
    Column("leaf", LargeBinary, nullable=False),
    comment="Facts committed with their business rows and not yet in the tree; the sequencer empties it",
)

audit_leaf = Table(
    "audit_leaf",
    metadata,
    Column("epoch", SmallInteger, nullable=False),
    Column("leaf_index", BigInteger, nullable=False),
    Column("event_id", Uuid, nullable=False, unique=True),
    Column("subject", Uuid),
    Column("leaf", LargeBinary, nullable=False),
    PrimaryKeyConstraint("epoch", "leaf_index"),
    comment="The log itself: exactly the bytes that were hashed",
)
Index("ix_audit_leaf_subject", audit_leaf.c.subject, postgresql_where=audit_leaf.c.subject.is_not(None))

audit_node = Table(
    "audit_node",
    metadata,
    Column("epoch", SmallInteger, nullable=False),
    Column("level", SmallInteger, nullable=False),
    Column("idx", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("epoch", "level", "idx"),
    CheckConstraint("octet_length(hash) = 32", name="hash_length"),
    comment="Hashes of complete subtrees: level 0 are leaf hashes, (level, idx) covers leaves from idx << level",
)

audit_checkpoint = Table(
    "audit_checkpoint",
    metadata,
    Column("epoch", SmallInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("epoch", "size"),
    CheckConstraint("octet_length(root) = 32", name="root_length"),
    comment="Every head this node ever signed",
)

audit_cosig = Table(
    "audit_cosig",
    metadata,
    Column("epoch", SmallInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("witness", Text, nullable=False),
    Column("line", Text, nullable=False),
    Column("ts", BigInteger, nullable=False),
    PrimaryKeyConstraint("epoch", "size", "witness"),
    ForeignKeyConstraint(["epoch", "size"], ["audit_checkpoint.epoch", "audit_checkpoint.size"]),
    comment="Signature lines by which counterparts confirm that our log only grows",
)

peer_log = Table(
    "peer_log",
    metadata,
    Column("origin", Text, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", Text, nullable=False),
    Column("seen_at", DateTime(timezone=True), nullable=False),
    comment="What this node, as a witness, last saw of a counterpart's log",
)

commitment = Table(
    "commitment",
    metadata,
    Column("event_id", Uuid, nullable=False),
    Column("field", Text, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("erase_after", Date),
    PrimaryKeyConstraint("event_id", "field"),
    comment="Openings of the commitments in leaves. Deleting a row erases its content; no proof suffers",
)

read_fact = Table(
    "read_fact",
    metadata,
    Column("person_id", Uuid, nullable=False),
    Column("subject", Uuid, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("person_id", "subject"),
    comment="When a person last left a read fact for a case, so that one sitting makes one fact",
)

APPLICATION_RIGHTS = {
    audit_pending.name: "SELECT, INSERT",
    commitment.name: "SELECT, INSERT",
    audit_tree.name: "SELECT",
    audit_leaf.name: "SELECT",
    audit_node.name: "SELECT",
    audit_checkpoint.name: "SELECT",
    audit_cosig.name: "SELECT",
    peer_log.name: "SELECT",
    read_fact.name: "SELECT, INSERT, UPDATE",
}
"""Rights of the application role where fewer than usual: it states facts, and cannot place them or take them back."""

SEQUENCER_RIGHTS = {
    audit_pending.name: "SELECT, DELETE",
    audit_tree.name: "SELECT, INSERT, UPDATE",
    audit_leaf.name: "SELECT, INSERT",
    audit_node.name: "SELECT, INSERT",
    audit_checkpoint.name: "SELECT, INSERT",
    # Whether the log may be extended at all: not while the node has yet to learn what it said.
    "recovery": "SELECT",
}
"""All rights of the role that extends the tree; it is taken for one transaction and cannot write anything else."""

_FOR_EVER = (audit_leaf.name, audit_node.name, audit_checkpoint.name, audit_cosig.name)
_NEVER_CHANGED = (audit_pending.name, commitment.name)

_REFUSE = """
CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: the audit log only grows', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$"""

_ONLY_GROW = """
CREATE OR REPLACE FUNCTION audit_only_grow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.epoch <> OLD.epoch OR NEW.origin <> OLD.origin OR NEW.opened_at <> OLD.opened_at
            OR NEW.size < OLD.size OR NEW.published_size < OLD.published_size THEN
        RAISE EXCEPTION 'UPDATE on audit_tree is refused: a log never becomes smaller nor another one'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$"""


def _trigger(name: str, when: str, *, table: str, act: str) -> str:
    return f"CREATE OR REPLACE TRIGGER {table}_{name} BEFORE {when} ON {table} FOR EACH {act}()"


def _refuse(table: str, rows: str) -> tuple[str, str]:
    """One trigger for rows and one for TRUNCATE, which no row trigger sees."""
    return (
        _trigger("rows", rows, table=table, act="ROW EXECUTE FUNCTION audit_refuse"),
        _trigger("whole", "TRUNCATE", table=table, act="STATEMENT EXECUTE FUNCTION audit_refuse"),
    )


AUDIT_DDL = (
    _REFUSE,
    _ONLY_GROW,
    *(statement for table in _FOR_EVER for statement in _refuse(table, "UPDATE OR DELETE")),
    *(statement for table in _NEVER_CHANGED for statement in _refuse(table, "UPDATE")),
    *_refuse(audit_tree.name, "DELETE"),
    _trigger("grows", "UPDATE", table=audit_tree.name, act="ROW EXECUTE FUNCTION audit_only_grow"),
    # A queue: emptied as fast as it fills, so its dead rows must go long before a fifth of the table is dead.
    "ALTER TABLE audit_pending SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500)",
)
"""What the migration executes, in this order, after it created the tables."""

AUDIT_DDL_UNDONE = (
    *(
        f"DROP TRIGGER IF EXISTS {table}_{kind} ON {table}"
        for table in (*_FOR_EVER, *_NEVER_CHANGED, audit_tree.name)
        for kind in ("rows", "whole")
    ),
    "DROP TRIGGER IF EXISTS audit_tree_grows ON audit_tree",
    "DROP FUNCTION IF EXISTS audit_only_grow()",
    "DROP FUNCTION IF EXISTS audit_refuse()",
)
"""What a downgrade executes before it drops the tables."""
