"""Free loopback ports."""

from __future__ import annotations

import socket
from contextlib import ExitStack

LOOPBACK = "127.0.0.1"


def free_ports(number: int) -> list[int]:
    """Return different ports that nobody listens on at this moment."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(number)]
        for each in sockets:
            each.bind((LOOPBACK, 0))
        return [each.getsockname()[1] for each in sockets]


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
