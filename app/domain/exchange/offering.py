"""Spontaneous information (art. 26): what of an offer leaves with its opening, and what is kept until it may go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.domain.exchange_codes import ConditionKind, InformationEvaluation, SourceEvaluation
from app.domain.marking_bodies import GivenMarking
from app.domain.messages import OfferedConditionBody
from app.domain.transitions import OFFER
from app.domain.wire import MAX_SHORT_TEXT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from app.domain.codes import RequestType
    from app.domain.requesting_acts import SendContent

INFORMATION = "information"
KEPT_AT_HOME = frozenset({INFORMATION, "derived_from"})
"""Members of a document that no other state reads: the content of an offer, and from whom what is passed on came."""


def leaving(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document without what stays in the state. Of whatever type: what is not asked for abroad does not leave."""
    return {name: value for name, value in document.items() if name not in KEPT_AT_HOME}


def offered_condition(
    document: Mapping[str, Any], kind: RequestType, *, condition_id: UUID
) -> OfferedConditionBody | None:
    """The condition under which an offer is made; None if it is made without, or is no offer."""
    told = document.get("condition")
    if kind not in OFFER or not isinstance(told, dict):
        return None
    return OfferedConditionBody(id=condition_id, kind=ConditionKind(told["kind"]), text=told["text"])


def with_kept_content(body: SendContent, document: Mapping[str, Any]) -> SendContent:
    """The act with what was kept with the offer; without a text of its own it takes the kept one and its evaluation."""
    kept = document.get(INFORMATION)
    if body.text is not None or not isinstance(kept, dict):
        return body
    marking = kept.get("marking")
    return body.model_copy(
        update={
            "text": kept.get("text"),
            "source": body.source or SourceEvaluation(kept["source"]),
            "information": body.information or InformationEvaluation(kept["evaluation"]),
            "marking": body.marking or (None if marking is None else _marking(marking)),
        }
    )


def _marking(told: Mapping[str, Any]) -> GivenMarking:
    text = told.get("handling_text")
    members = {"tlp": told["tlp"], "pap": told["pap"], "handling": told["handling"]}
    return GivenMarking.model_validate(
        members if text is None else members | {"text": text[:MAX_SHORT_TEXT]}, strict=False
    )
