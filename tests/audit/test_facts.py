"""Facts become leaves that say enough to be useful and nothing that is personal."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from app.audit.facts import JSON, Fact, FactType, NotALeaf, SealedFact, seal_fact, subject_of
from app.audit.leaf import MAX_LEAF_BYTES, Opening, check_opening, commitment_of, read_leaf
from app.audit.strict import NotVerified
from tests.audit.samples import NOW, ORIGIN, THREAD, repeatable

PHONE = "+33 6 39 98 12 34"


def seal(fact: Fact, *, actor: str = "u:9f3c", at: datetime = NOW, seed: str = "") -> SealedFact:
    return seal_fact(fact, origin=ORIGIN, actor=actor, at=at, random=repeatable(seed))


VIEWED = Fact(FactType.CASE_VIEWED, thread=THREAD, peer="XT", contents={"reason": "shift handover", "phone": PHONE})


def test_a_leaf_is_canonical_json_with_these_members() -> None:
    """The bytes are RFC 8785 form; members that do not apply are absent."""
    leaf = seal(VIEWED).leaf
    members = json.loads(leaf)
    assert rfc8785.dumps(members) == leaf
    assert set(members) == {"v", "log", "id", "at", "n", "type", "actor", "thread", "peer", "c"}
    assert members["at"] == "2026-11-22T09:30:00.000Z"
    assert [item["f"] for item in members["c"]] == ["phone", "reason"]


def test_a_leaf_depends_on_its_arguments_alone() -> None:
    """The same fact, time and randomness give the same bytes; other randomness gives others."""
    assert seal(VIEWED).leaf == seal(VIEWED).leaf
    assert seal(VIEWED).leaf != seal(VIEWED, seed="other").leaf


def test_nothing_of_the_contents_is_in_the_leaf() -> None:
    """A canary in every content value appears nowhere in the leaf bytes."""
    leaf = seal(VIEWED).leaf
    for canary in (PHONE, "shift handover", hashlib.sha256(PHONE.encode()).hexdigest()):
        assert canary.encode() not in leaf


def test_an_opening_proves_the_content_and_only_it() -> None:
    """The value as recorded opens its commitment; another value, salt or field does not."""
    sealed = seal(VIEWED)
    leaf = read_leaf(sealed.leaf)
    phone = sealed.openings[0]
    assert json.loads(phone.body) == PHONE
    check_opening(leaf, phone)
    for wrong in (
        Opening("phone", phone.salt, rfc8785.dumps("+33 6 39 98 00 00")),
        Opening("phone", bytes(32), phone.body),
        Opening("reason", phone.salt, phone.body),
        Opening("unheard_of", phone.salt, phone.body),
    ):
        with pytest.raises(NotVerified):
            check_opening(leaf, wrong)


def test_equal_contents_cannot_be_recognised() -> None:
    """Two facts with the same contents share no commitment, so nobody can link cases through them."""
    first, second = seal(VIEWED, seed="one"), seal(VIEWED, seed="two")
    assert set(read_leaf(first.leaf).commitments.values()).isdisjoint(read_leaf(second.leaf).commitments.values())


def test_a_hash_without_salt_would_give_the_number_away() -> None:
    """The negative control: from a plain hash the phone number is found by trying; from the commitment it is not."""
    stored_plainly = hashlib.sha256(rfc8785.dumps(PHONE)).digest()
    candidates = [f"+33 6 39 98 12 {number:02}" for number in range(100)]
    assert PHONE in [text for text in candidates if hashlib.sha256(rfc8785.dumps(text)).digest() == stored_plainly]
    committed = read_leaf(seal(VIEWED).leaf).commitments["phone"]
    unsalted = [commitment_of(Opening("phone", b"", rfc8785.dumps(text))) for text in candidates]
    assert committed not in unsalted


NOT_IDENTIFIERS: dict[str, Fact] = {
    "a case number as thread": Fact(FactType.CASE_CHANGED, thread="XA-2026-7K3QF9D"),
    "an old file number as thread": Fact(FactType.CASE_CHANGED, thread="2026/1234 (Dupont)"),
    "free text as jti": Fact(FactType.ENVELOPE_SENT, jti="the second one"),
    "a name as peer": Fact(FactType.ENVELOPE_SENT, peer="Kitano"),
    "a newline after the thread": Fact(FactType.CASE_CHANGED, thread=THREAD + "\n"),
    "free text as name of a field": Fact(FactType.CASE_CHANGED, contents={"Dupont, Jean": "x"}),
}


@pytest.mark.parametrize("fact", NOT_IDENTIFIERS.values(), ids=NOT_IDENTIFIERS.keys())
def test_members_that_could_carry_personal_data_are_refused(fact: Fact) -> None:
    """Only random ids, codes of contact points and pseudonyms have a shape that enters a leaf."""
    with pytest.raises(NotALeaf):
        seal(fact)


def test_an_actor_is_a_pseudonym() -> None:
    """A name or an address instead of a pseudonym is refused."""
    for actor in ("Jean Dupont", "jean.dupont@example.org", "", "u:" + "x" * 65):
        with pytest.raises(NotALeaf):
            seal(VIEWED, actor=actor)


def test_a_leaf_larger_than_4_kib_is_refused() -> None:
    """So many commitments are content in disguise."""
    with pytest.raises(NotALeaf, match="leaf_too_large"):
        seal(Fact(FactType.CASE_CHANGED, contents={f"field_{number}": number for number in range(60)}))


def test_contents_without_canonical_form_are_refused() -> None:
    """Endless lists, integers beyond 2^53, NaN, lone surrogates and foreign types have no one spelling."""
    endless: list[Any] = []
    endless.append(endless)
    values: list[Any] = [endless, 2**53, float("nan"), "\ud800", NOW, {1: "one"}]
    for value in values:
        with pytest.raises(NotALeaf, match="contents_not_canonical"):
            seal(Fact(FactType.CASE_CHANGED, contents={"value": value}))


def test_times_are_milliseconds_in_utc() -> None:
    """Any zone is written as UTC; a time without zone is refused."""
    tokyo = datetime(2026, 11, 22, 18, 30, 0, 999_999, tzinfo=timezone(timedelta(hours=9)))
    assert read_leaf(seal(VIEWED, at=tokyo).leaf).at == "2026-11-22T09:30:00.999Z"
    with pytest.raises(NotALeaf, match="leaf_time"):
        seal(VIEWED, at=tokyo.replace(tzinfo=None))


def test_event_ids_are_version_7_and_carry_the_time() -> None:
    """The first 48 bits are the milliseconds of the fact, so ids sort by time."""
    event_id = seal(VIEWED).event_id
    assert event_id.version == 7
    assert event_id.variant == "specified in RFC 4122"
    assert datetime.fromtimestamp((event_id.int >> 80) / 1000, UTC) == NOW
    assert read_leaf(seal(VIEWED).leaf).id == str(event_id)


def test_a_file_is_found_under_its_own_id() -> None:
    """A thread `att:<id>` and an exchange both lead to a UUID, no thread to none."""
    assert subject_of(f"att:{THREAD}") == subject_of(THREAD) == UUID(THREAD)
    assert subject_of(None) is None
    assert seal(Fact(FactType.CASE_VIEWED, thread=f"att:{THREAD}")).subject == UUID(THREAD)


BAD_LEAVES = {
    "no JSON": b"leaf",
    "no UTF-8": b'{"v":1,"log":"\xff"}',
    "UTF-16": seal(VIEWED).leaf.decode().encode("utf-16"),
    "a list": b"[]",
    "nothing": b"",
    "too deep": b"[" * 4000,
    "too long": seal(VIEWED).leaf + b" " * MAX_LEAF_BYTES,
    "another version": seal(VIEWED).leaf.replace(b'"v":1', b'"v":2'),
    "a member twice": seal(VIEWED).leaf.replace(b'"v":1', b'"v":1,"v":1'),
    "no actor": seal(VIEWED).leaf.replace(b'"actor"', b'"sailor"'),
    "a number as actor": seal(VIEWED).leaf.replace(b'"u:9f3c"', b"7"),
    "a number as thread": seal(VIEWED).leaf.replace(f'"{THREAD}"'.encode(), b"7"),
    "no commitments": seal(VIEWED).leaf.replace(b'"c":', b'"d":'),
    "another algorithm": seal(VIEWED).leaf.replace(b"HS256-JCS", b"MD5-JCS"),
    "one field twice": seal(VIEWED).leaf.replace(b'"f":"phone"', b'"f":"reason"'),
}


@pytest.mark.parametrize("raw", BAD_LEAVES.values(), ids=BAD_LEAVES.keys())
def test_a_malformed_leaf_is_refused(raw: bytes) -> None:
    """Reading a leaf raises `NotVerified` for whatever is not one."""
    with pytest.raises(NotVerified):
        read_leaf(raw)


def test_members_of_later_versions_are_passed_over() -> None:
    """A member we do not know is hashed like all others and does not stop the reader."""
    leaf = seal(VIEWED).leaf.replace(b'{"actor"', b'{"aaa":1,"actor"')
    assert read_leaf(leaf).actor == "u:9f3c"


VALUES: st.SearchStrategy[JSON] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=10,
)


@settings(deadline=None)  # a busy machine is no counterexample
@given(VALUES)
def test_any_json_value_can_be_committed_to_and_opened(value: JSON) -> None:
    """Whatever was recorded is opened again from the stored bytes, and reads back as the same value."""
    sealed = seal(Fact(FactType.CASE_CHANGED, contents={"value": value}))
    check_opening(read_leaf(sealed.leaf), sealed.openings[0])
    assert json.loads(sealed.openings[0].body) == value


@settings(deadline=None)  # a busy machine is no counterexample
@given(st.binary(max_size=200))
def test_no_bytes_crash_the_reader(raw: bytes) -> None:
    """Whatever the bytes, reading them as a leaf raises `NotVerified` or nothing."""
    with pytest.raises(NotVerified):
        read_leaf(raw)
