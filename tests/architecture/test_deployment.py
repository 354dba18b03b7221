"""What is shipped for running a node: pinned, unprivileged, and open to nobody by default."""

from __future__ import annotations

import re
from typing import Any

import yaml

from tests.architecture.source import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text()
SECRET = re.compile(r"(PASSWORD|SECRET|TOKEN|_URL)", re.IGNORECASE)


def compose() -> dict[str, Any]:
    """The services of the compose file."""
    services: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    return services


def test_every_foreign_image_is_pinned() -> None:
    """Each image that is not ours names its minor version: a floating one changes the broker under a running node."""
    images = {service["image"] for service in compose().values()} - {"counterpart"}
    assert {image.split(":")[0] for image in images} == {"postgres", "rabbitmq"}
    assert all(re.search(r":\d+\.\d+", image) for image in images)


def test_every_port_is_on_loopback() -> None:
    """Nothing that the compose file starts can be reached from another machine."""
    ports = [port for service in compose().values() for port in service.get("ports", [])]
    assert len(ports) >= 3
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_no_secret_is_written_down() -> None:
    """Passwords come from the environment, in the compose file as in the image."""
    for name, service in compose().items():
        for key, value in service.get("environment", {}).items():
            assert not SECRET.search(key) or str(value).startswith("${"), f"{name}: {key}"
    for line in re.findall(r"^(?:ENV|ARG) (.+)$", DOCKERFILE, re.MULTILINE):
        assert not SECRET.search(line)


def test_nodes_run_unprivileged() -> None:
    """The image runs as a numbered user without shell; compose takes capabilities and the writable root from it."""
    assert re.search(r"^USER 10001:10001$", DOCKERFILE, re.MULTILINE)
    nodes = [service for service in compose().values() if service["image"] == "counterpart"]
    assert len(nodes) >= 4
    assert all(node["read_only"] and node["cap_drop"] == ["ALL"] for node in nodes)


def test_image_is_built_from_the_lock() -> None:
    """The image installs exactly what is locked, copies only the application, and asks for readiness."""
    assert "--require-hashes" in DOCKERFILE
    assert set(re.findall(r"^COPY (?!--from)(\S+)", DOCKERFILE, re.MULTILINE)) == {
        "requirements-image.lock",
        "app",
        "migrations",
    }
    assert "/readyz" in DOCKERFILE.split("HEALTHCHECK")[1]


def test_hooks_use_the_locked_tools() -> None:
    """Every pre-commit hook runs a tool of the project's own environment."""
    (source,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert source["repo"] == "local"
    assert all(hook["entry"].startswith(".venv/bin/") and hook["language"] == "system" for hook in source["hooks"])
