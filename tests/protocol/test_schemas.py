"""docs/schemas is what the models read: up to date, true of what is sent, and false of what may not be sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from app.domain.codes import MessageType
from app.domain.message_reading import read_body
from app.envelope.format import decode_part
from app.errors import Malformed
from app.routers.message_forms import BODIES, file_name
from app.services.effects import EFFECTS
from scripts.write_schemas import FOLDER, texts

VECTORS = Path(__file__).parents[2] / "docs" / "vectors"
GIVEN: dict[str, Any] = json.loads((VECTORS / "bodies.json").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = json.loads((VECTORS / "conversation.json").read_text(encoding="utf-8"))["steps"]


def validator(name: str) -> jsonschema.Draft202012Validator:
    """The schema of a file, ready to judge."""
    return jsonschema.Draft202012Validator(json.loads((FOLDER / name).read_text(encoding="utf-8")))


def understood(type_: str, body: dict[str, Any]) -> bool:
    """Whether the software reads this body."""
    try:
        read_body(BODIES[MessageType(type_)], body)
    except Malformed:
        return False
    return True


def test_the_schemas_are_those_of_the_models() -> None:
    """What is in docs/schemas is what the script would write there now, and nothing else."""
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    assert there == texts(), "run scripts/write_schemas.py"


@pytest.mark.parametrize("name", sorted(texts()))
def test_every_schema_is_one(name: str) -> None:
    """Each file is a JSON Schema of the 2020-12 dialect that refers to nothing outside of itself."""
    schema = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    assert '"$ref": "#' in json.dumps(schema) or "$ref" not in json.dumps(schema)


def test_every_body_that_is_read_has_a_schema() -> None:
    """No body that a release reads by a model is missing, and each is read by the very model of its schema."""
    assert {type_: BODIES.get(type_) for type_ in EFFECTS.bodies} == dict(EFFECTS.bodies)


@pytest.mark.parametrize("index", range(len(GIVEN["good"])))
def test_a_good_body_is_good_to_both(index: int) -> None:
    """A body of the vectors is valid after its schema and read by the software; unknown members are listed."""
    one = GIVEN["good"][index]
    validator(file_name(MessageType(one["type"]))).validate(one["body"])
    assert list(read_body(BODIES[MessageType(one["type"])], one["body"]).not_understood) == one.get(
        "not_understood", []
    )


@pytest.mark.parametrize("index", range(len(GIVEN["bad"])))
def test_a_bad_body_is_bad_to_both(index: int) -> None:
    """A body with one fault is invalid after its schema, and the software does not read it either."""
    one = GIVEN["bad"][index]
    assert not validator(file_name(MessageType(one["type"]))).is_valid(one["body"]), one["about"]
    assert not understood(one["type"], one["body"]), one["about"]


def test_every_type_has_bad_bodies() -> None:
    """Each schema is shown to refuse something."""
    assert {one["type"] for one in GIVEN["bad"]} == set(BODIES)


def test_what_is_said_in_the_conversation_is_valid() -> None:
    """Claims, bodies and both headers of every message of the conversation are valid after their schemas."""
    claims, signed, closed = (validator(f"{name}.json") for name in ("claims", "signed-header", "envelope-header"))
    for step in STEPS:
        if "claims" not in step:
            continue
        claims.validate(step["claims"])
        validator(file_name(MessageType(step["type"]))).validate(step["claims"]["body"])
        signed.validate(_part(step["text"]))
        closed.validate(_part(step["envelope"]))


def test_claims_out_of_place_are_invalid() -> None:
    """The schema of the claims refuses a receipt with a number, an opening without, a predecessor of the first."""
    check = validator("claims.json")
    claims = {step["type"]: step["claims"] for step in reversed(STEPS) if "claims" in step}
    receipt, opening = claims["receipt/1"], claims["exchange.open/1"]
    assert not check.is_valid(receipt | {"thread": opening["thread"], "seq": 1})
    assert not check.is_valid({name: value for name, value in opening.items() if name not in {"thread", "seq"}})
    assert not check.is_valid(opening | {"prev": opening["jti"]})
    assert check.is_valid(opening | {"member_of_a_later_release": 1})


@pytest.mark.parametrize("version", [41, 42])
def test_a_directory_is_valid(version: int) -> None:
    """The directories of the vectors are valid after the schema."""
    validator("directory.json").validate(
        json.loads((VECTORS / f"directory-{version}.json").read_text(encoding="utf-8"))
    )


def _part(compact: str) -> Any:  # noqa: ANN401 - a JSON value
    """The header of a compact serialisation."""
    return json.loads(decode_part(compact.split(".", maxsplit=1)[0]))
