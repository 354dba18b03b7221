"""Internet addresses: rules IP-1 to IP-3, and each trap behind them."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.identifiers.reachability import Reach, carried, reach, reach_of_network, read_address
from tests.domain.identifiers.reading import fault_of, normal, read, remarks

NOT_GLOBAL_4 = {
    "private": "10.0.0.1",
    "private, the middle range": "172.16.5.4",
    "private, at home": "192.168.1.1",
    "inside a carrier-grade NAT": "100.64.10.20",
    "loopback": "127.0.0.1",
    "link-local": "169.254.1.1",
    "multicast": "224.0.0.1",
    "multicast, globally scoped": "233.252.0.1",
    "reserved": "240.0.0.1",
    "broadcast": "255.255.255.255",
    "unspecified": "0.0.0.0",  # noqa: S104 - test material
    "benchmarking": "198.18.0.1",
    "protocol assignments": "192.0.0.9",
    "6to4 relays": "192.88.99.1",
}
NOT_GLOBAL_6 = {
    "a mapped private address": "::ffff:10.0.0.1",
    "a mapped address inside a NAT": "::ffff:100.64.0.1",
    "6to4 of a private address": "2002:0a00:0001::1",
    "6to4 of multicast": "2002:e000:0001::1",
    "NAT64 of a private address": "64:ff9b::10.0.0.1",
    "a compatible address": "::10.0.0.1",
    "a compatible public address": "::8.8.8.8",
    "loopback": "::1",
    "unspecified": "::",
    "link-local": "fe80::1",
    "unique local": "fc00::1",
    "site-local": "fec0::1",
    "multicast": "ff02::1",
    "Teredo": "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "ORCHID": "2001:20::1",
    "benchmarking": "2001:2::1",
    "discard": "100::1",
    "segment routing": "5f00::1",
    "unallocated space": "4000::1",
    "local NAT64": "64:ff9b:1::1",
}
ILL_WRITTEN = {
    "a leading zero": ("ipv4", "010.0.0.1"),
    "a zone on IPv4": ("ipv4", "8.8.8.8%eth0"),
    "a zone on IPv6": ("ipv6", "2a00:1450::1%eth0"),
    "digits of another script": ("ipv4", "８.8.8.8"),
    "a trailing blank": ("ipv4", "8.8.8.8 "),
    "a line end": ("ipv4", "8.8.8.8\n"),
    "a short form": ("ipv4", "8.8"),
    "a number": ("ipv4", "134744072"),
    "hexadecimal": ("ipv4", "0x08080808"),
    "the other version": ("ipv4", "2a00:1450::1"),
    "the other version, the other way": ("ipv6", "8.8.8.8"),
    "a network": ("ipv4", "8.8.8.0/24"),
    "brackets": ("ipv6", "[2a00:1450::1]"),
    "a text": ("ipv6", "address"),
}


@pytest.mark.parametrize("text", NOT_GLOBAL_4.values(), ids=NOT_GLOBAL_4.keys())
def test_ipv4_that_belongs_to_no_line_is_refused(text: str) -> None:
    """IP-1: special addresses are refused, also where one of the library's answers alone would let them pass."""
    assert fault_of("ipv4", value=text) == "ip_not_global"


@pytest.mark.parametrize("text", NOT_GLOBAL_6.values(), ids=NOT_GLOBAL_6.keys())
def test_ipv6_that_belongs_to_no_line_is_refused(text: str) -> None:
    """IP-2: addresses are judged by the IPv4 address they carry, and outside global unicast there are no lines."""
    assert fault_of("ipv6", value=text) == "ip_not_global"


@pytest.mark.parametrize(("kind", "text"), ILL_WRITTEN.values(), ids=ILL_WRITTEN.keys())
def test_ill_written_address_is_refused(kind: str, text: str) -> None:
    """IP-3: one plain notation, nothing that different programs read differently."""
    assert fault_of(kind, value=text) in {"bad_ip", "string_too_long"}


def test_single_answers_of_the_library_would_not_do() -> None:
    """Control: `is_private` misses NAT addresses, `is_global` lets multicast, 6to4 and site-local pass."""
    assert not ipaddress.ip_address("100.64.10.20").is_private
    for text in ("224.0.0.1", "2002:0a00:0001::1", "fec0::1", "::10.0.0.1"):
        assert ipaddress.ip_address(text).is_global


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("ipv4", "8.8.8.8", "8.8.8.8"),
        ("ipv4", "203.0.113.77", "203.0.113.77"),
        ("ipv6", "2A00:1450:0:0::1", "2a00:1450::1"),
        ("ipv6", "::ffff:8.8.8.8", "8.8.8.8"),
        ("ipv6", "2002:808:808::1", "2002:808:808::1"),
    ],
)
def test_address_has_one_normal_form(kind: str, text: str, expected: str) -> None:
    """Compressed, lower case, a mapped address as the IPv4 address it is."""
    assert normal(kind, value=text) == expected


