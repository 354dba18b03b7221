"""docs/protocol.md is what strangers build from, so its numbers and names are compared with those of the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.envelope import format as form
from app.envelope.reasons import Reason
from tests.envelope.forging import outer_header
from tests.envelope.parties import make_claims

TEXT = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")


def section(number: int) -> str:
    """The text of one section of chapter 5."""
    chapter = TEXT.split("\n## 5. ")[1].split("\n## 6. ")[0]
    return re.split(r"^### 5\.\d+ ", chapter, flags=re.MULTILINE)[number]


@pytest.mark.parametrize(
    ("what", "value"),
    [
        ("envelope", form.MAX_ENVELOPE_BYTES),
        ("protected header, outer or inner", form.MAX_HEADER_BYTES),
        ("signed text", form.MAX_JWS_BYTES),
        ("payload (claims)", form.MAX_CLAIMS_BYTES),
        ("`iat` ahead of the receiver's clock", form.MAX_SKEW_SECONDS),
    ],
)
def test_every_limit_is_the_documented_one(what: str, value: int) -> None:
    """A limit in the table of limits is the limit of the code."""
    assert f"| {what} | {value:,} |" in section(2)


def test_the_limits_of_nesting_and_of_bodies_are_the_documented_ones() -> None:
    """The two limits that stand in other words are those of the code."""
    assert f"| {form.MAX_DEPTH} · {form.MAX_HEADER_DEPTH} |" in section(2)
    assert f"{form.MAX_BODY_BYTES:,} bytes of canonical JSON" in section(2)


def test_every_reason_is_explained_and_has_a_step() -> None:
    """The table of steps and the table of advice name exactly the reasons there are."""
    steps, advice = section(6).split("#### What a refusal proves")
    in_steps = {reason for reason in Reason if f"`{reason}`" in steps}
    in_advice = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (.*?) \|", advice, re.MULTILINE))))

    assert in_steps == set(Reason)
    assert in_advice == {*Reason}


def test_every_member_of_the_headers_is_documented() -> None:
    """The tables of the two headers name exactly the members that are demanded."""
    for number, members in ((3, form.INNER_MEMBERS), (4, form.OUTER_MEMBERS)):
        table = section(number).split("| claim |")[0]
        named = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE))))
        assert named == members
    assert outer_header({}).keys() == form.OUTER_MEMBERS


def test_every_claim_is_documented() -> None:
    """The table of claims names exactly the claims we write."""
    table = section(3).split("| claim |")[1]
    named = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE))))

    assert named == make_claims(seq=2, prev=make_claims().jti, exp=1, log={}).to_members().keys()


@pytest.mark.parametrize("pattern", [form.CODE, form.KEY_ID, form.MESSAGE_TYPE, form.THREAD])
def test_every_pattern_is_the_documented_one(pattern: re.Pattern[str]) -> None:
    """A form that is given as a pattern is the pattern of the code."""
    assert f"`{pattern.pattern}`" in TEXT
