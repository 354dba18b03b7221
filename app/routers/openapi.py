"""The interface as one OpenAPI 3.1 document: what the framework knows of routes, and what they say of themselves."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from app import __version__
from app.routers.models import Problem
from app.routers.operations import OF_CALLER, OF_EVERYTHING, OF_PATH, OF_QUERY, TAGS, TOLD, Fault
from app.routers.problems import MEDIA_TYPE

OPENAPI_VERSION = "3.1.0"
NO_NAME = re.compile(r"[^A-Za-z0-9._-]")
"""What a component's name may not hold: the brackets of `Listed[RequestView]`."""

DESCRIPTION = """\
The interface of a 24/7 point of contact for cybercrime.

A domestic agency files a **request** at its own contact point. A duty officer decides whether it is appropriate to
forward it; once a second person has signed it, an **exchange** with the contact point abroad begins, and **holds** on
preserved data may follow from it.

- Every call but the probes needs a bearer token: `Authorization: Bearer cp_…`.
- Every POST that creates or acts needs an `Idempotency-Key`. Sent again, it takes no second effect.
- Acts carry the `generation` they were decided on; if the thing has changed since, the answer is 409 `stale_generation`
  with its present form in `current`.
- Errors are `application/problem+json`. `code` is stable; `errors` points at members and never repeats what was sent.
- Unknown members of a body are refused; unknown members of an answer must be ignored.
- Times are RFC 3339; ours are UTC with milliseconds.
"""


def describe(app: FastAPI) -> dict[str, Any]:
    """The document of `app`: valid OpenAPI 3.1, every reference resolving, every operation with its errors."""
    document = get_openapi(
        title="Counterpart",
        version=__version__,
        openapi_version=OPENAPI_VERSION,
        description=DESCRIPTION,
        routes=app.routes,
        tags=[{"name": str(tag), "description": text} for tag, text in TAGS.items()],
    )
    components = document.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        components.pop(name, None)
    for path, methods in document["paths"].items():
        for operation in methods.values():
            _write_told(operation, path)
    moved = _Moved(components)
    moved.problem()
    document["paths"] = moved.without_definitions(document["paths"])
    return document


def _write_told(operation: dict[str, Any], path: str) -> None:
    """Put what the route says of itself in place of what the framework supposes, and every error it can answer."""
    told = json.loads(operation.pop(TOLD))
    operation["parameters"] = [*operation.get("parameters", ()), *told.get("parameters", ())]
    operation["responses"] = told["responses"]
    if "requestBody" in told:
        operation["requestBody"] = told["requestBody"]
    faults = [Fault(**fault) for fault in told["faults"]]
    faults += OF_CALLER if operation.get("security") else ()
    faults += OF_PATH if "{" in path else ()
    faults += OF_QUERY if any(one["in"] == "query" for one in operation["parameters"]) else ()
    faults += OF_EVERYTHING if operation.get("security") else ()
    for status in sorted({fault.status for fault in faults}):
        described = _faults_of(status, [one for one in faults if one.status == status])
        operation["responses"][str(status)] = _joined(operation["responses"].get(str(status)), described)


def _joined(answer: dict[str, Any] | None, faults: dict[str, Any]) -> dict[str, Any]:
    """One status with two meanings: an answer of the route's own (a check that fails), and errors."""
    if answer is None:
        return faults
    return {
        **answer,
        "description": f"{answer['description']} Or {faults['description']}",
        "content": {**answer["content"], **faults["content"]},
    }


def _faults_of(status: int, faults: Iterable[Fault]) -> dict[str, Any]:
    codes = {fault.code: fault for fault in faults}
    return {
        "description": f"{HTTPStatus(status).phrase}: {', '.join(f'`{code}`' for code in codes)}.",
        "content": {
            MEDIA_TYPE: {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "examples": {code: {"value": _example(fault)} for code, fault in codes.items()},
            }
        },
    }


def _example(fault: Fault) -> dict[str, Any]:
    return {
        "type": f"urn:counterpart:problem:{fault.code}",
        "title": HTTPStatus(fault.status).phrase,
        "status": fault.status,
        "detail": fault.detail,
        "instance": "/v1/requests",
        "code": fault.code,
        "origin": "this_node" if fault.status >= HTTPStatus.INTERNAL_SERVER_ERROR else "client",
        "request_id": "0193503e-7a52-7c1e-9d0b-3f3c6f6b2f11",
        "errors": [],
        **fault.extra,
    }


class _Moved:
    """Moves the definitions that schemas carry with them to the components, where one name means one thing."""

    def __init__(self, components: dict[str, Any]) -> None:
        self._components = components
        self._as_carried: dict[str, object] = dict(components)

    def problem(self) -> None:
        """Put the form of every error where all operations point to."""
        self._name("Problem", TypeAdapter(Problem).json_schema(mode="serialization"))

    def without_definitions(self, part: Any) -> Any:  # noqa: ANN401 - any part of a JSON document
        """`part` with each `$defs` moved out and every reference to it pointing to the new place."""
        if isinstance(part, list):
            return [self.without_definitions(inner) for inner in part]
        if not isinstance(part, dict):
            return part
        if "$defs" in part:
            part = self._move(part)
        if "schema" not in part:
            return {name: self.without_definitions(inner) for name, inner in part.items()}
        # The examples beside a schema are data; what looks like a definition there is none of ours.
        return part | {"schema": self._named(part["schema"])}

    def _named(self, schema: dict[str, Any]) -> dict[str, Any]:
        """A reference to an object's schema, which gets a name of its own; any other schema as it is."""
        if "title" not in schema or "properties" not in schema:
            return dict(self.without_definitions(schema))
        return {"$ref": f"#/components/schemas/{self._name(NO_NAME.sub('', schema['title']), schema)}"}

    def _name(self, name: str, schema: dict[str, Any]) -> str:
        bare = {member: inner for member, inner in schema.items() if member != "$defs"}
        free = self._free_name(name, bare)
        self._as_carried[free] = bare
        self._components[free] = self.without_definitions(schema)
        return free

    def _move(self, schema: dict[str, Any]) -> dict[str, Any]:
        definitions = schema["$defs"]
        names = {name: self._free_name(name, definition) for name, definition in definitions.items()}
        rest = {name: inner for name, inner in schema.items() if name != "$defs"}
        for name, definition in definitions.items():
            self._as_carried[names[name]] = definition
            self._components[names[name]] = self.without_definitions(_renamed(definition, names))
        return dict(_renamed(rest, names))

    def _free_name(self, name: str, definition: Mapping[str, Any]) -> str:
        """`name`, or with a number where another definition has it."""
        free, number = name, 1
        while free in self._as_carried and self._as_carried[free] != definition:
            number += 1
            free = f"{name}{number}"
        return free


def _renamed(part: Any, names: Mapping[str, str]) -> Any:  # noqa: ANN401 - any part of a JSON document
    if isinstance(part, str) and part.startswith("#/$defs/"):
        return f"#/components/schemas/{names[part.removeprefix('#/$defs/')]}"
    if isinstance(part, dict):
        return {name: _renamed(inner, names) for name, inner in part.items()}
    return [_renamed(inner, names) for inner in part] if isinstance(part, list) else part
