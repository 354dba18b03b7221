"""What the interface says of the documents that can be filed: a schema, a named example and the clocks of each type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jsonschema import Draft202012Validator

from app.domain.codes import RequestType, Tier
from app.domain.documents import example
from app.domain.request_types import fileable_types
from tests.routers.clients import assert_problem, new_key

if TYPE_CHECKING:
    from tests.routers.clients import Clients


async def test_each_type_is_published_whole(client: Clients) -> None:
    """Each type comes with a schema that its example fits, its legal root, its members, its tiers and its clocks."""
    officer = client("agency_officer")
    for type_ in fileable_types():
        kind = (await officer.get(f"/v1/request-types/{type_}")).json()
        Draft202012Validator.check_schema(kind["json_schema"])
        Draft202012Validator(kind["json_schema"]).validate(kind["example"])
        assert kind["example"] == example(type_)
        assert kind["basis"]
        assert set(kind["tiers"]) <= set(Tier)
        assert kind["example"]["urgency"]["tier"] in kind["tiers"]
        assert kind["targets"]
        assert all(term > 0 for step in kind["targets"].values() for term in step.values())
        required = {member["name"] for member in kind["members"] if member["required"]}
        assert required == set(kind["json_schema"]["required"])
        assert required <= kind["example"].keys() <= {member["name"] for member in kind["members"]}


async def test_what_is_no_request_is_not_taken(client: Clients) -> None:
    """Acts and test calls are in the list, without a document, and refused where somebody files one."""
    officer = client("agency_officer")
    for type_ in set(RequestType) - set(fileable_types()):
        kind = (await officer.get(f"/v1/request-types/{type_}")).json()
        assert (kind["json_schema"], kind["example"], kind["members"], kind["tiers"]) == (None, None, [], [])
        document = {**example(RequestType.TECHNICAL_ADVICE), "type": type_}
        assert_problem(await officer.post("/v1/requests", json=document, headers=new_key()), 422, "not_a_request")


async def test_each_type_has_its_named_example(client: Clients) -> None:
    """The operation that files shows the schema and one example per type, under the type's name."""
    described = (await client().get("/openapi.json")).json()
    body = described["paths"]["/v1/requests"]["post"]["requestBody"]["content"]["application/json"]
    named = {name: shown["value"] for name, shown in body["examples"].items()}
    assert named == {type_.lower(): example(type_) for type_ in fileable_types()}
    discriminator = body["schema"]["discriminator"]
    assert discriminator["propertyName"] == "type"
    assert set(discriminator["mapping"]) == set(fileable_types())
