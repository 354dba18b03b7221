"""Bodies of the acts on a domestic request, told apart by `action`, and what `approve` proposes when it says nothing.

`open`, `approve`, `sign`, `confirm_decline` and `withdraw` need only their name. Whatever sends a request another way
carries a code of the closed lists and a text, and stays at home: no foreign contact point ever learns of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import Field, JsonValue, ValidationError, ValidationInfo, field_validator

from app.domain.codes import Completion, Handling, Instrument, Pap, Tlp
from app.domain.documents.matter import Marking, OneInstrument
from app.domain.documents.reading import hostile, to_field_errors
from app.domain.instruments import require_basis
from app.domain.intake import IntakeAction
from app.domain.shape import ContactPointCode, ShortText, Strict, Text, fault
from app.domain.triage import TRIAGE_TESTS, Answer, propose_answers
from app.errors import FieldError, Refused

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from app.domain.instruments import Basis

INVALID_ACT = "invalid_act"

DeclineCode = Literal["D-NOTCRIM", "D-NOAUTH", "D-DISPROP", "D-RIGHTS"]
RedirectCode = Literal["D-MLA", "D-INTERPOL", "D-PROVIDER", "D-ART32", "D-DOMESTIC", "D-POLICE", "D-WRONGSTATE"]
OneCompletion = Annotated[Completion, Field(strict=False)]
TriageTestId = Literal[
    "TRI-01",
    "TRI-02",
    "TRI-03",
    "TRI-04",
    "TRI-05",
    "TRI-06",
    "TRI-07",
    "TRI-08",
    "TRI-09",
    "TRI-10",
    "TRI-11",
    "TRI-12",
    "TRI-13",
    "TRI-14",
]
OneAnswer = Annotated[Answer, Field(strict=False)]


class IntakeAct(Strict):
    """What every act says. `generation`, where given, must be the one the caller saw."""

    action: str
    generation: Annotated[int, Field(ge=0)] | None = None


class Open(IntakeAct):
    """A duty officer takes the request into triage."""

    action: Literal["open"]


class Return(IntakeAct):
    """Back to the agency for completion."""

    action: Literal["return"]
    codes: Annotated[list[OneCompletion], Field(min_length=1, max_length=10, description="what is missing, C-*")]
    text: Annotated[Text, Field(description="what the agency should do")]


class Resubmit(IntakeAct):
    """The agency's completed document; it is checked like the first one."""

    action: Literal["resubmit"]
    document: Annotated[dict[str, JsonValue], Field(description="the whole document, completed")]


class Redirect(IntakeAct):
    """Another road: the agency is told which, and where a contact is known, whom to ask."""

    action: Literal["redirect"]
    code: Annotated[RedirectCode, Field(description="which road, D-*")]
    text: Annotated[Text, Field(description="why, and what to do now")]
    contact: ShortText | None = None
    new_requested: ContactPointCode | None = None


class Decline(IntakeAct):
    """The duty officer proposes not to forward it; another person confirms."""

    action: Literal["decline"]
    code: Annotated[DeclineCode, Field(description="why, D-*")]
    text: Annotated[Text, Field(description="the reasons")]


class ConfirmDecline(IntakeAct):
    """A supervisor confirms that it is not forwarded."""

    action: Literal["confirm_decline"]
    text: Text | None = None


class ChecklistEntry(Strict):
    """A test of the checklist as a person answered it; a failed one needs a word on why it is approved all the same."""

    test: TriageTestId
    answer: OneAnswer
    note: Annotated[ShortText | None, Field(validate_default=True)] = None

    @field_validator("note", mode="after")
    @classmethod
    def _says_why_all_the_same(cls, note: str | None, info: ValidationInfo) -> str | None:
        if note is None and info.data.get("answer") is Answer.FAILED:
            raise fault("C-MISSING", "Say why it is approved although this test failed.")
        return note


class Approve(IntakeAct):
    """The duty officer finds it appropriate. What is left out is taken as proposed."""

    action: Literal["approve"]
    instrument: OneInstrument | None = None
    marking: Marking | None = None
    checklist: Annotated[list[ChecklistEntry], Field(max_length=len(TRIAGE_TESTS))] | None = None
    note: Text | None = None


class Sign(IntakeAct):
    """Another person signs: the request leaves the state."""

    action: Literal["sign"]


class Reopen(IntakeAct):
    """Back into triage: the second person does not agree, or the draft cannot be signed."""

    action: Literal["reopen"]
    text: Annotated[Text, Field(description="why")]


