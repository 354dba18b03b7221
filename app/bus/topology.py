"""What exists at the broker, as data: names, arguments, bindings, and who may do what.

    cp.post (topic) ── <to>.*.<lane> ──▶ cp.in.<to>.<lane>.<suffix>
                                             │ returned more than DELIVERY_LIMIT times
    cp.dead (topic) ── <to>.<lane> ────▶ cp.dead.<to>.<suffix>

A routing key is `<to>.<from>.<lane>`. A contact point's user name at the broker is its code, so the broker itself keeps
anybody from posting under a foreign name. Nodes declare nothing: an administrator loads these definitions, a node
checks passively that its own queues are there. The suffix of a queue is a secret between the administrator and the
node, because a passive check of a foreign queue would be answered, with the number of messages in it.

Everything here means the same to RabbitMQ 3.10 and 4.x; that is why nothing is left to a default.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.domain.codes import Lane

if TYPE_CHECKING:
    from collections.abc import Mapping

POST: Final = "cp.post"
DEAD: Final = "cp.dead"

CODE_PATTERN: Final = "[A-Z]{2}(-[A-Z0-9]{2,12})?"
LANE_PATTERN: Final = f"({'|'.join(Lane)})"
SUFFIX_PATTERN: Final = "[a-z2-7]{8,64}"

DELIVERY_LIMIT: Final = 20
"""Returns after which a delivery goes to the dead letters. 3.10 has no limit of its own, 4.x has this one."""

NO_LIMIT: Final = 1_000_000_000
"""Dead letters have no second place to go: beyond a limit they would be dropped, and 3.10 cannot say "none"."""

MAX_QUEUE_BYTES: Final = 268_435_456
"""256 MiB per queue; beyond it publishers are refused and keep their envelopes in their own outbox."""

Arguments = dict[str, str | int | bool]


class NotAContactPoint(ValueError):
    """The text is not a code of ruling 5 (`XX` or `XX-NAME`), or not a queue suffix: it must not reach a pattern."""


@dataclass(frozen=True, slots=True)
class Queues:
    """The names of one contact point's queues."""

    code: str
    suffix: str

    def __post_init__(self) -> None:
        check_code(self.code)
        if not re.fullmatch(SUFFIX_PATTERN, self.suffix):
            raise NotAContactPoint("a queue suffix is 8 to 64 characters of a-z and 2-7")

    def inbound(self, lane: Lane) -> str:
        """Where the envelopes of one lane wait for this contact point."""
        return f"cp.in.{self.code}.{lane}.{self.suffix}"

    @property
    def dead(self) -> str:
        """Where those wait that came back too often, from either lane."""
        return f"cp.dead.{self.code}.{self.suffix}"


@dataclass(frozen=True, slots=True)
class Queue:
    """One queue with its one binding."""

    name: str
    arguments: Arguments
    exchange: str
    binding: str


@dataclass(frozen=True, slots=True)
class Permissions:
    """Regular expressions of RabbitMQ: on resource names, and on the routing keys of one topic exchange."""

    configure: str
    write: str
    read: str
    topic_exchange: str
    topic_write: str
    topic_read: str


EXCHANGES: Final[Mapping[str, bool]] = {POST: False, DEAD: True}
"""Topic exchanges by name; true for those that only the broker itself may publish to."""


def check_code(code: str) -> str:
    """Return `code`, or raise `NotAContactPoint`."""
    if not re.fullmatch(CODE_PATTERN, code):
        raise NotAContactPoint("a contact point is XX or XX-NAME, in capitals")
    return code


def routing_key(lane: Lane, *, to: str, sender: str) -> str:
    """Address of one publication."""
    return f"{check_code(to)}.{sender}.{lane}"


def sender_of(key: str) -> str:
    """The sender in a routing key; the broker lets a user post under its own name only. Empty for a dead letter."""
    parts = key.split(".")
    return parts[1] if len(parts) == len(("to", "from", "lane")) else ""


def queues_of(names: Queues) -> tuple[Queue, ...]:
    """All queues of one contact point: one per lane, and its dead letters."""
    lanes = (_inbound(names, lane) for lane in Lane)
    dead = Queue(names.dead, _dead_arguments(), DEAD, f"{names.code}.*")
    return (*lanes, dead)


def permissions_of(names: Queues) -> Permissions:
    """What the user of one contact point may do: post under its own name, read its own queues, and nothing else."""
    code, lanes = re.escape(names.code).replace("\\-", "-"), LANE_PATTERN
    return Permissions(
        configure="^$",
        write=f"^{re.escape(POST)}$",
        read=rf"^cp\.(in\.{code}\.{lanes}|dead\.{code})\.{names.suffix}$",
        topic_exchange=POST,
        topic_write=rf"^{CODE_PATTERN}\.{{username}}\.{lanes}$",
        topic_read="^$",
    )


def _inbound(names: Queues, lane: Lane) -> Queue:
    arguments: Arguments = {
        "x-queue-type": "quorum",
        "x-single-active-consumer": True,
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-max-length-bytes": MAX_QUEUE_BYTES,
        "x-overflow": "reject-publish",
        "x-dead-letter-exchange": DEAD,
        "x-dead-letter-routing-key": f"{names.code}.{lane}",
        "x-dead-letter-strategy": "at-least-once",
    }
    return Queue(names.inbound(lane), arguments, POST, f"{names.code}.*.{lane}")


def _dead_arguments() -> Arguments:
    return {
        "x-queue-type": "quorum",
        "x-single-active-consumer": True,
        "x-delivery-limit": NO_LIMIT,
        "x-max-length-bytes": MAX_QUEUE_BYTES,
        "x-overflow": "reject-publish",
    }
