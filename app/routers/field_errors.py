"""What a model found wrong, as pointers and stable codes, without one submitted value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.errors import FieldError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

MAX_FIELD_ERRORS = 100
"""In one answer. A body of a megabyte can be wrong in a hundred thousand places."""

CODES: Mapping[str, tuple[str, str]] = {
    "missing": ("missing", "This member is required."),
    "extra_forbidden": ("unknown_field", "There is no member of this name here."),
    "string_too_long": ("too_long", "At most {max_length} characters."),
    "string_too_short": ("too_short", "At least {min_length} characters."),
    "too_long": ("too_long", "At most {max_length} entries."),
    "too_short": ("too_short", "At least {min_length} entries."),
    "bytes_too_long": ("too_long", "At most {max_length} bytes."),
    "string_pattern_mismatch": ("malformed", "This does not have the form it must have."),
    "greater_than_equal": ("out_of_range", "At least {ge}."),
    "greater_than": ("out_of_range", "More than {gt}."),
    "less_than_equal": ("out_of_range", "At most {le}."),
    "less_than": ("out_of_range", "Less than {lt}."),
    "enum": ("unknown_value", "One of: {expected}."),
    "literal_error": ("unknown_value", "One of: {expected}."),
    "union_tag_invalid": ("unknown_value", "One of: {expected_tags}."),
    "union_tag_not_found": ("missing", "The member that tells which form this is, is required."),
    "timezone_aware": ("not_a_time", "A time needs its offset from UTC."),
}
"""pydantic's error type → our code and sentence. `{…}` are limits of our own models, never what was sent."""

FORMS: tuple[tuple[str, str, str], ...] = (
    ("datetime", "not_a_time", "This must be a time as in RFC 3339, with its offset."),
    ("date", "not_a_date", "This must be a date, as in 2026-11-22."),
    ("time", "not_a_time", "This must be a time as in RFC 3339, with its offset."),
    ("uuid", "malformed", "This must be a UUID."),
    ("url", "malformed", "This must be a URL."),
    ("ip_", "malformed", "This must be an IP address."),
)
"""Families of error types, by the beginning of their name."""


def field_errors(fault: ValidationError, value: object) -> tuple[FieldError, ...]:
    """The broken rules of `fault`, in the order found, at most MAX_FIELD_ERRORS of them.

    `value` is the parsed JSON; it serves to tell the members of a pointer from the names of union branches that
    pydantic mixes in.
    """
    found = fault.errors(include_url=False, include_input=False)
    return tuple(_field_error(error, value) for error in found[:MAX_FIELD_ERRORS])


def parameter_errors(errors: Iterable[Mapping[str, Any]]) -> tuple[FieldError, ...]:
    """The same for what the framework found wrong in the query or a header: `pointer` is `?name` or `header:name`."""
    return tuple(_parameter_error(error) for error in errors)


def pointer(location: Sequence[int | str], value: object, *, ends_missing: bool = False) -> str:
    """An RFC 6901 pointer for pydantic's `location` in `value`; `ends_missing` when its last part is not there."""
    parts: list[str] = []
    here = value
    for position, part in enumerate(location):
        if (isinstance(here, dict) and part in here) or (isinstance(here, list) and isinstance(part, int)):
            here = here[part]  # type: ignore[index] # dict by name, list by number, as just seen
            parts.append(escape(str(part)))
        elif ends_missing and position == len(location) - 1:
            parts.append(escape(str(part)))
    return "".join(f"/{part}" for part in parts)


def escape(part: str) -> str:
    """One reference token of a JSON Pointer."""
    return part.replace("~", "~0").replace("/", "~1")


def _field_error(error: ErrorDetails, value: object) -> FieldError:
    code, detail = _code_and_detail(error["type"], error.get("ctx", {}))
    where = pointer(error["loc"], value, ends_missing=error["type"] == "missing")
    if error["type"] == "union_tag_not_found" or error["type"] == "union_tag_invalid":
        where = f"{where}/{escape(_discriminator(error))}"
    return FieldError(where, code, detail)


def _discriminator(error: ErrorDetails) -> str:
    return str(error.get("ctx", {}).get("discriminator", "")).strip("'")


def _parameter_error(error: Mapping[str, Any]) -> FieldError:
    code, detail = _code_and_detail(error["type"], error.get("ctx", {}))
    place, *names = error["loc"]
    name = str(names[0]) if names else ""
    return FieldError(f"?{name}" if place == "query" else f"{place}:{name}", code, detail)


def _code_and_detail(kind: str, context: Mapping[str, Any]) -> tuple[str, str]:
    if kind in CODES:
        code, detail = CODES[kind]
        return code, detail.format_map({name: str(limit) for name, limit in context.items()})
    for beginning, code, detail in FORMS:
        if kind.startswith(beginning):
            return code, detail
    if kind.endswith("_type"):
        return "wrong_type", "This has another type than it must have."
    if kind.endswith("_parsing"):
        return "wrong_type", "This cannot be read as what it must be."
    return "malformed", "This breaks a rule of its field."
