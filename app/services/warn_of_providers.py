"""What our own list of providers says of the custodians that a request from abroad names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.db import providers
from app.domain.provider_hints import custodians_of, provider_warnings
from app.domain.providers import ProviderEntry

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from app.db.engine import ReadSession


async def warn_of_providers(
    session: ReadSession, document: Mapping[str, Any], *, now: datetime
) -> tuple[dict[str, Any], ...]:
    """Warnings for the desk that was asked; empty where our list knows none of them."""
    known = await providers.named(session, {name for _, name, _ in custodians_of(document)})
    entries = [ProviderEntry.model_validate(one.entry) for one in known]
    return tuple(provider_warnings(document, entries, now=now))
