"""Rules for each target: who may hold the data, which time is asked for, whether a line can be found (IP-4 to IP-7)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from app.domain.codes import Completion, DataCategory, RequestType
from app.domain.documents.checked import DocumentWarning
from app.domain.documents.reading import pointer_to
from app.domain.documents.targets import Assignment
from app.domain.identifiers import IpFlow, Ipv4, Ipv6
from app.domain.identifiers.addresses import normal_address
from app.domain.identifiers.reachability import Reach, reach, read_address, unwrapped
from app.domain.law.warning_lists import Watched
from app.errors import FieldError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.domain.documents.findings import Finding, Parts, Rule, Situation
    from app.domain.documents.targets import Target
    from app.domain.law.warning_lists import WarningList

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far the other clocks may be ahead of ours before a time counts as lying in the future."""
IPV4 = 4
COARSEST_CLOCK = 1.0
"""Seconds: behind a shared address a coarser clock points at several customers."""

_SHARED = frozenset({Assignment.DYNAMIC, Assignment.CGN})
_CUSTOMER = frozenset({DataCategory.SUBSCRIBER, DataCategory.USER_IDENTIFICATION})
_PORT = "Required behind a carrier-grade NAT: without the source port nobody can tell the customers apart (IP-4)."
_RESERVED = "This value is kept for documentation and belongs to nobody; only a document with is_test may use it."
_FUTURE = (
    "Only data that exist can be preserved. For what is still to come use real-time measures: arts. 33 and 34, by MLA."
)

_UNSEEN = "Nobody has seen this yet."
_RESOLVE = "Many IPv4 addresses are shared: give source port and second-accurate time if you have them."


def custodian_or_what_was_tried(parts: Parts, situation: Situation) -> Iterator[Finding]:
    """Art. 29(2)(d): any available information; none is an answer, silence is not."""
    if situation.type is not RequestType.PRESERVATION:
        return
    for place, target in parts.targets:
        if target.custodian is None and target.system_location is None and not target.custodian_unknown:
            yield FieldError(
                _at(place, "custodian"),
                Completion.MISSING,
                "Required: custodian, system_location, or custodian_unknown with what was tried, art. 29(2)(d).",
            )
        if target.custodian_unknown and target.custodian_search is None:
            yield FieldError(
                _at(place, "custodian_search"),
                Completion.MISSING,
                "Required: what was tried to find the custodian, art. 29(2)(d).",
            )


def custodian_is_in_the_state_asked(parts: Parts, _: Situation) -> Iterator[Finding]:
    """V-3: a warning, because a provider's seat does not always say where its data are."""
    for pointer, country in _countries(parts):
        if parts.requested_state not in {None, country}:
            yield DocumentWarning(
                pointer, "D-WRONGSTATE", "This is not the state asked; the data may have to be sought elsewhere."
            )


def interval_is_historical(parts: Parts, situation: Situation) -> Iterator[Finding]:
    """The time asked for has a beginning and an end, in this order, and both have passed (G17, scenario 34)."""
    latest = situation.now + CLOCK_TOLERANCE
    for place, target in parts.targets:
        interval = target.interval
        if interval is not None and interval.start.utc >= interval.end.utc:
            yield FieldError(_at(place, "interval", "end"), "bad_interval", "The end lies after the start.")
        if interval is not None and interval.end.utc > latest:
            yield FieldError(_at(place, "interval", "end"), "future_interval", _FUTURE)
        for number, observation in enumerate(target.observations):
            if observation.at.utc > latest:
                yield FieldError(_at(place, "observations", number, "at"), "future_observation", _UNSEEN)
        for member, moment in target.identifier.moments():
            if moment.utc > latest:
                yield FieldError(_at(place, "identifier", member), "future_observation", _UNSEEN)


def interval_is_narrow(parts: Parts, situation: Situation) -> Iterator[Finding]:
    """IP-6 is an error: so much of a changing address names too many people. Other widths are a warning."""
    widths = situation.law.intervals
    for place, target in parts.targets:
        if target.interval is None:
            continue
        width = target.interval.end.utc - target.interval.start.utc
        categories = set(target.data_categories)
        widest = widths.widest(categories)
        if target.assignment in _SHARED and categories & _CUSTOMER and width > widths.shared_address:
            yield FieldError(
                _at(place, "interval"),
                Completion.OVERBROAD,
                f"More than {widths.shared_address_hours} hours of a shared or changing address name too many "
                "customers; narrow it (IP-6).",
            )
        elif widest is not None and width > widest:
            yield DocumentWarning(
                _at(place, "interval"),
                Completion.OVERBROAD,
                f"More than {widest.days} days; say why so much is needed.",
            )


def address_can_be_resolved(parts: Parts, _: Situation) -> Iterator[Finding]:
    """IP-4: an address that changes hands needs a time, one behind a CGN also the source port."""
    for place, target in parts.targets:
        if isinstance(target.identifier, (Ipv4, Ipv6)):
            yield from _resolvable_address(place, target, target.identifier.value)
        if isinstance(target.identifier, IpFlow) and target.identifier.source_port is None:
            yield from _flow_without_port(place, target.identifier, target.assignment or Assignment.UNKNOWN)


def _is_ipv4(text: str) -> bool:
    return unwrapped(read_address(text)).version == IPV4


