"""Internet addresses, networks and flows."""

from __future__ import annotations

import ipaddress
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints

from app.domain.identifiers.base import Identifier, Remark
from app.domain.identifiers.reachability import (
    MAX_LENGTH,
    Reach,
    carried,
    carried_network,
    public_address,
    reach,
    reach_of_network,
    read_address,
    unwrapped,
)
from app.domain.law.warning_lists import Watched
from app.domain.shape import Moment, Port, fault

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_ADDRESSES = {4: 24, 6: 48}
"""Shortest prefix of a network that can be asked for, by version of the protocol."""
ONE_LINE = {4: 32, 6: 128}
"""Prefix of a network that is one address."""
_NETWORK_LENGTH = 50


class Protocol(StrEnum):
    """What carried the packets."""

    TCP = "tcp"
    UDP = "udp"
    SCTP = "sctp"
    ICMP = "icmp"
    GRE = "gre"
    ESP = "esp"
    OTHER = "other"


def _version_4(text: str) -> str:
    if not isinstance(read_address(text), ipaddress.IPv4Address):
        raise fault("bad_ip", "This is not an IPv4 address.")
    return text


def _version_6(text: str) -> str:
    if not isinstance(read_address(text), ipaddress.IPv6Address):
        raise fault("bad_ip", "This is not an IPv6 address.")
    return text


def _any_address(text: str) -> str:
    read_address(text)
    return text


def _network(text: str) -> str:
    _read_network(text)
    return text


def _read_network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    address, slash, prefix = text.partition("/")
    if not (slash and prefix.isascii() and prefix.isdigit()):
        raise fault("bad_cidr", "Write the network as address and prefix length, without host bits.")
    read_address(address)
    try:
        network = ipaddress.ip_network(text)
    except ValueError as wrong:
        raise fault("bad_cidr", "Write the network as address and prefix length, without host bits.") from wrong
    if too_wide(network):
        raise fault("C-OVERBROAD", "A network wider than /24 (IPv4) or /48 (IPv6) names too many lines; narrow it.")
    if reach_of_network(network) is Reach.SPECIAL:
        raise fault(
            "ip_not_global", "No provider can tell whose lines these are: the network is not globally routable."
        )
    return network


def too_wide(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    """Whether it names too many lines, be it as an IPv6 network that carries an IPv4 one."""
    inner = carried_network(network)
    return any(one.prefixlen < MOST_ADDRESSES[one.version] for one in (network, inner) if one is not None)


_AddressText = Annotated[str, StringConstraints(max_length=MAX_LENGTH)]
PlainAddress = Annotated[_AddressText, AfterValidator(_any_address)]
"""Any address, also one that is not globally routable."""
PublicAddress = Annotated[_AddressText, AfterValidator(public_address)]


class Ipv4(Identifier):
    """An IPv4 address of one line."""

    type: Literal["ipv4"]
    value: Annotated[_AddressText, AfterValidator(_version_4), AfterValidator(public_address)]

    def normal_form(self) -> dict[str, Any]:
        return normal_address(self.value)

    def watched(self) -> Iterator[tuple[str, Watched, str]]:
        yield "value", Watched.ADDRESS, normal_address(self.value)["value"]

    def reserved_member(self) -> str | None:
        return "value" if reach(read_address(self.value)) is Reach.DOCUMENTATION else None


class Ipv6(Identifier):
    """An IPv6 address of one line; a mapped IPv4 address is understood as that."""

    type: Literal["ipv6"]
    value: Annotated[_AddressText, AfterValidator(_version_6), AfterValidator(public_address)]

    def normal_form(self) -> dict[str, Any]:
        return normal_address(self.value)

    def watched(self) -> Iterator[tuple[str, Watched, str]]:
        yield "value", Watched.ADDRESS, normal_address(self.value)["value"]

    def remarks(self) -> Iterator[Remark]:
        if carried(read_address(self.value)) is not None:
            yield Remark(
                "value", "ip_carries_ipv4", "The address carries an IPv4 address; ask for that line if you can."
            )

    def reserved_member(self) -> str | None:
        return "value" if reach(read_address(self.value)) is Reach.DOCUMENTATION else None


class IpFlow(Identifier):
    """One connection: what a provider needs to find one customer behind a shared address (IP-5)."""

    type: Literal["ip_flow"]
    source_ip: PublicAddress
    source_port: Port | None = None
    destination_ip: PlainAddress
    destination_port: Port
    protocol: Annotated[Protocol, Field(strict=False)]
    at: Moment

    def normal_form(self) -> dict[str, Any]:
        return {
            "type": "ip_flow",
            "source_ip": normal_address(self.source_ip)["value"],
            "source_port": self.source_port,
            "destination_ip": normal_address(self.destination_ip)["value"],
            "destination_port": self.destination_port,
            "protocol": self.protocol.value,
            "at": self.at.normal_form,
        }

    def moments(self) -> Iterator[tuple[str, Moment]]:
        yield from super().moments()
        yield "at", self.at

    def watched(self) -> Iterator[tuple[str, Watched, str]]:
        yield "source_ip", Watched.ADDRESS, normal_address(self.source_ip)["value"]

    def reserved_member(self) -> str | None:
        for member in ("source_ip", "destination_ip"):
            if reach(read_address(getattr(self, member))) is Reach.DOCUMENTATION:
                return member
        return None


class Cidr(Identifier):
    """A small network."""

    type: Literal["cidr"]
    value: Annotated[str, StringConstraints(max_length=_NETWORK_LENGTH), AfterValidator(_network)]

    def normal_form(self) -> dict[str, Any]:
        return {"type": "cidr", "value": str(self._asked)}

    def compared_form(self) -> dict[str, Any]:
        one = self._asked.prefixlen == ONE_LINE[self._asked.version]
        return normal_address(str(self._asked.network_address)) if one else self.normal_form()

    def watched(self) -> Iterator[tuple[str, Watched, str]]:
        yield "value", Watched.ADDRESS, str(self._asked)

    def reserved_member(self) -> str | None:
        return "value" if reach_of_network(self._asked) is Reach.DOCUMENTATION else None

    @property
    def _asked(self) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
        """A mapped network is the IPv4 network that it carries."""
        network = _read_network(self.value)
        inner = carried_network(network)
        return inner if inner is not None and unwrapped(network.network_address).version == inner.version else network


def normal_address(text: str) -> dict[str, Any]:
    """Type and compressed form of an address, after unwrapping; `carries` names an IPv4 address inside another form."""
    address = read_address(text)
    plain = unwrapped(address)
    inner = carried(plain)
    form = {"type": f"ipv{plain.version}", "value": str(plain)}
    return form if inner is None else {**form, "carries": str(inner)}
