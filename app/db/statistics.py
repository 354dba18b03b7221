"""Countable events of real cases, for figures. No id, no reference, no person leaves this module.

Each query reads the cases that changed since `since` and gives every event of theirs; the caller counts those of the
months it wants. Times are those of this node's own timeline wherever it has one, so that a month once over stays as it
is. What says of itself that it is a test is nowhere counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from app.domain.codes import Direction, State
from app.domain.statistics import Measure, Sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from sqlalchemy import RowMapping

    from app.db.engine import ReadSession

TIMED_RESULTS = frozenset(
    {State.PRESERVED, State.PARTIALLY_PRESERVED, State.ANSWERED, State.NOT_EXECUTABLE, State.REFUSED}
)
"""Results of work; an exchange that was withdrawn or closed before has an outcome, and no time to it."""

_REAL = "(e.opening #>> '{document,is_test}') IS DISTINCT FROM 'true' AND e.opening ? 'document'"
_PEER = "CASE e.direction WHEN 'outgoing' THEN e.requested ELSE e.requesting END AS peer"

_COURSES = text(f"""
    WITH changed AS MATERIALIZED (
        SELECT id FROM exchange e WHERE e.updated_at >= :since AND {_REAL}
    ), line AS (
        SELECT t.subject_id, t.id, t.at, t.event, CASE t.event
            WHEN 'state' THEN t.detail ->> 'to'
            WHEN 'acknowledge' THEN 'ACKNOWLEDGED' WHEN 'ask' THEN 'CLARIFICATION' WHEN 'notify_risk' THEN 'RISK_NOTICE'
            WHEN 'propose_conditions' THEN 'CONDITIONS' WHEN 'cannot_comply' THEN 'CONDITIONS'
            WHEN 'accept' THEN 'ACCEPTED' WHEN 'accept_information' THEN 'ACCEPTED' WHEN 'start' THEN 'IN_EXECUTION'
            WHEN 'postpone' THEN 'POSTPONED' WHEN 'refer' THEN 'REFERRED' WHEN 'answer' THEN 'ANSWERED'
            WHEN 'send_content' THEN 'ANSWERED' WHEN 'not_executable' THEN 'NOT_EXECUTABLE'
            WHEN 'confirm_refusal' THEN 'REFUSED' WHEN 'close' THEN 'CLOSED' WHEN 'withhold' THEN 'CLOSED'
            WHEN 'withdraw' THEN 'WITHDRAWN' WHEN 'stop' THEN 'WITHDRAWN' WHEN 'arrived_withdrawn' THEN 'WITHDRAWN'
            WHEN 'preserve' THEN CASE WHEN t.detail @? '$.results[*] ? (@.outcome != "HELD")'
                THEN 'PARTIALLY_PRESERVED' ELSE 'PRESERVED' END
        END AS reached
        FROM changed JOIN timeline t ON t.subject_id = changed.id WHERE t.event = ANY(:events)
    ), course AS (
        SELECT subject_id,
            min(at) FILTER (WHERE event IN ('dispatched', 'delivered', 'arrived_withdrawn')) AS opened_at,
            min(at) FILTER (WHERE reached NOT IN ('DISPATCHED', 'DELIVERED', 'WITHDRAWN', 'CLOSED')) AS acknowledged_at,
            min(at) FILTER (
                WHERE reached NOT IN ('DISPATCHED', 'DELIVERED', 'ACKNOWLEDGED', 'WITHDRAWN', 'CLOSED')
            ) AS substance_at,
            min(at) FILTER (WHERE reached = 'CLARIFICATION') AS asked_at,
            min(at) FILTER (WHERE reached IN ('ACCEPTED', 'CONDITIONS', 'REFUSED')) AS determined_at,
            (array_agg(reached ORDER BY id) FILTER (WHERE reached IN ('ACCEPTED', 'CONDITIONS', 'REFUSED')))[1]
                AS determined,
            min(at) FILTER (WHERE reached = ANY(:ends)) AS ended_at,
            (array_agg(reached ORDER BY id) FILTER (WHERE reached = ANY(:ends)))[1] AS ended
        FROM line GROUP BY subject_id
    )
    SELECT e.direction, {_PEER}, e.requested, e.type, e.opening ->> 'tier' AS tier,
        (e.opening ->> 'opened_at')::timestamptz AS sent, e.opening #>> '{{document,language}}' AS language,
        e.body #>> '{{snapshot,reason}}' AS reason, c.*,
        (SELECT min(o.receipted_at) FROM outbox o
         WHERE o.exchange_id = e.id AND o.type = 'exchange.open/1' AND e.direction = 'outgoing') AS receipted_at
    FROM exchange e JOIN course c ON c.subject_id = e.id WHERE c.opened_at IS NOT NULL
