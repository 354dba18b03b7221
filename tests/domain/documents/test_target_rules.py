"""Rules for targets: custodian, interval, addresses (scenarios 14, 15 and 34; IP-4 to IP-7)."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.documents import check_document
from app.domain.law import packaged_law, packaged_texts, read_law
from tests.domain.documents.filing import ABSENT, KNOWN, NOW, check, emergency, found, preservation, warned

T = "/targets/0"
PORT = f"{T}/observations/0/source_port"
V6 = {"type": "ipv6", "value": "2001:db8::7"}
FLOW = {
    "type": "ip_flow",
    "source_ip": "203.0.113.77",
    "source_port": 51544,
    "destination_ip": "198.51.100.20",
    "destination_port": 443,
    "protocol": "tcp",
    "at": "2026-11-21T23:14:05+01:00",
}
DAYS = (f"{T}/interval/start", "2026-11-19T00:00:00Z")

REFUSED: dict[str, tuple[dict[str, Any], tuple[str, str]]] = {
    "a CGN address without source port": (preservation((PORT, ABSENT)), (PORT, "C-PORT")),
    "a CGN address without any sighting": (
        preservation((f"{T}/observations", ABSENT)),
        (f"{T}/observations", "C-PORT"),
    ),
    "a flow behind a CGN without source port": (
        preservation((f"{T}/identifier", FLOW), (f"{T}/identifier/source_port", ABSENT)),
        (f"{T}/identifier/source_port", "C-PORT"),
    ),
    "a dynamic address without a time": (
        preservation((f"{T}/assignment", "DYNAMIC"), (f"{T}/observations", ABSENT), (f"{T}/interval", ABSENT)),
        (f"{T}/observations", "C-MISSING"),
    ),
    "an unassigned address without a time": (
        preservation((f"{T}/assignment", ABSENT), (f"{T}/observations", ABSENT), (f"{T}/interval", ABSENT)),
        (f"{T}/observations", "C-MISSING"),
    ),
    "three days of a shared address": (preservation(DAYS), (f"{T}/interval", "C-OVERBROAD")),
    "an interval that ends tomorrow": (
        preservation((f"{T}/interval/end", "2026-11-23T00:00:00Z"), (f"{T}/assignment", "STATIC")),
        (f"{T}/interval/end", "future_interval"),
    ),
    "an interval that ends before it starts": (
        preservation((f"{T}/interval/end", "2026-11-21T21:00:00Z")),
        (f"{T}/interval/end", "bad_interval"),
    ),
    "an interval of no length": (
        preservation((f"{T}/interval/end", "2026-11-21T22:00:00Z")),
        (f"{T}/interval/end", "bad_interval"),
    ),
    "a sighting in the future": (
        preservation((f"{T}/observations/0/at", "2026-11-22T09:36:00Z")),
        (f"{T}/observations/0/at", "future_observation"),
    ),
    "a custodian passed over in silence": (preservation((f"{T}/custodian", ABSENT)), (f"{T}/custodian", "C-MISSING")),
    "a custodian said to be known after all": (
        preservation((f"{T}/custodian", ABSENT), (f"{T}/custodian_unknown", False)),
        (f"{T}/custodian", "C-MISSING"),
    ),
    "an unknown custodian nobody looked for": (
        preservation((f"{T}/custodian", ABSENT), (f"{T}/custodian_unknown", True)),
        (f"{T}/custodian_search", "C-MISSING"),
    ),
    "a private address": (
        preservation((f"{T}/identifier/value", "100.64.10.20")),
        (f"{T}/identifier/value", "ip_not_global"),
    ),
    "a documentation address without is_test": (
        preservation(("/is_test", ABSENT), (f"{T}/observations/0/destination_ip", "9.9.9.9")),
        (f"{T}/identifier/value", "documentation_range"),
    ),
    "a documentation destination without is_test": (
        preservation(("/is_test", False), (f"{T}/identifier/value", "9.9.9.9")),
        (f"{T}/observations/0/destination_ip", "documentation_range"),
    ),
    "a port of zero": (preservation((PORT, 0)), (PORT, "out_of_range")),
    "a port too large": (preservation((PORT, 65536)), (PORT, "out_of_range")),
}


@pytest.mark.parametrize(("raw", "expected"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(raw: dict[str, Any], expected: tuple[str, str]) -> None:
    """The document is refused for this one reason."""
    assert found(check(raw)) == {expected}


ACCEPTED: dict[str, dict[str, Any]] = {
    "a static address without a time": preservation(
        (f"{T}/assignment", "STATIC"), (f"{T}/observations", ABSENT), (f"{T}/interval", ABSENT)
    ),
    "a dynamic address with an interval only": preservation(
        (f"{T}/assignment", "DYNAMIC"), (f"{T}/observations", ABSENT)
    ),
    "three days of a static address": preservation(DAYS, (f"{T}/assignment", "STATIC")),
    "three days of traffic of a shared address": preservation(DAYS, (f"{T}/data_categories", ["TRAFFIC"])),
    "an interval that ends within the tolerance of clocks": preservation((f"{T}/interval/end", "2026-11-22T09:35:00Z")),
    "a flow with its port": preservation((f"{T}/identifier", FLOW)),
    "a flow without its port where nothing is shared": preservation(
        (f"{T}/identifier", FLOW), (f"{T}/identifier/source_port", ABSENT), (f"{T}/assignment", "STATIC")
    ),
    "a system whose custodian is not named": preservation(
        (f"{T}/custodian", ABSENT), (f"{T}/system_location", {"country": "XT", "description": "A rack in Kita"})
    ),
    "an unknown custodian somebody looked for": preservation(
        (f"{T}/custodian", ABSENT),
        (f"{T}/custodian_unknown", True),
        (f"{T}/custodian_search", "Asked two registries and the carrier."),
    ),
    "an emergency whose provider is named once": emergency(),
    "a private destination": preservation((f"{T}/observations/0/destination_ip", "10.0.0.8")),
}


@pytest.mark.parametrize("raw", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_accepted(raw: dict[str, Any]) -> None:
    """The document is accepted: the rule beside it does not reach too far."""
    assert check(raw).errors == ()


def test_future_interval_is_sent_to_the_right_road() -> None:
    """Scenario 34: the refusal names real-time measures under arts. 33 and 34."""
    (error,) = check(REFUSED["an interval that ends tomorrow"][0]).errors
    assert "arts. 33 and 34" in error.detail


def test_address_of_unknown_assignment_passes_with_a_warning() -> None:
    """Scenario 14: without the port an address of UNKNOWN assignment passes, and may not resolve."""
    for assignment in ("UNKNOWN", ABSENT):
        checked = check(preservation((f"{T}/assignment", assignment), (PORT, ABSENT)))
        assert checked.errors == ()
        assert warned(checked) == {(f"{T}/assignment", "may_not_resolve")}


def test_ipv6_of_unknown_assignment_has_no_warning() -> None:
    """IPv6 addresses are not shared in the same way."""
    raw = preservation((f"{T}/assignment", "UNKNOWN"), (f"{T}/identifier", V6))
    assert check(raw).warnings == ()


def test_coarse_clock_behind_a_shared_address_is_a_warning() -> None:
    """A clock known to no better than two seconds is pointed out behind a CGN, one of a second is not."""
    pointer = f"{T}/observations/0/accuracy_seconds"
    (warning,) = check(preservation((pointer, 2))).warnings
    assert warning.as_json() == {"pointer": pointer, "code": "clock_too_coarse", "detail": warning.detail}
    assert warned(check(preservation((pointer, 1.0)))) == set()


def test_wide_interval_is_a_warning() -> None:
    """More than ninety days of traffic, or half a year of anything, is C-OVERBROAD as a warning."""
    wide = (f"{T}/interval/start", "2026-08-01T00:00:00Z")
    static = (f"{T}/assignment", "STATIC")
    assert warned(check(preservation(wide, static))) == {(f"{T}/interval", "C-OVERBROAD")}
    subscriber = (f"{T}/data_categories", ["SUBSCRIBER"])
    assert warned(check(preservation(wide, static, subscriber))) == set()


def test_widths_are_those_of_the_law_files() -> None:
    """An operator's widths take the place of the packaged ones: for the warning, for the error, and in their words."""
    texts = packaged_texts()
    narrow = texts["intervals.yaml"].replace("TRAFFIC, days: 90", "TRAFFIC, days: 2")
    texts["intervals.yaml"] = narrow.replace("shared_address_hours: 24", "shared_address_hours: 72")
    law = read_law(texts)
    raw = preservation(DAYS)
    traffic = preservation(DAYS, (f"{T}/data_categories", ["TRAFFIC", "OTHER"]))
    at = {(f"{T}/interval", "C-OVERBROAD")}
    for asked, by, errors, warnings in (
        (raw, packaged_law(), at, set()),
        (raw, law, set(), at),
        (traffic, packaged_law(), set(), set()),
        (traffic, law, set(), at),
    ):
        checked = check_document(asked, requesting="XA", known=KNOWN, now=NOW, law=by)
        assert (found(checked), warned(checked)) == (errors, warnings)
    (warning,) = check_document(traffic, requesting="XA", known=KNOWN, now=NOW, law=law).warnings
    assert warning.detail == "More than 2 days; say why so much is needed."