def test_carried_ipv4_is_shown() -> None:
    """A 6to4 or NAT64 address shows the IPv4 address it carries, and remarks on it; a plain one does not."""
    assert read("ipv6", value="64:ff9b::808:808").normal_form()["carries"] == "8.8.8.8"
    assert remarks("ipv6", value="2002:808:808::1") == {"ip_carries_ipv4"}
    assert remarks("ipv6", value="2a00:1450::1") == set()
    assert "carries" not in read("ipv6", value="2a00:1450::1").normal_form()
    assert carried(read_address("8.8.8.8")) is None


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("ipv4", "192.0.2.1"),
        ("ipv4", "198.51.100.20"),
        ("ipv4", "203.0.113.77"),
        ("ipv6", "2001:db8::1"),
        ("ipv6", "3fff::1"),
        ("ipv6", "::ffff:203.0.113.1"),
        ("ipv6", "2002:cb00:7101::1"),
    ],
)
def test_documentation_address_is_marked(kind: str, text: str) -> None:
    """Documentation ranges are told apart, also inside other forms."""
    assert read(kind, value=text).reserved_member() == "value"


def test_real_address_is_not_marked() -> None:
    """A real address is reserved for nothing."""
    assert read("ipv4", value="8.8.8.8").reserved_member() is None
    assert read("ipv6", value="2a00:1450::1").reserved_member() is None


@settings(deadline=None)
@given(st.ip_addresses(v=4))
def test_what_is_global_is_global_for_the_library_too(address: ipaddress.IPv4Address) -> None:
    """The list only adds to the library's answer; it never makes an address global."""
    if reach(address) is Reach.GLOBAL:
        assert address.is_global
        assert not address.is_multicast


@settings(deadline=None)
@given(st.ip_addresses())
def test_mapping_changes_no_verdict(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    """An IPv4 address is judged alike, plain or mapped."""
    if isinstance(address, ipaddress.IPv4Address):
        assert reach(ipaddress.ip_address(f"::ffff:{address}")) is reach(address)


FLOW = {
    "source_ip": "8.8.8.8",
    "destination_ip": "10.0.0.5",
    "destination_port": 443,
    "protocol": "tcp",
    "at": "2026-11-21T23:14:05+01:00",
}


def test_flow_keeps_ports_and_the_instant() -> None:
    """A flow stands in UTC, with its ports; a private destination is no fault."""
    assert read("ip_flow", source_port=51544, **FLOW).normal_form() == {
        "type": "ip_flow",
        "source_ip": "8.8.8.8",
        "source_port": 51544,
        "destination_ip": "10.0.0.5",
        "destination_port": 443,
        "protocol": "tcp",
        "at": "2026-11-21T22:14:05Z",
    }


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"source_ip": "10.0.0.5"}, "ip_not_global"),
        ({"destination_ip": "somewhere"}, "bad_ip"),
        ({"at": "2026-11-21T23:14:05"}, "C-TZ"),
        ({"protocol": "carrier pigeon"}, "enum"),
        ({"destination_port": 70000}, "less_than_equal"),
        ({"source_port": "51544"}, "int_type"),
    ],
)
def test_faulty_flow_is_refused(changes: dict[str, object], expected: str) -> None:
    """Each end, the time, the ports and the protocol are checked."""
    assert fault_of("ip_flow", **{**FLOW, **changes}) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({"source_ip": "192.0.2.1"}, "source_ip"), ({"destination_ip": "192.0.2.1"}, "destination_ip"), ({}, None)],
)
def test_documentation_end_of_a_flow_is_marked(changes: dict[str, object], expected: str | None) -> None:
    """Either end of a flow may be from a documentation range."""
    assert read("ip_flow", **{**FLOW, **changes}).reserved_member() == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8.8.8.0/24", ""),
        ("8.8.8.8/32", ""),
        ("2a00:1450:1::/48", ""),
        ("203.0.113.0/28", ""),
        ("8.8.8.0/23", "C-OVERBROAD"),
        ("2a00:1450::/47", "C-OVERBROAD"),
        ("0.0.0.0/0", "C-OVERBROAD"),
        ("8.8.8.8/24", "bad_cidr"),
        ("8.8.8.0", "bad_cidr"),
        ("8.8.8.0/", "bad_cidr"),
        ("8.8.8.0/33", "bad_cidr"),
        ("8.8.8.0/255.255.255.0", "bad_cidr"),
        ("8.8.8.0/２４", "bad_cidr"),
        ("8.8.8.0%1/24", "bad_ip"),
        ("10.0.0.0/24", "ip_not_global"),
        ("::ffff:10.0.0.0/120", "ip_not_global"),
        ("::ffff:8.0.0.0/104", "C-OVERBROAD"),
        ("64:ff9b::800:0/104", "C-OVERBROAD"),
        ("::ffff:8.8.8.0/120", ""),
        ("64:ff9b::808:800/120", ""),
    ],
)
def test_network_is_small_plain_and_global(text: str, expected: str) -> None:
    """At most a /24 or a /48, without host bits, of lines that exist."""
    assert fault_of("cidr", value=text) == expected


def test_network_has_a_normal_form_and_may_be_reserved() -> None:
    """A network is compressed; one inside a documentation range is marked."""
    assert normal("cidr", value="2A00:1450:0001::/48") == "2a00:1450:1::/48"
    assert normal("cidr", value="::ffff:8.8.8.0/120") == "8.8.8.0/24"
    assert read("cidr", value="203.0.113.0/28").reserved_member() == "value"
    assert read("cidr", value="8.8.8.0/24").reserved_member() is None


def test_network_of_special_addresses_is_special() -> None:
    """A network is judged by its ends; no special range is smaller than the networks that can be asked for."""
    assert reach_of_network(ipaddress.ip_network("198.17.255.0/24")) is Reach.GLOBAL
    assert reach_of_network(ipaddress.ip_network("198.18.0.0/24")) is Reach.SPECIAL
