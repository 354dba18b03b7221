"""What our own list says of a provider that a request names."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from app.domain.codes import DataCategory
from app.domain.provider_hints import provider_warnings
from app.domain.providers import CustomerNotice, DataHeld, ProviderEntry
from tests.domain.documents.filing import changed, preservation

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
NAME = "/targets/0/custodian/name"
CALLED = changed(preservation(), (NAME, "Kita Cloud"))


def entry(*, notice: CustomerNotice = CustomerNotice.NEVER, days: int | None = None) -> ProviderEntry:
    """A provider that is called Kita Hosting, and Kita Cloud by its customers."""
    held = [
        DataHeld(category=one, typical_retention_days=days, source="A guide", as_of=date(2026, 3, 1)) for one in KEPT
    ]
    return ProviderEntry(
        legal_name="Kita Hosting",
        brands=("KITA Cloud",),
        establishment_country="XT",
        customer_notice=notice,
        data_held=tuple(held),
        verified_on=date(2026, 3, 1),
    )


KEPT = (DataCategory.TRAFFIC, DataCategory.SUBSCRIBER)


def warned(document: dict[str, Any], *entries: ProviderEntry, now: datetime = NOW) -> list[tuple[str, str]]:
    """Pointers and codes."""
    return [(one["pointer"], one["code"]) for one in provider_warnings(document, entries, now=now)]


def test_provider_that_tells_its_customer_is_pointed_out() -> None:
    """By its name or a brand, whatever the case; one that tells nobody, and one that is not named, raise nothing."""
    tells = entry(notice=CustomerNotice.DEFAULT_NOTIFY)
    expected = [("/targets/0/custodian", "provider_tells_customer")]
    assert warned(CALLED, tells) == expected
    assert warned(changed(CALLED, (NAME, "kita hosting")), tells) == expected
    assert warned(CALLED, entry()) == []
    assert warned(changed(CALLED, (NAME, "Kita Hosting KK")), tells) == []


def test_data_older_than_the_provider_keeps_them_may_be_gone() -> None:
    """Held against the beginning of the time asked about, kind by kind; an unknown time says nothing."""
    asked = changed(CALLED, ("/targets/0/interval", {"start": "2026-11-01T00:00:00Z", "end": "2026-11-02T00:00:00Z"}))
    gone = [("/targets/0/custodian", "data_may_be_gone")]
    assert warned(asked, entry(days=7)) == gone
    assert warned(asked, entry(days=60)) == []
    assert warned(asked, entry(days=60), now=NOW + timedelta(days=60)) == gone
    assert warned(asked, entry(days=None)) == []
    assert warned(changed(asked, ("/targets/0/data_categories", ["CONTENT"])), entry(days=7)) == []


def test_document_of_any_shape_is_read() -> None:
    """What another node wrote may hold anything in the place of targets."""
    for targets in (None, 7, [7], [{"custodian": 7}], [{"custodian": {"name": 7}}]):
        assert warned({"targets": targets}, entry(days=1)) == []
