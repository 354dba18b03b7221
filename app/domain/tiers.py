"""The order of tiers."""

from __future__ import annotations

from app.domain.codes import Lane, Tier

_RANK = {Tier.ROUTINE: 0, Tier.URGENT: 1, Tier.EMERGENCY: 2}
_LANES = {Tier.ROUTINE: Lane.ROUTINE, Tier.URGENT: Lane.URGENT, Tier.EMERGENCY: Lane.URGENT}


def is_higher(tier: Tier, *, than: Tier) -> bool:
    """Whether `tier` is more urgent than the other."""
    return _RANK[tier] > _RANK[than]


def lane_of(tier: Tier) -> Lane:
    """The queue for an exchange of this tier (ruling 13)."""
    return _LANES[tier]
