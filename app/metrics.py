"""Every instrument of a node, its help and its labels. One registry per node: several nodes may live in one process.

Labels are closed lists or the codes of contact points; never an id of a request, a reference, a name or a target.
Units are base units: seconds, bytes, counts.
"""

from __future__ import annotations

import platform
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from app import __version__

NAMESPACE = "counterpart"
HTTP_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
BUS_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

Instrument = TypeVar("Instrument", Counter, Gauge)


class Metrics:
    """The instruments of one node.

    Counters and histograms are fed where the thing happens. Gauges that describe the database or the broker are set
    when somebody asks for them (`routers/ops.py`), and so are never older than the answer.
    """

    def __init__(self, code: str) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._feed_by_gateway()
        self._feed_by_bus()
        self._set_when_asked()
        self._set_of_peers()
        self._one(Gauge, "build_info", "Always 1; what runs here.", "node", "version", "python").labels(
            code, __version__, platform.python_version()
        ).set(1)

    def _feed_by_gateway(self) -> None:
        self.http_requests = self._one(
            Counter, "http_requests_total", "Answers of the gateway.", "operation", "method", "code"
        )
        self.http_duration = self._times(
            "http_request_duration_seconds", "From the head of a request to the end of its answer.", HTTP_BUCKETS,
            "operation", "method",
        )  # fmt: skip
        self.http_in_progress = self._one(
            Gauge, "http_requests_in_progress", "Requests being answered, streams included."
        )
        self.sse_clients = self._one(Gauge, "http_sse_clients", "Open streams of events.")
        self.auth_attempts = self._one(Counter, "auth_attempts_total", "Bearer tokens shown.", "outcome")
        self.idempotent_replays = self._one(
            Counter, "idempotent_replays_total", "Commands answered from the kept answer of their first time."
        )

    def _feed_by_bus(self) -> None:
        self.bus_published = self._one(
            Counter, "bus_published_total", "Attempts to publish.", "peer", "lane", "outcome"
        )
        self.bus_confirm_duration = self._times(
            "bus_confirm_duration_seconds", "From publishing to the broker's confirmation.", BUS_BUCKETS, "lane"
        )
        self.bus_consumed = self._one(Counter, "bus_consumed_total", "Deliveries in hand.", "lane", "outcome")
        self.bus_handle_duration = self._times(
            "bus_handle_duration_seconds", "From a batch of deliveries to its commit.", BUS_BUCKETS, "lane"
        )
        self.bus_rejected = self._one(
            Counter, "bus_signature_failures_total", "Deliveries that could not be authenticated.", "peer", "reason"
        )
        self.directory_version = self._one(Gauge, "directory_version", "Version of the directory that is believed.")
        self.directory_refused = self._one(
            Gauge, "directory_refused", "1 while the file of the directory is not the one that is believed."
        )

        self.notifications = self._one(
            Counter, "notifications_total", "Attempts to tell people outside the node.", "channel", "outcome"
        )

    def _set_when_asked(self) -> None:
        self.requests_open = self._one(
            Gauge, "requests_open", "Requests and exchanges that have not ended.", "direction", "state", "tier"
        )
        self.oldest_unacknowledged = self._one(
            Gauge, "oldest_unacknowledged_seconds", "Age of the oldest exchange no person has acknowledged.",
            "direction", "tier",
        )  # fmt: skip
        self.outbox_pending = self._one(Gauge, "outbox_pending", "Messages without a receipt.", "lane")
        self.outbox_oldest_age = self._one(Gauge, "outbox_oldest_age_seconds", "Age of the oldest of them.", "lane")
        self.inbox_waiting = self._one(
            Gauge, "inbox_waiting", "Messages that wait for another one or a person.", "state"
        )
        self.quarantine_open = self._one(Gauge, "quarantine_open", "Deliveries in quarantine.")
        self.bus_connected = self._one(Gauge, "bus_connected", "1 when both lanes can publish.")
        self.bus_consuming = self._one(Gauge, "bus_consuming", "1 when the broker has our consumer.", "lane")
        self.bus_reconnects = self._one(Gauge, "bus_reconnects", "Connections made after a loss, since the start.")
        self.audit_size = self._one(Gauge, "audit_last_sequence", "Entries of the audit log.")
        self.audit_pending = self._one(Gauge, "audit_pending", "Facts committed and not yet in the tree.")
        self.audit_checkpoint = self._one(
            Gauge, "audit_checkpoint_timestamp_seconds", "When the newest checkpoint was signed."
        )
        self.pool_connections = self._one(Gauge, "db_pool_connections", "Database connections.", "pool", "state")
        self.loop_beat = self._one(Gauge, "loop_heartbeat_timestamp_seconds", "When a loop last came round.", "loop")

    def _set_of_peers(self) -> None:
        self.peer_up = self._one(Gauge, "peer_up", "1 while a counterpart was heard lately on both lanes.", "peer")
        self.peer_heard = self._one(
            Gauge, "peer_last_heartbeat_timestamp_seconds", "Its latest heartbeat, or receipt for one of ours.",
            "peer", "lane",
        )  # fmt: skip
        self.peer_round_trip = self._one(
            Gauge, "peer_round_trip_seconds", "From our heartbeat to its receipt.", "peer", "lane"
        )
        self.peer_skew = self._one(
            Gauge, "peer_clock_skew_seconds", "Its clock minus ours, to within half the round trip.", "peer", "lane"
        )
        self.peer_key_expiry = self._one(
            Gauge, "peer_key_expiry_timestamp_seconds", "When the last usable key ends; our own too.", "peer", "use"
        )
        self.peer_pending = self._one(Gauge, "peer_outbox_pending", "Messages of ours without its receipt.", "peer")
        self.gaps_open = self._one(Gauge, "gaps_open", "Threads that wait for a message which has not come.", "peer")
        self.gap_oldest_age = self._one(Gauge, "gap_oldest_age_seconds", "How long the oldest of them waits.")
        self.deadlines_open = self._one(Gauge, "deadlines_open", "Steps that are waited for.", "step", "tier", "whose")
        self.deadlines_overdue = self._one(
            Gauge, "deadlines_overdue", "Those that should be done by now.", "step", "tier", "whose"
        )
        self.deadlines_ended = self._one(
            Gauge, "deadlines_ended", "Steps done since the beginning.", "step", "tier", "whose", "outcome"
        )
        self.treaty_exceptions = self._one(
            Gauge, "treaty_exceptions", "Preservations that ended or failed short of art. 29.", "kind", "direction"
        )
        self.notifications_pending = self._one(Gauge, "notifications_pending", "Notifications that wait to be sent.")
        self.notifications_alarmed = self._one(
            Gauge, "notifications_alarmed", "Notifications that failed in a day, nothing taken there since."
        )
        self.peers_closed = self._one(Gauge, "peers_closed", "Counterparts that are waited for after a restore.")

    def _one(self, kind: type[Instrument], name: str, help_text: str, *labels: str) -> Instrument:
        return kind(name, help_text, labels, namespace=NAMESPACE, registry=self.registry)

    def _times(self, name: str, help_text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(name, help_text, labels, namespace=NAMESPACE, registry=self.registry, buckets=buckets)
