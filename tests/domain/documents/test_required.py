"""Each required member missing in turn. The cases come from the models, so that a new one cannot be forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import pytest
from pydantic import BaseModel

from app.domain.documents import example
from app.domain.documents.kinds import KINDS
from app.domain.identifiers import KINDS as IDENTIFIERS
from tests.domain.documents.filing import ABSENT, TYPES, advice, changed, check, found, places, preservation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.domain.codes import RequestType

FULL_AUTHORITY = {
    "organisation": "Ministry",
    "person_in_charge": "Officer 1",
    "address": "1 Street",
    "telephone": "+99900555001",
    "email": "a@b.example",
}
OPTIONAL_PARTS: dict[str, Any] = {
    "requested_authority": {"organisation": "Kitano point"},
    "requesting_authority": FULL_AUTHORITY,
    "confirmation_contact": {"name": "Supervisor", "telephone": "+99900555001"},
    "related_requests": [{"kind": "MLA", "date": "2026-01-01", "reference": "MLA-1"}],
    "translations": [{"language": "ja", "machine_translation": False}],
    "attestation": {"name": "Supervisor", "function": "Head"},
}
"""Parts that the examples leave out; their own required members are tried as well."""


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def _required(model: type[BaseModel], value: Any, pointer: str) -> Iterator[str]:  # noqa: ANN401 - any JSON
    """Pointers of the required members of a value, found through its model."""
    for name, field in model.model_fields.items():
        if name not in value:
            continue
        here = f"{pointer}/{name}"
        if field.is_required():
            yield here
        inner = list(_models(field.annotation))
        parts = value[name] if isinstance(value[name], list) else [value[name]]
        for index, part in enumerate(parts):
            at = f"{here}/{index}" if isinstance(value[name], list) else here
            if inner and isinstance(part, dict):
                yield from _required(_chosen(inner, part), part, at)


def _chosen(models: list[type[BaseModel]], part: dict[str, Any]) -> type[BaseModel]:
    """The model a value is read with: of several identifiers, the one its type names."""
    if len(models) == 1:
        return models[0]
    return next(kind for kind in IDENTIFIERS if part["type"] in get_args(kind.model_fields["type"].annotation))


def _whole(type_: RequestType) -> dict[str, Any]:
    return {**example(type_), **OPTIONAL_PARTS}


CASES = [
    pytest.param(type_, pointer, id=f"{type_} without {pointer}")
    for type_ in TYPES
    for pointer in _required(KINDS[type_].model, _whole(type_), "")
]


@pytest.mark.parametrize("type_", TYPES)
def test_whole_documents_are_accepted(type_: RequestType) -> None:
    """The documents from which members are taken away below are themselves without fault."""
    assert check(_whole(type_)).errors == ()


def test_the_cases_reach_every_level() -> None:
    """The models yield cases at the top, in parts, in lists and in identifiers, for each type."""
    pointers = {case.values[1] for case in CASES}
    assert {
        "/necessity",
        "/necessity/reason",
        "/mla_intent/planned_date",
        "/targets/0/identifier",
        "/targets/0/identifier/value",
        "/targets/0/observations/0/at",
        "/targets/0/interval/end",
        "/offences/0/conduct_description",
        "/legal_basis/international/0/instrument",
        "/marking/pap",
        "/question",
        "/providers/0/address",
        "/emergency/link_to_data",
        "/attestation/function",
        "/confirmation_contact/telephone",
    } <= pointers
    assert len(CASES) > 120


@pytest.mark.parametrize(("type_", "pointer"), CASES)
def test_missing_member_is_named(type_: RequestType, pointer: str) -> None:
    """The answer points to the missing member with C-MISSING and says what asks for it."""
    checked = check(changed(_whole(type_), (pointer, ABSENT)))
    errors = [error for error in checked.errors if (error.pointer, error.code) == (pointer, "C-MISSING")]
    assert len(errors) == 1
    assert errors[0].detail.startswith("Required")
    assert checked.document == {}


@pytest.mark.parametrize(("type_", "pointer"), CASES)
def test_null_is_no_value(type_: RequestType, pointer: str) -> None:
    """`null` in place of a required member counts as missing."""
    checked = check(changed(_whole(type_), (pointer, None)))
    assert (pointer, "C-MISSING") in found(checked)


def test_all_missing_members_are_listed_at_once() -> None:
    """An empty preservation is answered with every one of its required members, not with the first."""
    fields = KINDS[TYPES[0]].model.model_fields
    expected = {f"/{name}" for name, field in fields.items() if field.is_required()} - {"/type"}
    checked = check({"type": "PRESERVATION"})
    assert {error.pointer for error in checked.errors if error.code == "C-MISSING"} == expected


def test_rules_of_law_are_checked_beside_missing_members() -> None:
    """A document without necessity and with a CGN address without port hears of both."""
    checked = check(preservation(("/necessity", ABSENT), ("/targets/0/observations/0/source_port", ABSENT)))
    assert {("/necessity", "C-MISSING"), ("/targets/0/observations/0/source_port", "C-PORT")} <= found(checked)


def test_one_faulty_target_does_not_hide_another() -> None:
    """Rules run on the readable targets, and point to their place in the document as filed."""
    target = preservation()["targets"][0]
    broken = changed(target, ("/relationship_to_offence", ABSENT))
    portless = changed(target, ("/observations/0/source_port", ABSENT))
    checked = check(preservation(("/targets", [broken, portless])))
    assert {
        ("/targets/0/relationship_to_offence", "C-MISSING"),
        ("/targets/1/observations/0/source_port", "C-PORT"),
    } == found(checked)


def test_missing_intention_is_named_by_its_own_code_as_well() -> None:
    """Art. 29(2)(f): without `mla_intent` the answer carries C-MLAINTENT beside C-MISSING."""
    assert found(check(preservation(("/mla_intent", ABSENT)))) == {
        ("/mla_intent", "C-MISSING"),
        ("/mla_intent", "C-MLAINTENT"),
    }


@pytest.mark.parametrize("type_", TYPES)
def test_empty_lists_are_missing(type_: RequestType) -> None:
    """A required list without elements is missing what the list is for; three lists may be empty."""
    raw = example(type_)
    for pointer, value in places(raw):
        if isinstance(value, list) and not pointer.endswith(("/observations", "/articles", "/related_requests")):
            assert (pointer, "C-MISSING") in found(check(changed(raw, (pointer, [])))), pointer


def test_advice_needs_no_target() -> None:
    """Advice may be asked with a target or without."""
    targets = preservation()["targets"]
    assert check(advice()).errors == ()
    assert check(advice(("/targets", targets))).errors == ()
