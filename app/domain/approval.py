"""What `approve` proposes when it says nothing, and what it becomes where the officer does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.domain.codes import Handling, Instrument, Pap, Tlp
from app.domain.documents.matter import Marking
from app.domain.instruments import require_basis
from app.domain.marking_bodies import filed_marking
from app.domain.markings import Marking as FileMarking
from app.domain.markings import combined, more_open
from app.errors import FieldError, Refused

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


def least_marking(document: Mapping[str, Any]) -> tuple[FileMarking, ...]:
    """What the content itself asks of the marking; nothing where it says of no sensitive data."""
    return (FileMarking(Tlp.AMBER_STRICT, Pap.CLEAR),) if document.get("contains_sensitive") is True else ()


def propose_approval(
    document: Mapping[str, Any],
    bases: tuple[Basis, ...],
    proposals: Sequence[Proposal],
    *,
    files: Sequence[FileMarking] = (),
) -> Approval:
    """What `approve` takes when it says nothing itself.

    The instrument is the first one named in the document that can be used, else the best that can; None if none can,
    which approval allows and signing refuses. The marking is the document's, else the default, and as strict as any of
    the files.
    """
    grounds = document.get("legal_basis", {}).get("international", [])
    named = [ground["instrument"] for ground in grounds]
    basis = min(bases, key=lambda found: _rank(named, found), default=None)
    return Approval(
        instrument=basis.instrument if basis else None,
        articles=basis.articles if basis else (),
        marking=_with_files(document.get("marking") or DEFAULT_MARKING.model_dump(mode="json"), files),
        checklist=tuple({"test": one.test.id, "answer": one.proposal.value} for one in proposals),
    )


def decide_approval(
    act: Approve, proposed: Approval, *, bases: tuple[Basis, ...], files: Sequence[FileMarking] = ()
) -> Approval:
    """The proposal, the officer's own words in its place.

    Raises Refused: `N-NOBASIS` for an instrument not in force, `C-MARKING` for a marking more open than a file's.
    """
    _check_marking(act, files)
    basis = require_basis(bases, act.instrument) if act.instrument else None
    answered = {entry.test: entry.model_dump(mode="json", exclude_none=True) for entry in act.checklist or ()}
    return Approval(
        instrument=basis.instrument if basis else proposed.instrument,
        articles=basis.articles if basis else proposed.articles,
        marking=act.marking.model_dump(mode="json", exclude_none=True) if act.marking else proposed.marking,
        checklist=tuple(answered.get(entry["test"], entry) for entry in proposed.checklist),
    )


def _with_files(marking: Mapping[str, Any], files: Sequence[FileMarking]) -> Mapping[str, Any]:
    """The marking of the whole once its files are in it, written as a document has it."""
    filed = filed_marking(marking)
    whole = combined(filed, *files)
    if whole == filed:
        return {name: value for name, value in marking.items() if value is not None}
    written = {"tlp": whole.tlp.value, "pap": whole.pap.value, "handling": [code.value for code in whole.handling]}
    return written if whole.text is None else written | {"handling_text": whole.text}


def _check_marking(act: Approve, files: Sequence[FileMarking]) -> None:
    if act.marking is None or not files:
        return
    opener = more_open(filed_marking(act.marking.model_dump(mode="json")), than=combined(*files))
    if opener:
        detail = "A file of the request, or its sensitive data, need a stricter marking: mark the request so."
        faults = tuple(FieldError(f"/marking/{part}", "C-MARKING", detail) for part in opener)
        raise Refused("C-MARKING", detail, errors=faults)


def _rank(named: list[str], basis: Basis) -> int:
    return named.index(basis.instrument) if basis.instrument in named else len(named)
