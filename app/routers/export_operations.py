"""How the routes of exports and disclosures describe themselves."""

from __future__ import annotations

from app.routers.examples import EXCHANGE, EXCHANGE_ID, HOLD
from app.routers.export_views import DisclosureView, ExportView
from app.routers.models import Listed
from app.routers.operations import (
    ACTION_NOT_ALLOWED,
    ROLE_NOT_ALLOWED,
    Answered,
    Fault,
    JsonBody,
    Operation,
    Tag,
)
from app.services.share_at_home import Sharing

MARKING = {"tlp": "TLP:AMBER+STRICT", "pap": "PAP:RED", "handling": ["H1"], "text": None}
TRANSFER_ID = "01935040-5b1e-7c33-8d0a-7f3b6f0e2c31"
GRANT_UNKNOWN = Fault("grant_unknown", 422, "Name a granted onward transfer to your own code.")
USE_NOT_PERMITTED = Fault(
    "use_not_permitted",
    409,
    "Marking or condition does not allow it: ask the giver for an onward transfer to your own code.",
    {"reason": "other_use_not_permitted"},
)

DISCLOSURE = {
    "id": "01935040-5b1e-7c33-8d0a-7f3b6f0e2c30",
    "at": "2026-11-23T08:00:00.000Z",
    "recipient": "agency",
    "authority": "Aurelia Federal Police, Cyber Unit",
    "purpose": "To find the customer behind the address.",
    "other_use": False,
    "transfer_id": None,
    "marking": MARKING,
}

EXPORTED = {
    "exported_at": "2026-11-23T08:05:00.000Z",
    "recipient": "contact_point",
    "code": None,
    "purpose": {
        "reference": EXCHANGE["request_reference"],
        "type": "PRESERVATION",
        "offences": ["Illegal access"],
        "instrument": "ETS185",
    },
    "marking": MARKING,
    "id": EXCHANGE_ID,
    "direction": "outgoing",
    "requesting": "XA",
    "requested": "XT",
    "tier": "URGENT",
    "state": "PRESERVED",
    "generation": 5,
    "b_reference": EXCHANGE["b_reference"],
    "items": [
        {
            "kind": "request",
            "party": "XA",
            "at": "2026-11-22T09:40:00.000Z",
            "marking": MARKING,
            "conditions": [],
            "content": EXCHANGE["document"],
        }
    ],
    "withheld": [
        {"kind": "answer", "party": "XT", "at": "2026-11-22T11:05:00.000Z", "reason": "onward_transfer_not_granted"}
    ],
    "conditions": [],
    "onward_transfers": [
        {
            "id": TRANSFER_ID,
            "side": "requesting",
            "to": "XS",
            "purpose": "The same account is under investigation there.",
            "asked_at": "2026-11-23T07:00:00.000Z",
        }
    ],
    "use_questions": [],
    "disclosures": [DISCLOSURE],
    "holds": [HOLD],
    "attachments": EXCHANGE["attachments"],
}

EXPORT = Operation(
    "exportExchange",
    Tag.EXCHANGES,
    "Export an exchange",
    {200: Answered("The case in one block.", ExportView, {"for_the_desk": EXPORTED})},
    errors=(ROLE_NOT_ALLOWED,),
)

LIST = Operation(
    "listDisclosures",
    Tag.EXCHANGES,
    "List disclosures of what was received",
    {200: Answered("All, oldest first.", Listed[DisclosureView], {"one": {"data": [DISCLOSURE], "next": None}})},
    errors=(ROLE_NOT_ALLOWED,),
)

DISCLOSE = Operation(
    "discloseAtHome",
    Tag.EXCHANGES,
    "Record a disclosure at home",
    {201: Answered("Kept; nothing is told abroad.", DisclosureView, {"to_the_agency": DISCLOSURE})},
    errors=(ROLE_NOT_ALLOWED, ACTION_NOT_ALLOWED, USE_NOT_PERMITTED, GRANT_UNKNOWN),
    body=JsonBody(
        Sharing,
        {
            "to_the_agency": {
                "recipient": "agency",
                "authority": "Aurelia Federal Police, Cyber Unit",
                "purpose": "To find the customer behind the address.",
            },
            "other_use_with_a_grant": {
                "recipient": "court",
                "authority": "Court of Port-Clair",
                "purpose": "Evidence in another case.",
                "other_use": True,
                "transfer_id": TRANSFER_ID,
            },
        },
    ),
    acts=True,
)
