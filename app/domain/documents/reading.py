"""From raw JSON to a document: every fault of shape at once, and whatever could be read despite them.

The rules of the law then run on the readable parts, so that one answer tells an officer everything there is to mend.
Nothing submitted is repeated in an answer, except the names of members in pointers, shortened and made printable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core.core_schema import ErrorType

from app.errors import FieldError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic_core import ErrorDetails

MAX_DEPTH = 32
MAX_VALUES = 100_000
MAX_ERRORS = 200
MAX_SEGMENT = 64
"""Characters of one member name that a pointer repeats."""

Location = tuple[int | str, ...]

_TAGGED = frozenset({"identifier"})
"""Members whose value is one of several models: pydantic puts the model's name into the path after them."""

_SHAPES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "extra_forbidden": ("unknown_field", "There is no such member here."),
        "string_type": ("wrong_type", "A text is expected."),
        "int_type": ("wrong_type", "A whole number is expected, not in quotes."),
        "float_type": ("wrong_type", "A number is expected, not in quotes."),
        "bool_type": ("wrong_type", "true or false is expected, not in quotes."),
        "list_type": ("wrong_type", "A list is expected."),
        "dict_type": ("wrong_type", "An object is expected."),
        "model_type": ("wrong_type", "An object is expected."),
        "model_attributes_type": ("wrong_type", "An object is expected."),
        "string_too_long": ("too_long", "At most {max_length} characters."),
        "string_too_short": ("C-VAGUE", "At least {min_length} characters: say what makes it so."),
        "string_pattern_mismatch": ("bad_format", "Not in the form this member has; the published schema shows it."),
        "too_long": ("too_many", "At most {max_length}; split what is more."),
        "greater_than_equal": ("out_of_range", "At least {ge}."),
        "less_than_equal": ("out_of_range", "At most {le}."),
        "finite_number": ("out_of_range", "A finite number is expected."),
        "enum": ("not_in_list", "One of: {expected}."),
        "literal_error": ("not_in_list", "One of: {expected}."),
        "union_tag_invalid": ("not_in_list", "One of: {expected_tags}."),
    }
)
_FOREIGN = frozenset(get_args(ErrorType)) - frozenset(_SHAPES)
"""Errors of pydantic without a text of ours; theirs may repeat the value."""

_OF_TYPE = frozenset({"union_tag_invalid", "union_tag_not_found"})
_ABSENT = frozenset({"missing", "union_tag_not_found", "too_short"})
_REFUSE_NULL = (frozenset(_SHAPES) | {"wrong_type"}) - {"extra_forbidden"}
_NOTHING_SAID = "Required."


@dataclass(frozen=True, slots=True)
class Reading:
    """What could be read: the whole document, or as much of it as its faults leave.

    `positions` are the indexes that the readable targets have in the document as filed.
    """

    document: BaseModel
    positions: tuple[int, ...]
    errors: tuple[FieldError, ...]


def pointer_to(*location: int | str) -> str:
    """A JSON Pointer (RFC 6901); names are cut to a printable size."""
    return "".join(f"/{_segment(part)}" for part in location)


def hostile(raw: object) -> Iterator[FieldError]:
    """Faults that no further reading could survive: depth, number of values, text that is not Unicode."""
    waiting: list[tuple[Location, object]] = [((), raw)]
    seen = 0
    while waiting:
        location, value = waiting.pop()
        seen += 1
        if seen > MAX_VALUES or len(location) > MAX_DEPTH:
            yield FieldError("", "too_many", f"At most {MAX_VALUES} values, nested at most {MAX_DEPTH} deep.")
            return
        if isinstance(value, str) and not _is_unicode(value):
            yield FieldError(pointer_to(*location), "bad_characters", "The text is not valid Unicode.")
        elif isinstance(value, Mapping):
            if not all(map(_is_unicode, value)):
                yield FieldError(pointer_to(*location), "bad_characters", "The name of a member is not valid Unicode.")
            waiting.extend(((*location, name), inner) for name, inner in value.items())
        elif isinstance(value, Sequence) and not isinstance(value, str):
            waiting.extend(((*location, index), inner) for index, inner in enumerate(value))


