"""How the routes of cases describe themselves."""

from __future__ import annotations

from app.domain.cases import CaseAct, CaseFiling
from app.domain.codes import RequestType
from app.domain.documents import example
from app.routers.case_views import CaseActed, CaseChecked, CaseSummary, CaseView
from app.routers.examples import REQUEST
from app.routers.models import Listed
from app.routers.operations import ROLE_NOT_ALLOWED, Answered, Fault, JsonBody, Operation, Tag

CASE_ID = "0193503e-5a10-7b3c-8f21-6d0e9a4b7c15"

_STATES = [
    {name: REQUEST[name] for name in ("id", "reference", "type", "requested", "tier", "state", "generation")}
    | {
        "exchange_id": None,
        "draft_of": None,
        "origin": "case",
        "outcome": None,
        "allowed_actions": ["return", "redirect", "merge", "decline", "approve"],
        "exchange": None,
    }
]
_SUMMARY = {
    "id": CASE_ID,
    "reference": "AU-CYB-2026-00417",
    "title": "Extortion of three hospitals",
    "agency": "federal-police-cyber",
    "created_at": "2026-11-22T09:30:00.000Z",
    "requests": {"TRIAGE": 1},
    "exchanges": {},
}
CASE = _SUMMARY | {"states": _STATES}

INVALID_CASE = Fault("invalid_document", 422, "The case breaks the rules listed; nothing was filed.")


def two_states() -> dict[str, object]:
    """The preservation example put to two states, the second with a custodian of its own."""
    document = {name: value for name, value in example(RequestType.PRESERVATION).items() if name != "requested"}
    return {
        "reference": "AU-CYB-2026-00417",
        "title": "Extortion of three hospitals",
        "document": document,
        "requested": ["XT", "XS"],
        "overrides": {"XS": {"language": "en", "urgency": {"tier": "ROUTINE"}}},
    }


FILE = Operation(
    "fileCase",
    Tag.REQUESTS,
    "Put one case to several states",
    {
        201: Answered(
            "Filed: a request for each state, none of them seen by anybody yet.",
            CaseView,
            {"filed": CASE},
            headers={"Location": "Where to read it."},
        ),
        200: Answered(
            "With `validate_only`: what filing would say.",
            CaseChecked,
            {"valid": {"valid": True, "states": [{"requested": "XT", "warnings": []}]}},
        ),
    },
    errors=(ROLE_NOT_ALLOWED, INVALID_CASE),
    body=JsonBody(CaseFiling, {"two_states": two_states()}),
    acts=True,
)

LIST = Operation(
    "listCases",
    Tag.REQUESTS,
    "List cases",
    {
        200: Answered(
            "One page, newest first.",
            Listed[CaseSummary],
            {"page": {"data": [_SUMMARY], "next": None}},
            headers={"Link": 'The next page, `rel="next"`.'},
        )
    },
    errors=(ROLE_NOT_ALLOWED,),
)

READ = Operation(
    "readCase",
    Tag.REQUESTS,
    "Read a case",
    {200: Answered("The case with each of its requests.", CaseView, {"in_triage": CASE})},
    errors=(ROLE_NOT_ALLOWED,),
)

ACT = Operation(
    "actOnCase",
    Tag.REQUESTS,
    "Act on all requests of a case",
    {
        200: Answered(
            "The case after the act, and the result for each state.",
            CaseActed,
            {
                "opened": {
                    "case": CASE,
                    "results": [
                        {
                            "requested": REQUEST["requested"],
                            "reference": REQUEST["reference"],
                            "state": "TRIAGE",
                            "problem": None,
                        }
                    ],
                }
            },
        )
    },
    errors=(ROLE_NOT_ALLOWED, INVALID_CASE),
    body=JsonBody(CaseAct, {"open_all": {"action": "open"}, "sign_two": {"action": "sign", "requested": ["XT", "XS"]}}),
    acts=True,
)
