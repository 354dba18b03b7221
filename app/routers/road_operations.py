"""How the routes of other roads and of providers describe themselves."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, JsonValue, TypeAdapter

from app.domain.codes import Direction
from app.domain.directory_codes import OtherChannel
from app.domain.moments import Instant
from app.domain.providers import ProviderEntry
from app.domain.wire import MAX_TARGETS, Code, Generation, Line, ShortText
from app.routers.examples import EXCHANGE_ID
from app.routers.models import Document, Listed, Moment, View
from app.routers.operations import (
    ACTION_NOT_ALLOWED,
    ROLE_NOT_ALLOWED,
    STALE_GENERATION,
    Answered,
    Fault,
    JsonBody,
    Operation,
    Tag,
)


class NewCopyDocument(Document):
    """What the paper says. `targets` as in a request: with them the same data is found."""

    peer: Code
    direction: Annotated[Direction, Field(strict=False)]
    channel: Annotated[OtherChannel, Field(strict=False)]
    reference: Line
    at: Instant
    note: ShortText | None = None
    targets: Annotated[list[dict[str, JsonValue]], Field(default_factory=list, max_length=MAX_TARGETS)]


class LinkCopy(Document):
    """A person says which exchange it is."""

    action: Literal["link"]
    exchange_id: Annotated[UUID, Field(strict=False)]


class CopyView(View):
    """A request as it was on another road. `candidates`: exchanges about the same data, as hints."""

    id: UUID
    peer: str
    direction: Direction
    channel: OtherChannel
    reference: str
    at: Moment
    note: str | None
    noted_at: Moment
    exchange_id: UUID | None
    linked_at: Moment | None
    candidates: list[UUID]
    allowed_actions: list[str]


class UpdateProvider(Document):
    """A new entry in the place of the old one."""

    action: Literal["update"]
    generation: Generation
    entry: ProviderEntry


class RetireProvider(Document):
    """Out of use."""

    action: Literal["retire"]
    generation: Generation


AnyProviderAct = Annotated[UpdateProvider | RetireProvider, Field(discriminator="action")]
PROVIDER_ACT: TypeAdapter[UpdateProvider | RetireProvider] = TypeAdapter(AnyProviderAct)
PROVIDER_ACTS = frozenset({"update", "retire"})


class ProviderView(View):
    """A provider; `text` is the entry as lines."""

    id: UUID
    generation: int
    entry: dict[str, Any]
    text: str
    updated_at: Moment
    retired_at: Moment | None


COPY = {
    "id": "0193503e-7a52-7c1e-9d0b-3f3c6f6b2f51",
    "peer": "XT",
    "direction": "incoming",
    "channel": "INTERPOL_I247",
    "reference": "IP-TKY-2026-0042",
    "at": "2026-11-22T10:00:00.000Z",
    "note": "Came by I-24/7 through the national central bureau.",
    "noted_at": "2026-11-22T10:05:00.000Z",
    "exchange_id": None,
    "linked_at": None,
    "candidates": [EXCHANGE_ID],
    "allowed_actions": ["link"],
}
NEW_COPY = {name: COPY[name] for name in ("peer", "direction", "channel", "reference", "at", "note")} | {"targets": []}
ENTRY = {
    "legal_name": "Example Hosting SA",
    "brands": ["Example Cloud"],
    "establishment_country": "XA",
    "email": "authorities@hosting.example",
    "accepted_languages": ["fr", "en"],
    "data_held": [
        {"category": "TRAFFIC", "typical_retention_days": 30, "source": "The provider's guide", "as_of": "2026-03-01"}
    ],
    "customer_notice": "DEFAULT_NOTIFY",
    "verified_on": "2026-11-01",
}
PROVIDER = {
    "id": "0193503e-7a52-7c1e-9d0b-3f3c6f6b2f61",
    "generation": 1,
    "entry": ENTRY,
    "text": "Provider: Example Hosting SA",
    "updated_at": "2026-11-22T09:30:00.000Z",
    "retired_at": None,
}
UNKNOWN_PEER = Fault("contact_point_unknown", 422, "A contact point is not there.")
REFERENCE_KNOWN = Fault("reference_known", 409, "This reference was noted on that road already.")
OTHER_PARTIES = Fault("other_parties", 422, "This copy cannot be that exchange.")
NOT_OUR_STATE = Fault("not_our_state", 422, "Another contact point knows this provider.")

NOTE = Operation(
    "noteCopy",
    Tag.EXCHANGES,
    "Note a request on another road",
    {201: Answered("Noted.", CopyView, {"interpol": COPY})},
    errors=(ROLE_NOT_ALLOWED, REFERENCE_KNOWN, UNKNOWN_PEER),
    body=JsonBody(NewCopyDocument, {"interpol": NEW_COPY}),
    acts=True,
)
COPIES = Operation(
    "listCopies",
    Tag.EXCHANGES,
    "List requests on other roads",
    {
        200: Answered(
            "One page, newest first.",
            Listed[CopyView],
            {"one": {"data": [COPY], "next": None}},
            headers={"Link": 'The next page, `rel="next"`.'},
        )
    },
    errors=(ROLE_NOT_ALLOWED,),
)
LINK = Operation(
    "linkCopy",
    Tag.EXCHANGES,
    "Say which exchange a copy is",
    {200: Answered("Linked.", CopyView, {"linked": COPY | {"exchange_id": EXCHANGE_ID, "allowed_actions": []}})},
    errors=(ROLE_NOT_ALLOWED, ACTION_NOT_ALLOWED, OTHER_PARTIES),
    body=JsonBody(LinkCopy, {"link": {"action": "link", "exchange_id": EXCHANGE_ID}}),
    acts=True,
)
PROVIDERS = Operation(
    "listProviders",
    Tag.REFERENCE,
    "List providers",
    {
        200: Answered(
            "One page, newest first.",
            Listed[ProviderView],
            {"one": {"data": [PROVIDER], "next": None}},
            headers={"Link": 'The next page, `rel="next"`.'},
        )
    },
    errors=(ROLE_NOT_ALLOWED,),
)
READ_PROVIDER = Operation(
    "readProvider",
    Tag.REFERENCE,
    "Read a provider",
    {200: Answered("The provider.", ProviderView, {"hosting": PROVIDER})},
    errors=(ROLE_NOT_ALLOWED,),
)
ADD_PROVIDER = Operation(
    "addProvider",
    Tag.REFERENCE,
    "Enter a provider",
    {201: Answered("Entered.", ProviderView, {"hosting": PROVIDER}, headers={"Location": "Where to read it."})},
    errors=(ROLE_NOT_ALLOWED, NOT_OUR_STATE),
    body=JsonBody(ProviderEntry, {"hosting": ENTRY}),
    acts=True,
)
ACT_ON_PROVIDER = Operation(
    "actOnProvider",
    Tag.REFERENCE,
    "Change a provider",
    {200: Answered("Changed.", ProviderView, {"hosting": PROVIDER | {"generation": 2}})},
    errors=(ROLE_NOT_ALLOWED, STALE_GENERATION, ACTION_NOT_ALLOWED, NOT_OUR_STATE),
    body=JsonBody(AnyProviderAct, {"retire": {"action": "retire", "generation": 1}}),
    acts=True,
)
