"""The machine as the design wrote it (domain.md, Appendix F), with the repairs that were decided on it.

Kept as a second copy on purpose: the table of the program is compared with it, row by row.
"""

from __future__ import annotations

APPENDIX_F = """
X1  DISPATCHED -> DELIVERED by SYS
X3  DELIVERED -> ACKNOWLEDGED by DO_B needs b_reference,next_update_at
X4  ACKNOWLEDGED,IN_EXECUTION -> CLARIFICATION by DO_B needs c_codes
X5  CLARIFICATION -> ACKNOWLEDGED,IN_EXECUTION by DO_A needs supplement
X6  CLARIFICATION -> NOT_EXECUTABLE by DO_B codes N-NOANSWER
X7  ACKNOWLEDGED,ACCEPTED,IN_EXECUTION -> RISK_NOTICE by DO_B needs instrument codes W-AVAIL,W-CONF,W-PREJ
X8  RISK_NOTICE -> ACCEPTED by DO_A
X9  RISK_NOTICE -> WITHDRAWN by DO_A
X10 RISK_NOTICE -> NOT_EXECUTABLE by DO_B codes N-NOANSWER
X11 ACKNOWLEDGED,IN_EXECUTION -> CONDITIONS by DO_B needs instrument not PRESERVATION,PRESERVATION_EXTENSION
X12 CONDITIONS -> ACCEPTED by SUP_A
X13 CONDITIONS -> ACKNOWLEDGED by SUP_A
X14 ACKNOWLEDGED -> ACCEPTED by DO_B needs instrument
X15 ACCEPTED -> IN_EXECUTION by DO_B
X16 IN_EXECUTION -> PRESERVED by DO_B needs hold types PRESERVATION,PRESERVATION_EXTENSION
X17 IN_EXECUTION -> PARTIALLY_PRESERVED by DO_B needs hold,per_target types PRESERVATION,PRESERVATION_EXTENSION
X18 PARTIALLY_PRESERVED -> PRESERVED by DO_B
X19 ACKNOWLEDGED,ACCEPTED,IN_EXECUTION -> NOT_EXECUTABLE by DO_B needs n_code,reasons
X20 ACKNOWLEDGED,ACCEPTED,IN_EXECUTION,POSTPONED -> REFUSED by DO_B,SUP_B needs r_code,reasons,considered_partial,instrument
X21 ACKNOWLEDGED -> POSTPONED by DO_B needs review_at types EVIDENCE_COLLECTION,LOCATE_SUSPECT,EMERGENCY_MLA_NOTICE,MLA_INITIATION
X22 POSTPONED -> ACKNOWLEDGED by DO_B,SYS
X23 ACKNOWLEDGED -> REFERRED by DO_B needs competent_authority
X24 REFERRED -> IN_EXECUTION by DO_B
X25 REFERRED -> CLOSED by DO_B
X26 ACKNOWLEDGED,IN_EXECUTION -> ANSWERED by DO_B not PRESERVATION,PRESERVATION_EXTENSION
X27 ANSWERED -> CLOSED by DO_A,SYS
X28 PRESERVED,PARTIALLY_PRESERVED -> CLOSED by SYS needs all_holds_ended
X29 OPEN -> WITHDRAWN by DO_A
X30 CONDITIONS -> NOT_EXECUTABLE by DO_B codes N-NOANSWER
"""  # noqa: E501 - one row of the appendix is one line

OPEN = (
    "DISPATCHED",
    "DELIVERED",
    "ACKNOWLEDGED",
    "CLARIFICATION",
    "RISK_NOTICE",
    "CONDITIONS",
    "ACCEPTED",
    "IN_EXECUTION",
    "POSTPONED",
    "REFERRED",
    "PRESERVED",
    "PARTIALLY_PRESERVED",
    "ANSWERED",
)

NOT_FOR_OFFERS = {"X7", "X11", "X12", "X13", "X14", "X15", "X26"}
"""Rows that spontaneous information does not know: there the requesting side gives (ruling 18)."""


def appendix_rows() -> dict[str, dict[str, tuple[str, ...]]]:
    """Row id → its parts, `OPEN` written out."""
    return {line.split()[0]: _parts(line) for line in APPENDIX_F.strip().splitlines()}


def _parts(line: str) -> dict[str, tuple[str, ...]]:
    words = line.split()
    parts = {
        "sources": OPEN if words[1] == "OPEN" else tuple(words[1].split(",")),
        "targets": tuple(words[3].split(",")),
    }
    for name in ("by", "needs", "codes", "types", "not"):
        parts[name] = tuple(words[words.index(name) + 1].split(",")) if name in words else ()
    return parts
