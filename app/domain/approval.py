"""What `approve` proposes when it says nothing, and what it becomes where the officer does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.domain.codes import Handling, Instrument, Pap, Tlp
from app.domain.documents.matter import Marking
from app.domain.instruments import require_basis

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.domain.instruments import Basis
    from app.domain.intake_acts import Approve
    from app.domain.triage import Proposal


@dataclass(frozen=True, slots=True)
class Approval:
    """What goes out on approval: the instrument with its articles, the marking, the checklist as answered."""

    instrument: Instrument | None
    articles: tuple[str, ...]
    marking: Mapping[str, Any]
    checklist: tuple[Mapping[str, Any], ...]

    def as_json(self) -> dict[str, Any]:
        """For keeping beside the request."""
        return {
            "instrument": self.instrument,
            "articles": list(self.articles),
            "marking": dict(self.marking),
            "checklist": [dict(entry) for entry in self.checklist],
        }


DEFAULT_MARKING = Marking(tlp=Tlp.AMBER_STRICT, pap=Pap.RED, handling=[Handling.H1])
"""Where the agency marked nothing: need-to-know, passive use, not in court without asking."""


def propose_approval(document: Mapping[str, Any], bases: tuple[Basis, ...], proposals: Sequence[Proposal]) -> Approval:
    """What `approve` takes when it says nothing itself.

    The instrument is the first one named in the document that can be used, else the best that can; None if none can,
    which approval allows and signing refuses. The marking is the document's, else the default.
    """
    grounds = document.get("legal_basis", {}).get("international", [])
    named = [ground["instrument"] for ground in grounds]
    basis = min(bases, key=lambda found: _rank(named, found), default=None)
    return Approval(
        instrument=basis.instrument if basis else None,
        articles=basis.articles if basis else (),
        marking=document.get("marking") or DEFAULT_MARKING.model_dump(mode="json", exclude_none=True),
        checklist=tuple({"test": one.test.id, "answer": one.proposal.value} for one in proposals),
    )


def decide_approval(act: Approve, proposed: Approval, *, bases: tuple[Basis, ...]) -> Approval:
    """The proposal, the officer's own words in its place; Refused `N-NOBASIS` for an instrument not in force."""
    basis = require_basis(bases, act.instrument) if act.instrument else None
    answered = {entry.test: entry.model_dump(mode="json", exclude_none=True) for entry in act.checklist or ()}
    return Approval(
        instrument=basis.instrument if basis else proposed.instrument,
        articles=basis.articles if basis else proposed.articles,
        marking=act.marking.model_dump(mode="json", exclude_none=True) if act.marking else proposed.marking,
        checklist=tuple(answered.get(entry["test"], entry) for entry in proposed.checklist),
    )


def _rank(named: list[str], basis: Basis) -> int:
    return named.index(basis.instrument) if basis.instrument in named else len(named)