def read(model: type[BaseModel], lenient: type[BaseModel], *, raw: Mapping[str, Any]) -> Reading:
    """Read `raw` as `model`; `lenient` is the same model with nothing required, for what remains after faults."""
    try:
        document = model.model_validate(dict(raw))
    except ValidationError as faulty:
        details = faulty.errors(include_url=False)
        kept, positions = _readable(raw, details)
        return Reading(lenient.model_validate(kept), positions, to_field_errors(model, details))
    return Reading(document, tuple(range(_length(raw.get("targets")))), ())


def to_field_errors(model: type[BaseModel], details: Sequence[ErrorDetails]) -> tuple[FieldError, ...]:
    """Pydantic's errors under our codes, at most `MAX_ERRORS` of them."""
    errors = tuple(_to_field_error(model, detail) for detail in details[:MAX_ERRORS])
    if len(details) > MAX_ERRORS:
        return (*errors, FieldError("", "too_many", f"Only the first {MAX_ERRORS} faults are listed."))
    return errors


def rule_behind(model: type[BaseModel], location: Location) -> str:
    """What the published schema says of the member, or of the nearest member around it that it describes."""
    said = _NOTHING_SAID
    inner: type[BaseModel] | None = model
    for part in location:
        if inner is None or not isinstance(part, str) or part not in inner.model_fields:
            continue
        field = inner.model_fields[part]
        said = f"Required: {field.description}." if field.description else said
        inner = _model_within(field.annotation)
    return said


def _to_field_error(model: type[BaseModel], detail: ErrorDetails) -> FieldError:
    location = _untagged(detail["loc"])
    kind, submitted, limits = detail["type"], detail["input"], detail.get("ctx", {})
    pointer = pointer_to(*location, "type") if kind in _OF_TYPE else pointer_to(*location)
    if _says_nothing(kind, submitted):
        return FieldError(pointer, "C-MISSING", rule_behind(model, location))
    if kind in _SHAPES:
        code, sentence = _SHAPES[kind]
        return FieldError(pointer, code, sentence.format_map(limits))
    if kind in _FOREIGN:
        return FieldError(pointer, "bad_value", "This value cannot be read.")
    # What is left was raised by our own validators: the type is our code, the text names no value.
    return FieldError(pointer, kind, detail["msg"])


def _says_nothing(kind: str, submitted: object) -> bool:
    blank = isinstance(submitted, str) and not submitted.strip()
    value = submitted.get("type") if kind == "union_tag_invalid" and isinstance(submitted, Mapping) else submitted
    null = value is None and kind in _REFUSE_NULL
    return null or kind in _ABSENT or (kind == "string_too_short" and blank)


def _readable(raw: Mapping[str, Any], details: Sequence[ErrorDetails]) -> tuple[dict[str, Any], tuple[int, ...]]:
    """`raw` without its faulty members; of the targets only the faulty ones are left out."""
    lost: set[int | str] = set()
    lost_targets: set[int | str] = set()
    for detail in details:
        place = detail["loc"]
        if place[0] == "targets" and len(place) > 1:
            lost_targets.add(place[1])
        else:
            lost.add(place[0])
    kept = {name: value for name, value in raw.items() if name not in lost}
    if "targets" not in kept:
        return kept, ()
    positions = tuple(index for index in range(len(kept["targets"])) if index not in lost_targets)
    kept["targets"] = [kept["targets"][index] for index in positions]
    if not positions:
        del kept["targets"]
    return kept, positions


def _untagged(location: Location) -> Location:
    return tuple(part for place, part in enumerate(location) if place == 0 or location[place - 1] not in _TAGGED)


def _model_within(annotation: object) -> type[BaseModel] | None:
    """The model in an annotation such as `list[Target] | None`; None where there is none, or a choice of several."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = {model for model in map(_model_within, get_args(annotation)) if model is not None}
    return found.pop() if len(found) == 1 else None


def _segment(part: int | str) -> str:
    text = str(part)
    shown = "".join(sign if sign.isprintable() else "\ufffd" for sign in text[:MAX_SEGMENT])
    return shown.replace("~", "~0").replace("/", "~1")


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _length(value: object) -> int:
    return len(value) if isinstance(value, list) else 0
