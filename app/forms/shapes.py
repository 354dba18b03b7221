"""How each part of a request's document is printed: its members in order, and the kind of each.

The names are those of the document; the labels of the catalogues bear the same names. A member that no line here names
is printed all the same, at the end of the form.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Kind(StrEnum):
    """How a member is printed."""

    NAME = "name"
    TEXT = "text"
    PLAIN = "plain"
    CODE = "code"
    FLAG = "flag"
    DAY = "day"
    MOMENT = "moment"
    COUNTRY = "country"
    TONGUE = "tongue"
    DAYS = "days"
    YEARS = "years"
    SECONDS = "seconds"
    SHAPE = "shape"


@dataclass(frozen=True, slots=True)
class Member:
    """One member: its name, how it is printed, and the closed list or the shape it is of.

    `joined` shares the number of the member before it, as the mobile telephone does with the telephone.
    """

    name: str
    kind: Kind
    of: str = ""
    joined: bool = False


def _members(line: str) -> tuple[Member, ...]:
    """Members written as `name:kind`, `name:kind/list`, a leading `+` for those joined to the one before."""
    members = []
    for word in line.split():
        name, _, rest = word.partition(":")
        kind, _, of = rest.partition("/")
        members.append(Member(name.removeprefix("+"), Kind(kind), of, joined=name.startswith("+")))
    return tuple(members)


_LINES = {
    "authority": """organisation:name person_in_charge:name address:name telephone:plain +cell_phone:plain email:plain
        fax:plain office_hours:plain time_zone:plain response_by_expedited_means_preferred:flag
        response_preferred_means:code/reply_means +response_preferred_means_text:name""",
    "contact_person": """name:name job_title:name function:name telephone:plain cell_phone:plain email:plain""",
    "court": """office:name case_number:plain court:name court_case_number:plain decisions:name""",
    "related_request": """kind:code/related_kind date:day reference:plain requester_contact:name
        responder_contact:name channel:name""",
    "ground": """instrument:code/instrument articles:plain title:name""",
    "offence": """title:name national_provision:name ets185_article:code/ets185_article max_penalty_years:years
        penalty_note:name attempt_or_complicity:code/participation conduct_description:text""",
    "target": """identifier:shape/identifier assignment:code/assignment observations:shape/observation
        data_categories:code/data_category data_description:text interval:shape/interval narrowing:text""",
    "holder": """custodian:shape/custodian system_location:shape/location custodian_unknown:flag
        custodian_search:text""",
    "relation": """relationship_to_offence:text""",
    "observation": """at:moment source_port:plain destination_ip:plain destination_port:plain protocol:plain
        clock_source:name known_skew_seconds:seconds accuracy_seconds:seconds""",
    "interval": """start:moment end:moment""",
    "custodian": """name:name address:name country:country service:name law_enforcement_contact:name""",
    "location": """country:country description:text""",
    "identifier": """type:code/identifier_type service:name provider:name issuer:name name:name asset:plain value:plain
        id:plain id_kind:code/id_kind instance_id:plain address:plain ip:plain source_ip:plain source_port:plain
        destination_ip:plain destination_port:plain protocol:plain at:moment algorithm:plain secondary:shape/digest
        page_sha256:plain first6:plain last4:plain exchange:shape/custodian date_of_birth:day nationality:country
        document:plain received_at:moment observed_at:moment""",
    "digest": """algorithm:plain value:plain""",
    "necessity": """reason:code/necessity_reason text:text expected_loss_at:moment""",
    "mla_intent": """intends:flag measure:code/mla_measure authority:name planned_date:day""",
    "urgency": """tier:code/tier reasons:text expected_loss_at:moment""",
    "confidentiality": """keep_confidential:flag do_not_notify_user:flag tip_off_risk:text""",
    "emergency": """threat_kind:code/threat_kind persons_at_risk:text facts:text link_to_data:text
        imminent_until:moment""",
    "translation": """language:tongue file_name:plain machine_translation:flag""",
    "attestation": """name:name function:name on:day""",
    "oral_request": """made_at:moment by:name to:name""",
    "provider": """name:name address:name country:country contact:name""",
    "provider_sought": """name:name service:name country:country known:text""",
    "letter": """reference:plain date:day authority:name channel:name""",
    "reachable": """authority:name name:name function:name telephone:plain email:plain until:moment""",
    "advance_copy": """channel:code/reply_means text:text""",
    "post_formalities": """undertaken:flag authority:name planned_date:day text:text""",
    "suspect": """person:shape/identifier description:text ground_of_suspicion:text last_known:shape/whereabouts
        danger:text warrant:shape/warrant""",
    "whereabouts": """country:country place:name at:moment""",
    "warrant": """authority:name number:plain""",
    "location_uncertain": """reason:code/uncertain_reason text:text""",
    "offered_condition": """kind:code/condition_kind text:text""",
    "information": """text:text origin:text source:code/source_evaluation evaluation:code/information_evaluation
        marking:shape/marking""",
    "marking": """tlp:code/tlp pap:code/pap handling:code/handling handling_text:text text:text""",
}

SHAPES: Mapping[str, tuple[Member, ...]] = MappingProxyType({name: _members(line) for name, line in _LINES.items()})
"""Every part of a document by the name of its shape."""
