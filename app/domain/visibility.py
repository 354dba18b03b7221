"""Who is told what (domain.md 6.11), as a table, and the views that follow from it.

A view is made by picking out, never by striking out: a member that no row mentions is shown to the desk alone.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Viewer(StrEnum):
    """Whom something may be shown to."""

    AGENCY = "LEA-A"
    REQUESTING = "CP-A"
    REQUESTED = "CP-B"
    EXECUTING = "EXE-B"
    CENTRAL_AUTHORITY = "CA"
    PROVIDER = "provider"
    BROKER = "HUB"


class Fact(StrEnum):
    """Kinds of information with a rule of their own."""

    TRIAGE_REASONS = "triage_reasons"
    FACTS_AND_OFFENCE = "facts_and_offence"
    INVESTIGATOR = "investigator"
    EXECUTION = "execution"
    OTHER_STATES = "other_states"
    OTHER_REQUESTERS = "other_requesters"
    RISK_REASONS = "risk_reasons"
    REFUSAL = "refusal"
    HOLD_EXPIRY = "hold_expiry"
    PROGRESS = "progress"
    RESULT = "result"
    DESK_WORK = "desk_work"


class Sight(StrEnum):
    """How much is shown. RELAY: through the contact point of the viewer's own state."""

    FULL = "full"
    RELAY = "relay"
    SUMMARY = "summary"
    AS_NEEDED = "as needed"
    MINIMUM = "minimum"
    NONE = "none"


_F, _R, _S, _N, _M, _0 = Sight.FULL, Sight.RELAY, Sight.SUMMARY, Sight.AS_NEEDED, Sight.MINIMUM, Sight.NONE

# One column per viewer, in the order of the enumeration.
_ROWS: Mapping[Fact, tuple[Sight, ...]] = MappingProxyType(
    {
        Fact.TRIAGE_REASONS: (_F, _F, _0, _0, _0, _0, _0),
        Fact.FACTS_AND_OFFENCE: (_F, _F, _F, _N, _F, _M, _0),
        Fact.INVESTIGATOR: (_F, _F, _S, _0, _F, _0, _0),
        Fact.EXECUTION: (_0, _S, _F, _F, _F, _0, _0),
        Fact.OTHER_STATES: (_F, _F, _0, _0, _0, _0, _M),
        Fact.OTHER_REQUESTERS: (_0, _0, _F, _F, _0, _0, _0),
        Fact.RISK_REASONS: (_R, _F, _F, _F, _0, _0, _0),
        Fact.REFUSAL: (_R, _F, _F, _F, _F, _0, _M),
        Fact.HOLD_EXPIRY: (_F, _F, _F, _F, _F, _F, _M),
        Fact.PROGRESS: (_F, _F, _F, _F, _F, _0, _0),
        Fact.RESULT: (_F, _F, _F, _F, _F, _0, _0),
        Fact.DESK_WORK: (_0, _F, _F, _0, _0, _0, _0),
    }
)


def sight(viewer: Viewer, fact: Fact) -> Sight:
    """How much of a fact a viewer is shown."""
    return _ROWS[fact][list(Viewer).index(viewer)]


EXCHANGE_MEMBERS: Mapping[str, Fact] = MappingProxyType(
    {
        "id": Fact.PROGRESS,
        "state": Fact.PROGRESS,
        "generation": Fact.PROGRESS,
        "tier": Fact.PROGRESS,
        "b_reference": Fact.PROGRESS,
        "next_update_at": Fact.PROGRESS,
        "instrument": Fact.PROGRESS,
        "question": Fact.RISK_REASONS,
        "determination": Fact.PROGRESS,
        "review_at": Fact.PROGRESS,
        "results": Fact.RESULT,
        "answers": Fact.RESULT,
        "accepted_conditions": Fact.RESULT,
        "traffic_paths": Fact.RESULT,
        "marking": Fact.RESULT,
        "reason": Fact.REFUSAL,
        "reason_article": Fact.REFUSAL,
        "reason_text": Fact.REFUSAL,
        "suggestion": Fact.REFUSAL,
        "holds": Fact.HOLD_EXPIRY,
        "flags": Fact.DESK_WORK,
        "under_way": Fact.DESK_WORK,
        "allowed_actions": Fact.DESK_WORK,
        "progress": Fact.EXECUTION,
        "referred_to": Fact.EXECUTION,
        "same_data": Fact.OTHER_REQUESTERS,
    }
)
"""Members of the projection of an exchange, each under the rule that governs it."""


def agency_sees(member: str) -> bool:
    """Whether the agency that asked is shown this member of its exchange; what no row mentions is for the desk alone.

    What the table relays, this node relays at once: nobody has to be awake for an agency to read why it was refused.
    """
    fact = EXCHANGE_MEMBERS.get(member)
    return fact is not None and sight(Viewer.AGENCY, fact) in {Sight.FULL, Sight.RELAY}
