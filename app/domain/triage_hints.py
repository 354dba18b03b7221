"""What the software sees in a document that speaks against forwarding it, test by test (domain.md 1.4).

Each hint reads what it needs and says nothing where that is missing: a document may be a draft that lacks most of it.
A hint is a sentence for the duty officer. None of them decides anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.domain.codes import DataCategory, GateOutcome, RequestType, Tier
from app.domain.documents.reading import pointer_to
from app.domain.instruments import state_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import TypeAlias


LAST_KNOWN = "/suspect/last_known/country"


@dataclass(frozen=True, slots=True)
class Because:
    """One doubt: its code, a sentence, where in the document, and the outcome it points to."""

    code: str
    detail: str
    pointer: str | None = None
    suggests: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Only the members that say something."""
        members = {"code": self.code, "detail": self.detail, "pointer": self.pointer, "suggests": self.suggests}
        return {name: str(value) for name, value in members.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Matter:
    """A request in triage: the document as filed with its warnings, between whom, and what else is known.

    `same_before` counts our own other requests for the same data; `direct_road` says that the treaty by which
    authorities ask providers directly (CETS 224 arts. 6 and 7) is in force between the two states; `at_home` are names,
    in small letters, of custodians that are known to be established in our own state.
    """

    document: Mapping[str, Any]
    warnings: Sequence[Mapping[str, Any]]
    requesting: str
    requested: str
    same_before: int = 0
    direct_road: bool = False
    at_home: frozenset[str] = frozenset()

    @property
    def type(self) -> str:
        """The type as written."""
        return str(self.document.get("type", ""))

    @property
    def targets(self) -> list[Mapping[str, Any]]:
        """What can be read of the targets."""
        found = self.document.get("targets")
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []

    @property
    def custodians(self) -> list[str]:
        """The names of those who are thought to hold the data, target by target; "" where none is named."""
        named = [target.get("custodian") for target in self.targets]
        return [str(one.get("name", "")) if isinstance(one, dict) else "" for one in named]

    @property
    def places(self) -> list[tuple[str, str]]:
        """States that the document names beside its targets, with where: of providers, and where a person was last."""
        found = self.document.get("providers")
        listed = found if isinstance(found, list) else []
        named = [(pointer_to("providers", place, "country"), one) for place, one in enumerate(listed)]
        named.append((LAST_KNOWN, self.part("suspect").get("last_known")))
        return [(at, str(one["country"])) for at, one in named if isinstance(one, dict) and "country" in one]

    def part(self, name: str) -> Mapping[str, Any]:
        """One member that is an object; empty where it is not there."""
        found = self.document.get(name)
        return found if isinstance(found, dict) else {}


if TYPE_CHECKING:
    Hint: TypeAlias = Callable[[Matter], Iterator[tuple[str, Because]]]

G = GateOutcome
_NAMES_A_DOMAIN = frozenset({"domain", "url", "email"})
_REGISTERED = frozenset({DataCategory.SUBSCRIBER})
_WITHOUT_DATA = frozenset(
    {
        RequestType.TECHNICAL_ADVICE,
        RequestType.LEGAL_INFORMATION,
        RequestType.PROVIDER_CONTACT,
        RequestType.MLA_INITIATION,
        RequestType.EMERGENCY_MLA_NOTICE,
        RequestType.SPONTANEOUS_INFORMATION,
        RequestType.PRESERVATION_EXTENSION,
    }
)
"""Nothing is looked for there, or the exchange that is extended says where."""

_WITHOUT_OFFENCE = frozenset({RequestType.PRESERVATION_EXTENSION, RequestType.EMERGENCY_MLA_NOTICE})
"""The offence is that of the exchange that is extended, or of the letter that is on its way."""

_PRIVATE = frozenset({DataCategory.CONTENT, DataCategory.DEVICE_BACKUP})
_MOVEMENT = frozenset({DataCategory.TRAFFIC, DataCategory.LOCATION})
_RETURNS_DATA = frozenset({RequestType.EVIDENCE_COLLECTION})


def investigation(matter: Matter) -> Iterator[tuple[str, Because]]:
    """TRI-01 and TRI-02: an offence or a case, and the provision of our own law under which this is asked."""
    if matter.type not in _WITHOUT_OFFENCE and not matter.document.get("offences"):
        if not matter.part("prosecution_or_court"):
            detail = "Neither an offence nor a case of a court or prosecutor is named."
            yield "TRI-01", Because("no_investigation_named", detail, "/offences", G.NOTCRIM)
        if matter.type == RequestType.SPONTANEOUS_INFORMATION:
            detail = "Without an offence this may be intelligence, which goes by the police channel."
            yield "TRI-07", Because("intelligence_only", detail, "/offences", G.POLICE)
    if not matter.part("legal_basis").get("domestic"):
        detail = "No provision of our own law is named under which the agency may ask."
        yield "TRI-02", Because("domestic_basis_not_named", detail, "/legal_basis/domestic")


def whereabouts(matter: Matter) -> Iterator[tuple[str, Because]]:
    """TRI-03: whether a custodian or a system is known to be in the state asked. A suffix of a name proves nothing."""
    asked = state_of(matter.requested)
    besides = {country for _, country in matter.places}
    for place, target in enumerate(matter.targets):
        known = {*_countries(target), *besides}
        if asked in known:
            continue
        at = pointer_to("targets", place)
        if not known:
            yield "TRI-03", Because("whereabouts_unknown", "Nothing says in which state the data are.", at)
        if _identifier(target).get("type") in _NAMES_A_DOMAIN:
            detail = "The country suffix of a name proves nothing of where the data are."
            yield "TRI-03", Because("cctld_proves_nothing", detail, f"{at}/identifier")
    if not matter.targets and not besides and matter.type not in _WITHOUT_DATA:
        yield "TRI-03", Because("whereabouts_unknown", "The document names no target.", "/targets")
    if (LAST_KNOWN, asked) not in matter.places and LAST_KNOWN in dict(matter.places):
        detail = "The person was last seen in another state than the one asked."
        yield "TRI-03", Because("last_seen_elsewhere", detail, LAST_KNOWN, G.WRONGSTATE)


def at_home(matter: Matter) -> Iterator[tuple[str, Because]]:
    """TRI-04: a custodian or a system of our own state, or a provider that we know to be established here."""
    home = state_of(matter.requesting)
    for place, target in enumerate(matter.targets):
        if home in set(_countries(target)):
            detail = "The custodian or the system is in our own state: an order of our own may do."
            yield "TRI-04", Because("custodian_at_home", detail, pointer_to("targets", place), G.DOMESTIC)
    for at, country in matter.places:
        if country == home:
            detail = "What is sought is in our own state: an order of our own may do."
            yield "TRI-04", Because("custodian_at_home", detail, at, G.DOMESTIC)
    for place, name in enumerate(matter.custodians):
        if name.casefold() in matter.at_home:
            detail = "Our own list of providers knows this one as established here."
            yield "TRI-04", Because("provider_established_here", detail, pointer_to("targets", place), G.DOMESTIC)


def public_or_open(matter: Matter) -> Iterator[tuple[str, Because]]:
    """TRI-05: registration data of names are published; a page may be."""
    for place, target in enumerate(matter.targets):
        kind, at = _identifier(target).get("type"), pointer_to("targets", place)
        if kind == "domain" and _categories(target) == _REGISTERED:
            detail = "Who registered a name can often be had from the registry."
            yield "TRI-05", Because("registration_data_published", detail, at, G.ART32)
        if kind == "url":
            yield "TRI-05", Because("page_may_be_public", "What everybody can read needs no request.", at, G.ART32)


def direct_roads(matter: Matter) -> Iterator[tuple[str, Because]]:
    """TRI-06: a provider that answers foreign authorities, or the treaty that lets them ask it."""
    for place, target in enumerate(matter.targets):
        at = pointer_to("targets", place)
        custodian = target.get("custodian")
        if isinstance(custodian, dict) and custodian.get("law_enforcement_contact"):
            detail = "The provider has a contact for law enforcement: it may take the request directly."
            yield "TRI-06", Because("provider_contact_named", detail, f"{at}/custodian", G.PROVIDER)
        if matter.direct_road and _categories(target) == _REGISTERED:
            detail = "CETS 224 arts. 6 and 7 let an authority ask the provider or the registrar for such data."
            yield "TRI-06", Because("direct_request_possible", detail, at, G.PROVIDER)
        if DataCategory.PAYMENT in _categories(target):
            detail = "Payment data may also be had through the financial intelligence unit."
            yield "TRI-06", Because("financial_intelligence", detail, at)


def channel(matter: Matter) -> Iterator[tuple[str, Because]]:
    """TRI-07: content, and what has time, goes by letter of request; a person is sought through Interpol."""
    if matter.type in _RETURNS_DATA:
        for place, target in enumerate(matter.targets):
            if DataCategory.CONTENT in _categories(target):
                detail = "Content is given on a letter of request (art. 31); here it can be preserved meanwhile."
                yield "TRI-07", Because("content_needs_mla", detail, pointer_to("targets", place), G.MLA)
        if matter.part("urgency").get("tier") == Tier.ROUTINE:
            detail = "Nothing is urgent: a letter of request is the usual road."
            yield "TRI-07", Because("not_urgent", detail, "/urgency/tier", G.MLA)
    if matter.type == RequestType.LOCATE_SUSPECT:
        detail = "A person who is wanted is sought through Interpol."
        yield "TRI-07", Because("person_sought", detail, "/type", G.INTERPOL)


def breadth(matter: Matter) -> Iterator[tuple[str, Because]]:
    """TRI-09: all of an account for all time concerns more than the case, and other people."""
    for place, target in enumerate(matter.targets):
        at, timed = pointer_to("targets", place), bool(target.get("interval"))
        if _categories(target) & _PRIVATE and not timed and not target.get("narrowing"):
            detail = "All content of all time is asked for: name a time, folders or correspondents."
            yield "TRI-09", Because("content_not_narrowed", detail, at, G.DISPROP)
        seen = bool(target.get("observations")) or "at" in _identifier(target)
        if _categories(target) & _MOVEMENT and not timed and not seen:
            detail = "Traffic or places of all time are asked for: name a time."
            yield "TRI-09", Because("no_time_range", detail, at, G.DISPROP)


def tier(matter: Matter) -> Iterator[tuple[str, Because]]:
    """TRI-10: the facts behind the tier: a threat to a person, a date of loss."""
    claimed = matter.part("urgency").get("tier")
    lost = [matter.part(name).get("expected_loss_at") for name in ("urgency", "necessity")]
    if claimed == Tier.URGENT and not any(lost) and matter.type == RequestType.PRESERVATION:
        detail = "No date is given by which the data would be lost."
        yield "TRI-10", Because("no_loss_date", detail, "/urgency/expected_loss_at")
    if claimed == Tier.ROUTINE and any(lost):
        detail = "A date of loss is given: this may be urgent."
        yield "TRI-10", Because("loss_date_given", detail, "/urgency/tier")
    if claimed == Tier.EMERGENCY and not matter.part("emergency"):
        yield "TRI-10", Because("no_threat_stated", "No threat to a person is stated.", "/emergency")


def asked_before(matter: Matter) -> Iterator[tuple[str, Because]]:
    """TRI-12: another request for the same data at the same time."""
    if matter.same_before:
        detail = "Another request here concerns the same data; see `duplicates`."
        yield "TRI-12", Because("same_data", detail, "/targets", G.MERGED)


def marking(matter: Matter) -> Iterator[tuple[str, Because]]:
    """TRI-13: a marking of the agency's own, and what a tip-off would do."""
    if not matter.part("marking"):
        detail = "The agency marked nothing; the usual marking is proposed."
        yield "TRI-13", Because("marking_proposed", detail, "/marking")
    secrecy = matter.part("confidentiality")
    if (secrecy.get("keep_confidential") or secrecy.get("do_not_notify_user")) and not secrecy.get("tip_off_risk"):
        detail = "Nothing says what would happen if the suspect learned of it."
        yield "TRI-13", Because("tip_off_not_stated", detail, "/confidentiality/tip_off_risk")


HINTS: tuple[Hint, ...] = (
    investigation,
    whereabouts,
    at_home,
    public_or_open,
    direct_roads,
    channel,
    breadth,
    tier,
    asked_before,
    marking,
)


def _identifier(target: Mapping[str, Any]) -> Mapping[str, Any]:
    found = target.get("identifier")
    return found if isinstance(found, dict) else {}


def _categories(target: Mapping[str, Any]) -> frozenset[Any]:
    found = target.get("data_categories")
    return frozenset(one for one in found if isinstance(one, str)) if isinstance(found, list) else frozenset()


def _countries(target: Mapping[str, Any]) -> Iterator[str]:
    for member in ("custodian", "system_location"):
        named = target.get(member)
        if isinstance(named, dict) and isinstance(named.get("country"), str):
            yield named["country"]
