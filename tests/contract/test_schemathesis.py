"""The interface of contact points at work against requests made from its own description: it keeps its word."""

from __future__ import annotations

import asyncio
from collections import Counter
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from schemathesis.schemas import APIOperation

    from tests.contract.conftest import Served

    Operation = APIOperation[Any, Any, Any, Any]

SEATS = ("duty_officer", "supervisor", "agency_officer", "auditor", "monitor")
"""In this order: when the agency withdraws what it filed, the desk has had its turn."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 4
"""Requests per operation, person and manner."""

OPEN_TO = {
    "agency_officer": ("/v1/requests", "/v1/cases", "/v1/attachments", "/v1/events", "/v1/me", "/v1/request-types"),
    "duty_officer": (
        "/v1/requests",
        "/v1/cases/",
        "/v1/exchanges",
        "/v1/holds",
        "/v1/deadlines",
        "/v1/directory",
        "/v1/test-calls",
        "/v1/other-channels",
        "/v1/providers",
        "/v1/roster",
    ),
    "supervisor": ("/v1/requests/", "/v1/cases/", "/v1/exchanges/", "/v1/holds/", "/v1/incidents", "/v1/roster"),
    "auditor": ("/v1/law", "/v1/audit", "/v1/exchanges/{exchange_id}/audit", "/v1/events"),
    "monitor": ("/v1/monitoring", "/livez", "/readyz", "/metrics"),
}
"""Where each person's work is: there everything is tried; at every other address, whether it stays closed."""

AT_WORK_ON_BOTH = ("/v1/exchanges", "/v1/holds")
"""What differs between a contact point that asks and one that is asked."""

SLOW = ("prefer", "accept", "last-event-id")
"""Headers that would hold an answer back, or turn it into a stream: `tests/routers/test_stream.py` is about those."""


@dataclass(slots=True)
class Client:
    """One person at one contact point; `seen` counts the answers by operation and status."""

    served: Served
    seat: str
    seen: Counter[tuple[str, int]] = field(default_factory=Counter)
    session: requests.Session = field(default_factory=requests.Session)

    def send(self, case: schemathesis.Case[Any]) -> None:
        """Send and check: no failure of ours, and nothing that the description does not say."""
        for name in [name for name in case.headers if name.lower() in SLOW]:
            del case.headers[name]
        headers = {"Authorization": f"Bearer {self.served.tokens[self.seat]}"}
        if case.method == "POST":
            headers["Idempotency-Key"] = str(uuid4())
        answer = case.call(base_url=self.served.base, session=self.session, headers=headers, timeout=20)
        self.seen[case.operation.definition.raw["operationId"], answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS, excluded_checks=[])

    def generation(self, path: str) -> int | None:
        """The present generation of a thing, if it has one that this person sees."""
        headers = {"Authorization": f"Bearer {self.served.tokens[self.seat]}"}
        answer = self.session.get(f"{self.served.base}{path}", headers=headers, timeout=20)
        generation = answer.json().get("generation") if answer.ok else None
        return generation if isinstance(generation, int) else None


def operations(served: Served) -> list[Operation]:
    """Every operation of the description."""
    schema = schemathesis.openapi.from_dict(served.document)
    return [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]


def parameters(served: Served, operation: Operation) -> dict[str, list[str]]:
    """Ids that there are, for the operation's path."""
    return {name: list(ids) for name, ids in served.ids.items() if f"{{{name}}}" in operation.path}


def fuzz(client: Client, operation: Operation, mode: GenerationMode) -> None:
    """Send requests made from the description, or against it, at things that are there."""
    known = parameters(client.served, operation)
    chosen = st.fixed_dictionaries({name: st.sampled_from(ids) for name, ids in known.items()})

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), ids=chosen, current=st.booleans())
    def send(case: schemathesis.Case[Any], ids: dict[str, str], current: bool) -> None:  # noqa: FBT001 - hypothesis passes it by name
        case.path_parameters = {**(case.path_parameters or {}), **ids}
        thing = operation.path.removesuffix("/actions").format(**(ids or {"type": "PRESERVATION"}))
        if current and ids and isinstance(case.body, dict) and operation.path.endswith("/actions"):
            case.body["generation"] = client.generation(thing)
        client.send(case)

    try:
        send()
    except Unsatisfiable:
        # An operation without body and parameters can be called in one way only, which is not against its description.
        assert mode is GenerationMode.NEGATIVE


