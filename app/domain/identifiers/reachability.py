"""Which internet addresses can belong to one line in the world: rules IP-1 to IP-3.

`is_private` and `is_global` of the standard library are each wrong for some addresses (100.64.0.1, 224.0.0.1,
2002:a00:1::1, ::10.0.0.1, fec0::1), and they change between versions of Python. So the ranges are listed here, and the
library's answer only adds to them.
"""

from __future__ import annotations

import ipaddress
from enum import Enum
from typing import Final, TypeAlias

from app.domain.shape import fault

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_LENGTH = 45
"""The longest text of an IPv6 address."""

DOCUMENTATION: Final = tuple(
    map(ipaddress.ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20"))
)
SPECIAL: Final = tuple(
    map(
        ipaddress.ip_network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.31.196.0/24",
            "192.52.193.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "192.175.48.0/24",
            "198.18.0.0/15",
            "224.0.0.0/3",
            "2001::/23",
            "2620:4f:8000::/48",
        ),
    )
)
"""IANA's registries of special-purpose addresses; everything outside `_UNICAST` is special as well."""

_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_MAPPED: Final = ipaddress.IPv6Network("::ffff:0:0/96")
_LAST_32_BITS = 0xFFFFFFFF


class Reach(Enum):
    """Whom an address can belong to."""

    GLOBAL = "global"
    DOCUMENTATION = "documentation"
    SPECIAL = "special"


def read_address(text: str) -> Address:
    """The address, or the fault `bad_ip`. Zone ids, leading zeros, blanks and digits of other scripts are refused."""
    if len(text) > MAX_LENGTH or not text.isascii() or "%" in text:
        raise fault("bad_ip", "This is not an internet address in its plain form.")
    try:
        return ipaddress.ip_address(text)
    except ValueError as wrong:
        raise fault("bad_ip", "This is not an internet address in its plain form.") from wrong


def carried(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address inside a mapped, 6to4 or NAT64 address."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & _LAST_32_BITS)
    return address.ipv4_mapped or address.sixtofour


def carried_network(network: Network) -> ipaddress.IPv4Network | None:
    """The IPv4 network inside a mapped or NAT64 network: `::ffff:8.0.0.0/104` is all of 8.0.0.0/8."""
    if isinstance(network, ipaddress.IPv4Network):
        return None
    holder = next((one for one in (_MAPPED, _NAT64) if network.subnet_of(one)), None)
    if holder is None:
        return None
    first = ipaddress.IPv4Address(int(network.network_address) & _LAST_32_BITS)
    return ipaddress.IPv4Network((first, network.prefixlen - holder.prefixlen))


def unwrapped(address: Address) -> Address:
    """`::ffff:a.b.c.d` is the IPv4 address a.b.c.d; every other address is itself."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def reach(address: Address) -> Reach:
    """Judge an address by the IPv4 address it carries, if it carries one."""
    judged = carried(address) or address
    if any(judged in network for network in DOCUMENTATION):
        return Reach.DOCUMENTATION
    outside = isinstance(judged, ipaddress.IPv6Address) and judged not in _UNICAST
    special = any(judged in network for network in SPECIAL)
    if outside or special or judged.is_multicast or not judged.is_global:
        return Reach.SPECIAL
    return Reach.GLOBAL


def reach_of_network(network: Network) -> Reach:
    """DOCUMENTATION if it lies inside such a range; SPECIAL if one of its ends does not belong to a line.

    No special range is smaller than the networks that can be asked for, so none hides between the ends.
    """
    if any(_inside(network, reserved) for reserved in DOCUMENTATION):
        return Reach.DOCUMENTATION
    ends = {reach(network.network_address), reach(network.broadcast_address)}
    return Reach.GLOBAL if ends == {Reach.GLOBAL} else Reach.SPECIAL


def public_address(text: str) -> str:
    """The text, if it names an address that can be asked for; the fault `ip_not_global` otherwise."""
    if reach(read_address(text)) is Reach.SPECIAL:
        raise fault("ip_not_global", "No provider can tell whose line this is: the address is not globally routable.")
    return text


def _inside(network: Network, reserved: Network) -> bool:
    return network.network_address in reserved and network.broadcast_address in reserved
