"""Examples of the law as it is shown."""

from __future__ import annotations

ETS185 = {
    "instrument": "ETS185",
    "title": "Convention on Cybercrime",
    "done": "Budapest, 23 November 2001 (ETS No. 185)",
    "in_force_since": "2004-07-01",
    "applies_to": "parties",
    "protocol_to": None,
    "duty": True,
    "notes": None,
    "measures": [
        {
            "type": "PRESERVATION",
            "only_if_declared": None,
            "articles": [{"article": "29", "role": "expedited preservation of stored computer data"}],
        }
    ],
    "admits": [
        {
            "article": "29(4)",
            "kind": "reservation",
            "effect": "dual_criminality",
            "types": ["PRESERVATION", "PRESERVATION_EXTENSION"],
            "only_categories": [],
            "note": None,
        }
    ],
}
EDITION = {
    "version": "1",
    "dated": "2026-11-22",
    "note": "The law of the invented states Aurelia (XA), Kitano (XT) and Sahran (XS).",
    "digest": "f56e1e6f775597e07857536a49fc3abc7567081716d31f9db20e9c2e6a9ba3d2",
    "since": "2026-11-22T08:00:00.000Z",
    "instruments": [ETS185],
    "comparators": [{"name": "ETS 185 art. 29(7)", "period": "at least 60 days", "source": "text of the convention"}],
    "intervals": {"intervals": [{"category": "TRAFFIC", "days": 90}], "shared_address_hours": 24},
}
BASES = {
    "requesting": "XA",
    "requested": "XT",
    "type": "PRESERVATION",
    "on": "2026-11-22",
    "bases": [
        {
            "instrument": "ETS185",
            "title": "Convention on Cybercrime",
            "articles": [{"article": "29", "role": "expedited preservation of stored computer data"}],
            "duty": True,
            "constraints": [
                {
                    "code": "reservation",
                    "detail": "Kitano may refuse preservation where dual criminality cannot be met.",
                    "provision": "ETS185:29(4)",
                    "statement": "ETS185:29(4)",
                }
            ],
            "grounds": [
                {"code": "R-POL", "provision": "ETS185:29(5)(a)", "needs": []},
                {"code": "R-ESS", "provision": "ETS185:29(5)(b)", "needs": []},
                {
                    "code": "R-DC",
                    "provision": "ETS185:29(4)",
                    "needs": ["reservation", "outside_convention_offences"],
                },
            ],
            "notices": [{"code": "W-CONF", "provision": "ETS185:29(6)"}],
            "postponement": None,
        }
    ],
}
AUTHORITY = {
    "name": "Ministry of Justice of Kitano, International Assistance Section",
    "phone": "+99901555130",
    "email": "assistance@moj-kitano.example",
    "url": None,
}
KITANO = {
    "state": "XT",
    "name": "Kitano",
    "profile": {
        "as_of": "2026-10-05",
        "languages": ["ja", "en"],
        "preservation": {
            "power": "OWN_ORDER",
            "citation": "Code of criminal procedure of Kitano, art. 197(3)",
            "days": 60,
            "extension_days": 30,
            "max_extensions": 2,
        },
        "user_notification": "PROHIBITED",
        "dual_criminality": "Required for disclosure.",
        "data_retention": "No duty to retain.",
        "retention": [{"category": "TRAFFIC", "days": 3, "note": "carrier-grade NAT"}],
        "central_authority": AUTHORITY,
        "note": None,
    },
    "memberships": [
        {
            "instrument": "ETS185",
            "id": None,
            "title": "Convention on Cybercrime",
            "others": [],
            "since": "2013-02-01",
            "until": None,
        }
    ],
    "switched_on": [],
    "treaties": [
        {
            "instrument": "BILATERAL",
            "id": "XT-XS-2021",
            "title": "Treaty between Kitano and Sahran on mutual assistance in criminal matters (invented)",
            "others": ["XS"],
            "since": "2021-04-01",
            "until": None,
        }
    ],
    "statements": [
        {
            "id": "ETS185:29(4)",
            "kind": "reservation",
            "effect": "dual_criminality",
            "instrument": "ETS185",
            "article": "29(4)",
            "text": "Kitano may refuse preservation where dual criminality is required and cannot be met.",
            "since": "2013-02-01",
            "until": None,
        }
    ],
}
REDIRECTS = {
    "data": [
        {"state": "XT", "kind": "MLA_AUTHORITY", "codes": ["D-MLA"], "address": AUTHORITY, "note": None},
    ],
    "next": None,
}
