"""The letter to a provider: what it has to know, and not a word of the case."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from app.domain.codes import HoldState, RequestType, State, Tier
from app.domain.documents import example
from app.domain.exchange.values import Asked, Exchange
from app.domain.holds import Hold
from app.errors import Refused, Unknown
from app.forms.html import render_html
from app.forms.letters import Order, addressees_of, compose_letter
from app.forms.printing import to_page
from tests.forms.printed import EXCHANGE, NOW, Reading, numbers_of, side, texts_in

if TYPE_CHECKING:
    from collections.abc import Mapping

CANARY = "Zwiebelkuchen-4711"

EXCHANGED = Exchange(
    id=EXCHANGE,
    requesting="XA",
    requested="XT",
    type=RequestType.PRESERVATION,
    tier=Tier.URGENT,
    state=State.IN_EXECUTION,
    generation=4,
    request_reference="XA-2026-7K3QF9D",
    opened_at=NOW,
    changed_at=NOW,
    state_since=NOW,
    b_reference="XT-2026-2222227",
    asked=Asked(targets=1, requested_days=90),
)

TOLD = (
    "identifier",
    "observations",
    "assignment",
    "data_categories",
    "interval",
    "custodian",
    "narrowing",
    "data_description",
)
"""Members of a target that the provider needs."""


def with_canaries(value: object, *, keep: tuple[str, ...] = ()) -> Any:  # noqa: ANN401 - a document
    """The same with a canary in every text, but for the members named."""
    if isinstance(value, dict):
        return {name: inner if name in keep else with_canaries(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [with_canaries(inner) for inner in value]
    return f"{value} {CANARY}" if isinstance(value, str) else value


def a_document() -> dict[str, Any]:
    """A preservation in which every text that is not the provider's business holds the canary."""
    document = with_canaries(example(RequestType.PRESERVATION), keep=("type", "requested", "targets", "language"))
    target = deepcopy(example(RequestType.PRESERVATION)["targets"][0])
    target["observations"][0]["clock_source"] = CANARY
    document["targets"] = [{**with_canaries(target, keep=TOLD), "novelty": CANARY}]
    document["unknown"] = {"member": CANARY}
    return dict(document)


def letter(document: Mapping[str, Any], exchange: Exchange = EXCHANGED, *, place: int = 1) -> dict[str, Any]:
    """The letter in English."""
    return to_page(compose_letter(Order(exchange, document, side("XT"), NOW), place=place), ("en",))


def test_letter_says_what_is_to_be_preserved() -> None:
    """Provider, authority and its legal basis, identifiers, categories, interval, duration, silence and a contact."""
    text = Reading(render_html(letter(a_document()))).all("html")[0].text
    for expected in (
        "Kitano Broadband KK",
        "Cyber Liaison Office, Kitano National Police",
        "Code of criminal procedure of Kitano, art. 197(3)",
        "203.0.113.77",
        "51544",
        "Subscriber information",
        "2026-11-21 22:00:00 UTC",
        "90 days",
        "may be disclosed to the user",
        "+99901555101",
        "XT-2026-2222227",
        "EXERCISE",
    ):
        assert expected in text, expected


def test_letter_says_nothing_of_the_case() -> None:
    """Facts, offence, investigator, reasons, marking and whatever else a request holds have no place in it."""
    printed = texts_in(letter(a_document()))
    assert [one for one in printed if CANARY in one] == []
    for hidden in ("Aurelia", "Aurélie", "XA", "Investigator", "Illegal access", "TLP", str(EXCHANGE)):
        assert [one for one in printed if hidden in one] == [], hidden


def test_a_canary_would_be_seen() -> None:
    """The check above finds the canary where the provider does read: in the identifier itself."""
    document = a_document()
    document["targets"][0]["identifier"] = {"type": "domain", "value": CANARY}
    assert CANARY in "\n".join(texts_in(letter(document)))


def test_each_provider_reads_of_its_own_targets_alone() -> None:
    """Two custodians get two letters; neither learns that there is another one."""
    document = a_document()
    other = deepcopy(document["targets"][0])
    other["custodian"] = {"name": "Other Carrier", "country": "XT"}
    other["identifier"] = {"type": "phone", "value": "+81300000009"}
    document["targets"] = [document["targets"][0], other, deepcopy(other)]
    assert [one.targets for one in addressees_of(document)] == [(0,), (1, 2)]
    first, second = (letter(document, place=place) for place in (1, 2))
    assert "+81300000009" not in "\n".join(texts_in(first))
    assert "203.0.113.77" not in "\n".join(texts_in(second))
    assert {"7.1", "7.2"} <= set(numbers_of(second))
    with pytest.raises(Unknown):
        letter(document, place=3)


def test_duration_is_never_under_sixty_days() -> None:
    """Without a wish it is what is usual there; a hold that runs already gives the end in UTC and on its own clock."""
    short = replace(EXCHANGED, asked=Asked(requested_days=7))
    assert "60 days" in texts_in(letter(a_document(), short))
    held = Hold(UUID(int=7), EXCHANGE, HoldState.TIMED, NOW, 90, NOW + timedelta(days=90), targets=(0,))
    texts = texts_in(letter(a_document(), replace(EXCHANGED, holds=(held,))))
    assert {"2027-02-20 09:30:00 UTC", "XT 2027-02-20 18:30:00 +09:00"} <= set(texts)


def test_no_letter_without_a_request() -> None:
    """A call that was noted names no data yet."""
    with pytest.raises(Refused) as refused:
        letter({})
    assert refused.value.code == "letter_not_possible"


def test_the_letter_bears_the_day_of_whoever_writes_it() -> None:
    """Written at two in the morning in Kitano, it is of that day, though in UTC it is the day before (control)."""
    at_night = NOW.replace(hour=17)
    order = Order(EXCHANGED, example(RequestType.PRESERVATION), side("XT"), at_night)
    texts = texts_in(to_page(compose_letter(order, place=1), ("en",)))
    assert "2026-11-23" in texts
    assert "2026-11-22" not in texts
    elsewhere = replace(order, own=side("XX"))
    assert "2026-11-22" in texts_in(to_page(compose_letter(elsewhere, place=1), ("en",)))
