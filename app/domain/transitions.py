"""Machine M2, the exchange, as rows (domain.md Appendix F as repaired by ruling 17, without X2: ruling 15; ruling 18).

A row says from which states which act leads where, who may do it, for which types, and which codes it takes. No other
place knows: `app.domain.exchange` looks rows up. `OPEN` and `RESUME` of the appendix are written out here. Rows named
X… are its transitions, M-… emissions that change no state, S-… spontaneous information (M6, read as M2).
"""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.codes import NOT_EMERGENCY, POSTPONED_OWN, NotExecutable, RefusalGround, RequestType, RiskNotice
from app.domain.codes import State as St
from app.domain.exchange_codes import By, Side

OPEN: tuple[St, ...] = (
    St.DISPATCHED,
    St.DELIVERED,
    St.ACKNOWLEDGED,
    St.CLARIFICATION,
    St.RISK_NOTICE,
    St.CONDITIONS,
    St.ACCEPTED,
    St.IN_EXECUTION,
    St.POSTPONED,
    St.REFERRED,
    St.PRESERVED,
    St.PARTIALLY_PRESERVED,
    St.ANSWERED,
)
ENDED: tuple[St, ...] = (St.NOT_EXECUTABLE, St.REFUSED, St.WITHDRAWN, St.CLOSED)
RESUME: tuple[St, ...] = (St.ACKNOWLEDGED, St.IN_EXECUTION)
"""Where a clarification can have been asked from; the exchange remembers which (`resume_state`)."""

TAKEN = OPEN[2:]
"""Open, and a person at the requested side has taken it: before that there is nothing to report."""

HOLD_TYPES = (RequestType.PRESERVATION, RequestType.PRESERVATION_EXTENSION)
MLA_TYPES = (
    RequestType.EVIDENCE_COLLECTION,
    RequestType.LOCATE_SUSPECT,
    RequestType.EMERGENCY_MLA_NOTICE,
    RequestType.MLA_INITIATION,
)
"""Types that art. 27(5) lets the requested side postpone."""

OFFER = (RequestType.SPONTANEOUS_INFORMATION,)
"""The type in which the requesting side gives: nothing is accepted, executed or answered for it (ruling 18)."""

