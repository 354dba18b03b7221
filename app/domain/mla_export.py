"""Section 10 of the request for mutual legal assistance: the earlier preservation, ready to be copied (domain.md 3.3).

Exactly the five items that the template asks for: date, reference, who asked, who executed, and over which channel.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from app.domain.contact_points import ContactPoint
    from app.domain.exchange.values import Exchange
    from app.domain.holds import Hold

SECTION = 10


@dataclass(frozen=True, slots=True)
class Authority:
    """How an authority is reached; `organisation` and `person` are the investigating authority's where it is known."""

    contact_point: str
    agency: str
    organisation: str | None
    person: str | None
    telephone: str
    email: str


@dataclass(frozen=True, slots=True)
class Reference:
    """What the executing side calls it, and what the asking side does."""

    ticket: str | None
    request: str


@dataclass(frozen=True, slots=True)
class Channel:
    """The network it went over, and the id under which both contact points find it."""

    network: str
    exchange_id: str


@dataclass(frozen=True, slots=True)
class PriorPreservation:
    """The five items."""

    date: date
    reference: Reference
    requested_by: Authority
    executed_by: Authority
    channel: Channel


@dataclass(frozen=True, slots=True)
class Block:
    """Section 10 for one target that the hold covers, counted from 0."""

    target: int
    section_10: PriorPreservation

    def as_json(self) -> dict[str, Any]:
        """Its members, the date as a text."""
        items = asdict(self.section_10) | {"date": self.section_10.date.isoformat()}
        return {"target": self.target, "section_10": items}


def export_mla_section10(
    exchange: Exchange,
    hold: Hold,
    *,
    document: Mapping[str, Any],
    requesting: ContactPoint,
    requested: ContactPoint,
) -> tuple[Block, ...]:
    """One block per target of the hold, so that a request for part of the data names that part alone.

    The date is that of the request, in UTC. `document` is the one that was signed; what it lacks is left out.
    """
    items = PriorPreservation(
        date=exchange.opened_at.date(),
        reference=Reference(exchange.b_reference, exchange.request_reference),
        requested_by=_authority(requesting, document.get("investigating_authority")),
        executed_by=_authority(requested, None),
        channel=Channel("24/7 network of contact points", str(exchange.id)),
    )
    return tuple(Block(target, items) for target in hold.targets)


def as_text(blocks: tuple[Block, ...]) -> str:
    """The blocks as lines to paste."""
    return "\n\n".join(_lines(block) for block in blocks) + "\n"


def _lines(block: Block) -> str:
    items = block.section_10
    reference = " / ".join(part for part in (items.reference.ticket, items.reference.request) if part)
    return "\n".join(
        (
            f"{SECTION}. Previous preservation request (target {block.target + 1})",
            f"Date: {items.date.isoformat()}",
            f"Reference: {reference}",
            f"Requested by: {_one_line(items.requested_by)}",
            f"Executed by: {_one_line(items.executed_by)}",
            f"Channel: {items.channel.network}, exchange {items.channel.exchange_id}",
        )
    )


def _one_line(authority: Authority) -> str:
    parts = (
        authority.organisation,
        authority.person,
        f"{authority.agency} ({authority.contact_point})",
        authority.telephone,
        authority.email,
    )
    return ", ".join(part for part in parts if part)


def _authority(point: ContactPoint, investigating: object) -> Authority:
    """The contact point, through which the authority is reached, and the authority itself where the document names it.

    The document came from another node perhaps: a member that is no text is left out.
    """
    named = investigating if isinstance(investigating, dict) else {}
    organisation, person = (named.get(name) for name in ("organisation", "person_in_charge"))
    return Authority(
        contact_point=point.code,
        agency=point.agency_name.english,
        organisation=organisation if isinstance(organisation, str) else None,
        person=person if isinstance(person, str) else None,
        telephone=min(point.phones, key=lambda phone: phone.priority).number,
        email=point.emails[0].address,
    )