def told_examples(operation: Operation) -> Iterator[Any]:
    """The bodies that the description itself gives as examples."""
    described = operation.definition.raw.get("requestBody", {}).get("content", {}).get("application/json", {})
    yield from (example["value"] for example in described.get("examples", {}).values())


def follow_examples(client: Client, operation: Operation) -> None:
    """Send each example of the description at each thing there is, on its present generation."""
    known = parameters(client.served, operation)
    if not known:
        for body in told_examples(operation):
            client.send(operation.Case(body=body, media_type="application/json"))
    for name, ids in known.items():
        for one in ids:
            for body in told_examples(operation):
                path = operation.path.removesuffix("/actions").format(**{name: one})
                act = {**body, "generation": client.generation(path)} if "generation" in body else body
                case = operation.Case(path_parameters={name: one}, body=act, media_type="application/json")
                client.send(case)


def read_everything(client: Client, operation: Operation) -> None:
    """Read each thing there is, or the address itself, with values for what its query must have."""
    raw = operation.definition.raw
    needed = [one["name"] for one in raw.get("parameters", ()) if one["in"] == "query" and one.get("required")]
    rows = list(zip(*(client.served.values[name] for name in needed), strict=False)) or [()]
    for row in rows:
        query = dict(zip(needed, row, strict=True))
        known = parameters(client.served, operation)
        for name, ids in known.items():
            for one in ids:
                client.send(operation.Case(path_parameters={name: one}, query=query))
        if not known:
            client.send(operation.Case(query=query))


def play(served: Mapping[str, Served], seat: str) -> Counter[tuple[str, int]]:
    """Everything that a person of that seat can send to both contact points; what was answered, how often."""
    seen: Counter[tuple[str, int]] = Counter()
    for code in ("XT", "XA"):
        one = served[code]
        client = Client(one, seat, seen)
        with client.session:
            for operation in operations(one):
                if code == "XA" or operation.path.startswith(AT_WORK_ON_BOTH):
                    try_out(client, operation)
    return seen


def try_out(client: Client, operation: Operation) -> None:
    """All there is to try with one operation; little, where the person has nothing to do."""
    own = operation.path.startswith(OPEN_TO[client.seat])
    if operation.method == "get":
        read_everything(client, operation)
    elif own:
        follow_examples(client, operation)
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE) if own else ():
        fuzz(client, operation, mode)