EMERGENCY = (RequestType.EMERGENCY_DISCLOSURE,)
SILENCE = (NotExecutable.NOANSWER,)
CANNOT = tuple(code for code in NotExecutable if code is not NotExecutable.NOANSWER)


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `targets` is empty if the state stays, and has two members where the exchange resumes.

    `by` names alternatives, unless `both`: then the first proposes and the last completes. `needs` names what must be
    there when the row is walked, by the officer's hand or proposed. `types` empty means every type.
    """

    id: str
    action: str | None
    sources: tuple[St, ...]
    targets: tuple[St, ...]
    by: tuple[By, ...]
    needs: tuple[str, ...] = ()
    types: tuple[RequestType, ...] = ()
    types_not: tuple[RequestType, ...] = ()
    codes: tuple[str, ...] = ()
    both: bool = False

    def is_for(self, request_type: RequestType) -> bool:
        """Whether the row exists for exchanges of this type."""
        return (not self.types or request_type in self.types) and request_type not in self.types_not


X1 = Row("X1", None, (St.DISPATCHED,), (St.DELIVERED,), (By.SYS,))
X22 = Row("X22", "resume", (St.POSTPONED,), (St.ACKNOWLEDGED,), (By.DO_B, By.SYS))
X27 = Row("X27", "close", (St.ANSWERED,), (St.CLOSED,), (By.DO_A, By.SYS))
X28 = Row("X28", None, (St.PRESERVED, St.PARTIALLY_PRESERVED), (St.CLOSED,), (By.SYS,), ("all_holds_ended",))
X29 = Row("X29", "withdraw", OPEN, (St.WITHDRAWN,), (By.DO_A,))

_BEFORE_RESULT = (St.ACKNOWLEDGED, St.ACCEPTED, St.IN_EXECUTION)
_DECIDING = (St.ACKNOWLEDGED, St.IN_EXECUTION)
_GIVING = (*HOLD_TYPES, *OFFER)
_SHARED = (*TAKEN, *ENDED)

EXCHANGE_ROWS: tuple[Row, ...] = (
    X1,
    Row("X3", "acknowledge", (St.DELIVERED,), (St.ACKNOWLEDGED,), (By.DO_B,), ("b_reference", "next_update_at")),
    Row("X4", "ask", _DECIDING, (St.CLARIFICATION,), (By.DO_B,), ("c_codes",)),
    Row("X5", "supplement", (St.CLARIFICATION,), RESUME, (By.DO_A,), ("supplement",)),
    Row("X6", "not_executable", (St.CLARIFICATION,), (St.NOT_EXECUTABLE,), (By.DO_B,), codes=SILENCE),
    Row(
        "X7",
        "notify_risk",
        _BEFORE_RESULT,
        (St.RISK_NOTICE,),
        (By.DO_B,),
        ("instrument",),
        types_not=OFFER,
        codes=tuple(RiskNotice),
    ),
    Row("X8", "proceed", (St.RISK_NOTICE,), (St.ACCEPTED,), (By.DO_A,)),
    Row("X9", "stop", (St.RISK_NOTICE,), (St.WITHDRAWN,), (By.DO_A,)),
    Row("X10", "not_executable", (St.RISK_NOTICE,), (St.NOT_EXECUTABLE,), (By.DO_B,), codes=SILENCE),
    Row("X11", "propose_conditions", _DECIDING, (St.CONDITIONS,), (By.DO_B,), ("instrument",), types_not=_GIVING),
    Row("X12", "accept_condition", (St.CONDITIONS,), (St.ACCEPTED,), (By.SUP_A,), types_not=OFFER),
    Row("X13", "decline_condition", (St.CONDITIONS,), (St.ACKNOWLEDGED,), (By.SUP_A,), types_not=OFFER),
    Row("X14", "accept", (St.ACKNOWLEDGED,), (St.ACCEPTED,), (By.DO_B,), ("instrument",), types_not=OFFER),
    Row("X15", "start", (St.ACCEPTED,), (St.IN_EXECUTION,), (By.DO_B,), types_not=OFFER),
    Row("X16", "preserve", (St.IN_EXECUTION,), (St.PRESERVED,), (By.DO_B,), ("hold",), types=HOLD_TYPES),
    Row(
        "X17",
        "preserve",
        (St.IN_EXECUTION,),
        (St.PARTIALLY_PRESERVED,),
        (By.DO_B,),
        ("hold", "per_target"),
        types=HOLD_TYPES,
    ),
    Row("X18", "preserve", (St.PARTIALLY_PRESERVED,), (St.PRESERVED,), (By.DO_B,)),
    Row("X19", "not_executable", _BEFORE_RESULT, (St.NOT_EXECUTABLE,), (By.DO_B,), ("n_code", "reasons"), codes=CANNOT),
    Row(
        "X20",
        "confirm_refusal",
        (*_BEFORE_RESULT, St.POSTPONED),
        (St.REFUSED,),
        (By.DO_B, By.SUP_B),
        ("r_code", "reasons", "considered_partial", "instrument"),
        codes=tuple(RefusalGround),
        both=True,
    ),
    Row(
        "X21",
        "postpone",
        (St.ACKNOWLEDGED,),
        (St.POSTPONED,),
        (By.DO_B,),
        ("review_at",),
        types=MLA_TYPES,
        codes=(POSTPONED_OWN,),
    ),
    X22,
    Row("X23", "refer", (St.ACKNOWLEDGED,), (St.REFERRED,), (By.DO_B,), ("competent_authority",)),
    Row("X24", "start", (St.REFERRED,), (St.IN_EXECUTION,), (By.DO_B,)),
    Row("X25", "close", (St.REFERRED,), (St.CLOSED,), (By.DO_B,)),
    Row("X26", "answer", _DECIDING, (St.ANSWERED,), (By.DO_B,), types_not=_GIVING),
    X27,
    X28,
    X29,
    Row("X30", "not_executable", (St.CONDITIONS,), (St.NOT_EXECUTABLE,), (By.DO_B,), codes=SILENCE),
    # Spontaneous information: A offers, B receives. B cannot comply: the decision is A's again, as with any condition.
    Row("S-ACCEPT", "accept_information", (St.ACKNOWLEDGED,), (St.ACCEPTED,), (By.DO_B,), types=OFFER),
    Row("S-CANNOT", "cannot_comply", (St.ACKNOWLEDGED,), (St.CONDITIONS,), (By.DO_B,), ("condition",), types=OFFER),
    Row("S-ANYWAY", "provide_anyway", (St.CONDITIONS,), (St.ACCEPTED,), (By.DO_A,), types=OFFER),
    Row("S-WITHHOLD", "withhold", (St.CONDITIONS,), (St.CLOSED,), (By.DO_A,), types=OFFER),
    Row("S-CONTENT", "send_content", (St.ACKNOWLEDGED, St.ACCEPTED), (St.ANSWERED,), (By.DO_A,), types=OFFER),
    # Emissions: both sides learn something, the state stays.
    Row(
        "M-REFUSE",
        "refuse",
        (*_BEFORE_RESULT, St.POSTPONED),
        (),
        (By.DO_B,),
        ("r_code", "reasons", "considered_partial", "instrument"),
    ),
    Row(
        "M-TPD",
        "disclose_traffic_path",
        (St.IN_EXECUTION, St.PRESERVED, St.PARTIALLY_PRESERVED),
        (),
        (By.DO_B,),
        types=HOLD_TYPES,
        codes=(RefusalGround.POLITICAL, RefusalGround.ESSENTIAL_INTERESTS),
    ),
    Row("M-PROG", "report_progress", TAKEN, (), (By.DO_B,)),
    Row("M-LATE-B", "report_progress", ENDED, (), (By.DO_B,)),
    Row("M-SUPPLEMENT", "supplement", OPEN, (), (By.DO_A,)),
    Row("M-LATE-A", "supplement", ENDED, (), (By.DO_A,)),
    Row("M-RAISE", "raise_tier", OPEN, (), (By.DO_A,)),
    Row("M-LOWER", "downgrade", TAKEN, (), (By.DO_B,), codes=(NOT_EMERGENCY,)),
    Row("M-ORAL", "record_oral", OPEN[1:], (), (By.DO_B,), types=EMERGENCY),
    Row("M-REGULAR", "regularise", OPEN[1:], (), (By.DO_B,), types=EMERGENCY),
    # Of what one side holds of the other's: its giver decides on onward transfer and may ask for the use made of it.
    # B holds the request at least; A holds what B has given, and nothing where it is A that offers.
    Row("M-OTR-A", "request_onward_transfer", _SHARED, (), (By.DO_A,), types_not=OFFER),
    Row("M-OTR-B", "request_onward_transfer", _SHARED, (), (By.DO_B,)),
    Row("M-OTR-GIVER-A", "decide_onward_transfer", _SHARED, (), (By.DO_A,), ("transfer",)),
    Row("M-OTR-GIVER-B", "decide_onward_transfer", _SHARED, (), (By.DO_B,), ("transfer",), types_not=OFFER),
    Row("M-USE-GIVER-A", "ask_use", _SHARED, (), (By.DO_A,)),
    Row("M-USE-GIVER-B", "ask_use", _SHARED, (), (By.DO_B,), types_not=OFFER),
    Row("M-USE-A", "explain_use", _SHARED, (), (By.DO_A,), ("use_question",), types_not=OFFER),
    Row("M-USE-B", "explain_use", _SHARED, (), (By.DO_B,), ("use_question",)),
    Row("M-FC", "confirm_formally", (*OPEN[1:], *ENDED), (), (By.DO_A,), ("CONFIRMATION_OUTSTANDING",)),
)

REQUESTING_ACTS = frozenset(
    {
        "supplement",
        "proceed",
        "stop",
        "accept_condition",
        "decline_condition",
        "withdraw",
        "raise_tier",
        "close",
        "provide_anyway",
        "withhold",
        "send_content",
        "confirm_formally",
        "request_onward_transfer",
        "decide_onward_transfer",
        "ask_use",
        "explain_use",
    }
)
"""Rulings 14 (whose act is it) and 18 (the provider of spontaneous information); a test compares with the rows.

The last four are acts of both sides: what one side has received of the other, the other has given."""

BLOCKED_BY_WITHDRAWAL = frozenset({"start", "preserve", "disclose_traffic_path", "answer"})
"""What must wait while a verified `withdraw` or `stop` is held behind a gap (ruling 14)."""

_SIDE_OF = {
    By.DO_A: Side.REQUESTING,
    By.SUP_A: Side.REQUESTING,
    By.DO_B: Side.REQUESTED,
    By.SUP_B: Side.REQUESTED,
}


def side_of(by: By) -> Side | None:
    """On which side of the exchange a mover stands; the system stands on neither."""
    return _SIDE_OF.get(by)


def rows_of(action: str, side: Side) -> tuple[Row, ...]:
    """The rows that this act walks when this side does it, in the order of the table."""
    return tuple(row for row in EXCHANGE_ROWS if row.action == action and any(side_of(by) is side for by in row.by))