class Supplement(IntakeAct):
    """Further information of the agency; the document itself stays as it was."""

    action: Literal["supplement"]
    text: Annotated[Text, Field(description="what is added")]


class Withdraw(IntakeAct):
    """The agency no longer wants it; after signing, a wish."""

    action: Literal["withdraw"]
    text: Text | None = None


AnyIntakeAct: TypeAlias = Annotated[
    Open | Return | Resubmit | Redirect | Decline | ConfirmDecline | Approve | Sign | Reopen | Supplement | Withdraw,
    Field(discriminator="action"),
]

ACTS: Mapping[IntakeAction, type[IntakeAct]] = MappingProxyType(
    {
        IntakeAction.OPEN: Open,
        IntakeAction.RETURN: Return,
        IntakeAction.RESUBMIT: Resubmit,
        IntakeAction.REDIRECT: Redirect,
        IntakeAction.DECLINE: Decline,
        IntakeAction.CONFIRM_DECLINE: ConfirmDecline,
        IntakeAction.APPROVE: Approve,
        IntakeAction.SIGN: Sign,
        IntakeAction.REOPEN: Reopen,
        IntakeAction.SUPPLEMENT: Supplement,
        IntakeAction.WITHDRAW: Withdraw,
    }
)


@dataclass(frozen=True, slots=True)
class Approval:
    """What goes out on approval: the instrument with its articles, the marking, the checklist as answered."""

    instrument: Instrument | None
    articles: tuple[str, ...]
    marking: Mapping[str, Any]
    checklist: tuple[Mapping[str, Any], ...]

    def as_json(self) -> dict[str, Any]:
        """For keeping beside the request."""
        return {
            "instrument": self.instrument,
            "articles": list(self.articles),
            "marking": dict(self.marking),
            "checklist": [dict(entry) for entry in self.checklist],
        }


DEFAULT_MARKING = Marking(tlp=Tlp.AMBER_STRICT, pap=Pap.RED, handling=[Handling.H1])
"""Where the agency marked nothing: need-to-know, passive use, not in court without asking."""


def read_act(raw: Mapping[str, Any]) -> IntakeAct:
    """The act in `raw`; raises Refused `invalid_act` with every fault, which repeats nothing that was submitted."""
    broken = tuple(hostile(raw))
    if broken:
        raise Refused(INVALID_ACT, "The act cannot be read.", errors=broken)
    named = raw.get("action")
    if not isinstance(named, str) or named not in set(IntakeAction):
        wrong = FieldError("/action", "not_in_list", f"One of: {', '.join(IntakeAction)}.")
        raise Refused(INVALID_ACT, "The act cannot be read.", errors=(wrong,))
    model = ACTS[IntakeAction(named)]
    try:
        return model.model_validate(dict(raw))
    except ValidationError as faulty:
        errors = to_field_errors(model, faulty.errors(include_url=False))
        raise Refused(INVALID_ACT, "The act breaks the rules listed.", errors=errors) from faulty


def propose_approval(
    document: Mapping[str, Any], bases: tuple[Basis, ...], *, warning_codes: Collection[str] = ()
) -> Approval:
    """What `approve` takes when it says nothing itself.

    The instrument is the first one named in the document that can be used, else the best that can; None if none can,
    which approval allows and signing refuses. The marking is the document's, else the default.
    """
    named = [ground["instrument"] for ground in document["legal_basis"]["international"]]
    basis = min(bases, key=lambda found: _rank(named, found), default=None)
    answers = propose_answers(warning_codes)
    return Approval(
        instrument=basis.instrument if basis else None,
        articles=basis.articles if basis else (),
        marking=document.get("marking") or DEFAULT_MARKING.model_dump(mode="json", exclude_none=True),
        checklist=tuple({"test": test, "answer": answer.value} for test, answer in answers.items()),
    )


def decide_approval(act: Approve, proposed: Approval, *, bases: tuple[Basis, ...]) -> Approval:
    """The proposal, the officer's own words in its place; Refused `N-NOBASIS` for an instrument not in force."""
    basis = require_basis(bases, act.instrument) if act.instrument else None
    answered = {entry.test: entry.model_dump(mode="json", exclude_none=True) for entry in act.checklist or ()}
    return Approval(
        instrument=basis.instrument if basis else proposed.instrument,
        articles=basis.articles if basis else proposed.articles,
        marking=act.marking.model_dump(mode="json", exclude_none=True) if act.marking else proposed.marking,
        checklist=tuple(answered.get(entry["test"], entry) for entry in proposed.checklist),
    )


def _rank(named: list[str], basis: Basis) -> int:
    return named.index(basis.instrument) if basis.instrument in named else len(named)
