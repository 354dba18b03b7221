"""A port is held or named; a stop is asked for by a signal, and the default comes back afterwards."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from typing import TYPE_CHECKING

import pytest

from app.errors import SettingsUnusable
from app.serving import STOP_SIGNALS, listen_on, on_stop_signals, wall_clock
from tests.support.ports import LOOPBACK, free_ports, listens

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_a_port_is_listened_on() -> None:
    """Port 0 takes a free one; who connects at once is answered later, for connections queue."""
    with listen_on(LOOPBACK, 0) as listener:
        assert listens(listener.getsockname()[1])


def test_a_port_in_use_is_named() -> None:
    """A taken port is one sentence with its number; once it is free again it can be had at once."""
    with listen_on(LOOPBACK, 0) as held:
        port = held.getsockname()[1]
        with pytest.raises(SettingsUnusable, match=f"Port {port} on {LOOPBACK} is in use") as refused:
            listen_on(LOOPBACK, port)
        assert refused.value.detail.endswith(".")
    with listen_on(LOOPBACK, port) as again:
        assert again.getsockname()[1] == port


def test_a_port_that_another_program_has_on_all_addresses_is_named() -> None:
    """Also who listens on every address is in the way."""
    held = socket.create_server(("0.0.0.0", 0))  # noqa: S104 - for the moment of this test
    with held, pytest.raises(SettingsUnusable, match="is in use"):
        listen_on(LOOPBACK, held.getsockname()[1])


ELSEWHERE = {"an address of others": "192.0.2.1", "a name that nobody has": "nowhere.invalid"}


@pytest.mark.parametrize("host", ELSEWHERE.values(), ids=ELSEWHERE.keys())
def test_a_host_that_is_not_ours_is_named(host: str) -> None:
    """An address that this machine does not have is one sentence."""
    with pytest.raises(SettingsUnusable, match=f"on {host} cannot be listened on"):
        listen_on(host, free_ports(1)[0])


@pytest.fixture
def hangup() -> Iterator[None]:
    """What a hangup does is restored after the test."""
    before = signal.getsignal(signal.SIGHUP)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", STOP_SIGNALS)
async def test_a_signal_asks_for_a_stop(number: signal.Signals) -> None:
    """Ctrl-C, SIGTERM and a closed terminal are told to us, more than once too, instead of ending the process."""
    told = asyncio.Event()
    with on_stop_signals(told.set):
        for _ in range(2):
            os.kill(os.getpid(), number)
            async with asyncio.timeout(10):
                await told.wait()
            told.clear()


async def test_the_default_comes_back(hangup: None) -> None:
    """After the block signals do what they did before."""
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)]
    with on_stop_signals(lambda: None):
        assert signal.getsignal(signal.SIGTERM) != before[0]
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)] == before


async def test_an_ignored_hangup_stays_ignored(hangup: None) -> None:
    """A node that was started with nohup outlives its terminal."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    told = asyncio.Event()
    with on_stop_signals(told.set):
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(10):
            await told.wait()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


async def test_the_clock_is_in_utc() -> None:
    """Commands begin with a moment that knows its zone."""
    assert wall_clock().tzname() == "UTC"
