"""GET /asyncapi.json: valid AsyncAPI 3.0 after the official schema, complete, and true of the broker."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import jsonschema
import pytest
from fastapi import FastAPI

from app.bus import topology
from app.bus.definitions import VHOST, make_topology
from app.bus.topology import Queues
from app.routers.asyncapi import describe, name_of, router
from app.routers.message_forms import BODIES, body_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

OFFICIAL = Path(__file__).parent / "asyncapi" / "3.0.0.json"
STEPS = json.loads((Path(__file__).parents[2] / "docs" / "vectors" / "conversation.json").read_text("utf-8"))["steps"]


@pytest.fixture(scope="module")
def official() -> jsonschema.Draft7Validator:
    """The official schema of AsyncAPI 3.0.0, all of whose parts are in the one file."""
    return jsonschema.Draft7Validator(json.loads(OFFICIAL.read_text(encoding="utf-8")))


def references(part: Any) -> Iterator[str]:  # noqa: ANN401 - any part of a JSON document
    """Every reference in a document."""
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for inner in part.values():
            yield from references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from references(inner)


def found(document: Any, reference: str) -> Any:  # noqa: ANN401 - any part of a JSON document
    """What a reference within the document points to; KeyError if nothing."""
    for name in reference.removeprefix("#/").split("/"):
        document = document[name.replace("~1", "/").replace("~0", "~")]
    return document


async def test_it_is_served_to_anybody() -> None:
    """Without a token the answer is 200, JSON, and the document."""
    app = FastAPI()
    app.include_router(router)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://xa.test") as client:
        answer = await client.get("/asyncapi.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == describe()


def test_it_is_valid_asyncapi(official: jsonschema.Draft7Validator) -> None:
    """The official JSON Schema of AsyncAPI 3.0.0 finds nothing wrong."""
    assert [error.message for error in official.iter_errors(describe())] == []


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("asyncapi",), "2.6.0"),
        (("operations", "send", "action"), "publish"),
        (("channels", "post", "parameters", "to"), {"schema": {}}),
        (("servers", "broker", "protocol"), None),
        (("components", "securitySchemes", "password", "type"), "secret"),
        (("channels", "inbound", "bindings", "amqp", "is"), "stream"),
    ],
)
def test_the_official_schema_sees_a_fault(
    official: jsonschema.Draft7Validator, place: tuple[str, ...], value: object
) -> None:
    """Control: with one thing wrong in it, the same document is found invalid."""
    document = deepcopy(describe())
    here = document
    for name in place[:-1]:
        here = here[name]
    here[place[-1]] = value
    assert not official.is_valid(document)


def test_every_reference_resolves() -> None:
    """Every reference points to something within the document."""
    document = describe()
    for reference in set(references(document)):
        assert found(document, reference) is not None, reference


def test_messages_are_those_of_the_protocol() -> None:
    """Every type with a body is a message, may be sent and received, and only receipts are not answered by one."""
    document = describe()
    assert set(document["components"]["messages"]) == {name_of(type_) for type_ in BODIES}
    used = {reference.rpartition("/")[2] for reference in references(document["operations"]["send"]["messages"])}
    assert used == {name_of(type_) for type_ in BODIES} - {"receipt"}
    assert [name for name, one in document["operations"].items() if "reply" in one] == ["send", "receive"]


def test_schemas_of_one_name_are_one() -> None:
    """No two bodies mean different things by a definition of the same name."""
    schemas = describe()["components"]["schemas"]
    for type_ in BODIES:
        for name, definition in body_schema(type_).get("$defs", {}).items():
            assert json.dumps(schemas[name]).replace("#/components/schemas/", "#/$defs/") == json.dumps(definition)


@pytest.mark.parametrize("step", [step for step in STEPS if "claims" in step], ids=lambda step: str(step["step"]))
def test_payloads_are_what_is_sent(step: dict[str, Any]) -> None:
    """The claims of every message of the conversation are valid after the payload of their type, and of no other."""
    document = describe()
    for type_ in BODIES:
        payload = document["components"]["messages"][name_of(type_)]["payload"]
        judge = jsonschema.Draft7Validator({**payload, "components": document["components"]})
        assert judge.is_valid(step["claims"]) == (type_ == step["type"])


def test_it_is_true_of_the_broker() -> None:
    """Exchange, queues and keys are those that an administrator loads."""
    channels = describe()["channels"]
    names = Queues("XA", "a" * 8)
    made = make_topology([names], vhost=VHOST)
    exchange = channels["post"]["bindings"]["amqp"]["exchange"]
    assert {"name": exchange["name"], "type": exchange["type"], "durable": exchange["durable"]} in [
        {member: one[member] for member in ("name", "type", "durable")} for one in made["exchanges"]
    ]
    given = {"code": "XA", "suffix": "a" * 8}
    addresses = {channels["deadLetters"]["address"].format(**given)}
    for lane in channels["inbound"]["parameters"]["lane"]["enum"]:
        addresses.add(channels["inbound"]["address"].format(**given, lane=lane))
        key = channels["post"]["address"].format(**{"to": "XT", "from": "XA", "lane": lane})
        assert key == topology.routing_key(lane, to="XT", sender="XA")
    assert addresses == {queue["name"] for queue in made["queues"]}
