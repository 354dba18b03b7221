"""The words of the form: complete, translated, and there for everything that can be printed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, get_args

import pytest

from app.domain import codes, exchange_codes
from app.domain.directory_codes import PreservationKind
from app.domain.documents import asking, assisting, authorities, matter, targets
from app.domain.identifiers import KINDS
from app.domain.identifiers.accounts import IdKind
from app.forms import afterwards, completing, composing, course, laying, letters
from app.forms.catalogues import LANGUAGES, catalogue
from app.forms.layouts import layout_of
from app.forms.shapes import SHAPES, Kind
from tests.architecture.source import ROOT
from tests.forms.printed import PRINTED_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from enum import StrEnum

    from pydantic import BaseModel

SAME_EVERYWHERE = re.compile(r"[A-Z0-9 ()/.:+-]*")
"""Labels that are names or figures only."""

ALIKE_IN_FRENCH = frozenset(
    {
        "Date",
        "Organisation",
        "Question",
        "Signature",
        "Instrument",
        "Articles",
        "Condition",
        "Service",
        "Observation",
        "Information",
        "Source",
        "Code",
        "Suggestion",
        "Routine",
        "Contact",
        "Urgent",
        "Description",
        "Danger",
        "Page",
    }
)
"""English labels that French writes alike."""

SCRIPTS = {"ar": r"[\u0600-\u06ff]", "ja": r"[\u3040-\u30ff\u4e00-\u9fff]"}

LISTS: dict[str, type[StrEnum]] = {
    "tier": codes.Tier,
    "request_status": matter.RequestStatus,
    "reply_means": authorities.ReplyMeans,
    "instrument": codes.Instrument,
    "assignment": targets.Assignment,
    "data_category": codes.DataCategory,
    "id_kind": IdKind,
    "necessity_reason": matter.NecessityReason,
    "mla_measure": matter.MlaMeasure,
    "evidence_measure": assisting.EvidenceMeasure,
    "reason_for_haste": matter.ReasonForHaste,
    "uncertain_reason": matter.UncertainReason,
    "legal_topic": asking.LegalTopic,
    "provider_detail": asking.ProviderDetail,
    "location_detail": asking.LocationDetail,
    "threat_kind": exchange_codes.ThreatKind,
    "condition_kind": exchange_codes.ConditionKind,
    "source_evaluation": exchange_codes.SourceEvaluation,
    "information_evaluation": exchange_codes.InformationEvaluation,
    "tlp": codes.Tlp,
    "pap": codes.Pap,
    "handling": codes.Handling,
    "state": codes.State,
    "flag": exchange_codes.Flag,
    "hold_state": codes.HoldState,
    "mla_status": codes.MlaStatus,
    "refusal_ground": codes.RefusalGround,
    "not_executable": codes.NotExecutable,
    "completion": codes.Completion,
    "risk_notice": codes.RiskNotice,
    "power": PreservationKind,
    "decision": exchange_codes.Decision,
    "hold_end": exchange_codes.LiftReason,
}
"""Closed lists of the domain, by the name under which their words stand."""


def literals(model: type, member: str) -> Iterable[str]:
    """The texts that a member may have."""
    found = re.findall(r"'([^']+)'", str(model.__annotations__[member]))
    assert found, member
    return found


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_language_has_every_key(language: str) -> None:
    """No catalogue lacks a key of another one, and none has a key more."""
    assert catalogue(language).labels.keys() == catalogue("en").labels.keys()


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_no_label_is_left_in_english(language: str) -> None:
    """Every label is in its language: in its script, or at least other than the English one."""
    english = catalogue("en").labels
    left = [
        key
        for key, label in catalogue(language).labels.items()
        if not SAME_EVERYWHERE.fullmatch(label) and not is_translated(language, label, english[key])
    ]
    assert left == []


def is_translated(language: str, label: str, english: str) -> bool:
    """By script where there is one of its own."""
    if language in SCRIPTS:
        return re.search(SCRIPTS[language], label) is not None
    return label != english or label in ALIKE_IN_FRENCH


def test_a_label_left_in_english_would_be_seen() -> None:
    """The check above finds an English label in each of the languages."""
    assert not any(
        is_translated(language, "Summary of the facts", "Summary of the facts") for language in LANGUAGES[1:]
    )


@pytest.mark.parametrize("name", LISTS)
def test_every_word_of_a_closed_list_has_a_label(name: str) -> None:
    """Whatever the domain adds to a list has to be given its words here."""
    missing = [str(word) for word in LISTS[name] if catalogue("en").code(name, str(word)) is None]
    assert missing == []


def test_every_member_of_a_shape_has_a_label() -> None:
    """A member that a document can have is printed under a label."""
    labels = catalogue("en").labels
    wanted = [
        f"fields.{shape}.{member.name}"
        for shape, members in SHAPES.items()
        for member in members
        if member.kind is not Kind.SHAPE
    ]
    assert [key for key in wanted if key not in labels] == []


def test_every_key_in_the_program_has_a_label() -> None:
    """Sections, parts, fields and sentences that the program names are in the catalogues."""
    labels = catalogue("en").labels
    sections = {line.key for type_ in PRINTED_TYPES for line in layout_of(type_)}
    assert [key for key in sections if f"sections.{key}" not in labels] == []
    written = "".join(
        (ROOT / str(module.__file__)).read_text("utf-8")
        for module in (afterwards, completing, composing, course, laying, letters)
    )
    named = {f"fields.{key}" for key in re.findall(r'Field\(\s*"([a-z_]+\.[a-z_0-9]+)"', written)}
    named |= {f"sections.{key}" for key in re.findall(r'Section\(\s*(?:"[^"]+"|[A-Z]+), "([a-z_]+)"', written)}
    named |= {f"parts.{key}" for key in re.findall(r'Part\(\s*"([a-z_]+)"', written)}
    named |= {f"words.{key}" for key in re.findall(r'Sentence\("([a-z_]+)"', written)}
    assert len(named) > 60, "nothing was found in the program"
    assert [key for key in sorted(named) if key not in labels] == []


def test_identifiers_and_offences_have_labels() -> None:
    """Every type of identifier and every article that an offence may name has its words."""
    kinds = {one for kind in KINDS for one in get_args(kind.model_fields["type"].annotation)}
    assert [one for one in kinds if catalogue("en").code("identifier_type", one) is None] == []
    articles = literals(matter.Offence, "ets185_article")
    assert [one for one in articles if catalogue("en").code("ets185_article", one) is None] == []
    assert [one for one in codes.RequestType if f"titles.{one}" not in catalogue("en").labels] == []


def test_every_member_of_a_document_is_known_to_a_shape() -> None:
    """What the models of documents hold is laid out under a label of its own, and not among unknown members."""
    known = {member.name for members in SHAPES.values() for member in members}
    models: dict[str, type[BaseModel]] = {
        "authority": authorities.Authority,
        "contact_person": authorities.ContactPerson,
        "court": authorities.Court,
        "related_request": authorities.RelatedRequest,
        "provider": authorities.Provider,
        "letter": authorities.Letter,
        "reachable": authorities.ReachableContact,
        "post_formalities": authorities.PostFormalities,
        "offence": matter.Offence,
        "necessity": matter.Necessity,
        "emergency": matter.Emergency,
        "confidentiality": matter.Confidentiality,
        "suspect": assisting.Suspect,
        "provider_sought": asking.ProviderSought,
        "observation": targets.Observation,
        "custodian": targets.Custodian,
    }
    for shape, model in models.items():
        here = {member.name for member in SHAPES[shape]}
        assert set(model.model_fields) <= here, shape
    for kind in KINDS:
        assert set(kind.model_fields) <= {member.name for member in SHAPES["identifier"]}, kind.__name__
    assert set(targets.Target.model_fields) <= known