def _flow_without_port(place: int, flow: IpFlow, assignment: Assignment) -> Iterator[Finding]:
    at = _at(place, "identifier", "source_port")
    if assignment is Assignment.CGN:
        yield FieldError(at, Completion.PORT, _PORT)
    elif assignment is Assignment.UNKNOWN and _is_ipv4(flow.source_ip):
        yield DocumentWarning(at, "may_not_resolve", _RESOLVE)


def _resolvable_address(place: int, target: Target, address: str) -> Iterator[Finding]:
    assignment = target.assignment or Assignment.UNKNOWN
    if assignment is not Assignment.STATIC and not target.observations and target.interval is None:
        yield FieldError(
            _at(place, "observations"),
            Completion.MISSING,
            "Required: when the address was seen, or an interval; such addresses change hands (IP-4).",
        )
    if assignment is Assignment.CGN:
        yield from _resolvable_behind_cgn(place, target)
    if assignment is Assignment.UNKNOWN and _is_ipv4(address):
        yield DocumentWarning(
            _at(place, "assignment"),
            "may_not_resolve",
            _RESOLVE,
        )


def _resolvable_behind_cgn(place: int, target: Target) -> Iterator[Finding]:
    if not target.observations:
        yield FieldError(_at(place, "observations"), Completion.PORT, _PORT)
    for number, observation in enumerate(target.observations):
        if observation.source_port is None:
            yield FieldError(_at(place, "observations", number, "source_port"), Completion.PORT, _PORT)
        if (observation.accuracy_seconds or 0) > COARSEST_CLOCK:
            yield DocumentWarning(
                _at(place, "observations", number, "accuracy_seconds"),
                "clock_too_coarse",
                "Behind a shared address the time must be right to the second.",
            )


def clocks_are_right(parts: Parts, _: Situation) -> Iterator[Finding]:
    """A clock that was known to be wrong shifts the time that is searched, which only matters where lines change."""
    for place, target in parts.targets:
        if target.assignment is Assignment.STATIC:
            continue
        for number, observation in enumerate(target.observations):
            skew = observation.known_skew_seconds or 0
            if abs(skew) > max(COARSEST_CLOCK, observation.accuracy_seconds or 0):
                yield DocumentWarning(
                    _at(place, "observations", number, "known_skew_seconds"),
                    "clock_skewed",
                    "The clock was wrong by more than its accuracy: say whether the time is corrected already.",
                )


def reserved_values_are_for_tests(parts: Parts, _: Situation) -> Iterator[Finding]:
    """Values kept for documentation belong to nobody: only a test may name them."""
    if parts.is_test:
        return
    for place, target in parts.targets:
        member = target.identifier.reserved_member()
        if member is not None:
            yield FieldError(_at(place, "identifier", member), "documentation_range", _RESERVED)
        for number, observation in enumerate(target.observations):
            reached = observation.destination_ip
            if reached is not None and reach(read_address(reached)) is Reach.DOCUMENTATION:
                yield FieldError(_at(place, "observations", number, "destination_ip"), "documentation_range", _RESERVED)


def identifiers_have_remarks(parts: Parts, _: Situation) -> Iterator[Finding]:
    """What the identifiers themselves warn of."""
    for place, target in parts.targets:
        for remark in target.identifier.remarks():
            yield DocumentWarning(_at(place, "identifier", remark.member), remark.code, remark.detail)


def identifiers_stand_on_no_list(parts: Parts, situation: Situation) -> Iterator[Finding]:
    """Values that name nobody or too many (public resolvers, shared hosting): a warning, in the list's own words."""
    lists = situation.law.warning_lists
    for place, target in parts.targets:
        for member, watched, value in target.identifier.watched():
            for hit in lists.hits(watched, value, type=target.identifier.type):
                yield _on_list(f"{_at(place, 'identifier')}/{member}", hit)
        for where, reached in _destinations(target):
            for hit in lists.hits(Watched.ADDRESS, normal_address(reached)["value"], type="destination"):
                yield _on_list(_at(place, *where), hit)


def _destinations(target: Target) -> Iterator[tuple[tuple[int | str, ...], str]]:
    if isinstance(target.identifier, IpFlow):
        yield ("identifier", "destination_ip"), target.identifier.destination_ip
    for number, observation in enumerate(target.observations):
        if observation.destination_ip is not None:
            yield ("observations", number, "destination_ip"), observation.destination_ip


def _on_list(pointer: str, hit: WarningList) -> DocumentWarning:
    return DocumentWarning(pointer, "on_warning_list", hit.why, list=hit.list)


def _countries(parts: Parts) -> Iterator[tuple[str, str]]:
    for place, target in parts.targets:
        if target.custodian is not None:
            yield _at(place, "custodian", "country"), target.custodian.country
        if target.system_location is not None:
            yield _at(place, "system_location", "country"), target.system_location.country
    for number, provider in enumerate(parts.providers):
        yield pointer_to("providers", number, "country"), provider.country


def _at(place: int, *rest: int | str) -> str:
    return pointer_to("targets", place, *rest)


TARGET_RULES: tuple[Rule, ...] = (
    custodian_or_what_was_tried,
    custodian_is_in_the_state_asked,
    interval_is_historical,
    interval_is_narrow,
    address_can_be_resolved,
    clocks_are_right,
    reserved_values_are_for_tests,
    identifiers_have_remarks,
    identifiers_stand_on_no_list,
)
