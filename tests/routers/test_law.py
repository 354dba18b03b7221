"""The law over HTTP, and as it is read when a node starts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from app.bus.memory import MemoryBus
from app.bus.supervise import Pauses
from app.db.engine import begin, reading
from app.db.law_editions import newest_edition
from app.domain.law import packaged_law, packaged_texts
from app.errors import SettingsUnusable
from app.keystore import read_law_folder
from app.runtime import open_runtime
from app.services.adopt_law import adopt_law
from tests.routers.clients import assert_problem

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from app.runtime import Runtime
    from app.settings import Settings
    from tests.routers.clients import Clients

BASES = "/v1/law/bases?requesting=XA&requested=XT&type="
READERS = ("agency_officer", "duty_officer", "supervisor", "auditor")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The packaged law as an operator's own folder."""
    made = tmp_path / "law"
    made.mkdir()
    for name, written in packaged_texts().items():
        (made / name).write_text(written, "utf-8")
    return made


async def facts(runtime: Runtime) -> list[str]:
    """The kinds of facts that wait for the log, in order."""
    async with reading(runtime.engine) as session:
        rows = await session.execute(text("SELECT convert_from(leaf, 'UTF8')::json->>'type' FROM audit_pending"))
        return [str(row[0]) for row in rows]


async def test_the_law_is_read_by_who_files_decides_or_checks(client: Clients) -> None:
    """Version, digest and instruments; for the monitor it is none of its business."""
    law = packaged_law()
    for seat in READERS:
        found = (await client(seat).get("/v1/law")).raise_for_status().json()
        assert (found["version"], found["digest"]) == (law.version, law.digest)
        assert found["instruments"][0]["instrument"] == "ETS185"
        assert found["since"] == "2026-11-22T09:30:00.000Z"
    for path in ("/v1/law", BASES + "PRESERVATION", "/v1/law/countries/XT", "/v1/law/redirects"):
        assert_problem(await client("monitor").get(path), 403, "role_not_allowed")
        assert_problem(await client().get(path), 401, "not_authenticated")


async def test_the_version_of_the_law_is_monitored(client: Clients) -> None:
    """A ministry sees which edition its node goes by."""
    found = (await client("monitor").get("/v1/monitoring/version")).raise_for_status().json()
    assert (found["law_version"], found["law_digest"]) == (packaged_law().version, packaged_law().digest)


async def test_bases_come_in_order_with_what_goes_with_them(client: Clients) -> None:
    """The convention before best efforts, with articles, reservation, grounds and notices."""
    desk = client("duty_officer")
    found = (await desk.get(BASES + "PRESERVATION")).raise_for_status().json()
    assert found["on"] == "2026-11-22"
    (convention, network) = found["bases"]
    assert (convention["instrument"], network["instrument"]) == ("ETS185", "G7_24_7")
    assert [one["article"] for one in convention["articles"]] == ["29", "30"]
    assert [(one["code"], one["statement"]) for one in convention["constraints"]] == [("reservation", "ETS185:29(4)")]
    assert [one["code"] for one in convention["grounds"]] == ["R-POL", "R-ESS", "R-DC"]
    assert {one["code"] for one in convention["notices"]} == {"W-AVAIL", "W-CONF", "W-PREJ"}
    assert (convention["duty"], network["duty"], convention["postponement"]) == (True, False, None)
    assert (await desk.get(BASES + "EMERGENCY_DISCLOSURE")).raise_for_status().json()["bases"] == []


async def test_bases_depend_on_the_day(client: Clients) -> None:
    """Kitano was bound by the convention from 1 February 2013 on."""
    desk = client("duty_officer")
    days = {"2013-01-31": ["G7_24_7"], "2013-02-01": ["ETS185", "G7_24_7"]}
    for day, wanted in days.items():
        found = (await desk.get(f"{BASES}PRESERVATION&on={day}")).raise_for_status().json()
        assert [basis["instrument"] for basis in found["bases"]] == wanted


@pytest.mark.parametrize("query", ["PRESERVATION&on=soon", "PRESERVATION&day=2026-11-22", "ADVICE"])
async def test_a_question_that_cannot_be_read_is_refused(client: Clients, query: str) -> None:
    """A day that is none, a parameter and a type that nobody knows."""
    assert_problem(await client("duty_officer").get(BASES + query), 422, "parameters_invalid")


