"""The `definitions.json` that an administrator loads into RabbitMQ, and the secrets that belong to it.

The document holds password hashes only. Loading it again changes nothing; loading one made for further contact points
adds them and leaves the rest alone.
"""

from __future__ import annotations

import hashlib
from base64 import b32encode, b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from app.bus import topology
from app.bus.topology import Queues

RandomBytes = Callable[[int], bytes]
"""Returns that many unpredictable bytes."""

VHOST: Final = "counterpart"
PASSWORD_BYTES: Final = 24
SUFFIX_BYTES: Final = 15
SALT_BYTES: Final = 4  # fixed by RabbitMQ's format

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Account:
    """What one contact point's node must be told, over a safe channel: it is in no file that the broker reads."""

    code: str
    password: str = field(repr=False)
    suffix: str = field(repr=False)

    @property
    def queues(self) -> Queues:
        """The names of its queues."""
        return Queues(self.code, self.suffix)


@dataclass(frozen=True, slots=True)
class Administrator:
    """A user with every right on the vhost; it can withhold and delay, but neither read nor forge an envelope."""

    name: str
    password: str = field(repr=False)


def open_accounts(codes: Iterable[str], random: RandomBytes) -> tuple[Account, ...]:
    """Make a password and a queue suffix for each contact point."""
    return tuple(Account(topology.check_code(code), make_password(random), _make_suffix(random)) for code in codes)


def make_password(random: RandomBytes) -> str:
    """192 bits as URL-safe text: it will stand in an AMQP URL."""
    return urlsafe_b64encode(random(PASSWORD_BYTES)).decode()


def make_definitions(
    accounts: Iterable[Account], random: RandomBytes, *, vhost: str = VHOST, administrator: Administrator | None = None
) -> Document:
    """Make the document for these contact points; `random` salts the password hashes.

    A broker that starts blank with definitions makes no user and no vhost of its own: without `administrator` nobody
    could ever manage it, so leave it out only for a document that is added to a running broker.
    """
    every = sorted(accounts, key=lambda account: account.code)
    users = [_user(account.code, hash_password(account.password, random(SALT_BYTES))) for account in every]
    permissions = [_permission(vhost, account) for account in every]
    if administrator is not None:
        hashed = hash_password(administrator.password, random(SALT_BYTES))
        users.append(_user(administrator.name, hashed, "administrator"))
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        permissions.append({"user": administrator.name, "vhost": vhost, **everything})
    return {
        "vhosts": [{"name": vhost}],
        "users": users,
        "permissions": permissions,
        "topic_permissions": [_topic_permission(vhost, account) for account in every],
        **make_topology((account.queues for account in every), vhost=vhost),
    }


def make_topology(contact_points: Iterable[Queues], *, vhost: str) -> Document:
    """Make only the exchanges, queues and bindings."""
    queues = [queue for names in contact_points for queue in topology.queues_of(names)]
    lasting = {"vhost": vhost, "durable": True, "auto_delete": False}
    return {
        "exchanges": [
            {"name": name, "type": "topic", "internal": internal, "arguments": {}} | lasting
            for name, internal in topology.EXCHANGES.items()
        ],
        "queues": [{"name": queue.name, "arguments": queue.arguments} | lasting for queue in queues],
        "bindings": [
            {
                "source": queue.exchange,
                "destination": queue.name,
                "destination_type": "queue",
                "routing_key": queue.binding,
                "vhost": vhost,
                "arguments": {},
            }
            for queue in queues
        ],
    }


def hash_password(password: str, salt: bytes) -> str:
    """RabbitMQ's `rabbit_password_hashing_sha256`: base64(salt ‖ SHA-256(salt ‖ password))."""
    return b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def _make_suffix(random: RandomBytes) -> str:
    return b32encode(random(SUFFIX_BYTES)).decode().lower()


def _user(name: str, hashed: str, *tags: str) -> Document:
    algorithm = "rabbit_password_hashing_sha256"
    # 3.10 reads the tags as one text, 4.x also as a list: the text is understood by both.
    return {"name": name, "password_hash": hashed, "hashing_algorithm": algorithm, "tags": ",".join(tags)}


def _permission(vhost: str, account: Account) -> Document:
    may = topology.permissions_of(account.queues)
    rights = {"configure": may.configure, "write": may.write, "read": may.read}
    return {"user": account.code, "vhost": vhost, **rights}


def _topic_permission(vhost: str, account: Account) -> Document:
    may = topology.permissions_of(account.queues)
    rights = {"exchange": may.topic_exchange, "write": may.topic_write, "read": may.topic_read}
    return {"user": account.code, "vhost": vhost, **rights}
