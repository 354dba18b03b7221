"""Free loopback ports."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack, suppress

LOOPBACK = "127.0.0.1"
SYSTEM = random.SystemRandom()  # Hypothesis seeds the other one, and two runs side by side would choose alike
# Below those that the system gives to outgoing connections: one of these is not taken by a client in the meantime.
OURS = range(20_000, 32_768)


def free_ports(number: int) -> list[int]:
    """Return different ports that nobody listens on at this moment."""
    found: list[int] = []
    with ExitStack() as held:
        for port in SYSTEM.sample(OURS, len(OURS)):
            if len(found) == number:
                return found
            candidate = held.enter_context(socket.socket())
            with suppress(OSError):
                candidate.bind((LOOPBACK, port))
                found.append(port)
    message = f"fewer than {number} ports are free"
    raise RuntimeError(message)


def listens(port: int, *, greeting: bytes = b"", seconds: float = 1) -> bool:
    """Whether somebody accepts a connection and, if greeted, says at least one byte."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=seconds) as connection:
            if not greeting:
                return True
            connection.sendall(greeting)
            return bool(connection.recv(1))
    except OSError:
        return False
