"""One case put to several states at once: one document, what differs per state, and a request of its own for each.

The requests know nothing of one another: what leaves the state is each one's own document, and nothing of the case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeVar

from pydantic import Field, JsonValue, ValidationError, model_validator

from app.domain.documents.checked import INVALID, DocumentWarning
from app.domain.documents.reading import hostile, pointer_to, to_field_errors
from app.domain.instruments import state_of
from app.domain.shape import ContactPointCode, Line, OwnReference, Strict, fault
from app.errors import FieldError, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

MAX_STATES = 200
MAX_FAULTS = 200
"""Of a case that says the same wrong thing to every state, each fault is listed once."""

ADDRESSEE = "requested"
Members = dict[str, JsonValue]
Form = TypeVar("Form", bound=Strict)


class CaseFiling(Strict):
    """What an agency hands in. `reference` and `title` are for its own state; `document` is put to each of the states.

    `overrides` is a JSON Merge Patch (RFC 7396) per state: objects are merged, everything else is replaced, null takes
    a member away.
    """

    reference: Annotated[
        OwnReference, Field(description="the agency's own name of the case; it never leaves the state")
    ]
    title: Annotated[Line, Field(description="what the case is about, for the lists at home")]
    document: Annotated[Members, Field(description="the request document, without `requested`")]
    requested: Annotated[
        list[ContactPointCode],
        Field(min_length=1, max_length=MAX_STATES, description="codes of the contact points, each once"),
    ]
    overrides: Annotated[
        dict[ContactPointCode, Members], Field(description="what differs, by code of the contact point")
    ] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if len(set(self.requested)) != len(self.requested):
            raise fault("listed_twice", "A contact point is listed twice.")
        if not set(self.overrides) <= set(self.requested):
            raise fault("not_asked", "Overrides are for contact points that are asked.")
        if any(ADDRESSEE in members for members in (self.document, *self.overrides.values())):
            raise fault("not_applicable", "The contact points are listed in `requested`, and not in the document.")
        return self

    def document_for(self, code: str) -> dict[str, Any]:
        """The document as this contact point is to read it."""
        return {**merge_patch(self.document, self.overrides.get(code, {})), ADDRESSEE: code}

    def place_of(self, code: str, pointer: str) -> str:
        """Where in the filing stands what a fault in that state's document points at."""
        if pointer == f"/{ADDRESSEE}":
            return pointer_to(ADDRESSEE, self.requested.index(code))
        patched = _reaches(self.overrides.get(code, {}), pointer)
        return f"/overrides/{code}{pointer}" if patched else f"/document{pointer}"


class CaseAct(Strict):
    """One act for every request of the case that it can be done to, or for those to the states named."""

    action: Literal["open", "approve", "sign"]
    requested: Annotated[list[ContactPointCode], Field(min_length=1, max_length=MAX_STATES)] | None = None


def read_filing(raw: Mapping[str, Any]) -> CaseFiling:
    """The filing in `raw`; raises Refused with every fault of its form."""
    return _read(CaseFiling, raw)


def read_case_act(raw: Mapping[str, Any]) -> CaseAct:
    """The act in `raw`; raises Refused with every fault."""
    return _read(CaseAct, raw)


def merge_patch(target: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """RFC 7396 for two objects; neither is changed."""
    merged = dict(target)
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, dict):
            before = merged.get(name)
            merged[name] = merge_patch(before if isinstance(before, dict) else {}, value)
        else:
            merged[name] = value
    return merged


def names_of_others(document: Mapping[str, Any], code: str, asked: Sequence[str]) -> Iterator[DocumentWarning]:
    """A warning wherever a document to one state names another state that is asked: recipients should not learn it.

    Names of states in running text are not found: they are the agency's own words.
    """
    others = {name for other in asked for name in (other, state_of(other))} - {code, state_of(code)}
    for location, value in _leaves(document, ()):
        if isinstance(value, str) and value in others:
            detail = "This names another state that is asked in the same case: it would learn of it."
            yield DocumentWarning(pointer_to(*location), "names_another_recipient", detail)


def refused_case(faults: Iterable[tuple[str, str, str]]) -> Refused:
    """One error with each fault (pointer, code, detail) once."""
    unique = dict.fromkeys(faults)
    errors = tuple(FieldError(*each) for each in list(unique)[:MAX_FAULTS])
    return Refused(INVALID, "The case breaks the rules listed; nothing was filed.", errors=errors)


def _read(model: type[Form], raw: Mapping[str, Any]) -> Form:
    broken = tuple(hostile(raw))
    if broken:
        raise Refused(INVALID, "The case cannot be read.", errors=broken)
    try:
        return model.model_validate(dict(raw))
    except ValidationError as faulty:
        errors = to_field_errors(model, faulty.errors(include_url=False))
        raise Refused(INVALID, "The case breaks the rules listed.", errors=errors) from faulty


def _reaches(patch: object, pointer: str) -> bool:
    """Whether what stands at the pointer comes from the patch."""
    for part in pointer.removeprefix("/").split("/"):
        if not isinstance(patch, dict):
            return True
        if part not in patch:
            return False
        patch = patch[part]
    return True


def _leaves(value: object, location: tuple[int | str, ...]) -> Iterator[tuple[tuple[int | str, ...], object]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if location or name != ADDRESSEE:
                yield from _leaves(inner, (*location, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, (*location, index))
    else:
        yield location, value
