"""Who is told what (domain.md 6.11), as a table, and the views that follow from it.

A view is made by picking out, never by striking out: a member that no row mentions is shown to the desk alone.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


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
    """How much is shown. RELAY: once the duty officer has passed it on."""

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
        "direction": Fact.PROGRESS,
        "requesting": Fact.PROGRESS,
        "requested": Fact.PROGRESS,
        "type": Fact.PROGRESS,
        "tier": Fact.PROGRESS,
        "state": Fact.PROGRESS,
        "generation": Fact.PROGRESS,
        "next_update_at": Fact.PROGRESS,
        "holds": Fact.HOLD_EXPIRY,
        "per_target": Fact.RESULT,
        "answer": Fact.RESULT,
        "risk_notice": Fact.RISK_REASONS,
        "refusal": Fact.REFUSAL,
        "not_executable": Fact.REFUSAL,
        "flags": Fact.DESK_WORK,
        "under_way": Fact.DESK_WORK,
        "allowed_actions": Fact.DESK_WORK,
        "execution": Fact.EXECUTION,
        "other_requesters": Fact.OTHER_REQUESTERS,
    }
)
"""Members of the projection of an exchange, each under the rule that governs it."""

HOLD_MEMBERS = frozenset({"id", "exchange_id", "state", "preserved_at", "days_granted", "expires_at"})
"""What an agency is shown of a hold: that it exists, and until when."""


def agency_view(exchange: Mapping[str, Any], *, relayed: Collection[Fact] = ()) -> dict[str, Any]:
    """What the agency may see of the projection of an exchange that its request opened.

    `relayed` are the facts that the duty officer has passed on; until then the reasons of refusals and the risk notices
    stay at the desk, and the state alone is shown.
    """
    shown = {
        name: value for name, value in exchange.items() if name in EXCHANGE_MEMBERS and _agency_sees(name, relayed)
    }
    if "holds" in shown:
        shown["holds"] = [
            {name: value for name, value in hold.items() if name in HOLD_MEMBERS} for hold in shown["holds"]
        ]
    return shown


def _agency_sees(member: str, relayed: Collection[Fact]) -> bool:
    fact = EXCHANGE_MEMBERS[member]
    granted = sight(Viewer.AGENCY, fact)
    return granted is Sight.FULL or (granted is Sight.RELAY and fact in relayed)
