"""Who is told what (domain.md 6.11)."""

from __future__ import annotations

import pytest

from app.domain.visibility import EXCHANGE_MEMBERS, Fact, Sight, Viewer, agency_sees, sight
from app.routers.request_views import AgencyExchange
from app.routers.views import ExchangeView


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


def test_agency_is_shown_what_the_table_lets_it_see() -> None:
    """The view for agencies has exactly the members that the table allows, so that a new one cannot leak by itself."""
    assert set(AgencyExchange.model_fields) == {member for member in EXCHANGE_MEMBERS if agency_sees(member)}


@pytest.mark.parametrize("member", ["flags", "under_way", "allowed_actions", "progress", "referred_to"])
def test_desk_work_and_execution_never_reach_the_agency(member: str) -> None:
    """The desk's own work and the other state's execution stay away."""
    assert not agency_sees(member)


def test_unknown_member_is_not_shown() -> None:
    """A member that no rule mentions is for the desk alone."""
    assert "not_understood" in ExchangeView.model_fields
    assert not agency_sees("not_understood")
