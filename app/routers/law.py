"""The law that this node goes by, for whoever files, decides or checks."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from app.db.law_editions import newest_edition
from app.domain.codes import GateOutcome, RequestType, Role
from app.errors import Unknown
from app.routers.answers import answer_json
from app.routers.deps import AGENCY, DESK, ReadingOnly, needs
from app.routers.law_examples import BASES, EDITION, KITANO, REDIRECTS
from app.routers.law_showing import show_bases, show_country
from app.routers.law_views import (
    BasesView,
    ComparatorView,
    CountryView,
    InstrumentView,
    IntervalsView,
    LawView,
    TargetView,
)
from app.routers.models import Listed
from app.routers.operations import ROLE_NOT_ALLOWED, Answered, Operation, Tag

READERS = sorted({*AGENCY, *DESK, Role.AUDITOR})
router = APIRouter(dependencies=[Depends(needs(*READERS))])

CODE = r"^[A-Z]{2}(-[A-Z0-9]{2,12})?$"
Requesting = Annotated[str, Query(pattern=CODE, description="Code of the contact point that asks.")]
Requested = Annotated[str, Query(pattern=CODE, description="Code of the contact point that is asked.")]
State = Annotated[str | None, Query(pattern=r"^[A-Z]{2}$", description="Only targets in this state.")]
Outcome = Annotated[GateOutcome | None, Query(description="Only targets for this outcome of triage.")]
OnDay = Annotated[date | None, Query(description="The day; without it today.")]
Kind = Annotated[RequestType, Query(description="The type of request.")]
StateInPath = Annotated[str, Path(description="A state of the law files, as XT; a contact point's code does, too.")]

READ_LAW = Operation(
    "readLaw",
    Tag.LAW,
    "Read the law",
    {200: Answered("The edition in use and its instruments, in order of preference.", LawView, {"edition": EDITION})},
    errors=(ROLE_NOT_ALLOWED,),
)
LIST_BASES = Operation(
    "listLegalBases",
    Tag.LAW,
    "List legal bases",
    {
        200: Answered(
            "The instruments, best first, with what goes with each; none: N-NOBASIS, another road is needed.",
            BasesView,
            {"preservation": BASES},
        )
    },
    errors=(ROLE_NOT_ALLOWED,),
)
READ_COUNTRY = Operation(
    "readCountry",
    Tag.LAW,
    "Read a state's law",
    {200: Answered("Profile, memberships, statements.", CountryView, {"kitano": KITANO})},
    errors=(ROLE_NOT_ALLOWED,),
)
LIST_REDIRECTS = Operation(
    "listRedirects",
    Tag.LAW,
    "List where else to turn",
    {
        200: Answered(
            "All targets that fit; there is one page.",
            Listed[TargetView],
            {"mutual_assistance": REDIRECTS},
        )
    },
    errors=(ROLE_NOT_ALLOWED,),
)


@router.get("/v1/law", **READ_LAW.route())
async def read_law(view: ReadingOnly) -> Response:
    """The edition of the law files, their digest, since when this node goes by them, and the instruments.

    For agencies, the desk and auditors. A new edition is put in place by the operator and read at the next start.
    """
    law, edition = view.node.law, await newest_edition(view.session)
    shown = LawView(
        version=law.version,
        dated=law.dated,
        note=law.note,
        digest=law.digest,
        since=None if edition is None or edition.digest != law.digest else edition.seen_at,
        instruments=[InstrumentView.model_validate(row) for row in law.instruments],
        comparators=[ComparatorView.model_validate(row) for row in law.comparators],
        intervals=IntervalsView.model_validate(law.intervals),
    )
    return answer_json(200, shown)


@router.get("/v1/law/bases", **LIST_BASES.route())
async def list_bases(
    view: ReadingOnly, requesting: Requesting, requested: Requested, type: Kind, on: OnDay = None
) -> Response:
    """What a request of this type can rest on between two contact points: articles, duty, what binds its use.

    With each come the grounds, notices and the postponement that the requested side has under it. Whether a ground is
    open in a case depends on the offence, on what is on file and on what was accepted.
    """
    return answer_json(200, show_bases(view.node.law, requesting, requested, type=type, on=on or view.now.date()))


@router.get("/v1/law/countries/{code}", **READ_COUNTRY.route())
async def read_country(view: ReadingOnly, code: StateInPath) -> Response:
    """What is known of a state's own law, what binds it and since when, and what it has reserved and declared."""
    shown = show_country(view.node.law, code[:2])
    if shown is None:
        raise Unknown("not_found", "The law files know no such state.")
    return answer_json(200, shown)


@router.get("/v1/law/redirects", **LIST_REDIRECTS.route())
async def list_redirects(view: ReadingOnly, code: Outcome = None, state: State = None) -> Response:
    """Where an agency turns with what this network does not do; triage proposes the first that fits."""
    data = [TargetView.model_validate(row) for row in view.node.law.targets(code, state)]
    return answer_json(200, {"data": data, "next": None})
