"""Rules of law and practice over a whole document: arts. 25 to 35 ETS 185, art. 9 CETS 224, and rules V-1 to V-9.

Each rule reads what it needs and says nothing where that is missing: the shape has said so already.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from app.domain.codes import Completion, DataCategory, Instrument, RequestType, Tier
from app.domain.documents.checked import Alternative, DocumentWarning
from app.domain.documents.matter import MlaMeasure, RequestStatus
from app.domain.documents.reading import pointer_to
from app.domain.identifiers import Person
from app.domain.instruments import Basis, usable
from app.domain.request_types import EMERGENCY_ONLY
from app.domain.wire import MIN_HOLD_DAYS
from app.errors import FieldError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from app.domain.documents.findings import Finding, Parts, Rule, Situation
    from app.domain.instants import Instant

_REACHES_CONTENT = frozenset({MlaMeasure.SEARCH, MlaMeasure.SEIZURE, MlaMeasure.DISCLOSURE})
_NAMED_BY_TITLE = frozenset({Instrument.BILATERAL, Instrument.REGIONAL})
_EXTENDED = frozenset({RequestType.PRESERVATION, RequestType.PRESERVATION_EXTENSION})
_FINDS_DATA = frozenset({RequestType.PRESERVATION, RequestType.DATA_LOCATION_QUERY})


def extension_names_its_request(parts: Parts, situation: Situation) -> Iterator[Finding]:
    """V-6: an extension names the request it extends, only an extension does, and only a preservation is extended."""
    extends = parts.request_status is RequestStatus.EXTENSION
    if extends and situation.type not in _EXTENDED:
        yield FieldError("/request_status", "not_applicable", "Only a preservation is extended; file a new request.")
    elif extends and situation.type is RequestType.PRESERVATION and "previous_reference" in parts.absent:
        yield FieldError(
            "/previous_reference", Completion.MISSING, "An extension names the reference of the request it extends."
        )
    if parts.request_status is RequestStatus.NEW and parts.previous_reference is not None:
        yield FieldError("/previous_reference", "not_applicable", "Only an extension refers to an earlier request.")


def emergency_has_its_facts(parts: Parts, situation: Situation) -> Iterator[Finding]:
    """V-7 and CETS 224 arts. 9, 10: the tier EMERGENCY and the facts that justify it go together."""
    emergency = parts.urgency is not None and parts.urgency.tier is Tier.EMERGENCY
    by_type = situation.type in EMERGENCY_ONLY
    if (emergency or by_type) and "emergency" in parts.absent:
        yield FieldError(
            "/emergency",
            Completion.EMERGENCYFACTS,
            "An emergency is a significant and imminent risk to the life or safety of a person: state it. Where data "
            "are at risk and nobody is, use the tier URGENT with expected_loss_at.",
        )
    if by_type and parts.urgency is not None and not emergency:
        yield FieldError("/urgency/tier", "tier_mismatch", "This type is for emergencies: its tier is EMERGENCY.")


def mutual_assistance_is_intended(parts: Parts, situation: Situation) -> Iterator[Finding]:
    """Art. 29(2)(f), and V-4: content is preserved or collected only for a measure that can reach content."""
    if situation.type is RequestType.PRESERVATION and "mla_intent" in parts.absent:
        yield FieldError(
            "/mla_intent",
            Completion.MLAINTENT,
            "State the intention to submit a request for assistance: art. 29(2)(f).",
        )
    asks_content = any(DataCategory.CONTENT in target.data_categories for _, target in parts.targets)
    if situation.type is RequestType.EVIDENCE_COLLECTION and asks_content and "mla_intent" in parts.absent:
        yield FieldError(
            "/mla_intent",
            Completion.MLAINTENT,
            "Content is given on a letter of request only: say who will send it, arts. 31 and 34.",
        )
    intent = parts.mla_intent
    if intent is None:
        return
    if not intent.intends:
        yield FieldError(
            "/mla_intent/intends",
            Completion.MLAINTENT,
            "Without the intention to submit a request for assistance this cannot be asked: art. 29(2)(f).",
        )
    if asks_content and intent.measure not in _REACHES_CONTENT:
        yield FieldError(
            "/mla_intent/measure", Completion.MLAINTENT, "Content needs a search, a seizure or a disclosure to follow."
        )


def planned_date_fits_the_hold(parts: Parts, situation: Situation) -> Iterator[Finding]:
    """The letter of request should arrive while the data are still held (art. 29(7))."""
    intent = parts.mla_intent
    if intent is None:
        return
    today = situation.now.date()
    held_until = today + timedelta(days=parts.requested_period_days or MIN_HOLD_DAYS)
    if intent.planned_date < today:
        yield DocumentWarning("/mla_intent/planned_date", "time_passed", "The planned date has passed.")
    elif intent.planned_date > held_until:
        yield DocumentWarning(
            "/mla_intent/planned_date",
            "mla_after_hold_end",
            "By then the hold may have ended; ask for a longer period.",
        )


def times_still_lie_ahead(parts: Parts, situation: Situation) -> Iterator[Finding]:
    """A time that has passed is a warning and never an error (ruling 19): the officer must still be heard."""
    expected: tuple[tuple[str, Instant | None], ...] = (
        ("/urgency/expected_loss_at", parts.urgency.expected_loss_at if parts.urgency else None),
        ("/necessity/expected_loss_at", parts.necessity.expected_loss_at if parts.necessity else None),
        ("/emergency/imminent_until", parts.emergency.imminent_until if parts.emergency else None),
    )
    for pointer, instant in expected:
        if instant is not None and instant.utc < situation.now:
            yield DocumentWarning(pointer, "time_passed", "This time has passed; say whether the request still stands.")


def penalties_are_stated(parts: Parts, situation: Situation) -> Iterator[Finding]:
    """CETS 224 art. 9(3)(d): an emergency request states the penalties; elsewhere they are welcome."""
    if situation.type is not RequestType.EMERGENCY_DISCLOSURE:
        return
    for place, offence in enumerate(parts.offences):
        if offence.max_penalty_years is None and offence.penalty_note is None:
            yield FieldError(
                pointer_to("offences", place, "max_penalty_years"),
                Completion.MISSING,
                "Required: the penalty, in years or as penalty_note, art. 9(3)(d).",
            )


def a_person_is_no_target_alone(parts: Parts, situation: Situation) -> Iterator[Finding]:
    """Data are preserved or located for a line, an account or a machine; a person is only context."""
    persons = [isinstance(target.identifier, Person) for _, target in parts.targets]
    if situation.type in _FINDS_DATA and persons and all(persons):
        yield FieldError("/targets", "person_only", "Name the line, account or machine; a person alone finds no data.")


def instruments_are_in_force(parts: Parts, situation: Situation) -> Iterator[Finding]:
    """Warn of every instrument that cannot carry the request, and say which road is open."""
    if parts.legal_basis is None or parts.requested is None:
        return
    today = situation.now.date()
    bases = usable(situation.requesting, parts.requested, on=today, type=situation.type, law=situation.law)
    roads = _roads(bases, parts.requested, situation)
    for place, ground in enumerate(parts.legal_basis.international):
        at = ("legal_basis", "international", place)
        if ground.instrument in _NAMED_BY_TITLE and ground.title is None:
            yield FieldError(pointer_to(*at, "title"), Completion.MISSING, "Required: the title of the treaty.")
        if ground.instrument not in {basis.instrument for basis in bases}:
            yield DocumentWarning(
                pointer_to(*at, "instrument"),
                "instrument_not_in_force",
                "This instrument does not carry such a request between the two states today.",
                roads,
            )
        elif ground.articles and not _names_one_of(ground.articles, bases, ground.instrument):
            yield DocumentWarning(
                pointer_to(*at, "articles"),
                "articles_of_another_measure",
                "None of these articles carries such a request; see the ones that do.",
                tuple(road for road in roads if road.instrument is ground.instrument),
            )


def _names_one_of(articles: Iterable[str], bases: Iterable[Basis], instrument: Instrument) -> bool:
    """Whether an article named is one that carries the type, whatever paragraph is added; unnumbered ones do."""
    carrying = {article for basis in bases if basis.instrument is instrument for article in basis.articles}
    return not carrying or any(article.partition("(")[0].strip() in carrying for article in articles)


def _roads(bases: tuple[Basis, ...], requested: str, situation: Situation) -> tuple[Alternative, ...]:
    """Other instruments for the same request; failing those, preservation now and mutual assistance after."""
    if bases:
        return tuple(
            Alternative("Rest the request on this instrument.", situation.type, basis.instrument, basis.articles)
            for basis in bases
        )
    preserving = usable(
        situation.requesting,
        requested,
        on=situation.now.date(),
        type=RequestType.PRESERVATION,
        law=situation.law,
    )
    freeze = tuple(
        Alternative(
            "Have the data preserved at once, in the same tier.",
            RequestType.PRESERVATION,
            basis.instrument,
            basis.articles,
        )
        for basis in preserving[:1]
    )
    letter = Alternative("Send an urgent letter of request through the central authority (arts. 27(9), 31(3)).")
    return (*freeze, letter)


RULES: tuple[Rule, ...] = (
    extension_names_its_request,
    emergency_has_its_facts,
    mutual_assistance_is_intended,
    planned_date_fits_the_hold,
    times_still_lie_ahead,
    penalties_are_stated,
    a_person_is_no_target_alone,
    instruments_are_in_force,
)
