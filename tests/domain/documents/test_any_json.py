"""Whatever JSON arrives, the check answers; it never raises."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.documents import example
from app.domain.documents.kinds import KINDS
from tests.domain.documents.filing import TYPES, changed, check, places

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=30)
    | st.sampled_from(["ipv4", "url", "account", "2026-11-21T23:14:05+01:00", "XT", "EMERGENCY", "", "203.0.113.77"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(), max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)
MEMBERS = sorted({name for kind in KINDS.values() for name in kind.model.model_fields})
POINTERS = {type_: [pointer for pointer, _ in places(example(type_)) if pointer] for type_ in TYPES}


def _answers(raw: dict[str, Any]) -> None:
    checked = check(raw)
    assert bool(checked.errors) != bool(checked.document)
    json.dumps([[error.pointer, error.code, error.detail] for error in checked.errors]).encode("utf-8")
    assert all(error.pointer == "" or error.pointer.startswith("/") for error in checked.errors)


@settings(deadline=None)
@given(st.dictionaries(st.text(st.characters(), max_size=12), JSON, max_size=5))
def test_any_object_is_answered(raw: dict[str, Any]) -> None:
    """An object of random members gets an answer that can be sent."""
    _answers(raw)


@settings(deadline=None)
@given(st.sampled_from(TYPES), st.dictionaries(st.sampled_from(MEMBERS), JSON, max_size=8))
def test_any_values_under_real_names_are_answered(type_: str, raw: dict[str, Any]) -> None:
    """Random values under the names of real members get an answer that can be sent."""
    _answers({**raw, "type": type_})


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_value_anywhere_in_an_example_is_answered(data: st.DataObject) -> None:
    """A random value at a random place of a good document gets an answer that can be sent."""
    type_ = data.draw(st.sampled_from(TYPES))
    raw = changed(example(type_), (data.draw(st.sampled_from(POINTERS[type_])), data.draw(JSON)))
    _answers(raw)


@settings(deadline=None)
@given(
    st.sampled_from(["ipv4", "ipv6", "cidr", "domain", "url", "email", "message_id", "phone", "mac", "iban"]), st.text()
)
def test_any_text_as_an_identifier_is_answered(kind: str, text: str) -> None:
    """Random text under every textual identifier gets an answer that can be sent."""
    _answers(changed(example(TYPES[0]), ("/targets/0/identifier", {"type": kind, "value": text})))