OF_EVERYBODY = {
    ("isAlive", 200),
    ("isReady", 200),
    ("readMetrics", 200),
    ("listRequestTypes", 200),
    ("readRequestType", 200),
    ("whoAmI", 200),
    ("readEvents", 200),
}
OF_READERS = {
    ("readLaw", 200),
    ("listLegalBases", 200),
    ("readCountry", 200),
    ("listRedirects", 200),
    ("listRequests", 200),
    ("listCases", 200),
    ("readCase", 200),
    ("readRequest", 200),
    ("readRequestTimeline", 200),
    ("printRequest", 200),
    ("listRequestAttachments", 200),
    ("readAttachment", 200),
    ("downloadAttachment", 200),
}
OF_THE_DESK = OF_READERS | {
    ("listExchanges", 200),
    ("readExchange", 200),
    ("readExchangeTimeline", 200),
    ("exportExchange", 200),
    ("listDisclosures", 200),
    ("readStatements", 200),
    ("readFallbackSheet", 200),
    ("printExchange", 200),
    ("printProviderLetter", 422),
    ("listExchangeAttachments", 200),
    ("listContactPoints", 200),
    ("readContactPoint", 200),
    ("listDirectoryChanges", 200),
    ("listTestCalls", 200),
    ("listCopies", 200),
    ("listProviders", 200),
    ("readProvider", 200),
    ("listIncidents", 200),
    ("listHolds", 200),
    ("listDeadlines", 200),
    ("readRoster", 200),
    ("listOnDuty", 200),
    ("listShifts", 200),
    ("readShift", 200),
    ("readHandover", 200),
    ("listDutyPeople", 200),
    ("actOnShift", 200),
    ("exportHoldForMla", 200),
    ("readHold", 200),
    ("actOnRequest", 200),
    ("actOnCase", 200),
}
OF_MONITORS = {
    ("readOverview", 200),
    ("readVersion", 200),
    ("readChecks", 200),
    ("readCheck", 200),
    ("readPeers", 200),
    ("readPeer", 200),
    ("readOutbox", 200),
    ("readInbox", 200),
    ("readBus", 200),
    ("readDeadlines", 200),
    ("readOperationalData", 200),
    ("readStatistics", 200),
}
DONE: Mapping[str, set[tuple[str, int]]] = {
    "duty_officer": OF_THE_DESK
    | {
        ("noteExchange", 201),
        ("discloseAtHome", 201),
        ("announceExchangeAttachment", 201),
        ("callContactPoint", 201),
        ("actOnTestCall", 200),
        ("noteCopy", 201),
        ("linkCopy", 422),
        ("addProvider", 201),
        ("actOnProvider", 200),
        ("actOnExchange", 200),
        ("actOnExchange", 202),
        ("actOnExchange", 409),
        ("actOnHold", 200),
        ("actOnHold", 202),
        ("actOnHold", 409),
    },
    "supervisor": OF_THE_DESK
    | OF_MONITORS
    | {("reportIncident", 201), ("actOnIncident", 200), ("enterShifts", 422), ("actOnDutyPerson", 422)},
    "agency_officer": OF_READERS
    | {
        ("fileRequest", 201),
        ("fileRequest", 422),
        ("fileCase", 201),
        ("fileCase", 422),
        ("actOnRequest", 200),
        ("announceRequestAttachment", 409),
        ("uploadAttachment", 409),
        ("deleteAttachment", 409),
    },
    "auditor": {
        ("getCheckpoint", 200),
        ("getProof", 200),
        ("getConsistency", 200),
        ("listAuditEvents", 200),
        ("listExchangeAudit", 200),
        ("exportExchange", 200),
        ("listDisclosures", 200),
    },
    "monitor": OF_MONITORS,
}
"""What the run must have met with, so that no answer of weight goes unchecked."""


@pytest.mark.parametrize("seat", SEATS)
async def test_interface_keeps_its_word(served: Mapping[str, Served], seat: str) -> None:
    """For each person, whatever is sent to a contact point at work is answered without a failure and as described."""
    seen = await asyncio.to_thread(play, served, seat)
    assert not [found for found in seen if found[1] >= 500]
    assert (DONE[seat] | OF_EVERYBODY) - seen.keys() == set()


async def test_every_operation_is_met(served: Mapping[str, Served]) -> None:
    """The answers that the runs must have met with are of every operation of the description."""
    described = {
        operation["operationId"]
        for methods in served["XA"].document["paths"].values()
        for operation in methods.values()
    }
    assert {operation for met in DONE.values() for operation, _ in met | OF_EVERYBODY} == described


async def test_untrue_description_is_noticed(served: Mapping[str, Served]) -> None:
    """Control: against a description that promises a member too many, the same run fails."""
    untrue = deepcopy(served["XT"].document)
    untrue["components"]["schemas"]["HoldView"]["required"].append("never_sent")
    lying = {**served, "XT": replace(served["XT"], document=untrue)}
    with pytest.raises(FailureGroup, match="never_sent"):
        await asyncio.to_thread(play, lying, "supervisor")
