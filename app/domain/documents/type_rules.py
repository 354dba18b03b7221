"""Rules that some types of request have of their own: arts. 26, 27, 31 and 35 ETS 185, art. 9(4) CETS 224.

They look at parts that only those types have, and say nothing where a part is not there.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from app.domain.codes import Completion, GateOutcome, RequestType
from app.domain.documents.assisting import EvidenceMeasure
from app.domain.documents.checked import DocumentWarning
from app.domain.documents.reading import pointer_to
from app.domain.documents.target_rules import CLOCK_TOLERANCE
from app.domain.law import Effect
from app.domain.markings import NEED_TO_KNOW
from app.errors import FieldError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.domain.documents.findings import Finding, Parts, Rule, Situation

ORAL_CONFIRMATION = timedelta(hours=24)
"""CETS 224 art. 9(4): how soon a request made by voice must be there in writing."""

_BY_FORCE = frozenset({EvidenceMeasure.SEARCH, EvidenceMeasure.SEIZURE})
_UNDER_OWN_LAW = frozenset({RequestType.EVIDENCE_COLLECTION, RequestType.LOCATE_SUSPECT, RequestType.MLA_INITIATION})


def place_of_data_is_uncertain(parts: Parts, _: Situation) -> Iterator[Finding]:
    """Data in a cloud: the request goes where the custodian is established, and says that this may be wrong."""
    if parts.location_uncertain is not None:
        yield DocumentWarning(
            "/location_uncertain",
            "location_uncertain",
            "Nobody knows where the data lie: the request goes to the state in which their custodian is established, "
            "which may have to name another one.",
        )


def authority_at_home_is_named(parts: Parts, situation: Situation) -> Iterator[Finding]:
    """TRI-02: assistance is asked under a provision of the own law; without one the other side will ask for it."""
    if situation.type in _UNDER_OWN_LAW and parts.legal_basis is not None and parts.legal_basis.domestic is None:
        yield DocumentWarning(
            "/legal_basis/domestic", Completion.AUTH, "Name the provision of your own law under which this is asked."
        )


def force_needs_a_letter(parts: Parts, _: Situation) -> Iterator[Finding]:
    """Art. 31: this network prepares search and seizure; what carries them is a letter of request."""
    if parts.measure in _BY_FORCE and parts.letter is None and parts.mla_intent is None:
        yield DocumentWarning(
            "/measure",
            GateOutcome.MLA,
            "A search or a seizure needs a letter of request (art. 31): name it in `letter`, or in `mla_intent` who "
            "will send it. The data alone can be preserved meanwhile.",
        )


def wanted_persons_are_circulated(parts: Parts, _: Situation) -> Iterator[Finding]:
    """TRI-07: whoever is to be arrested is circulated through Interpol; here a suspect is only located."""
    if parts.suspect is not None and parts.suspect.warrant is not None:
        yield DocumentWarning(
            "/suspect/warrant", GateOutcome.INTERPOL, "A person under a warrant is circulated through Interpol as well."
        )


def provider_may_sit_elsewhere(parts: Parts, _: Situation) -> Iterator[Finding]:
    """V-3: a provider thought to sit in another state than the one asked."""
    for number, provider in enumerate(parts.providers_sought):
        if provider.country is not None and parts.requested_state not in {None, provider.country}:
            yield DocumentWarning(
                pointer_to("providers_sought", number, "country"),
                GateOutcome.WRONGSTATE,
                "This is not the state asked; its contact point may know nothing of this provider.",
            )


def call_is_confirmed_in_time(parts: Parts, situation: Situation) -> Iterator[Finding]:
    """CETS 224 art. 9(4): a call lies in the past, and is confirmed in writing within 24 hours."""
    if parts.oral_request is None:
        return
    made_at = parts.oral_request.made_at.utc
    if made_at > situation.now + CLOCK_TOLERANCE:
        yield FieldError("/oral_request/made_at", "future_observation", "Nobody has made this call yet.")
    elif made_at < situation.now - ORAL_CONFIRMATION:
        yield DocumentWarning(
            "/oral_request/made_at",
            "confirmation_overdue",
            "The call was to be confirmed in writing within 24 hours (art. 9(4)): send this at once, and say so.",
        )


def declarations_are_heeded(parts: Parts, situation: Situation) -> Iterator[Finding]:
    """What the state asked has declared that it does not execute, and what it wants afterwards (CETS 224 art. 9)."""
    if parts.requested_state is None or parts.legal_basis is None:
        return
    named = {ground.instrument for ground in parts.legal_basis.international}
    asked = {category for _, target in parts.targets for category in target.data_categories}
    for statement, admitted in situation.law.statements_of(parts.requested_state, on=situation.now.date()):
        if statement.instrument not in named or situation.type not in admitted.types:
            continue
        if admitted.effect is Effect.EXCLUDES and asked and asked <= set(admitted.only_categories):
            yield DocumentWarning(
                "/targets",
                "excluded_by_declaration",
                "The state asked has declared that it executes no request which seeks these data alone.",
            )
        if admitted.effect is Effect.FORMALITIES_AFTER_EXECUTION and "post_formalities" in parts.absent:
            yield DocumentWarning(
                "/post_formalities",
                "formalities_required",
                "The state asked wants the request repeated in its own form afterwards: say that it will be.",
            )


def information_stays_at_home(parts: Parts, _: Situation) -> Iterator[Finding]:
    """Art. 26(2): what is offered under a condition is not told in the offer."""
    if parts.teaser is None or parts.information is None:
        return
    offered, kept = (" ".join(text.split()).casefold() for text in (parts.teaser, parts.information.text))
    if kept in offered or offered in kept:
        yield FieldError(
            "/teaser", "content_in_teaser", "The offer travels before anything is agreed: leave the information out."
        )


def markings_agree(parts: Parts, _: Situation) -> Iterator[Finding]:
    """V-8: one label for the whole and another for a part of it; the strictest will count."""
    inner = None if parts.information is None else parts.information.marking
    if inner is not None and parts.marking is not None and inner != parts.marking:
        yield DocumentWarning(
            "/information/marking", "mixed_marking", "The offer is marked differently; the stricter label will count."
        )


def sensitive_data_are_marked(parts: Parts, _: Situation) -> Iterator[Finding]:
    """CETS 224 art. 14(4): what is sensitive goes to whoever needs to know it, and no further."""
    if parts.contains_sensitive and parts.marking is not None and parts.marking.tlp not in NEED_TO_KNOW:
        yield FieldError(
            "/marking/tlp", Completion.MARKING, "Sensitive data are TLP:AMBER+STRICT or TLP:RED (CETS 224 art. 14(4))."
        )


TYPE_RULES: tuple[Rule, ...] = (
    place_of_data_is_uncertain,
    authority_at_home_is_named,
    force_needs_a_letter,
    wanted_persons_are_circulated,
    provider_may_sit_elsewhere,
    call_is_confirmed_in_time,
    declarations_are_heeded,
    information_stays_at_home,
    markings_agree,
    sensitive_data_are_marked,
)
