"""Statements that let time pass behind the back of a node whose clock is the real one."""

from __future__ import annotations

LEASE_ENDED = """
UPDATE outbox SET next_at = now() WHERE id IN
    (SELECT id FROM outbox WHERE left_at IS NULL AND next_at > now() ORDER BY id FOR UPDATE SKIP LOCKED)
"""
"""The rest of the half minute for which a claimed row is nobody else's, and of the pauses after failed attempts."""

PROBED = """
UPDATE outbox SET next_at = now() WHERE id IN
    (SELECT id FROM outbox WHERE left_at IS NULL AND jws IS NOT NULL ORDER BY id FOR UPDATE SKIP LOCKED)
"""
"""The pauses until whatever waits for its receipt is sent again, without evidence that it was lost."""

MONTHS_LATER = """
UPDATE exchange SET due_at = now() - interval '1 minute',
    body = jsonb_set(body, '{{snapshot,state_since}}', to_jsonb('2026-01-02T03:04:05.000Z'::text)) WHERE id = '{}'
"""
"""So much time for one answered exchange that its timer closes it."""
