"""How the routes of holds describe themselves."""

from __future__ import annotations

from app.domain.hold_acts import HOLD_ACT
from app.domain.hold_transitions import HOLD_ROWS
from app.routers.examples import ACT_ID, HOLD, UNDER_WAY
from app.routers.models import Listed
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
from app.routers.views import ActAccepted, HoldView

ACTIONS = frozenset(row.action for row in HOLD_ROWS if row.action is not None)
"""Everything that can be done to a hold, by either side."""

HOLD_ENDED = Fault("hold_ended", 409, "The hold has ended; only a new request can make a new one.")
NO_EXTENSION = Fault("W-AVAIL", 422, "The law of the requested side gives no further extension.")

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
