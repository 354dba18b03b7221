"""What each type of message does here, and the answer that the requested node gives to a thread."""

from __future__ import annotations

from app.domain.codes import MessageType
from app.domain.delivery_messages import ChunkBody, ResyncBody, ResyncCopyBody
from app.domain.messages import ActionBody, HoldActionBody, OpenBody, StateBody, VoidBody
from app.domain.service_messages import CallBody, IncidentBody
from app.services.answer_thread import answer_thread
from app.services.apply_state import apply_state
from app.services.apply_wish import apply_hold_wish, apply_wish
from app.services.inbound import Effects
from app.services.open_exchange import apply_open
from app.services.recovery.adopt import take_copy
from app.services.recovery.take_list import take_list
from app.services.recovery.void import take_void
from app.services.take_chunk import take_chunk
from app.services.take_incident import take_incident
from app.services.take_test_call import take_test_call
from app.services.warn_of_withdrawal import warn_of_withdrawal

EFFECTS = Effects(
    apply={
        MessageType.EXCHANGE_OPEN: apply_open,
        MessageType.EXCHANGE_ACTION: apply_wish,
        MessageType.HOLD_ACTION: apply_hold_wish,
        MessageType.EXCHANGE_STATE: apply_state,
        MessageType.ATTACHMENT_CHUNK: take_chunk,
        MessageType.RESYNC: take_list,
        MessageType.RESYNC_COPY: take_copy,
        MessageType.VOID: take_void,
        MessageType.TEST_CALL: take_test_call,
        MessageType.INCIDENT: take_incident,
    },
    answer=answer_thread,
    wait=warn_of_withdrawal,
    bodies={
        MessageType.EXCHANGE_OPEN: OpenBody,
        MessageType.EXCHANGE_ACTION: ActionBody,
        MessageType.HOLD_ACTION: HoldActionBody,
        MessageType.EXCHANGE_STATE: StateBody,
        MessageType.ATTACHMENT_CHUNK: ChunkBody,
        MessageType.RESYNC: ResyncBody,
        MessageType.RESYNC_COPY: ResyncCopyBody,
        MessageType.VOID: VoidBody,
        MessageType.TEST_CALL: CallBody,
        MessageType.INCIDENT: IncidentBody,
    },
)
