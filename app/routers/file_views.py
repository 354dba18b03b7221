"""What callers are shown of the files of an exchange, both sides'."""

from __future__ import annotations

from uuid import UUID

from app.db.files import Progress
from app.db.tables_files import FileState
from app.domain.codes import Direction
from app.domain.marking_bodies import MarkingBody, write_marking
from app.domain.markings import Marking
from app.routers.models import View


class AttachmentView(View):
    """A file that a signed message names: `arrived` of its `chunks` are where it goes. `wrong`: not what was signed."""

    id: UUID
    direction: Direction
    name: str
    media_type: str
    size: int
    arrived: int
    chunks: int
    state: FileState
    marking: MarkingBody


def show_file(come: Progress, *, otherwise: Marking) -> AttachmentView:
    """One file and how far it has come; one without a marking of its own bears that of its exchange, `otherwise`."""
    file = come.file
    return AttachmentView(
        id=file.id,
        direction=file.direction,
        name=file.name,
        media_type=file.media_type,
        size=file.size,
        arrived=come.arrived,
        chunks=file.chunks,
        state=file.state,
        marking=write_marking(file.marking or otherwise),
    )
