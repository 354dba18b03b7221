"""What our own list of providers says against going to one of them with a request: a hint to the officer asked.

A provider that tells its customer makes a preservation dangerous (art. 29(6)); one that keeps data for a month no
longer has those of the spring.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from app.domain.documents.reading import pointer_to
from app.domain.fingerprints import window_of
from app.domain.providers import CustomerNotice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from app.domain.providers import ProviderEntry

_TELLS = "Our list says that this provider tells its customer unless it is told not to: a notice W-CONF may be due."
_GONE = "Our list says that this provider keeps such data for {days} days: what is asked for may be gone."


def custodians_of(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Pointer, name and target of each custodian that can be read; the document may be of any shape."""
    targets = document.get("targets")
    for place, target in enumerate(targets if isinstance(targets, list) else ()):
        custodian = target.get("custodian") if isinstance(target, dict) else None
        name = custodian.get("name") if isinstance(custodian, dict) else None
        if isinstance(name, str) and name:
            yield pointer_to("targets", place, "custodian"), name, target


def provider_warnings(
    document: Mapping[str, Any], entries: Iterable[ProviderEntry], *, now: datetime
) -> Iterator[dict[str, Any]]:
    """One warning for each thing our list says of a custodian named, by its name or a brand, in whatever case."""
    known = {name.casefold(): entry for entry in entries for name in (entry.legal_name, *entry.brands)}
    for at, name, target in custodians_of(document):
        entry = known.get(name.casefold())
        if entry is None:
            continue
        if entry.customer_notice is CustomerNotice.DEFAULT_NOTIFY:
            yield {"pointer": at, "code": "provider_tells_customer", "detail": _TELLS}
        days = _kept_for(entry, target)
        begun, _ = window_of(target)
        if days is not None and begun is not None and begun < now - timedelta(days=days):
            yield {"pointer": at, "code": "data_may_be_gone", "detail": _GONE.format(days=days)}


def _kept_for(entry: ProviderEntry, target: Mapping[str, Any]) -> int | None:
    """The shortest time for which one of the kinds of data asked for is kept."""
    asked = target.get("data_categories")
    wanted = set(map(str, asked)) if isinstance(asked, list) else set()
    kept = (one.typical_retention_days for one in entry.data_held if one.category.value in wanted)
    return min((days for days in kept if days is not None), default=None)
