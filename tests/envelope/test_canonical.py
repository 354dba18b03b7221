"""One text per value, and a reader that takes no text with two meanings."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.envelope.canonical import canonical, parse_json
from app.errors import Malformed

LIMIT = 512 * 1024

CANONICAL: dict[str, tuple[object, bytes]] = {
    "members in the order of UTF-16": (
        {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7},
        '{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"😀":5,"\ufb33":3}'.encode(),
    ),
    "numbers as ECMAScript writes them": (
        [333333333.33333329, 1e30, 4.50, 2e-3, 1e-27, 0.000001, 1e21, -0.0],
        b"[333333333.3333333,1e+30,4.5,0.002,1e-27,0.000001,1e+21,0]",
    ),
    "literals and nesting": ({"b": [None, True, False, {}], "a": []}, b'{"a":[],"b":[null,true,false,{}]}'),
    "the largest whole number every reader holds": (2**53 - 1, b"9007199254740991"),
    "control characters escaped in their shortest form": ("\x0f\n'\u20ac$", b'"\\u000f\\n\'\xe2\x82\xac$"'),
}


@pytest.mark.parametrize("case", CANONICAL)
def test_canonical_form_is_that_of_rfc_8785(case: str) -> None:
    """The bytes that are signed are those any other implementation of RFC 8785 writes."""
    value, expected = CANONICAL[case]

    assert canonical(value) == expected


def nested(levels: int) -> object:
    """A list in a list, so many times."""
    value: object = []
    for _ in range(levels):
        value = [value]
    return value


WITHOUT_FORM: dict[str, tuple[object, str]] = {
    "2^53": (2**53, "integer_too_large"),
    "minus 2^53": ({"a": -(2**53)}, "integer_too_large"),
    "not a number": (float("nan"), "not_finite"),
    "infinity": ([float("inf")], "not_finite"),
    "half a surrogate pair": ("\ud800", "not_json"),
    "half a surrogate pair in a name": ({"\udfff": 1}, "not_json"),
    "a name that is no text": ({1: 2}, "not_json"),
    "bytes": (b"x", "not_json"),
    "a set": ({1}, "not_json"),
    "deeper than the interpreter": (nested(5_000), "too_deep"),
}


@pytest.mark.parametrize("case", WITHOUT_FORM)
def test_a_value_without_canonical_form_is_refused(case: str) -> None:
    """Two different values never get one text: what JSON cannot hold exactly is a typed fault."""
    value, code = WITHOUT_FORM[case]

    with pytest.raises(Malformed) as caught:
        canonical(value)

    assert caught.value.code == code


REFUSED: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "not_json"),
    "only a space": (b" ", "not_json"),
    "two values": (b"1 2", "not_json"),
    "a comma at the end": (b'{"a":1,}', "not_json"),
    "single quotes": (b"{'a':1}", "not_json"),
    "a comment": (b'{"a":1} // x', "not_json"),
    "an open string": (b'{"a":"b', "not_json"),
    "an open object": (b'{"a":', "not_json"),
    "brackets that do not pair": (b"[1}", "not_json"),
    "a control character in a string": (b'"a\x01b"', "not_json"),
    "a raw NUL": (b'"a\x00b"', "not_json"),
    "a leading zero": (b"[01]", "not_json"),
    "a plus sign": (b"[+1]", "not_json"),
    "an unknown escape": (b'"\\x41"', "not_json"),
    "a member twice": (b'{"a":1,"a":1}', "duplicate_member"),
    "a member twice, once escaped": (b'{"a":1,"\\u0061":2}', "duplicate_member"),
    "a member twice, deep down": (b'[{"x":{"a":1,"b":2,"a":3}}]', "duplicate_member"),
    "NaN": (b"[NaN]", "not_finite"),
    "Infinity": (b"-Infinity", "not_finite"),
    "a number that overflows": (b"[1e999]", "not_finite"),
    "an integer beyond 2^53": (b"[9007199254740992]", "integer_too_large"),
    "a negative integer beyond 2^53": (b"[-9007199254740992]", "integer_too_large"),
    "an integer of a hundred thousand digits": (b"9" * 100_000, "integer_too_large"),
    "invalid UTF-8": (b'"\xff"', "not_utf8"),
    "an overlong NUL": (b'"\xc0\x80"', "not_utf8"),
    "a surrogate in UTF-8": (b'"\xed\xa0\x80"', "not_utf8"),
    "UTF-16": ('{"a":1}'.encode("utf-16-le"), "not_json"),
    "a byte order mark": (b'\xef\xbb\xbf{"a":1}', "bad_characters"),
    "an escaped NUL": (b'{"a":["b\\u0000"]}', "bad_characters"),
    "an escaped NUL in a name": (b'{"a\\u0000":1}', "bad_characters"),
    "a high surrogate alone": (b'"\\ud800"', "bad_characters"),
    "a low surrogate alone": (b'"\\uDC00x"', "bad_characters"),
    "surrogates in the wrong order": (b'"\\udc00\\ud800"', "bad_characters"),
    "one level too many": (b"[" * 33 + b"]" * 33, "too_deep"),
    "objects nested one level too many": (b'{"a":' * 33 + b"1" + b"}" * 33, "too_deep"),
    "a hundred thousand open brackets": (b"[" * 100_000, "too_deep"),
    "a hundred thousand open objects": (b'{"a":' * 100_000, "too_deep"),
    "longer than allowed": (b" " * LIMIT + b"1", "too_large"),
    "ten megabytes": (b"[" * 10_000_000, "too_large"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_text_that_two_readers_could_read_differently_is_refused(case: str) -> None:
    """Every ambiguity of JSON ends as `Malformed` with its code, and never as another exception."""
    raw, code = REFUSED[case]

    with pytest.raises(Malformed) as caught:
        parse_json(raw, max_bytes=LIMIT)

    assert caught.value.code == code


READ: dict[str, tuple[bytes, object]] = {
    "brackets inside strings do not nest": (b'["' + b"[{" * 500 + b'"]', ["[{" * 500]),
    "escaped quotes do not end a string": (b'["\\"[[[\\\\\\"[", "\\\\"]', ['"[[[\\"[', "\\"]),
    "a surrogate pair": (b'"\\ud83d\\ude00"', "😀"),
    "an escaped backslash before u0000": (b'"\\\\u0000"', "\\u0000"),
    "a byte order mark inside a string": ('"a\ufeffb"'.encode(), "a\ufeffb"),
    "as deep as allowed": (b"[" * 32 + b"]" * 32, json.loads("[" * 32 + "]" * 32)),
    "the same name in different objects": (b'{"a":{"a":1}}', {"a": {"a": 1}}),
    "the largest integers": (b"[9007199254740991,-9007199254740991]", [2**53 - 1, -(2**53) + 1]),
    "a fraction": (b"2.5e-1", 0.25),
}


@pytest.mark.parametrize("case", READ)
def test_text_with_one_meaning_is_read(case: str) -> None:
    """The strict reader refuses no text for what merely looks dangerous."""
    raw, value = READ[case]

    assert parse_json(raw, max_bytes=LIMIT) == value


def test_python_itself_would_take_what_we_refuse() -> None:
    """Negative control: the plain reader keeps the last of two members and reads NaN, so the refusals are ours."""
    assert json.loads('{"iss":"XA","iss":"XS"}') == {"iss": "XS"}
    assert str(json.loads("NaN")) == "nan"
    assert json.loads('"\\ud800"') == "\ud800"


@pytest.mark.parametrize(
    "raw",
    [b'"' + b'\\"' * 250_000, b"[]," * 170_000, b'"\\', b"\\" * 500_000, b'{"":' * 30 + b"[" * 500_000, b"-" * 500_000],
)
def test_hostile_text_is_refused_in_time_that_grows_with_its_length(raw: bytes) -> None:
    """Half a megabyte built to make a reader go back and forth is refused at once; squared, it would take minutes."""
    began = time.perf_counter()

    with pytest.raises(Malformed):
        parse_json(raw, max_bytes=LIMIT)

    assert time.perf_counter() - began < 5.0


plain_text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(-(2.0**53), 2.0**53, exclude_min=True, exclude_max=True)
    | plain_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(plain_text, inner, max_size=4),
    max_leaves=20,
)


def test_a_large_double_without_fraction_is_not_read() -> None:
    """A double beyond 2^53 is written as a whole number, which readers with integers would take for an exact one."""
    with pytest.raises(Malformed) as caught:
        parse_json(canonical(1e20), max_bytes=LIMIT)

    assert caught.value.code == "integer_too_large"


@settings(deadline=None, derandomize=True)
@given(json_values)
def test_the_canonical_form_of_what_was_read_is_stable(value: object) -> None:
    """Writing, reading and writing again gives the same bytes, whatever the value."""
    once = canonical(value)

    assert canonical(parse_json(once, max_bytes=LIMIT)) == once


@settings(deadline=None, derandomize=True, max_examples=500)
@given(st.binary(max_size=200) | st.text('[]{}",:\\u0d8aetrfalsn1-.', max_size=120).map(str.encode))
def test_no_bytes_raise_anything_but_malformed(raw: bytes) -> None:
    """Whatever the bytes, the reader returns a value or one typed fault."""
    try:
        value = parse_json(raw, max_bytes=LIMIT)
    except Malformed:
        return
    assert json.loads(raw) == value
