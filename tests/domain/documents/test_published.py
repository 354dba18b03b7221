"""What is published of a type: schema and example agree with the check; and what the directory warns of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from app.domain.codes import RequestType
from app.domain.contact_points import ContactPointProfile, Language
from app.domain.directory import load_profile
from app.domain.directory_codes import Capability, LanguageLevel, LanguageUse
from app.domain.documents import ability_warnings, example, json_schema
from tests.domain.documents.filing import ABSENT, TYPES, changed, check, preservation

KITANO = Path(__file__).parents[3] / "app" / "data" / "contact_points" / "XT.json"


@pytest.mark.parametrize("type_", TYPES)
def test_schema_accepts_the_example(type_: RequestType) -> None:
    """The published schema is a valid schema, and the example fits it."""
    schema = json_schema(type_)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(example(type_))


@pytest.mark.parametrize("type_", TYPES)
def test_schema_refuses_unknown_and_missing_members(type_: RequestType) -> None:
    """The schema is as strict as the check about members."""
    validator = jsonschema.Draft202012Validator(json_schema(type_))
    assert list(validator.iter_errors(example(type_) | {"surprise": 1}))
    assert list(validator.iter_errors(changed(example(type_), ("/urgency", ABSENT))))


def test_schema_parts_can_be_moved() -> None:
    """References follow the template, so that the schema can stand inside another document."""
    text = str(json_schema(RequestType.PRESERVATION, ref_template="#/components/schemas/{model}"))
    assert "#/components/schemas/Target" in text
    assert "#/$defs/" not in text


def test_types_that_are_not_offered_have_nothing_published() -> None:
    """No schema and no example for a type that cannot be filed here."""
    for publish in (json_schema, example):
        with pytest.raises(KeyError):
            publish(RequestType.PING)


def _point(*, preserves: Capability, languages: tuple[tuple[str, LanguageUse], ...]) -> ContactPointProfile:
    """Kitano's own entry, with another capability and other languages."""
    profile = load_profile(KITANO.read_text("utf-8"), source="XT")
    return profile.model_copy(
        update={
            "capabilities": profile.capabilities.model_copy(update={"preservation": preserves}),
            "languages": tuple(Language(tag=tag, level=LanguageLevel.WORKING, uses=(use,)) for tag, use in languages),
        }
    )


def _codes(point: ContactPointProfile, raw: dict[str, Any]) -> list[str]:
    return [warning.code for warning in ability_warnings(check(raw).accepted(), point)]


def test_contact_point_that_can_and_reads_gives_no_warning() -> None:
    """A contact point that executes preservations and reads English is fine, also for en-GB."""
    point = _point(preserves=Capability.EXECUTES, languages=(("en", LanguageUse.WRITTEN),))
    assert _codes(point, preservation()) == []
    assert _codes(point, preservation(("/language", "en-GB"))) == []


def test_missing_capability_is_a_warning() -> None:
    """A contact point that does not offer the measure is pointed out, never refused."""
    point = _point(preserves=Capability.NO, languages=(("en", LanguageUse.WRITTEN),))
    assert _codes(point, preservation()) == ["capability_missing"]


def test_unread_language_is_a_warning_until_a_translation_is_added() -> None:
    """A language only spoken there counts as unread; a translation into one that is read helps."""
    point = _point(preserves=Capability.EXECUTES, languages=(("en", LanguageUse.VOICE), ("ja", LanguageUse.WRITTEN)))
    assert _codes(point, preservation()) == ["language_not_read"]
    translated = preservation(("/translations", [{"language": "ja", "machine_translation": True}]))
    assert _codes(point, translated) == []
