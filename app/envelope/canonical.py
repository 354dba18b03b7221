"""One JSON text per value (RFC 8785), and a reader that takes only texts with one meaning (RFC 7493)."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

import rfc8785

from app.envelope.format import MAX_DEPTH, MAX_INTEGER
from app.errors import Malformed

_INTEGER_DIGITS = len(str(MAX_INTEGER))
_ONE_BRACKET = bytes.maketrans(b"{}", b"[]")
_ALL_BUT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_SUSPECT_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_BOM = b"\xef\xbb\xbf"


def canonical(value: object) -> bytes:
    """The canonical form of `value`; `Malformed` for what has none: integers beyond 2^53, NaN, lone surrogates."""
    try:
        return rfc8785.dumps(value)  # type: ignore[arg-type]
    except rfc8785.IntegerDomainError as fault:
        raise Malformed("integer_too_large", "A whole number is beyond 2^53 - 1.") from fault
    except rfc8785.FloatDomainError as fault:
        raise Malformed("not_finite", "A number is not finite.") from fault
    except RecursionError as fault:
        raise Malformed("too_deep", "The value is nested too deeply.") from fault
    except ValueError as fault:
        raise Malformed("not_json", "The value has no JSON form.") from fault


def parse_json(raw: bytes, *, max_bytes: int, max_depth: int = MAX_DEPTH) -> object:
    """Read one JSON text whose meaning no two readers can dispute; `Malformed` names what is wrong in its `code`.

    Size and nesting are judged before anything is built. Codes: `too_large`, `not_utf8`, `bad_characters` (byte order
    mark; NUL and lone surrogates, which PostgreSQL cannot keep), `too_deep`, `not_json`, `duplicate_member`,
    `not_finite`, `integer_too_large`.
    """
    if len(raw) > max_bytes:
        raise Malformed("too_large", f"The text is longer than {max_bytes} bytes.")
    if raw.startswith(_BOM):
        raise Malformed("bad_characters", "The text begins with a byte order mark.")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise Malformed("not_utf8", "The text is not UTF-8.") from fault
    if _is_deeper(raw, max_depth):
        raise Malformed("too_deep", f"The text is nested deeper than {max_depth} levels.")
    try:
        value = json.loads(
            text, object_pairs_hook=_once, parse_constant=_refuse_constant, parse_float=_finite, parse_int=_safe_integer
        )
    except (ValueError, RecursionError) as fault:
        raise Malformed("not_json", "The text is not JSON.") from fault
    if _SUSPECT_ESCAPE.search(raw) is not None:
        _refuse_bad_characters(value)
    return value


def _is_deeper(raw: bytes, max_depth: int) -> bool:
    """Whether brackets outside strings nest deeper than `max_depth`, found by peeling innermost pairs.

    A text whose brackets do not pair is no JSON; it is passed on only if the reader cannot descend far into it.
    """
    outside_strings = raw.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')[::2]
    brackets = b"".join(outside_strings).translate(None, _ALL_BUT_BRACKETS).translate(_ONE_BRACKET)
    for _ in range(max_depth):
        brackets = brackets.replace(b"[]", b"")
    return b"[]" in brackets or brackets.count(b"[") > max_depth


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Malformed("duplicate_member", "A member is written twice in one object.")
    return members


def _refuse_constant(_name: str) -> NoReturn:
    raise Malformed("not_finite", "NaN and Infinity are not JSON.")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise Malformed("not_finite", "A number is beyond what a double can hold.")
    return number


def _safe_integer(digits: str) -> int:
    # The length first: turning a million digits into a number takes time that grows with their square.
    if len(digits.lstrip("-")) > _INTEGER_DIGITS or abs(int(digits)) > MAX_INTEGER:
        raise Malformed("integer_too_large", "A whole number is beyond 2^53 - 1.")
    return int(digits)


def _refuse_bad_characters(value: object) -> None:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(item.keys())
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, str) and ("\0" in item or not _is_encodable(item)):
            raise Malformed("bad_characters", "A string holds a NUL or half a surrogate pair.")


def _is_encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
