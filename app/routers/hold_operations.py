"""How the routes of holds describe themselves."""

from __future__ import annotations

from uuid import UUID

from app.domain.hold_acts import HOLD_ACT
from app.domain.hold_transitions import HOLD_ROWS
from app.routers.examples import ACT_ID, EXCHANGE_ID, HOLD, HOLD_ID, UNDER_WAY
from app.routers.hold_views import HoldView
from app.routers.models import Listed, View
from app.routers.operations import (
    ACTION_NOT_ALLOWED,
    FOUR_EYES,
    ROLE_NOT_ALLOWED,
    STALE_GENERATION,
    Answered,
    Fault,
    JsonBody,
    Operation,
    Tag,
)
from app.routers.views import ActAccepted

ACTIONS = frozenset(row.action for row in HOLD_ROWS if row.action is not None)
"""Everything that can be done to a hold, by either side."""

HOLD_ENDED = Fault("hold_ended", 409, "The hold has ended; only a new request can make a new one.")
NO_EXTENSION = Fault("W-AVAIL", 422, "The law of the requested side gives no further extension.")


class AuthorityView(View):
    """An authority and how it is reached, through its contact point."""

    contact_point: str
    agency: str
    organisation: str | None
    person: str | None
    telephone: str
    email: str


class ReferenceView(View):
    """The reference of the side that executed, and that of the request."""

    ticket: str | None
    request: str


class ChannelView(View):
    """The network, and the exchange both contact points find it under."""

    network: str
    exchange_id: str


class Section10View(View):
    """The five items of section 10 and nothing else."""

    date: str
    reference: ReferenceView
    requested_by: AuthorityView
    executed_by: AuthorityView
    channel: ChannelView


class BlockView(View):
    """Section 10 for one target of the request, counted from 0."""

    target: int
    section_10: Section10View


class MlaExportView(View):
    """What to copy into the request for mutual legal assistance."""

    hold_id: UUID
    blocks: list[BlockView]


MLA_BLOCK = {
    "target": 0,
    "section_10": {
        "date": "2026-11-22",
        "reference": {"ticket": "XT-2026-9R2MC4H", "request": "XA-2026-7K3QF9D"},
        "requested_by": {
            "contact_point": "XA",
            "agency": "Aurelia Federal Police",
            "organisation": "Aurelia Federal Police, Cyber Unit",
            "person": "Duty investigator 17",
            "telephone": "+99900555001",
            "email": "cp@police.example",
        },
        "executed_by": {
            "contact_point": "XT",
            "agency": "Kitano National Police",
            "organisation": None,
            "person": None,
            "telephone": "+99900556001",
            "email": "cp@kitano.example",
        },
        "channel": {"network": "24/7 network of contact points", "exchange_id": EXCHANGE_ID},
    },
}

MLA_TEXT = f"""10. Previous preservation request (target 1)
Date: 2026-11-22
Reference: XT-2026-9R2MC4H / XA-2026-7K3QF9D
Requested by: Aurelia Federal Police, Cyber Unit, Duty investigator 17, Aurelia Federal Police (XA), +99900555001, \
cp@police.example
Executed by: Kitano National Police (XT), +99900556001, cp@kitano.example
Channel: 24/7 network of contact points, exchange {EXCHANGE_ID}
"""

MLA_EXPORT = Operation(
    "exportHoldForMla",
    Tag.HOLDS,
    "Section 10 of the request for mutual legal assistance",
    {
        200: Answered(
            "One block of five items per target.",
            MlaExportView,
            {"one_target": {"hold_id": HOLD_ID, "blocks": [MLA_BLOCK]}},
            also={"text/plain": {"to_paste": MLA_TEXT}},
        )
    },
    errors=(ROLE_NOT_ALLOWED,),
)

LIST = Operation(
    "listHolds",
    Tag.HOLDS,
    "List holds",
    {
        200: Answered(
            "One page, newest first.",
            Listed[HoldView],
            {"page": {"data": [HOLD], "next": None}},
            headers={"Link": 'The next page, `rel="next"`.'},
        )
    },
    errors=(ROLE_NOT_ALLOWED,),
)

READ = Operation(
    "readHold",
    Tag.HOLDS,
    "Read a hold",
    {200: Answered("The hold.", HoldView, {"timed": HOLD})},
    errors=(ROLE_NOT_ALLOWED,),
)

ACT = Operation(
    "actOnHold",
    Tag.HOLDS,
    "Act on a hold",
    {
        200: Answered("At the requested side: the hold after the act.", HoldView, {"timed": HOLD}),
        202: Answered(
            "At the requesting side: a wish, under way.",
            ActAccepted,
            {"extending": {"act_id": ACT_ID, "exchange": UNDER_WAY}},
        ),
    },
    errors=(ROLE_NOT_ALLOWED, FOUR_EYES, STALE_GENERATION, ACTION_NOT_ALLOWED, HOLD_ENDED, NO_EXTENSION),
    body=JsonBody(
        HOLD_ACT.json_schema(mode="validation"),
        {
            "request_extension": {"action": "request_extension", "generation": 5},
            "grant_extension": {"action": "grant_extension", "generation": 6},
            "claim_mla_sent": {
                "action": "claim_mla_sent",
                "generation": 5,
                "ca_reference": "MOJ-2027-0012",
                "date": "2027-01-09",
            },
            "confirm_mla_received": {
                "action": "confirm_mla_received",
                "generation": 6,
                "ca_reference": "MOJ-2027-0012",
            },
            "release": {"action": "release", "generation": 5},
        },
    ),
    acts=True,
)
