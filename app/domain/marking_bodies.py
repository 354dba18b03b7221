"""Markings as bodies: what an officer writes to an act, and what a message of another node bears."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from app.domain.codes import Handling, Pap, Tlp
from app.domain.markings import Marking
from app.domain.wire import MAX_SHORT_TEXT, Closed, Open, ShortText, WireText

if TYPE_CHECKING:
    from collections.abc import Mapping

Codes = Annotated[tuple[Handling, ...], Field(max_length=len(Handling))]


class MarkingBody(Open):
    """Who may see it, what may be done with it, what it may be used for."""

    tlp: Tlp
    pap: Pap
    handling: Codes = ()
    text: WireText | None = None


class GivenMarking(Closed):
    """The marking of what an act gives; H3 needs a text."""

    tlp: Tlp
    pap: Pap
    handling: Codes = ()
    text: ShortText | None = None


def read_marking(body: MarkingBody | GivenMarking | None) -> Marking | None:
    """The value of a marking, in its one form."""
    return None if body is None else Marking(body.tlp, body.pap, body.handling, body.text)


def write_marking(marking: Marking) -> MarkingBody:
    """A marking as a message bears it."""
    return MarkingBody(tlp=marking.tlp, pap=marking.pap, handling=marking.handling, text=marking.text)


def store_marking(marking: Marking | None) -> dict[str, Any] | None:
    """A marking as it is kept beside what bears it."""
    return None if marking is None else write_marking(marking).model_dump(mode="json", exclude_none=True)


def stored_marking(kept: Mapping[str, Any] | None) -> Marking | None:
    """The value of what `store_marking` wrote."""
    return None if kept is None else read_marking(MarkingBody.model_validate(kept, strict=False))


def filed_marking(filed: Mapping[str, Any]) -> Marking:
    """The marking of a request's document, or of its approval, where the text of H3 is called `handling_text`."""
    members = {name: filed.get(name) for name in ("tlp", "pap", "handling")}
    body = MarkingBody.model_validate(members | {"text": filed.get("handling_text")}, strict=False)
    return Marking(body.tlp, body.pap, body.handling, body.text)


def given(marking: Marking) -> GivenMarking:
    """A marking as it would be written to an act; the texts of several restrictions are cut to what an act takes."""
    text = marking.text
    return GivenMarking(
        tlp=marking.tlp,
        pap=marking.pap,
        handling=marking.handling,
        text=None if text is None else text[:MAX_SHORT_TEXT],
    )
