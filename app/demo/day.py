"""Who plays the scripted day, with which papers, and what a step is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from app.demo.client import Person


@dataclass(slots=True)
class Day:
    """The people of the three nodes, the documents to file, the keys of the logs, and what earlier steps found out.

    `patience` is how many seconds a step waits for what the other node must do by itself.
    """

    people: Mapping[str, Mapping[str, Person]]
    documents: Mapping[str, Mapping[str, Any]]
    log_keys: Mapping[str, str]
    patience: float = 15.0
    found: dict[str, str] = field(default_factory=dict)

    def who(self, node: str, role: str) -> Person:
        """The person of that role at that node."""
        return self.people[node][role]

    def request(self, matter: Matter) -> str:
        """Where the request is, once it was filed."""
        return f"/v1/requests/{self.found[matter.name]}"

    def exchange(self, matter: Matter) -> str:
        """Where the exchange is that it became."""
        return f"/v1/exchanges/{self.found[f'{matter.name}.exchange']}"


@dataclass(frozen=True, slots=True)
class Matter:
    """One document of the day, by the name it is found under, and the contact point that it goes to."""

    name: str
    to: str


Step = tuple[str, "Callable[[Day], Awaitable[str]]"]
"""What happens, and the deed; the deed returns what was seen, or raises `StepFailed`."""
