"""Bodies of the acts on a domestic request, told apart by `action`.

`open`, `approve`, `sign`, `confirm_decline` and `withdraw` need only their name. Whatever sends a request another way
carries a code of the closed lists and a text, and stays at home: no foreign contact point ever learns of it.
"""

# ruff: noqa: TC001 - pydantic reads the annotations at run time

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import Field, JsonValue, ValidationError, ValidationInfo, field_validator

from app.domain.codes import Completion
from app.domain.documents.matter import Marking, OneInstrument
from app.domain.documents.reading import hostile, to_field_errors
from app.domain.intake import IntakeAction
from app.domain.shape import ContactPointCode, Line, ShortText, Strict, Text, fault
from app.domain.triage import TRIAGE_TESTS, Answer
from app.errors import FieldError, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

INVALID_ACT = "invalid_act"

DeclineCode = Literal["D-NOTCRIM", "D-NOAUTH", "D-DISPROP", "D-RIGHTS"]
RedirectCode = Literal[
    "D-MLA", "D-INTERPOL", "D-PROVIDER", "D-ART32", "D-DOMESTIC", "D-POLICE", "D-WRONGSTATE", "D-ADVICE"
]
"""D-DOMESTIC is handled at home, D-ADVICE answered with the text itself; both end here."""
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
    """Another road: the agency is told which, and where a contact is known, whom to ask.

    With `D-WRONGSTATE`, `new_requested` makes a copy for that state, which is triaged and signed like any other.
    """

    action: Literal["redirect"]
    code: Annotated[RedirectCode, Field(description="which road, D-*")]
    text: Annotated[Text, Field(description="why, and what to do now")]
    contact: ShortText | None = None
    new_requested: Annotated[ContactPointCode | None, Field(validate_default=True)] = None

    @field_validator("new_requested", mode="after")
    @classmethod
    def _belongs_to_a_wrong_state(cls, code: str | None, info: ValidationInfo) -> str | None:
        if code is not None and info.data.get("code") != "D-WRONGSTATE":
            raise fault("not_applicable", "Another state goes with D-WRONGSTATE only.")
        return code


class Merge(IntakeAct):
    """The same is on its way already: this agency joins the exchange of that request, and nothing new goes abroad."""

    action: Literal["merge"]
    into: Annotated[Line, Field(description="reference of the signed request whose exchange serves both")]
    text: Annotated[Text, Field(description="what the agency is told")]


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


class Review(IntakeAct):
    """Another supervisor looked at what one officer alone approved and signed in an emergency."""

    action: Literal["review"]
    text: Annotated[Text, Field(description="what the review found")]


class Retarget(IntakeAct):
    """The data turned out to be elsewhere: a copy is prepared for that state. It is a new request, not a forwarding."""

    action: Literal["retarget"]
    new_requested: Annotated[ContactPointCode, Field(description="code of the contact point to ask instead")]


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
    Open
    | Return
    | Resubmit
    | Redirect
    | Merge
    | Decline
    | ConfirmDecline
    | Approve
    | Sign
    | Review
    | Retarget
    | Reopen
    | Supplement
    | Withdraw,
    Field(discriminator="action"),
]

ACTS: Mapping[IntakeAction, type[IntakeAct]] = MappingProxyType(
    {
        IntakeAction.OPEN: Open,
        IntakeAction.RETURN: Return,
        IntakeAction.RESUBMIT: Resubmit,
        IntakeAction.REDIRECT: Redirect,
        IntakeAction.MERGE: Merge,
        IntakeAction.DECLINE: Decline,
        IntakeAction.CONFIRM_DECLINE: ConfirmDecline,
        IntakeAction.APPROVE: Approve,
        IntakeAction.SIGN: Sign,
        IntakeAction.REVIEW: Review,
        IntakeAction.RETARGET: Retarget,
        IntakeAction.REOPEN: Reopen,
        IntakeAction.SUPPLEMENT: Supplement,
        IntakeAction.WITHDRAW: Withdraw,
    }
)


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