""")  # noqa: S608 - constants of this module

_EVENTS = (
    "dispatched", "delivered", "arrived_withdrawn", "state", "acknowledge", "ask", "notify_risk", "propose_conditions",
    "cannot_comply", "accept", "accept_information", "start", "postpone", "refer", "answer", "send_content",
    "not_executable", "confirm_refusal", "close", "withhold", "withdraw", "stop", "preserve",
)  # fmt: skip
_ENDS = (*(state.value for state in sorted(TIMED_RESULTS)), State.WITHDRAWN.value, State.CLOSED.value)

_HOLDS = text(f"""
    SELECT e.direction, {_PEER}, h.hold ->> 'state' AS state, (h.hold ->> 'ended_at')::timestamptz AS ended_at,
        (h.hold #>> '{{mla,received_at}}')::timestamptz AS received_at, t.treaty_exception,
        ARRAY(SELECT (x ->> 'granted_at')::timestamptz
              FROM jsonb_array_elements(h.hold -> 'extensions') x) AS granted_at
    FROM hold t JOIN exchange e ON e.id = t.exchange_id
        CROSS JOIN LATERAL jsonb_array_elements(e.body #> '{{snapshot,holds}}') AS h (hold)
    WHERE e.updated_at >= :since AND (h.hold ->> 'id')::uuid = t.id AND {_REAL}
""")  # noqa: S608 - constants of this module

_PATHS = text(f"""
    SELECT e.direction, {_PEER}, (p.path ->> 'at')::timestamptz AS at, p.path ->> 'withheld' AS withheld
    FROM exchange e CROSS JOIN LATERAL jsonb_array_elements(e.body #> '{{snapshot,traffic_paths}}') AS p (path)
    WHERE e.updated_at >= :since AND e.type = 'PRESERVATION' AND {_REAL}
""")  # noqa: S608 - constants of this module

_TRIAGE = text("""
    SELECT DISTINCT ON (r.id) r.requested AS peer, r.type, t.at, t.event
    FROM request r JOIN timeline t ON t.subject_id = r.id
    WHERE r.updated_at >= :since AND NOT r.is_test
        AND t.event IN ('return', 'approve', 'decline', 'redirect', 'merge')
    ORDER BY r.id, t.id
""")

_CALLS = text("""
    SELECT direction, peer, kind, answered_at IS NOT NULL AS answered, coalesce(answered_at, missed_at, due_at) AS at
    FROM test_call
    WHERE called_at >= :since AND (answered_at IS NOT NULL OR missed_at IS NOT NULL OR due_at < :now)
""")


async def courses(session: ReadSession, *, since: datetime, read_there: Mapping[str, frozenset[str]]) -> list[Sample]:
    """Openings, and how long it took to each step; `read_there` are the languages each contact point reads."""
    rows = await session.execute(_COURSES, {"since": since, "events": list(_EVENTS), "ends": list(_ENDS)})
    return [sample for row in rows.mappings() for sample in _course(row, read_there)]


async def holds(session: ReadSession, *, since: datetime) -> list[Sample]:
    """Extensions, ends of holds, and whether the follow-up request was received before the end."""
    rows = await session.execute(_HOLDS, {"since": since})
    return [sample for row in rows.mappings() for sample in _hold(row)]


async def traffic_paths(session: ReadSession, *, since: datetime) -> list[Sample]:
    """Disclosures under art. 30, and those that were withheld."""
    rows = await session.execute(_PATHS, {"since": since})
    return [
        _sample(Measure.TRAFFIC_PATH, row, at=row["at"], outcome="disclosed" if row["withheld"] is None else "withheld")
        for row in rows.mappings()
    ]


async def triage(session: ReadSession, *, since: datetime) -> list[Sample]:
    """The first decision on each request of our own agencies, by the contact point that it was to go to."""
    rows = await session.execute(_TRIAGE, {"since": since})
    return [
        Sample(
            Measure.TRIAGE,
            Direction.OUTGOING,
            row["peer"],
            row["at"],
            (("type", row["type"]), ("decision", "returned" if row["event"] == "return" else "decided")),
        )
        for row in rows.mappings()
    ]


async def test_calls(session: ReadSession, *, since: datetime, now: datetime) -> list[Sample]:
    """Test calls and drills that are over. They are cases of nobody, and in no other count."""
    rows = await session.execute(_CALLS, {"since": since, "now": now})
    return [
        _sample(
            Measure.TEST_CALL,
            row,
            at=row["at"],
            kind=row["kind"],
            outcome="answered" if row["answered"] else "missed",
        )
        for row in rows.mappings()
    ]


def _course(row: RowMapping, read_there: Mapping[str, frozenset[str]]) -> Iterator[Sample]:
    opened = row["opened_at"]
    outgoing = row["direction"] == Direction.OUTGOING
    kind = {"type": row["type"]}
    said = (row["language"] or "").partition("-")[0]
    language = "read_there" if said in read_there.get(row["requested"], frozenset()) else "not_read_there"
    yield _sample(Measure.OPENED, row, at=opened, **kind, tier=row["tier"], language=language)
    received = row["receipted_at"] if outgoing else opened
    if received is not None:
        yield _sample(Measure.RECEIPT, row, at=received, since=opened if outgoing else row["sent"])
    for measure, at in (
        (Measure.ACKNOWLEDGEMENT, row["acknowledged_at"]),
        (Measure.SUBSTANCE, row["substance_at"]),
    ):
        if at is not None:
            yield _sample(measure, row, at=at, since=opened, tier=row["tier"])
    if row["asked_at"] is not None:
        yield _sample(Measure.COMPLETION_ASKED, row, at=row["asked_at"], **kind)
    if row["determined_at"] is not None and row["type"] == "EMERGENCY_DISCLOSURE":
        at = row["determined_at"]
        yield _sample(Measure.DETERMINATION, row, at=at, since=opened, outcome=row["determined"])
    if row["ended_at"] is not None:
        ended = State(row["ended"])
        coded = ended in {State.NOT_EXECUTABLE, State.REFUSED}
        outcome = row["reason"] or ended.value if coded else ended.value
        since = opened if ended in TIMED_RESULTS else None
        yield _sample(Measure.RESULT, row, at=row["ended_at"], since=since, **kind, outcome=outcome)


def _hold(row: RowMapping) -> Iterator[Sample]:
    for granted_at in row["granted_at"]:
        yield _sample(Measure.EXTENSION, row, at=granted_at)
    if row["ended_at"] is not None:
        end = "LIFTED_BEFORE_SIXTY_DAYS" if row["treaty_exception"] else row["state"]
        yield _sample(Measure.HOLD_END, row, at=row["ended_at"], outcome=end)
    if row["received_at"] is not None:
        yield _sample(Measure.FOLLOW_UP, row, at=row["received_at"], outcome="received_before_expiry")
    elif row["state"] == "EXPIRED" and row["ended_at"] is not None:
        yield _sample(Measure.FOLLOW_UP, row, at=row["ended_at"], outcome="expired_without")


def _sample(
    measure: Measure,
    row: RowMapping,
    *,
    at: datetime,
    since: datetime | None = None,
    **labels: Any,  # noqa: ANN401 - columns of a row
) -> Sample:
    seconds = None if since is None else max(0.0, (at - since).total_seconds())
    told = tuple((name, str(value)) for name, value in labels.items())
    return Sample(measure, Direction(row["direction"]), row["peer"], at, labels=told, seconds=seconds)
