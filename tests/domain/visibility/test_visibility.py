"""Who is told what (domain.md 6.11)."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.visibility import EXCHANGE_MEMBERS, Fact, Sight, Viewer, agency_view, sight

EXCHANGE: dict[str, Any] = {
    "id": "0198",
    "state": "PRESERVED",
    "tier": "URGENT",
    "generation": 5,
    "flags": ["OVERDUE"],
    "under_way": [],
    "allowed_actions": ["withdraw"],
    "holds": [{"id": "0199", "state": "TIMED", "expires_at": "2027-01-21T23:00:00Z", "generation": 5, "order": "J-1"}],
    "answer": {"text": "Ninety days."},
    "refusal": {"code": "R-POL", "reasons": "…"},
    "risk_notice": {"code": "W-CONF"},
    "execution": {"provider": "Kitano Broadband KK"},
    "other_requesters": ["XS"],
    "something_new": 1,
}


@pytest.mark.parametrize("fact", Fact)
def test_every_fact_has_a_rule_for_every_viewer(fact: Fact) -> None:
    """The table has no gap."""
    assert {sight(viewer, fact) for viewer in Viewer} <= set(Sight)


def test_rows_of_the_table() -> None:
    """Triage stays at home, the order stays there, the broker sees no content."""
    assert sight(Viewer.REQUESTED, Fact.TRIAGE_REASONS) is Sight.NONE
    assert sight(Viewer.AGENCY, Fact.EXECUTION) is Sight.NONE
    assert sight(Viewer.REQUESTING, Fact.EXECUTION) is Sight.SUMMARY
    assert sight(Viewer.AGENCY, Fact.REFUSAL) is Sight.RELAY
    assert sight(Viewer.BROKER, Fact.FACTS_AND_OFFENCE) is Sight.NONE
    assert sight(Viewer.REQUESTING, Fact.OTHER_REQUESTERS) is Sight.NONE


def test_agency_sees_state_result_and_hold() -> None:
    """Of an exchange the agency sees how far it is, what came of it, and until when data are held."""
    view = agency_view(EXCHANGE)
    assert set(view) == {"id", "state", "tier", "generation", "holds", "answer"}
    assert view["holds"] == [{"id": "0199", "state": "TIMED", "expires_at": "2027-01-21T23:00:00Z"}]


def test_reasons_reach_the_agency_once_relayed() -> None:
    """Refusals and risk notices wait for the duty officer, each on its own."""
    assert "refusal" in agency_view(EXCHANGE, relayed={Fact.REFUSAL})
    assert "risk_notice" not in agency_view(EXCHANGE, relayed={Fact.REFUSAL})


def test_desk_work_orders_and_other_requesters_never_reach_the_agency() -> None:
    """Even with everything relayed, the desk's own work and the other state's execution stay away."""
    view = agency_view(EXCHANGE, relayed=set(Fact))
    assert not {"flags", "under_way", "allowed_actions", "execution", "other_requesters"} & set(view)


def test_unknown_member_is_not_shown() -> None:
    """A member that no rule mentions is for the desk alone, so that a new one cannot leak by itself."""
    assert "something_new" not in agency_view(EXCHANGE)
    assert "something_new" not in EXCHANGE_MEMBERS


def test_view_without_holds() -> None:
    """An exchange that has no holds member is shown as it is."""
    assert agency_view({"id": "1", "state": "ANSWERED"}) == {"id": "1", "state": "ANSWERED"}


def test_original_is_not_changed() -> None:
    """Making a view leaves the projection alone."""
    agency_view(EXCHANGE)
    assert EXCHANGE["holds"][0]["order"] == "J-1"
