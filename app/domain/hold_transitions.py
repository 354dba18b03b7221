"""Machine M4, the hold clock, as rows (domain.md 6.5; ruling 14 on `releasing` and on the edge of a hold)."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.codes import HoldState as Hs
from app.domain.exchange_codes import By, Side
from app.domain.transitions import side_of


@dataclass(frozen=True, slots=True)
class HoldRow:
    """One row. No `target`: the state stays. `releasing` says what the hold's mark must be; None means either.

    An act counts by the state at that instant: a TIMED hold past its end is EXPIRED for every row.
    """

    id: str
    action: str | None
    sources: tuple[Hs, ...]
    target: Hs | None
    by: tuple[By, ...]
    needs: tuple[str, ...] = ()
    releasing: bool | None = None
    both: bool = False


_OPEN = (Hs.TIMED, Hs.PENDING_DECISION)

HOLD_ROWS: tuple[HoldRow, ...] = (
    HoldRow("H1", "preserve", (), Hs.TIMED, (By.DO_B,), ("preserved_at", "days")),
    HoldRow("H2", "request_extension", (Hs.TIMED,), None, (By.DO_A,), releasing=False),
    HoldRow("H3", "grant_extension", (Hs.TIMED,), None, (By.DO_B,), ("extension_wish",), releasing=False),
    HoldRow("H4", "claim_mla_sent", tuple(Hs), None, (By.DO_A,), ("ca_reference", "date")),
    HoldRow(
        "H5",
        "confirm_mla_received",
        (Hs.TIMED,),
        Hs.PENDING_DECISION,
        (By.DO_B,),
        ("ca_reference",),
        releasing=False,
    ),
    HoldRow("H6", "record_decision", (Hs.PENDING_DECISION,), None, (By.DO_B,), ("text",)),
    HoldRow("H7", None, (Hs.PENDING_DECISION,), Hs.RELEASED, (By.SYS,), ("decision", "grace")),
    HoldRow("H8", None, (Hs.TIMED,), Hs.EXPIRED, (By.SYS,), ("expires_at",)),
    HoldRow("H9", "release", _OPEN, None, (By.DO_A,)),
    HoldRow("H10", "release", _OPEN, Hs.RELEASED, (By.DO_B,), releasing=True),
    HoldRow("H11", "report_loss", tuple(state for state in Hs if state is not Hs.LOST), Hs.LOST, (By.DO_B,), ("text",)),
    HoldRow("H12", "lift", _OPEN, Hs.LIFTED, (By.DO_B, By.SUP_B), ("reason",), both=True),
)
"""H1 is walked by X16 to X18. X9 and X29 mark every open hold `releasing`, as H9 does."""

REQUESTING_HOLD_ACTS = frozenset({"request_extension", "claim_mla_sent", "release"})
"""Ruling 14. The requested side has its own `release`, which ends a hold that is releasing."""


def hold_rows_of(action: str, side: Side) -> tuple[HoldRow, ...]:
    """The rows that this act on a hold walks when this side does it; `preserve` is an act on the exchange, not here."""
    return tuple(
        row for row in HOLD_ROWS if row.sources and row.action == action and any(side_of(by) is side for by in row.by)
    )
