"""Who may use a node, and with which token: what an operator types takes effect at the gateway."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from app.bus.memory import MemoryBus
from app.domain.codes import Role
from app.main import create_app
from app.runtime import open_runtime
from app.serving import wall_clock
from app.settings import load_settings
from tests.cli.shell import refusal, typed
from tests.support.bus import short_pauses

if TYPE_CHECKING:
    from tests.cli.conftest import Office


async def who_is(office: Office, token: str) -> httpx.Response:
    """What the node's gateway says to whoever shows this token."""
    bus = MemoryBus(clock=wall_clock, pauses=short_pauses())
    settings = load_settings(office.config)
    async with open_runtime(settings, clock=wall_clock, broker=bus.connect("XA")) as runtime:
        transport = httpx.ASGITransport(app=create_app(runtime))
        async with httpx.AsyncClient(transport=transport, base_url="http://xa.test") as client:
            return await client.get("/v1/me", headers={"Authorization": f"Bearer {token}"})


async def add_person(office: Office, *options: str) -> str:
    """Enrol somebody and return their id."""
    done = await typed("people", "add", *options, "--config", office.config, "--json")
    return str(done.row["id"])


async def test_a_token_lets_in_until_it_is_revoked(office: Office) -> None:
    """Agency, person, token: the gateway knows who it is; revoked, it knows nobody; the list shows both, no secret."""
    config = ("--config", office.config)
    assert (await typed("agencies", "add", "police", "Federal Police", *config)).code == 0
    person = await add_person(office, "Investigator 1", "--role", "agency_officer", "--agency", "police")
    made = (await typed("tokens", "create", person, "--days", "7", *config, "--json")).row
    token_id = made["token"].split("_")[1]
    until = datetime.fromisoformat(made["expires_at"])
    assert timedelta(days=6) < until - datetime.now(UTC) < timedelta(days=8)

    me = await who_is(office, made["token"])
    assert (me.status_code, me.json()["role"]) == (200, "agency_officer")

    listed = (await typed("tokens", "list", *config, "--json")).row
    assert (listed["id"], listed["person"], listed["revoked_at"]) == (token_id, person, None)
    done = await typed("tokens", "revoke", token_id, *config)
    assert (done.code, done.out) == (0, f"{token_id} is revoked.\n")
    assert (await who_is(office, made["token"])).status_code == 401
    again = await typed("tokens", "list", *config)
    assert token_id in again.out
    assert made["token"].split("_", 2)[2] not in again.out
    assert "was revoked already" in await refusal("tokens", "revoke", token_id, *config)


async def test_people_are_listed_as_table_and_as_json(office: Office) -> None:
    """Both name everybody with role and agency; nobody has been invented."""
    await typed("agencies", "add", "police", "Federal Police", "--config", office.config)
    for options in (("A", "--role", "agency_viewer", "--agency", "police"), ("B", "--role", "supervisor")):
        await add_person(office, *options)
    rows = (await typed("people", "list", "--config", office.config, "--json")).rows
    assert [(row["name"], row["role"], row["agency"]) for row in rows] == [
        ("A", "agency_viewer", "police"),
        ("B", "supervisor", None),
    ]
    table = (await typed("people", "list", "--config", office.config)).out.splitlines()
    assert table[0].split() == ["id", "role", "agency", "name"]
    assert [line.split()[0] for line in table[1:]] == [row["id"] for row in rows]


async def test_an_agency_is_added_once(office: Office) -> None:
    """Adding it again changes nothing and says the same."""
    for name in ("Federal Police", "Another name"):
        done = await typed("agencies", "add", "police", name, "--config", office.config, "--json")
        assert done.row == {"id": "police"}


UNFIT: dict[str, tuple[tuple[str, ...], str]] = {
    "an officer of no agency": (("--role", "agency_officer"), "The role agency_officer needs --agency"),
    "a duty officer of an agency": (("--role", "duty_officer", "--agency", "police"), "takes no --agency"),
    "an agency nobody knows": (("--role", "agency_viewer", "--agency", "circus"), "There is no agency of that id"),
}


@pytest.mark.parametrize("case", UNFIT)
async def test_role_and_agency_must_fit(office: Office, case: str) -> None:
    """Whoever belongs to an agency without having one, or the reverse, is not enrolled."""
    await typed("agencies", "add", "police", "Federal Police", "--config", office.config)
    options, words = UNFIT[case]
    assert words in await refusal("people", "add", "Somebody", *options, "--config", office.config)
    assert (await typed("people", "list", "--config", office.config, "--json")).rows == []


async def test_every_role_can_be_given(office: Office) -> None:
    """The command knows the closed list of roles, and no other."""
    await typed("agencies", "add", "police", "Federal Police", "--config", office.config)
    for role in Role:
        agency = ("--agency", "police") if role.startswith("agency_") else ()
        await add_person(office, "Somebody", "--role", role, *agency)
    done = await typed("people", "add", "Somebody", "--role", "emperor", "--config", office.config)
    assert done.code == 2
    assert "emperor" in done.err


async def test_nobody_gets_no_token(office: Office) -> None:
    """A person who is not here gets none, and nor does what is no id at all."""
    nobody = "0193523a-7a00-7000-8000-000000000001"
    assert "There is no such person" in await refusal("tokens", "create", nobody, "--config", office.config)
    done = await typed("tokens", "create", "nobody", "--config", office.config)
    assert done.code == 2
    assert "Traceback" not in done.err
