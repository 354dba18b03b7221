"""What every part of a wire body and every act is made of: closed models, bounded texts, codes of contact points."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

MAX_TEXT = 8_000
"""Characters of a text that a person writes: two dense pages. Longer matter travels as an attachment."""

MAX_SHORT_TEXT = 2_000
"""Characters of a remark that an exchange carries for good."""

MAX_LINE = 500
"""Characters of a single line: a name, an address, a reference."""

MAX_GENERATION = 2**31 - 1
"""The database keeps a generation in four bytes."""

MAX_TARGETS = 100
"""Targets of one request (domain.md 5.7, V-2)."""

MIN_HOLD_DAYS = 60
"""Art. 29(7): preservation lasts not less than sixty days."""

MAX_HOLD_DAYS = 3_650
"""No law we know of orders a preservation for more than ten years; a larger number is a slip of the hand."""

MAX_WIRE_TEXT = 32_000
"""Characters of one text from another node: four times what we let our own people write."""

_PRINTABLE = r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
_VISIBLE = r"[^\x00-\x20\x7f]"

Text = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_TEXT, pattern=f"^{_PRINTABLE}*{_VISIBLE}{_PRINTABLE}*$")
]
ShortText = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_SHORT_TEXT, pattern=f"^{_PRINTABLE}*{_VISIBLE}{_PRINTABLE}*$")
]
Line = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=MAX_LINE, pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$"
    ),
]
Reasons = Annotated[
    str, StringConstraints(min_length=30, max_length=MAX_TEXT, pattern=f"^{_PRINTABLE}*{_VISIBLE}{_PRINTABLE}*$")
]
"""A duty to give reasons (art. 27(7)) is not met by a word."""

Code = Annotated[str, StringConstraints(max_length=15, pattern=r"^[A-Z]{2}(-[A-Z0-9]{2,12})?$")]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Generation = Annotated[int, Field(ge=0, le=MAX_GENERATION)]
HoldDays = Annotated[int, Field(ge=MIN_HOLD_DAYS, le=MAX_HOLD_DAYS)]
TargetIndex = Annotated[int, Field(ge=0, lt=MAX_TARGETS)]

WireText = Annotated[str, StringConstraints(max_length=MAX_WIRE_TEXT)]
WireLine = Annotated[str, StringConstraints(max_length=1_000)]


class Closed(BaseModel):
    """What a person of ours sends: frozen, no conversion of types, no member that we do not know."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Act(Closed):
    """Every act says which generation of the exchange the person had before their eyes."""

    generation: Generation


class Open(BaseModel):
    """What another node sends: the same, but further members are kept and shown as not understood (ruling 19)."""

    model_config = ConfigDict(frozen=True, strict=True, extra="allow")
