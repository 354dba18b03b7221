"""How cooperation goes, month by month and contact point by contact point: figures for a report, and for nobody's file.

What is told and what is withheld is decided in `domain/statistics`; here it is only shown.
"""

from __future__ import annotations

import csv
import io
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from app.db import tallies
from app.domain.codes import Direction, Role
from app.domain.statistics import LEAST, Figure, Measure, Month, figures, first_shown, last_final
from app.errors import FieldError, Refused
from app.routers.answers import NO_STORE, answer_json
from app.routers.deps import MONITORING, Reading, ReadingOnly, needs
from app.routers.models import Moment, View
from app.routers.operations import ROLE_NOT_ALLOWED, Answered, Operation, Tag

router = APIRouter(dependencies=[Depends(needs(*sorted(MONITORING | {Role.REGISTRAR})))])

CSV = "text/csv"
MOST_YEARS = 2
"""Calendar years of one answer: what periods there are in a year is found from the whole of it."""

MONTH = r"^20[0-9]{2}-(0[1-9]|1[0-2])$"


class Form(StrEnum):
    """In which form figures are given."""

    JSON = "json"
    CSV = "csv"


class PartView(View):
    """So many of the figure's cases; `value` null are all values that are not named."""

    value: str | None
    count: int


class TimesView(View):
    """Seconds, to two digits. `p95_seconds` is null for fewer than twenty cases."""

    median_seconds: int
    p95_seconds: int | None


class FigureView(View):
    """`count` cases of one measure from the beginning of `first_month` to the end of `last_month`.

    `direction` is whose request it was, seen from here. `contact_point` null: what is left of a year, of several
    contact points. `times` is what it took, where the measure takes time. `mixes` has for each dimension the cases by
    value; one that is absent would have told a small number.
    """

    measure: Measure
    direction: Direction
    contact_point: str | None
    first_month: str
    last_month: str
    count: int
    times: TimesView | None
    mixes: dict[str, list[PartView]]


class EntryView(View):
    """How old what the directory says of a contact point is."""

    contact_point: str
    verified_at: Moment
    age_days: int
    stale: bool


class StatisticsView(View):
    """What was asked for, and its figures, none of fewer than `least` cases.

    `final_month` is the newest month that is counted, null before the first is.
    """

    contact_point: str
    time: Moment
    first_month: str
    last_month: str
    final_month: str | None
    least: int
    figures: list[FigureView]
    directory: list[EntryView]


EXAMPLE = {
    "contact_point": "XA",
    "time": "2026-11-22T09:30:00.000Z",
    "first_month": "2025-01",
    "last_month": "2026-10",
    "final_month": "2026-10",
    "least": 5,
    "figures": [
        {
            "measure": "result",
            "direction": "outgoing",
            "contact_point": "XT",
            "first_month": "2026-03",
            "last_month": "2026-04",
            "count": 24,
            "times": {"median_seconds": 9100, "p95_seconds": 190000},
            "mixes": {"outcome": [{"value": "PRESERVED", "count": 17}, {"value": None, "count": 7}]},
        }
    ],
    "directory": [
        {"contact_point": "XT", "verified_at": "2026-11-20T04:12:00.000Z", "age_days": 2, "stale": False},
    ],
}
CSV_HEAD = (
    "measure", "direction", "contact_point", "first_month", "last_month", "dimension", "value", "count",
    "median_seconds", "p95_seconds",
)  # fmt: skip
CSV_EXAMPLE = ",".join(CSV_HEAD) + "\r\nresult,outgoing,XT,2026-03,2026-04,,,24,9100,190000\r\n"

READ = Operation(
    "readStatistics",
    Tag.MONITORING,
    "How cooperation goes, in figures",
    {
        200: Answered(
            "Figures of months that are over.",
            StatisticsView,
            {"one_figure": EXAMPLE},
            also={CSV: {"one_figure": CSV_EXAMPLE}},
        )
    },
    errors=(ROLE_NOT_ALLOWED,),
)


@router.get("/v1/monitoring/statistics", **READ.route())
async def read_statistics(
    view: ReadingOnly,
    start: Annotated[
        str | None,
        Query(alias="from", pattern=MONTH, description="First month, as `2026-01`; without it, January of last year."),
    ] = None,
    end: Annotated[
        str | None, Query(alias="to", pattern=MONTH, description="Last month; without it, the newest that is final.")
    ] = None,
    form: Annotated[
        Form, Query(alias="format", description="`csv`: one line per figure and per part of one.")
    ] = Form.JSON,
) -> Response:
    """What was asked, how long it took and how it ended, per contact point and month. No case can be told from it.

    Every number is of at least five cases. A contact point with fewer in a month has several months together, and what
    is left of a year stands with what is left of others, or is withheld. A figure is given when all its months lie
    between `from` and `to`; a month is final seven days after its end, and its figures stay as they are. Tests are in
    no figure but `test_call`. For monitors, registrars, supervisors and administrators.
    """
    counted = await tallies.last_counted(view.session)
    first = first_shown(view.now) if start is None else _month(start)
    last = last_final(view.now) if end is None else _month(end)
    _check_span(first, last)
    found = await tallies.of_years(view.session, first.year, last.year)
    told = figures(found, final=counted) if counted is not None else []
    asked = [_figure(one) for one in told if first <= one.first and one.last <= last]
    if form is Form.CSV:
        return Response(_lines(asked), media_type=CSV, headers=NO_STORE)
    shown = StatisticsView(
        contact_point=view.node.code,
        time=view.now,
        first_month=str(first),
        last_month=str(last),
        final_month=None if counted is None else str(counted),
        least=LEAST,
        figures=asked,
        directory=_directory(view),
    )
    return answer_json(200, shown)


def _check_span(first: Month, last: Month) -> None:
    detail = None
    if last < first:
        detail = "`to` lies before `from`."
    elif last.year - first.year >= MOST_YEARS:
        detail = "`from` and `to` may lie in two calendar years at most."
    if detail is not None:
        raise Refused("parameters_invalid", detail, errors=(FieldError("?to", "span_unusable", detail),))


def _month(text: str) -> Month:
    year, _, month = text.partition("-")
    return Month(int(year), int(month))


def _figure(one: Figure) -> FigureView:
    times = one.times
    return FigureView(
        measure=one.measure,
        direction=one.direction,
        contact_point=one.peer,
        first_month=str(one.first),
        last_month=str(one.last),
        count=one.count,
        times=None if times is None else TimesView(median_seconds=times.median, p95_seconds=times.p95),
        mixes={name: [PartView.model_validate(part) for part in parts] for name, parts in one.mixes.items()},
    )


def _directory(view: Reading) -> list[EntryView]:
    return [
        EntryView(
            contact_point=point.code,
            verified_at=point.last_verified_at,
            age_days=max(0, (view.now - point.last_verified_at).days),
            stale=point.is_stale(view.now),
        )
        for point in view.node.directory.contact_points
    ]


def _lines(asked: list[FigureView]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(CSV_HEAD)
    for one in asked:
        place = (one.measure, one.direction, one.contact_point, one.first_month, one.last_month)
        times = (None, None) if one.times is None else (one.times.median_seconds, one.times.p95_seconds)
        writer.writerow((*place, None, None, one.count, *times))
        for dimension, parts in one.mixes.items():
            for part in parts:
                writer.writerow((*place, dimension, part.value, part.count, None, None))
    return text.getvalue()
