"""Unknown members, wrong types, hostile texts: refused at every level, with pointer and code, repeating nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from app.domain.documents import example
from app.domain.documents.kinds import KINDS
from app.domain.documents.reading import MAX_DEPTH, MAX_ERRORS, MAX_VALUES, to_field_errors
from tests.domain.documents.filing import TYPES, changed, check, found, places, preservation

if TYPE_CHECKING:
    from app.domain.codes import RequestType

CANARY = "canary-7f3e9a51"

OBJECTS = [
    pytest.param(type_, pointer, id=f"{type_} at {pointer or 'the top'}")
    for type_ in TYPES
    for pointer, value in places(example(type_))
    if isinstance(value, dict)
]
LEAVES = [
    pytest.param(type_, pointer, value, id=f"{type_} at {pointer}")
    for type_ in TYPES
    for pointer, value in places(example(type_))
    if not isinstance(value, dict | list) and pointer != "/type"
]
WRONG: tuple[Any, ...] = ("12", "yes", "true", 1, 12, 1.5, True, [], {})


@pytest.mark.parametrize(("type_", "pointer"), OBJECTS)
def test_unknown_member_is_refused(type_: RequestType, pointer: str) -> None:
    """A member that no model has is refused at every level, by its pointer."""
    name = f"{pointer}/surprise"
    assert found(check(changed(example(type_), (name, CANARY)))) == {(name, "unknown_field")}


def _fits(pointer: str, value: object, wrong: object) -> bool:
    """Whether the value put in is of the type that belongs there; penalties may be fractions of years."""
    number = pointer.endswith("max_penalty_years") and isinstance(wrong, float)
    return type(value) is type(wrong) or number


@pytest.mark.parametrize(("type_", "pointer", "value"), LEAVES)
def test_value_of_another_type_is_refused(type_: RequestType, pointer: str, value: object) -> None:
    """Nothing is converted: "12" is no number, "yes" no truth, 1 no truth, true no number, and a list no text."""
    for wrong in WRONG:
        if not _fits(pointer, value, wrong):
            assert found(check(changed(example(type_), (pointer, wrong)))), wrong


@pytest.mark.parametrize(("type_", "pointer"), OBJECTS)
def test_object_replaced_by_a_text_is_refused(type_: RequestType, pointer: str) -> None:
    """A text where an object belongs is a wrong type."""
    if pointer:
        assert (pointer, "wrong_type") in found(check(changed(example(type_), (pointer, CANARY))))


HOSTILE = {
    "a NUL": "bad\x00text",
    "an escape": "bad\x1b[2Jtext",
    "a next-line control": "bad\x85text",
    "a reversed text": "bad\u202etext",
    "an isolate": "bad\u2066text",
    "a byte order mark": "\ufeffbad text",
    "a lone surrogate": "bad\ud800text",
    "a line separator": "bad\u2028text",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("pointer", ["/facts_summary", "/offences/0/title", "/necessity/text"])
def test_invisible_characters_are_refused(pointer: str, text: str) -> None:
    """Control characters, direction marks and broken Unicode are refused in lines and in long texts."""
    assert found(check(preservation((pointer, text.ljust(60, "."))))) == {(pointer, "bad_characters")}


def test_right_to_left_writing_is_welcome() -> None:
    """Arabic text with its ordinary marks is a text like any other."""
    arabic = "دخل شخص مجهول إلى بوابة المستشفى باستخدام بيانات مسروقة ونسخ أربعين غيغابايت من السجلات.\u200f"
    assert check(preservation(("/facts_summary", arabic))).errors == ()


def test_line_feed_belongs_to_long_texts_only() -> None:
    """A summary may have paragraphs; a title is one line."""
    assert check(preservation(("/facts_summary", "First paragraph.\n" * 5))).errors == ()
    assert found(check(preservation(("/offences/0/title", "One\nTwo")))) == {("/offences/0/title", "bad_characters")}


def test_blank_text_is_missing() -> None:
    """Blanks are not an answer to a required text."""
    for blank in ("", "   ", "\n" * 80):
        assert found(check(preservation(("/facts_summary", blank)))) == {("/facts_summary", "C-MISSING")}


def test_text_without_substance_is_vague() -> None:
    """Where the law wants substance a few words are C-VAGUE."""
    raw = preservation(("/facts_summary", "Hacking."), ("/targets/0/relationship_to_offence", "It is the source."))
    assert found(check(raw)) == {("/facts_summary", "C-VAGUE"), ("/targets/0/relationship_to_offence", "C-VAGUE")}


@pytest.mark.parametrize("type_", TYPES)
def test_every_text_has_a_limit(type_: RequestType) -> None:
    """No text of a document takes ten thousand characters."""
    raw = example(type_)
    for pointer, value in places(raw):
        if isinstance(value, str) and pointer != "/type":
            assert found(check(changed(raw, (pointer, "A" * 10_000)))), pointer


def test_lists_have_limits() -> None:
    """A hundred targets are the most; more are split (V-2)."""
    target = preservation()["targets"][0]
    assert check(preservation(("/targets", [target] * 100))).errors == ()
    assert found(check(preservation(("/targets", [target] * 101)))) == {("/targets", "too_many")}


def test_answers_are_limited() -> None:
    """A document of a thousand unknown members gets a bounded answer that says so."""
    errors = check(preservation() | {f"x{number}": 1 for number in range(1000)}).errors
    assert len(errors) == MAX_ERRORS + 1
    assert errors[-1].code == "too_many"


def test_depth_and_size_are_limited() -> None:
    """Deep nesting and floods of values are refused before anything is read."""
    deep: list[Any] = []
    for _ in range(MAX_DEPTH + 1):
        deep = [deep]
    assert found(check(preservation(("/facts_summary", deep)))) == {("", "too_many")}
    assert found(check(preservation(("/targets", [0] * (MAX_VALUES + 1))))) == {("", "too_many")}


def test_member_names_are_shown_printable_and_short() -> None:
    """A pointer repeats at most a short, printable piece of an unknown name, escaped as RFC 6901 says."""
    (error,) = check(preservation() | {"a/b~c\n" + "x" * 500: 1}).errors
    assert error.pointer.startswith("/a~1b~0c\ufffdx")
    assert len(error.pointer) < 80


def test_broken_unicode_in_a_name_is_refused() -> None:
    """A member name with a lone surrogate is refused without being repeated."""
    assert found(check(preservation() | {"\ud800": 1})) == {("", "bad_characters")}


def _filled(value: Any, name: str = "") -> Any:  # noqa: ANN401 - any JSON
    """The same document with a canary in every text but the one that says how to read it."""
    if isinstance(value, dict):
        return {key: _filled(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner) for inner in value]
    return value if name == "type" else CANARY


@pytest.mark.parametrize("type_", TYPES)
def test_no_answer_repeats_what_was_submitted(type_: RequestType) -> None:
    """With a canary in every value, no pointer, code or detail of error or warning holds it."""
    checked = check(_filled(example(type_)))
    assert len(checked.errors) > 10
    said = [f"{error.pointer} {error.code} {error.detail}" for error in checked.errors]
    said += [f"{warning.pointer} {warning.code} {warning.detail}" for warning in checked.warnings]
    assert not [text for text in said if CANARY in text]


def test_the_canary_would_be_found() -> None:
    """Control: the validation library's own texts do repeat it, so the test above can fail."""
    raw = preservation(("/targets/0/identifier/type", CANARY))
    with pytest.raises(ValidationError) as faulty:
        KINDS[TYPES[0]].model.model_validate(raw)
    assert CANARY in str(faulty.value.errors())
    assert CANARY in faulty.value.errors()[0]["msg"]


def test_errors_without_a_text_of_ours_say_nothing_of_the_value() -> None:
    """An error of the validation library that nobody foresaw is `bad_value`, its own text is dropped."""
    unforeseen: Any = {"type": "value_error", "loc": ("facts_summary",), "msg": f"got {CANARY}", "input": CANARY}
    errors = to_field_errors(KINDS[TYPES[0]].model, [unforeseen])
    assert len(errors) == 1
    error = errors[0]
    assert (error.pointer, error.code) == ("/facts_summary", "bad_value")
    assert CANARY not in error.detail
