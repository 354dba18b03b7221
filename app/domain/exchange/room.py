"""How much an exchange may carry, so that its snapshot always fits into one envelope.

The lists that grow with every remark keep their newest entries; what is left out of them stays in the timeline and in
the signed messages, and is counted. Everything else is bounded by what the requested side may write and by what the
requesting side can add: no message of the other side makes an exchange too large to be answered.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.domain.snapshot import take_snapshot
from app.errors import FieldError, Refused

if TYPE_CHECKING:
    from app.domain.exchange.values import Exchange, LateFact, Progress, Supplement, TierChange

ROOM_BYTES = 156 * 1024
"""Of a snapshot. A body that must fit into a copy of itself has 192 KiB; the rest is for the fates of the other side's
messages and for the files that a state adds."""

OWN_ROOM_BYTES = 64 * 1024
"""Of what is never left out, after an act of the requested side. The requesting side can add some 90 KiB to it."""

ONWARD_ROOM_BYTES = 24 * 1024
"""Of what both sides say about onward transfer and use; nothing of it is ever left out."""

MAX_KEPT = 200
"""Entries of one growing list, however short they are."""


def within_room(exchange: Exchange) -> Exchange:
    """The exchange without the oldest remarks that do not fit any more; the very same one if all do."""
    kept = _not_too_many(exchange)
    while snapshot_bytes(kept) > ROOM_BYTES and (shorter := _without_oldest(kept)) is not None:
        kept = shorter
    return kept


def check_own_room(exchange: Exchange) -> None:
    """Raises Refused `too_much_text` if the requested side has written more than an exchange can carry for good."""
    bare = replace(
        exchange, progress=(), supplements=(), late_facts=(), tier_changes=(), onward_transfers=(), use_questions=()
    )
    if snapshot_bytes(bare) > OWN_ROOM_BYTES or is_onward_room_full(exchange):
        detail = "The exchange cannot carry so much text; attach what does not fit."
        raise Refused("too_much_text", detail, errors=(FieldError("", "too_much_text", detail),))


def is_onward_room_full(exchange: Exchange) -> bool:
    """Whether more is said about onward transfer and use than an exchange can carry for good."""
    if not exchange.onward_transfers and not exchange.use_questions:
        return False
    without = replace(exchange, onward_transfers=(), use_questions=())
    return snapshot_bytes(exchange) - snapshot_bytes(without) > ONWARD_ROOM_BYTES


def snapshot_bytes(exchange: Exchange) -> int:
    """How long the snapshot is, written."""
    return len(take_snapshot(exchange).model_dump_json(exclude_none=True).encode())


def _not_too_many(exchange: Exchange) -> Exchange:
    lists = (exchange.progress, exchange.supplements, exchange.late_facts, exchange.tier_changes)
    too_many = sum(max(0, len(entries) - MAX_KEPT) for entries in lists)
    if too_many == 0:
        return exchange
    return replace(
        exchange,
        progress=exchange.progress[-MAX_KEPT:],
        supplements=exchange.supplements[-MAX_KEPT:],
        late_facts=exchange.late_facts[-MAX_KEPT:],
        tier_changes=exchange.tier_changes[-MAX_KEPT:],
        left_out=exchange.left_out + too_many,
    )


def _without_oldest(exchange: Exchange) -> Exchange | None:
    """The exchange without its oldest remark, or None if there is none."""
    oldest: list[Progress | Supplement | LateFact | TierChange] = [
        *exchange.progress[:1],
        *exchange.supplements[:1],
        *exchange.late_facts[:1],
        *exchange.tier_changes[:1],
    ]
    if not oldest:
        return None
    gone = min(oldest, key=lambda entry: entry.at)
    return replace(
        exchange,
        progress=tuple(entry for entry in exchange.progress if entry is not gone),
        supplements=tuple(entry for entry in exchange.supplements if entry is not gone),
        late_facts=tuple(entry for entry in exchange.late_facts if entry is not gone),
        tier_changes=tuple(entry for entry in exchange.tier_changes if entry is not gone),
        left_out=exchange.left_out + 1,
    )
