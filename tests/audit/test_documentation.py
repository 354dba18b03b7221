"""The worked example of docs/audit-log.md is what this code writes, and verifies as printed."""

from __future__ import annotations

import re
from pathlib import Path

from app.audit.facts import JSON, Fact, FactType, seal_fact
from app.audit.note import parse_verifier_key
from app.audit.proof import parse_proof, verify_proof
from app.audit.verify import Verdict, verify_export
from app.routers import audit_examples
from tests.audit.samples import LOG, NOW, ORIGIN, THREAD, repeatable

PAGE = (Path(__file__).parents[2] / "docs" / "audit-log.md").read_text("utf-8")
BLOCKS = dict(re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL))
LEAVES = BLOCKS["leaves"].encode().splitlines()


def test_the_printed_key_is_that_of_the_example() -> None:
    """The one-line key parses, and is the public half of the secret the page names."""
    assert parse_verifier_key(BLOCKS["vkey"].strip()) == LOG


def test_the_printed_leaves_are_what_the_code_makes() -> None:
    """Three facts sealed with repeatable randomness give the printed bytes."""
    change: JSON = {"event": "acknowledged", "state": "ACKNOWLEDGED", "generation": 2, "detail": {}}
    facts = {
        "system": Fact(FactType.LOG_OPENED),
        "u:3f9c2a71": Fact(FactType.CASE_VIEWED, thread=THREAD),
        "u:8d02e6b4": Fact(FactType.CASE_CHANGED, thread=THREAD, contents={"change": change}),
    }
    random = repeatable("example")
    sealed = [seal_fact(fact, origin=ORIGIN, actor=actor, at=NOW, random=random) for actor, fact in facts.items()]
    assert [one.leaf for one in sealed] == LEAVES


def test_the_printed_proof_verifies() -> None:
    """Leaf, proof and key as printed are enough."""
    index, checkpoint = verify_proof(BLOCKS["proof"], LEAVES[2], log=LOG)
    assert (index, checkpoint.size) == (2, 3)


def test_the_printed_export_is_valid() -> None:
    """Leaves, checkpoint and opening as printed pass the check of a whole log."""
    notes = [parse_proof(BLOCKS["proof"]).note]
    report = verify_export(LEAVES, notes, log=LOG, openings=BLOCKS["openings"].encode().splitlines())
    assert (report.verdict, report.leaves, report.opened) == (Verdict.VALID, 3, 1)


def test_the_examples_of_the_interface_are_the_same_log() -> None:
    """What the OpenAPI document shows verifies too."""
    assert audit_examples.LEAF.encode() == LEAVES[2]
    assert BLOCKS["proof"] == audit_examples.PROOF
    assert parse_proof(BLOCKS["proof"]).note == audit_examples.CHECKPOINT


def test_the_page_lists_every_type_of_fact() -> None:
    """A type that is not on the page would be unknown to a reader."""
    assert [str(type_) for type_ in FactType if f"`{type_}`" not in PAGE] == []
