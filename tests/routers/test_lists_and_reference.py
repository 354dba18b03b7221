"""Cursor lists, the caller's own page, and the reference of what can be asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

import pytest
from fastapi import APIRouter, Request, Response
from jsonschema import Draft202012Validator
from pydantic import BaseModel, Field, TypeAdapter
from uuid_utils import uuid7

from app.domain.codes import RequestType
from app.errors import Refused
from app.routers.bodies import parse_model
from app.routers.deps import Caller  # noqa: TC001 - the route below is read at run time
from app.routers.listing import AskedPage, listed, write_cursor
from tests.routers.clients import assert_problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx
    from fastapi import FastAPI

    from tests.routers.clients import Clients

IDS = sorted((UUID(str(uuid7())) for _ in range(7)), reverse=True)
BAD_CURSORS = ["abc", "é", "=" * 22, "A" * 23, "A" * 200, write_cursor(IDS[0])[:-1], write_cursor(IDS[0]) + "A"]


@dataclass(frozen=True, slots=True)
class Row:
    """An entry of a list."""

    id: UUID


def page_of(before: UUID | None, fetch: int) -> Sequence[Row]:
    """What a database would give: newest first, at most so many, older than the cursor."""
    return [Row(one) for one in IDS if before is None or one < before][:fetch]


@pytest.fixture
def reader(gateway: FastAPI, client: Clients) -> httpx.AsyncClient:
    """A reader of a list of seven entries."""
    router = APIRouter(include_in_schema=False)

    @router.get("/list")
    async def entries(request: Request, _caller: Caller, page: AskedPage, kind: str | None = None) -> Response:
        found = page_of(page.before, page.fetch)
        return listed(request, page, found, key=lambda row: row.id, show=lambda row: {"id": row.id, "kind": kind})

    gateway.include_router(router)
    return client("duty_officer")


async def test_list_is_read_page_by_page(reader: httpx.AsyncClient) -> None:
    """Following `next` shows every entry once, newest first, and ends with null."""
    seen: list[str] = []
    cursor: str | None = None
    for expected in (3, 3, 1):
        query = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = (await reader.get("/list", params=query)).json()
        assert len(page["data"]) == expected
        seen += [entry["id"] for entry in page["data"]]
        cursor = page["next"]
    assert cursor is None
    assert seen == [str(one) for one in IDS]


async def test_link_leads_to_the_next_page(reader: httpx.AsyncClient) -> None:
    """The `Link` header leads to the next page with the same filters, and is not there on the last one."""
    first = await reader.get("/list", params={"limit": 4, "kind": "a b&c"})
    assert 'rel="next"' in first.headers["link"]
    second = await reader.get(first.links["next"]["url"])
    assert [entry["kind"] for entry in second.json()["data"]] == ["a b&c"] * 3
    assert second.json()["next"] is None
    assert "link" not in second.headers


async def test_a_full_last_page_has_no_next(reader: httpx.AsyncClient) -> None:
    """A page that holds exactly the rest is the last one."""
    page = (await reader.get("/list", params={"limit": 7})).json()
    assert (len(page["data"]), page["next"]) == (7, None)


@pytest.mark.parametrize("cursor", BAD_CURSORS)
async def test_bad_cursor(reader: httpx.AsyncClient, cursor: str) -> None:
    """A cursor that is none of ours is refused."""
    problem = assert_problem(await reader.get("/list", params={"cursor": cursor}), 422, "parameters_invalid")
    assert problem["errors"][0]["pointer"] == "?cursor"


@pytest.mark.parametrize(("limit", "code"), [("0", "out_of_range"), ("201", "out_of_range"), ("x", "wrong_type")])
async def test_bad_limit(reader: httpx.AsyncClient, limit: str, code: str) -> None:
    """A limit is a number from 1 to 200."""
    problem = assert_problem(await reader.get("/list", params={"limit": limit}), 422, "parameters_invalid")
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [("?limit", code)]


async def test_who_am_i(client: Clients) -> None:
    """A person of an agency sees who they are here, and of which agency; a person of the desk has none."""
    officer = (await client("agency_officer").get("/v1/me")).json()
    assert (officer["role"], officer["contact_point"]) == ("agency_officer", "XA")
    assert officer["agency"]["id"] == "federal-police-cyber"
    assert officer["time"] == "2026-11-22T09:30:00.000Z"
    desk = (await client("duty_officer").get("/v1/me")).json()
    assert desk["agency"] is None
    assert desk["pseudonym"] != officer["pseudonym"]


async def test_request_types_are_listed(client: Clients) -> None:
    """The closed list is shown whole, with what can be filed here marked."""
    page = (await client("agency_viewer").get("/v1/request-types")).json()
    assert [kind["type"] for kind in page["data"]] == [str(kind) for kind in RequestType]
    offered = {kind["type"] for kind in page["data"] if kind["offered"]}
    assert {"PRESERVATION", "TECHNICAL_ADVICE"} <= offered
    assert all(kind["fileable"] for kind in page["data"] if kind["offered"])


async def test_request_type_in_full(client: Clients) -> None:
    """A type that is offered comes with a JSON Schema that its example fits; one that is not has neither."""
    officer = client("agency_officer")
    kind = (await officer.get("/v1/request-types/PRESERVATION")).json()
    Draft202012Validator(kind["json_schema"]).validate(kind["example"])
    assert kind["creates_hold"] is True
    assert kind["targets"]["preserved"]["EMERGENCY"] == 4 * 3600
    ping = (await officer.get("/v1/request-types/PING")).json()
    assert (ping["json_schema"], ping["example"], ping["fileable"]) == (None, None, False)


@pytest.mark.parametrize("name", ["preservation", "NONE", "%00", "..", "é"])
async def test_unknown_request_type(client: Clients, name: str) -> None:
    """What is no type is not there."""
    assert_problem(await client("agency_officer").get(f"/v1/request-types/{name}"), 404, "not_found")


class Circle(BaseModel):
    """A shape."""

    shape: Literal["circle"]
    radius: int


class Group(BaseModel):
    """Shapes in a shape."""

    shape: Literal["group"]
    parts: list[Annotated[Circle | Group, Field(discriminator="shape")]]


SHAPE: TypeAdapter[Circle | Group] = TypeAdapter(Annotated[Circle | Group, Field(discriminator="shape")])
FAULTS = {
    "in a branch of a union": ({"shape": "circle", "radius": "x"}, "/radius", "wrong_type"),
    "missing in a branch": ({"shape": "circle"}, "/radius", "missing"),
    "deep in a branch": (
        {
            "shape": "group",
            "parts": [{"shape": "circle", "radius": 1}, {"shape": "group", "parts": [{"shape": "circle"}]}],
        },
        "/parts/1/parts/0/radius",
        "missing",
    ),
    "an unknown branch": ({"shape": "group", "parts": [{"shape": "cube"}]}, "/parts/0/shape", "unknown_value"),
    "no branch named": ({"shape": "group", "parts": [{}]}, "/parts/0/shape", "missing"),
    "no union at all": ({"radius": 1}, "/shape", "missing"),
}


@pytest.mark.parametrize("what", FAULTS)
def test_pointer_leads_into_the_body(what: str) -> None:
    """A pointer names members of the body, and never the branches of our own models."""
    value, pointer, code = FAULTS[what]
    with pytest.raises(Refused) as refused:
        parse_model(SHAPE, value)
    assert [(error.pointer, error.code) for error in refused.value.errors] == [(pointer, code)]
