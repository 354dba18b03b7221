"""Named examples of the interface, one coherent story: XA asks, XT preserves."""

from __future__ import annotations

REQUEST_ID = "0193503e-7a52-7c1e-9d0b-3f3c6f6b2f11"
EXCHANGE_ID = "0193503e-9c10-7d52-8a44-1e6f0c9b7a20"
HOLD_ID = "5f0c7c1e-6a1d-5d0e-9e55-0a8f0f6f7d31"
ACT_ID = "0193503f-0b1c-7a10-b0ce-5d2a9c3e4f40"

HOLD = {
    "id": HOLD_ID,
    "exchange_id": EXCHANGE_ID,
    "state": "TIMED",
    "generation": 5,
    "preserved_at": "2026-11-22T11:05:00.000Z",
    "days_granted": 90,
    "expires_at": "2027-02-20T15:00:00.000Z",
    "expires_local": {"XA": "2027-02-20T16:00:00+01:00", "XT": "2027-02-21T00:00:00+09:00"},
    "flags": [],
    "hints": [],
    "warnings": [],
    "tasks": [],
    "others_on_same_data": None,
    "targets": [0],
    "mla": {"status": "ANNOUNCED", "planned_on": "2027-01-10"},
    "extension_wish": None,
    "extensions": [],
    "release_due_at": None,
    "ended_at": None,
    "end_reason": None,
    "end_text": None,
    "lost_at": None,
    "new_request_possible": None,
    "treaty_exception": False,
    "is_test": True,
    "allowed_actions": ["request_extension", "claim_mla_sent", "release"],
}

REQUEST = {
    "id": REQUEST_ID,
    "reference": "XA-2026-7K3QF9D",
    "type": "PRESERVATION",
    "requested": "XT",
    "tier": "URGENT",
    "state": "TRIAGE",
    "generation": 2,
    "exchange_id": None,
    "warnings": [],
    "allowed_actions": ["return", "redirect", "merge", "decline", "approve"],
    "agency": "federal-police-cyber",
    "own_reference": "AU-CYB-2026-00417",
    "document": {"type": "PRESERVATION", "requested": "XT"},
    "approval": None,
    "outcome": None,
    "withdrawal_wished_at": None,
    "triage_due_at": "2026-11-22T11:30:00.000Z",
    "is_test": True,
    "case_id": None,
    "draft_of": None,
    "origin": None,
    "desk": {
        "triage": [
            {
                "test": "TRI-12",
                "question": "Has nobody asked for the same before?",
                "proposal": "OPEN",
                "because": [
                    {
                        "code": "same_data",
                        "detail": "Another request here concerns the same data; see `duplicates`.",
                        "pointer": "/targets",
                        "suggests": "D-MERGED",
                    }
                ],
                "failing": ["D-MERGED"],
            }
        ],
        "duplicates": [
            {
                "id": "0193503e-6b11-7f0a-8c55-2b9e7d1c4a02",
                "reference": "XA-2026-C5H66SX",
                "agency": "customs-investigation",
                "requested": "XT",
                "state": "SIGNED",
                "exchange_id": EXCHANGE_ID,
                "overlap": [[0, 0]],
            }
        ],
        "merged_into": None,
        "joined": [],
        "review_due_at": None,
        "reviewed": False,
    },
    "exchange": None,
    "created_at": "2026-11-22T09:30:00.000Z",
    "updated_at": "2026-11-22T09:31:00.000Z",
}

DETAILS = {
    "id": EXCHANGE_ID,
    "requesting": "XA",
    "requested": "XT",
    "type": "PRESERVATION",
    "tier": "URGENT",
    "state": "PRESERVED",
    "generation": 5,
    "request_reference": "XA-2026-7K3QF9D",
    "opened_at": "2026-11-22T09:40:00.000Z",
    "changed_at": "2026-11-22T11:05:00.000Z",
    "state_since": "2026-11-22T11:05:00.000Z",
}

EXCHANGE = {
    "id": EXCHANGE_ID,
    "direction": "outgoing",
    "requesting": "XA",
    "requested": "XT",
    "type": "PRESERVATION",
    "tier": "URGENT",
    "state": "PRESERVED",
    "generation": 5,
    "flags": [],
    "holds": [HOLD],
    "under_way": [],
    "allowed_actions": ["withdraw", "supplement", "raise_tier"],
    "request_reference": "XA-2026-7K3QF9D",
    "request_id": REQUEST_ID,
    "opened_at": "2026-11-22T09:40:00.000Z",
    "changed_at": "2026-11-22T11:05:00.000Z",
    "b_reference": "XT-2026-9R2MC4H",
    "next_update_at": "2026-11-22T18:00:00.000Z",
    "instrument": "ETS185",
    "determination": None,
    "marking": {"tlp": "TLP:AMBER+STRICT", "pap": "PAP:RED", "handling": ["H1"], "text": None},
    "details": DETAILS,
    "document": {"type": "PRESERVATION", "requested": "XT"},
    "attachments": [
        {
            "id": "01935040-5b1e-7c33-8d0a-7f3b6f0e2c11",
            "direction": "outgoing",
            "name": "order.pdf",
            "media_type": "application/pdf",
            "size": 3304021,
            "arrived": 3,
            "chunks": 17,
            "state": "arriving",
            "marking": {"tlp": "TLP:AMBER+STRICT", "pap": "PAP:RED", "handling": ["H1"], "text": None},
        }
    ],
    "not_understood": [],
    "is_test": True,
    "warnings": None,
    "same_data": None,
}

UNDER_WAY = EXCHANGE | {
    "under_way": [
        {"act_id": ACT_ID, "action": "withdraw", "hold_id": None, "since": "2026-11-23T08:00:00.000Z"},
    ]
}

TIMELINE = {
    "data": [
        {
            "id": 1,
            "at": "2026-11-22T09:30:00.000Z",
            "party": "XA",
            "actor": "agency_officer",
            "event": "filed",
            "detail": {"type": "PRESERVATION", "tier": "URGENT", "requested": "XT"},
        }
    ],
    "next": None,
}
