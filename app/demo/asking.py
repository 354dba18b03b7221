"""Of the scripted day: questions between experts, about law, about providers, and about where data are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.demo.day import Matter
from app.demo.deeds import asked_and_answered

if TYPE_CHECKING:
    from app.demo.day import Step

ADVICE = "Hosting companies keep sign-in logs for twelve months; the public prosecutor orders their preservation."
LAW = "The court of the district orders it; the customer is told when the investigation is closed."
CONTACT = "Requests by the form of the national police, through us; emergencies at any hour by telephone."
PLACE = "The provider is established here; it keeps mail of customers in Europe on machines in Kitano."


def asking() -> list[Step]:
    """Four kinds of question, each answered in words."""
    return [
        *asked_and_answered(Matter("technical_advice", "XS"), "for technical advice", ADVICE),
        *asked_and_answered(Matter("legal_information", "XT"), "what its law permits", LAW),
        *asked_and_answered(Matter("provider_contact", "XT"), "how a provider is reached", CONTACT),
        *asked_and_answered(Matter("data_location_query", "XS"), "where data are", PLACE),
    ]
