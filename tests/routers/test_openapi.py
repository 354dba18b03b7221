"""The interface describes itself completely and truly."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
import schemathesis
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.routers.clients import assert_problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI

    from tests.routers.clients import Clients

DOCUMENT = "urn:document"
OPEN = {"isAlive", "isReady", "readMetrics"}
"""Operations that need no token."""

PARTS = ("operationId", "tags", "summary", "description")
UNREADY = ("GET /readyz", "503")
"""The one answer above 400 that is no error: the question was answered."""

ID = re.compile(r"[a-z]+([A-Z][a-z]*)*")


@pytest.fixture
def document(gateway: FastAPI) -> dict[str, Any]:
    """The document as published."""
    return gateway.openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every operation with its method and path."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def schemas_with_examples(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Each named example of a body or an answer, with the schema it stands beside."""
    for name, operation in operations(document):
        contents = [(f"{name} body", operation.get("requestBody", {}).get("content", {}))]
        contents += [
            (f"{name} {status}", answer.get("content", {})) for status, answer in operation["responses"].items()
        ]
        for place, content in contents:
            for media_type, media in content.items():
                for example, shown in media["examples"].items():
                    yield f"{place} {media_type} {example}", media["schema"], shown["value"]


def faults_in(document: dict[str, Any]) -> list[str]:
    """What is missing from the descriptions of the operations."""
    return [f"{name}: {fault}" for name, operation in operations(document) for fault in faults_of(name, operation)]


def faults_of(name: str, operation: dict[str, Any]) -> Iterator[str]:
    """What is missing from the description of one operation."""
    yield from (f"no {part}" for part in PARTS if not operation.get(part))
    if not ID.fullmatch(operation.get("operationId", "")):
        yield "operationId is no verb in camelCase"
    if not media_of(operation) or any(not media.get("examples") for media in media_of(operation)):
        yield "a body or an answer without named example"
    yield from (
        f"{status} is not listed" for status in expected_statuses(name, operation) - operation["responses"].keys()
    )
    for status, answer in operation["responses"].items():
        if status >= "400" and (name, status) != UNREADY and "application/problem+json" not in answer["content"]:
            yield f"{status} is no problem document"
    for parameter in operation.get("parameters", ()):
        if not parameter.get("description") and parameter["in"] != "path":
            yield f"parameter {parameter['name']} says nothing"


def media_of(operation: dict[str, Any]) -> list[dict[str, Any]]:
    """Everything an operation takes and gives."""
    contents = [operation.get("requestBody", {}).get("content", {})]
    contents += [answer.get("content", {}) for answer in operation["responses"].values()]
    return [media for content in contents for media in content.values()]


def expected_statuses(name: str, operation: dict[str, Any]) -> set[str]:
    """What an operation of this form can always answer."""
    expected = set()
    if operation.get("operationId") not in OPEN:
        expected |= {"401", "500", "503"}
    if "{" in name:
        expected |= {"404"}
    if "requestBody" in operation:
        expected |= {"400", "408", "413", "415", "422"}
    if name.startswith("POST"):
        expected |= {"409"}
    return expected


def test_document_is_valid(document: dict[str, Any]) -> None:
    """The document is OpenAPI 3.1 by the specification's own schema."""
    assert document["openapi"] == "3.1.0"
    schemathesis.openapi.from_dict(document).validate()


def test_invalid_document_is_noticed(document: dict[str, Any]) -> None:
    """The check above refuses a document with an answer that lacks its description."""
    broken = copy.deepcopy(document)
    del broken["paths"]["/v1/me"]["get"]["responses"]["200"]["description"]
    with pytest.raises(jsonschema_rs.ValidationError):
        schemathesis.openapi.from_dict(broken).validate()


def test_every_operation_is_described(document: dict[str, Any]) -> None:
    """Every operation has an id, a tag, a summary, a description, named examples, and lists every error of its form."""
    assert faults_in(document) == []
    ids = [operation["operationId"] for _, operation in operations(document)]
    assert len(ids) == len(set(ids)) > 8
    tags = {tag["name"] for tag in document["tags"]}
    assert {tag for _, operation in operations(document) for tag in operation["tags"]} <= tags


@pytest.mark.parametrize("part", ["summary", "description", "tags", "operationId"])
def test_missing_description_is_noticed(document: dict[str, Any], part: str) -> None:
    """The check above finds an operation that lacks one of its parts."""
    del document["paths"]["/v1/me"]["get"][part]
    assert faults_in(document) != []


def test_references_resolve(document: dict[str, Any]) -> None:
    """Every reference points to a component, and no definition stayed inside a schema."""
    references = set(strings(document, "$ref"))
    names = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert references
    assert references <= names
    assert not list(strings(document["components"]["schemas"], "$defs"))


def strings(part: object, name: str) -> Iterator[str]:
    """Every text under a member of that name, anywhere but inside examples."""
    if isinstance(part, dict):
        for member, inner in part.items():
            if member == name and isinstance(inner, str):
                yield inner
            elif member != "examples" or "schema" not in part:
                yield from strings(inner, name)
    elif isinstance(part, list):
        for inner in part:
            yield from strings(inner, name)


def test_examples_fit_their_schemas(document: dict[str, Any]) -> None:
    """Every named example is valid against the schema beside it."""
    resource = Resource.from_contents(document, default_specification=DRAFT202012)
    registry = Registry().with_resource(DOCUMENT, resource)
    checked = 0
    for place, schema, value in schemas_with_examples(document):
        whole = {"$id": DOCUMENT + ":example", **absolute(schema)}
        try:
            Draft202012Validator(whole, registry=registry).validate(value)
        except ValidationError as fault:
            pytest.fail(f"{place}: {fault.message} at {fault.json_path}")
        checked += 1
    assert checked > 50


def absolute(part: Any) -> Any:  # noqa: ANN401 - any part of a JSON document
    """A schema whose references name the document."""
    if isinstance(part, dict):
        return {name: f"{DOCUMENT}{inner}" if name == "$ref" else absolute(inner) for name, inner in part.items()}
    return [absolute(inner) for inner in part] if isinstance(part, list) else part


def test_only_probes_are_open(document: dict[str, Any]) -> None:
    """Every operation but the probes and the metrics says that it needs a token."""
    assert {op["operationId"] for _, op in operations(document) if not op.get("security")} == OPEN


async def test_open_operations_are_those(client: Clients, document: dict[str, Any]) -> None:
    """What the document says of tokens is so: without one, everything but the probes answers 401."""
    nobody = client()
    for name, operation in operations(document):
        method, path = name.split(" ")
        answer = await nobody.request(method, re.sub(r"\{[^}]*\}", "x", path))
        if operation["operationId"] in OPEN:
            assert answer.status_code == 200
        else:
            assert_problem(answer, 401, "not_authenticated")


async def test_document_is_served(client: Clients) -> None:
    """The document is there for everybody, as JSON."""
    answer = await client().get("/openapi.json")
    assert answer.status_code == 200
    assert answer.json()["info"]["title"] == "Counterpart"


async def test_docs_load_nothing_from_elsewhere(client: Clients) -> None:
    """The page for people comes whole from this node, and its policy lets it load nothing from anywhere else."""
    nobody = client()
    page = await nobody.get("/docs")
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "unsafe-eval" not in page.headers["content-security-policy"]
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(loaded) == 4
    for address in loaded:
        assert address.startswith(("/docs/", "data:,"))
        if address.startswith("/"):
            assert (await nobody.get(address)).status_code == 200
    assert "<script>" not in page.text
