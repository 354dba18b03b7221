"""What a case looks like when it leaves the system: one block, every item with its marking and what binds it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from app.db.disclosures import Disclosure
from app.db.exchanges import ExchangeRecord
from app.db.files import NamedFile
from app.domain.codes import Direction, Instrument, RequestType, State, Tier
from app.domain.exchange.exporting import ATTACHMENT, BroughtFile, Entry, Exported
from app.domain.marking_bodies import MarkingBody, write_marking
from app.domain.markings import Destination
from app.domain.onward_bodies import OnwardTransferBody, UseQuestionBody
from app.domain.snapshot import take_snapshot
from app.domain.snapshot_bodies import ConditionBody
from app.routers.file_views import AttachmentView
from app.routers.hold_views import HoldView, show_hold
from app.routers.models import Moment, View


class DisclosureView(View):
    """One disclosure of received information to an authority at home."""

    id: UUID
    at: Moment
    recipient: Destination
    authority: str
    purpose: str
    other_use: bool
    transfer_id: UUID | None
    marking: MarkingBody


class PurposeView(View):
    """What it was asked for and may be used for: the case, its offences, the instrument."""

    reference: str
    type: RequestType
    offences: list[str]
    instrument: Instrument | None


class ItemView(View):
    """One item: the request, an answer, a traffic path, a file. `conditions` bind whoever has it.

    An auditor sees that there is an item, how it is marked and what binds it, and not its content.
    """

    kind: str
    party: str
    at: Moment
    marking: MarkingBody
    conditions: list[UUID]
    content: dict[str, Any] | None


class WithheldView(View):
    """An item that marking, condition or a missing grant keeps from this recipient."""

    kind: str
    party: str
    at: Moment
    reason: str


class ExportView(View):
    """One case in one block, for one kind of recipient. `marking` is the strictest of what is in it."""

    exported_at: Moment
    recipient: Destination
    code: str | None
    purpose: PurposeView
    marking: MarkingBody
    id: UUID
    direction: Direction
    requesting: str
    requested: str
    tier: Tier
    state: State
    generation: int
    b_reference: str | None
    items: list[ItemView]
    withheld: list[WithheldView]
    conditions: list[ConditionBody]
    onward_transfers: list[OnwardTransferBody]
    use_questions: list[UseQuestionBody]
    disclosures: list[DisclosureView]
    holds: list[HoldView]
    attachments: list[AttachmentView]


def show_disclosure(one: Disclosure) -> DisclosureView:
    """One disclosure."""
    return DisclosureView(
        id=one.id,
        at=one.at,
        recipient=one.recipient,
        authority=one.authority,
        purpose=one.purpose,
        other_use=one.other_use,
        transfer_id=one.transfer_id,
        marking=MarkingBody.model_validate(one.marking, strict=False),
    )


@dataclass(frozen=True, slots=True)
class BesideExport:
    """What is exported beside the case itself. Without `content`: for who may see that there is one, not what it is."""

    disclosures: Sequence[Disclosure] = ()
    files: Sequence[AttachmentView] = ()
    content: bool = True


def file_item(file: NamedFile) -> BroughtFile:
    """A file as an item of its exchange."""
    return BroughtFile(file.created_at, own=file.direction is Direction.OUTGOING, marking=file.marking)


def show_export(record: ExchangeRecord, exported: Exported, beside: BesideExport, *, now: datetime) -> ExportView:
    """The block, with what is beside it."""
    value, told = record.value, take_snapshot(record.value)
    return ExportView(
        exported_at=now,
        recipient=exported.to,
        code=exported.code,
        purpose=_purpose(record),
        marking=write_marking(exported.marking),
        id=value.id,
        direction=record.direction,
        requesting=value.requesting,
        requested=value.requested,
        tier=value.tier,
        state=value.state,
        generation=value.generation,
        b_reference=value.b_reference,
        items=[_item(entry, _content(record, entry, beside) if beside.content else None) for entry in exported.entries],
        withheld=[
            WithheldView(kind=entry.kind, party=entry.party, at=entry.at, reason=reason)
            for entry, reason in exported.withheld
        ],
        conditions=list(told.accepted_conditions),
        onward_transfers=list(told.onward_transfers),
        use_questions=list(told.use_questions),
        disclosures=[show_disclosure(one) for one in beside.disclosures],
        holds=[show_hold(hold, record, now=now) for hold in value.holds] if beside.content else [],
        attachments=[beside.files[one.number] for one in exported.entries if one.kind == ATTACHMENT],
    )


def _purpose(record: ExchangeRecord) -> PurposeView:
    offences = record.document.get("offences")
    titles = [one.get("title") for one in offences if isinstance(one, dict)] if isinstance(offences, list) else []
    return PurposeView(
        reference=record.value.request_reference,
        type=record.value.type,
        offences=[title for title in titles if isinstance(title, str)],
        instrument=record.value.instrument,
    )


def _content(record: ExchangeRecord, entry: Entry, beside: BesideExport) -> dict[str, Any]:
    """What the item says, as the snapshot or the document has it; of a file, what it is."""
    if entry.kind == ATTACHMENT:
        return beside.files[entry.number].model_dump(mode="json")
    told = take_snapshot(record.value)
    contents: dict[str, list[BaseModel]] = {"answer": list(told.answers), "traffic_path": list(told.traffic_paths)}
    listed = contents.get(entry.kind)
    return record.document if listed is None else listed[entry.number].model_dump(mode="json", exclude_none=True)


def _item(entry: Entry, content: dict[str, Any] | None) -> ItemView:
    return ItemView(
        kind=entry.kind,
        party=entry.party,
        at=entry.at,
        marking=write_marking(entry.item.marking),
        conditions=list(entry.conditions),
        content=content,
    )
