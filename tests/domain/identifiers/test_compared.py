"""What two requests for one thing have alike, and the times in an identifier that cannot lie ahead."""

from __future__ import annotations

from typing import Any

import pytest

from tests.domain.documents.filing import check, preservation
from tests.domain.identifiers.reading import read, remarks

ALIKE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "one mailbox in two spellings": (
        {"type": "email", "value": "Kim.P@Shop.example"},
        {"type": "email", "value": "kim.p@shop.EXAMPLE"},
    ),
    "one page with and without its fragment": (
        {"type": "url", "value": "https://shop.example/a#b"},
        {"type": "url", "value": "https://SHOP.example/a"},
    ),
    "one handle with and without its sign": (
        {"type": "account", "service": "Chat", "id": "@Kim", "id_kind": "HANDLE"},
        {"type": "account", "service": "chat", "id": "kim", "id_kind": "HANDLE"},
    ),
    "one handset with and without its software version": (
        {"type": "imei", "value": "4901542032375101"},
        {"type": "imei", "value": "490154203237518"},
    ),
    "one rented machine under two addresses": (
        {"type": "hosting_instance", "provider": "Kita", "instance_id": "i-1", "ip": "93.184.216.34"},
        {"type": "hosting_instance", "provider": "KITA", "instance_id": "i-1"},
    ),
    "one address and the network that is this address alone": (
        {"type": "ipv4", "value": "8.8.8.8"},
        {"type": "cidr", "value": "8.8.8.8/32"},
    ),
    "one network, mapped and not": (
        {"type": "cidr", "value": "8.8.8.0/24"},
        {"type": "cidr", "value": "::ffff:8.8.8.0/120"},
    ),
    "one account by its UUID, in two notations": (
        {"type": "account", "service": "Chat", "id": "6BA7B8109DAD11D180B400C04FD430C8", "id_kind": "UUID"},
        {"type": "account", "service": "Chat", "id": "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "id_kind": "UUID"},
    ),
    "one page at the usual port": (
        {"type": "url", "value": "https://shop.example"},
        {"type": "url", "value": "https://shop.example:443/"},
    ),
    "one page at a mapped address": (
        {"type": "url", "value": "http://[::ffff:8.8.8.8]/a"},
        {"type": "url", "value": "http://8.8.8.8/a"},
    ),
    "one mailbox with and without quotes that it does not need": (
        {"type": "email", "value": '"kim"@shop.example'},
        {"type": "email", "value": "kim@shop.example"},
    ),
    "one mailbox whose accent is a sign of its own": (
        {"type": "email", "value": "jose\u0301@shop.example"},
        {"type": "email", "value": "jos\u00e9@shop.example"},
    ),
    "one name in two scripts": (
        {"type": "domain", "value": "faß.example"},
        {"type": "domain", "value": "xn--fa-hia.example."},
    ),
}


def identifier(members: dict[str, Any]) -> Any:  # noqa: ANN401 - any identifier
    """The identifier of these members."""
    return read(members["type"], **{name: value for name, value in members.items() if name != "type"})


@pytest.mark.parametrize("name", ALIKE)
def test_one_thing_compares_alike_however_it_was_written(name: str) -> None:
    """The compared form is one for both spellings."""
    one, other = (identifier(members) for members in ALIKE[name])
    assert one.compared_form() == other.compared_form()


def test_two_things_do_not_compare_alike() -> None:
    """Control: the sharp s is not a double s under IDNA 2008, and dots in a mailbox count."""
    sharp, double = (read("domain", value=text) for text in ("faß.example", "fass.example"))
    assert sharp.compared_form() != double.compared_form()
    dotted, plain = (read("email", value=text) for text in ("k.im@shop.example", "kim@shop.example"))
    assert dotted.compared_form() != plain.compared_form()


AHEAD = "2026-11-23T00:00:00Z"
SEEN_AHEAD: dict[str, tuple[dict[str, Any], str]] = {
    "a flow": (
        {
            "type": "ip_flow",
            "source_ip": "192.0.2.1",
            "source_port": 40000,
            "destination_ip": "198.51.100.7",
            "destination_port": 443,
            "protocol": "tcp",
            "at": AHEAD,
        },
        "at",
    ),
    "an account": (
        {"type": "account", "service": "Chat", "id": "kim", "id_kind": "HANDLE", "observed_at": AHEAD},
        "observed_at",
    ),
    "a message": ({"type": "message_id", "value": "<a@b.example>", "received_at": AHEAD}, "received_at"),
    "a rented machine": (
        {"type": "hosting_instance", "provider": "Kita", "instance_id": "i-1", "ip": "192.0.2.9", "at": AHEAD},
        "at",
    ),
}


@pytest.mark.parametrize("name", SEEN_AHEAD)
def test_nobody_has_seen_what_lies_ahead(name: str) -> None:
    """A time inside an identifier is held to the same clock as an observation."""
    members, member = SEEN_AHEAD[name]
    (error,) = check(preservation(("/targets/0/identifier", members))).errors
    assert (error.pointer, error.code) == (f"/targets/0/identifier/{member}", "future_observation")
    past = {**members, member: "2026-11-20T00:00:00Z"}
    assert check(preservation(("/targets/0/identifier", past))).errors == ()


def test_message_without_the_time_of_its_receipt_may_not_be_found() -> None:
    """Mail logs are searched by time."""
    assert remarks("message_id", value="<a@b.example>") == {"may_not_resolve"}
    assert remarks("message_id", value="<a@b.example>", received_at="2026-11-20T00:00:00Z") == set()


def warnings_about(*changes: tuple[str, object]) -> set[tuple[str, str]]:
    """Pointers and codes of the warnings."""
    return {(one.pointer, one.code) for one in check(preservation(*changes)).warnings}


def test_flow_without_port_may_not_resolve_where_the_address_may_be_shared() -> None:
    """IP-4 for flows: unknown assignment and no source port is a warning, as it is for a bare address."""
    flow = {name: value for name, value in SEEN_AHEAD["a flow"][0].items() if name != "source_port"}
    change = ("/targets/0/identifier", {**flow, "at": "2026-11-20T00:00:00Z"})
    found = ("/targets/0/identifier/source_port", "may_not_resolve")
    assert found in warnings_about(change, ("/targets/0/assignment", "UNKNOWN"))
    assert found not in warnings_about(change, ("/targets/0/assignment", "STATIC"))


def test_clock_that_was_known_to_be_wrong_is_warned_of() -> None:
    """A skew above the accuracy shifts the search; one within it, or at an address that never changes, does not."""
    at = "/targets/0/observations/0/known_skew_seconds"
    assert (at, "clock_skewed") in warnings_about((at, -37.5))
    assert (at, "clock_skewed") not in warnings_about((at, 0.5))
    assert (at, "clock_skewed") not in warnings_about((at, -37.5), ("/targets/0/assignment", "STATIC"))
