"""Art. 30: what the path of a communication, once told, lets the requesting side ask of the state that it names."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from app.domain.moments import write_instant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.domain.exchange.values import Exchange, Hop, TrafficPath

NOT_FOR_ANOTHER = frozenset(
    {"requested_authority", "translations", "attestation", "derived_from", "previous_reference"}
)
"""Members of a request that speak of the state that was asked, or of what its own signatory stood for."""


def new_paths(before: Exchange, after: Exchange) -> tuple[TrafficPath, ...]:
    """The paths that were told since: the provider named, not withheld. Each counts once, however often it is sent."""
    return tuple(path for path in after.traffic_paths if path not in before.traffic_paths and path.withheld is None)


def onward_document(document: Mapping[str, Any], exchange: Exchange, path: TrafficPath) -> dict[str, Any]:
    """The request that the path suggests: the same case, asked of the provider that took part.

    It is prepared and no more: what the machine cannot know is left for the officer.
    """
    kept = {name: value for name, value in document.items() if name not in NOT_FOR_ANOTHER}
    first: Mapping[str, Any] = next(iter(document.get("targets", ())), {})
    stations = [hop for hop in path.path if hop.country == path.country]
    return kept | {
        "targets": [_target(first, hop, exchange, path) for hop in stations] or [_unlocated(first, path)],
        "related_requests": [*document.get("related_requests", ()), _related(exchange)],
    }


def _target(first: Mapping[str, Any], hop: Hop, exchange: Exchange, path: TrafficPath) -> dict[str, Any]:
    """The traffic of one station, at the time at which the communication passed there."""
    target: dict[str, Any] = {
        "identifier": _identifier(hop.address),
        "data_categories": ["TRAFFIC"],
        "custodian": {"name": path.provider, "country": path.country},
        "relationship_to_offence": f"Station of the communication's path, told under art. 30 by {exchange.requested}.",
    }
    if "interval" in first:
        target["interval"] = first["interval"]
    if hop.seen_at is not None:
        target["observations"] = [{"at": write_instant(hop.seen_at)}]
    return target


def _unlocated(first: Mapping[str, Any], path: TrafficPath) -> dict[str, Any]:
    """Only the provider is known: what was asked for first, asked of that provider."""
    return {**first, "data_categories": ["TRAFFIC"], "custodian": {"name": path.provider, "country": path.country}}


def _identifier(address: str) -> dict[str, Any]:
    try:
        version = ip_address(address).version
    except ValueError:
        return {"type": "domain", "value": address}
    return {"type": f"ipv{version}", "value": address}


def _related(exchange: Exchange) -> dict[str, Any]:
    return {
        "kind": "PRESERVATION",
        "date": exchange.opened_at.date().isoformat(),
        "reference": exchange.request_reference,
    }
