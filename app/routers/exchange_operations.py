"""How the routes of exchanges describe themselves."""

from __future__ import annotations

from app.domain.acts import EXCHANGE_ACT
from app.domain.transitions import EXCHANGE_ROWS
from app.routers.examples import ACT_ID, EXCHANGE, EXCHANGE_ID, TIMELINE, UNDER_WAY
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
from app.routers.views import ActAccepted, ExchangeView, TimelineEntry
from app.services.note_exchange import NotedCall

ACTIONS = frozenset(row.action for row in EXCHANGE_ROWS if row.action is not None)
"""Everything that can be done to an exchange, by either side."""

EXCHANGE_EXISTS = Fault("exchange_exists", 409, "There is an exchange of that id already.")
GROUND_NOT_AVAILABLE = Fault(
    "refusal_ground_not_available",
    422,
    "Grounds open in this case: R-POL, R-ESS.",
    {
        "legal": [
            {"code": "R-POL", "provision": "ETS185:29(5)(a)"},
            {"code": "R-ESS", "provision": "ETS185:29(5)(b)"},
        ],
        "instead": [{"code": "N-NOPOWER", "action": "not_executable", "when": "your law gives no power to do it"}],
    },
)
INSTRUMENT_NOT_ACCEPTED = Fault("instrument_not_accepted", 422, "This request is refused on what it rests on: ETS185.")
POSTPONEMENT_NOT_AVAILABLE = Fault(
    "postponement_not_available",
    422,
    "The instrument or treaty between the two states knows no postponement of such a request.",
)

LIST = Operation(
    "listExchanges",
    Tag.EXCHANGES,
    "List exchanges",
    {
        200: Answered(
            "One page, newest first.",
            Listed[ExchangeView],
            {"page": {"data": [EXCHANGE], "next": None}},
            headers={"Link": 'The next page, `rel="next"`.'},
        )
    },
    errors=(ROLE_NOT_ALLOWED,),
)

READ = Operation(
    "readExchange",
    Tag.EXCHANGES,
    "Read an exchange",
    {200: Answered("The exchange.", ExchangeView, {"preserved": EXCHANGE, "withdrawal_under_way": UNDER_WAY})},
    errors=(ROLE_NOT_ALLOWED,),
)

READ_TIMELINE = Operation(
    "readExchangeTimeline",
    Tag.EXCHANGES,
    "Read an exchange's timeline",
    {200: Answered("All lines, oldest first.", Listed[TimelineEntry], {"filed": TIMELINE})},
    errors=(ROLE_NOT_ALLOWED,),
)

NOTE = Operation(
    "noteExchange",
    Tag.EXCHANGES,
    "Note a request passed by voice",
    {
        201: Answered(
            "Noted; the opening attaches to it when it arrives.",
            ExchangeView,
            {"noted": EXCHANGE | {"direction": "incoming", "state": "DELIVERED", "generation": 1, "flags": ["noted"]}},
            headers={"Location": "Where to read it."},
        )
    },
    errors=(ROLE_NOT_ALLOWED, EXCHANGE_EXISTS),
    body=JsonBody(
        NotedCall.model_json_schema(mode="validation"),
        {
            "by_telephone": {
                "exchange_id": EXCHANGE_ID,
                "requesting": "XA",
                "type": "PRESERVATION",
                "noted": "Duty officer of XA, 03:41: logs of one address are overwritten at 04:20.",
            }
        },
    ),
    acts=True,
)

ACT = Operation(
    "actOnExchange",
    Tag.EXCHANGES,
    "Act on an exchange",
    {
        200: Answered("At the requested side: the exchange after the act.", ExchangeView, {"preserved": EXCHANGE}),
        202: Answered(
            "At the requesting side: a wish, under way.",
            ActAccepted,
            {"withdrawing": {"act_id": ACT_ID, "exchange": UNDER_WAY}},
        ),
    },
    errors=(
        ROLE_NOT_ALLOWED,
        FOUR_EYES,
        STALE_GENERATION,
        ACTION_NOT_ALLOWED,
        GROUND_NOT_AVAILABLE,
        INSTRUMENT_NOT_ACCEPTED,
        POSTPONEMENT_NOT_AVAILABLE,
    ),
    body=JsonBody(
        EXCHANGE_ACT.json_schema(mode="validation"),
        {
            "acknowledge": {"action": "acknowledge", "generation": 1},
            "accept": {"action": "accept", "generation": 2},
            "start": {"action": "start", "generation": 3},
            "preserve": {"action": "preserve", "generation": 4},
            "answer": {"action": "answer", "generation": 2, "text": "Twelve months; the prosecutor orders it."},
            "ask": {
                "action": "ask",
                "generation": 2,
                "codes": ["C-PORT"],
                "text": "The address is shared: which source port?",
            },
            "raise_tier": {
                "action": "raise_tier",
                "generation": 2,
                "tier": "EMERGENCY",
                "reasons": "The account now shows where a missing child is held.",
                "emergency": {
                    "threat_kind": "CHILD_AT_RISK",
                    "persons_at_risk": "Girl, 9, missing since 21 November",
                    "facts": "She was last seen with a man whom she had met in a game. He has written from the account "
                    "since, and says that he will not bring her back.",
                    "link_to_data": "The address of his last login shows from where he writes.",
                    "imminent_until": "2026-11-22T12:00:00Z",
                },
            },
            "withdraw": {"action": "withdraw", "generation": 5},
        },
    ),
    acts=True,
)
