"""Scenario 05: a wish for content that has time goes by letter of request; what can be done till then is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.domain.codes import RequestType
from tests.world.documents import document
from tests.world.journey import expect, filed, taken

if TYPE_CHECKING:
    from tests.support.world import World
    from tests.world.ledger import Ledger

TEXT = "The content of a mailbox is given on a letter of request only, and nothing here is urgent."


def content_of_a_mailbox() -> dict[str, Any]:
    """A routine wish for the content of a mailbox."""
    made = document(RequestType.EVIDENCE_COLLECTION)
    made["urgency"] = {"tier": "ROUTINE", "reasons": "The trial begins in autumn of next year."}
    made["targets"][0]["data_categories"] = ["CONTENT"]
    return made


async def test_wish_for_content_is_redirected_to_the_central_authority(
    scenario_world: World, scenario_ledger: Ledger
) -> None:
    """TRI-07 proposes `D-MLA`; the agency reads the central authority's contact and that preservation is possible."""
    home = scenario_world["XA"]
    made = await filed(scenario_world, content_of_a_mailbox())
    await scenario_ledger.calm()
    outgoing = await scenario_ledger.counts("XA", ("outbox", "exchange"))
    opened = await taken(scenario_world, made["id"], ("duty_officer", "open"))
    (channel,) = [one for one in opened["desk"]["triage"] if one["test"] == "TRI-07"]
    assert {(doubt["code"], doubt["suggests"]) for doubt in channel["because"]} >= {
        ("content_needs_mla", "D-MLA"),
        ("not_urgent", "D-MLA"),
    }
    path = f"/v1/requests/{made['id']}"
    act = {"code": "D-MLA", "text": TEXT}
    redirected = expect(await home.as_("duty_officer").act(path, "redirect", **act), 200)
    assert redirected["state"] == "REDIRECTED"
    told = expect(await home.as_("agency_officer").get(path), 200)["outcome"]
    assert (told["code"], told["text"]) == ("D-MLA", TEXT)
    central = home.runtime.node.law.country("XA")
    assert central is not None
    assert central.central_authority.name in told["contact"]
    (meanwhile,) = told["alternatives"]
    assert (meanwhile["type"], meanwhile["instrument"]) == ("PRESERVATION", "ETS185")
    await scenario_ledger.calm()
    assert await scenario_ledger.counts("XA", ("outbox", "exchange")) == outgoing


async def test_officers_own_contact_is_kept(scenario_world: World) -> None:
    """Where the officer names whom to ask, that is what the agency reads."""
    made = await filed(scenario_world, content_of_a_mailbox())
    await taken(scenario_world, made["id"], ("duty_officer", "open"))
    act = {"code": "D-MLA", "text": TEXT, "contact": "Room 12, Ministry of Justice"}
    caller = scenario_world["XA"].as_("duty_officer")
    redirected = expect(await caller.act(f"/v1/requests/{made['id']}", "redirect", **act), 200)
    assert redirected["outcome"]["contact"] == act["contact"]