async def test_a_state_is_shown_with_what_binds_it(client: Clients) -> None:
    """Profile, memberships, switches, treaties, statements; the code of a contact point does, too."""
    desk = client("agency_officer")
    for code in ("XS", "XS-DESK"):
        found = (await desk.get(f"/v1/law/countries/{code}")).raise_for_status().json()
        assert (found["state"], found["name"]) == ("XS", "Sahran")
    found = (await desk.get("/v1/law/countries/XS")).raise_for_status().json()
    assert found["profile"]["preservation"]["days"] == 60
    assert [row["instrument"] for row in found["memberships"]] == ["ETS185", "CETS224", "UNCC"]
    assert [(row["instrument"], row["others"]) for row in found["switched_on"]] == [
        ("CETS224", ["XA"]),
        ("UNCC", ["XA"]),
    ]
    assert [row["id"] for row in found["treaties"]] == ["XT-XS-2021"]
    assert [row["id"] for row in found["statements"]] == ["ETS185:27(9)(e)", "CETS224:10(9)"]
    assert_problem(await desk.get("/v1/law/countries/QQ"), 404, "not_found")


async def test_redirects_are_found_by_outcome_and_state(client: Clients) -> None:
    """The authority for mutual assistance, the national bureau, the registry: one page."""
    desk = client("duty_officer")
    found = (await desk.get("/v1/law/redirects?code=D-MLA&state=XA")).raise_for_status().json()["data"]
    assert [(row["kind"], row["address"]["phone"]) for row in found] == [("MLA_AUTHORITY", "+99900555030")]
    everything = (await desk.get("/v1/law/redirects")).raise_for_status().json()["data"]
    assert {row["state"] for row in everything} == {"XA", "XT", "XS"}
    assert {row["kind"] for row in everything} >= {"CERT", "FIU", "DOMAIN_REGISTRY", "PROVIDER_PORTAL", "INTERPOL_NCB"}


async def test_another_edition_is_entered_in_the_log_once(runtime: Runtime, folder: Path, now: datetime) -> None:
    """The start has entered the packaged one; the same again is no news; a change is, and so is the way back."""
    assert (await facts(runtime)).count("law.updated") == 1
    (folder / "law.yaml").write_text(packaged_texts()["law.yaml"].replace('"1"', '"2"'), "utf-8")
    changed = read_law_folder(folder)
    node = runtime.node
    for law, news in ((node.law, False), (changed, True), (changed, False), (node.law, True)):
        async with begin(runtime.engine) as session:
            assert await adopt_law(session, replace(node, law=law), now=now) is news
    assert (await facts(runtime)).count("law.updated") == 3
    async with reading(runtime.engine) as session:
        newest = await newest_edition(session)
    assert newest is not None
    assert newest.digest == packaged_law().digest


async def test_a_fault_in_the_law_stops_the_start(settings: Settings, folder: Path, now: datetime) -> None:
    """One sentence with the file, the line and the reason; without the fault the node starts."""
    parties = folder / "parties.yaml"
    right = parties.read_text("utf-8")
    own = settings.model_copy(update={"law": folder})
    broker = MemoryBus(clock=lambda: now, pauses=Pauses(lambda: 0.5)).connect("XA")
    parties.write_text(right.replace("state: XA, since: 2012-07-01", "state: XX, since: 2012-07-01"), "utf-8")
    with pytest.raises(SettingsUnusable) as stopped:
        async with open_runtime(own, clock=lambda: now, broker=broker):
            pass
    assert stopped.value.detail == "parties.yaml, line 8: XX is not among the states of parties.yaml."
    parties.write_text(right, "utf-8")
    async with open_runtime(own, clock=lambda: now, broker=broker) as runtime:
        assert runtime.node.law.digest == packaged_law().digest


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    """The setting is named, and no packaged law steps in."""
    with pytest.raises(SettingsUnusable, match="COUNTERPART_LAW cannot be read"):
        read_law_folder(tmp_path / "nowhere")
