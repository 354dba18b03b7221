"""What a raise to EMERGENCY says of the risk to a person (domain.md 3.4, V-7)."""

from __future__ import annotations

from typing import Any

RISK: dict[str, Any] = {
    "threat_kind": "CHILD_AT_RISK",
    "persons_at_risk": "A girl of nine, missing since Saturday evening.",
    "facts": "She was last seen with a man whom she had met in a game. He has written from the account since and says "
    "that he will not bring her back.",
    "link_to_data": "The address of his last login shows from where he writes.",
}
"""Facts that suffice: at least 100 and 50 characters."""

EMERGENCY: dict[str, Any] = {"tier": "EMERGENCY", "reasons": "A child is missing.", "emergency": RISK}
"""The members of such a raise."""