def test_mapped_address_is_as_hard_to_find_as_the_one_it_carries() -> None:
    """An IPv4 address in an IPv6 coat is still shared by many: the warning of IPv4 is given."""
    mapped = (f"{T}/identifier", {"type": "ipv6", "value": "::ffff:8.8.4.1"})
    raw = preservation((f"{T}/assignment", "UNKNOWN"), mapped)
    assert (f"{T}/assignment", "may_not_resolve") in warned(check(raw))


def test_several_sightings_of_one_address_are_each_kept() -> None:
    """IP-7: two ports at two times stay two observations, each judged."""
    first = preservation()["targets"][0]["observations"][0]
    second = {**first, "at": "2026-11-21T23:20:00+01:00", "source_port": 51999}
    assert len(check(preservation((f"{T}/observations", [first, second]))).document["targets"][0]["observations"]) == 2
    portless = {name: value for name, value in second.items() if name != "source_port"}
    assert found(check(preservation((f"{T}/observations", [first, portless])))) == {
        (f"{T}/observations/1/source_port", "C-PORT")
    }


def test_remarks_of_identifiers_become_warnings() -> None:
    """What an identifier warns of stands at its member."""
    wallet = {"type": "crypto_address", "asset": "XMR", "address": "44AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7"}
    assert warned(check(preservation((f"{T}/identifier", wallet)))) == {
        (f"{T}/identifier/address", "address_not_checked"),
        (f"{T}/identifier/exchange", "custodian_not_named"),
    }
