"""Several processes of one contact point: gateways on ports of their own and workers, all against one database."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tests.support.ports import free_ports
from tests.support.processes import Site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def sibling(site: Site, name: str) -> Site:
    """One more process of that contact point: the same settings but for the port; nothing runs yet.

    If it will only work, it answers probes where a gateway would answer everything.
    """
    (port,) = free_ports(1)
    kept = [line for line in site.config.read_text().splitlines() if not line.startswith("http_port")]
    config = site.config.with_name(f"{site.config.stem}-{name}.toml")
    config.write_text("\n".join([*kept, f"http_port = {port}", f"metrics_port = {port}", ""]))
    return Site(site.code, config, site.tokens, born=True)


@asynccontextmanager
async def siblings(site: Site, *names: str) -> AsyncIterator[list[Site]]:
    """So many more processes for the time of the block, ended in any case."""
    made = [sibling(site, name) for name in names]
    try:
        yield made
    finally:
        for one in made:
            await one.close()
