"""What one process of a node believes at this moment: its directory, and which of its own keys it signs with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.services.seal import Sealing, choose_signing_key

if TYPE_CHECKING:
    from datetime import datetime

    from app.domain.directory import Directory
    from app.envelope.keys import Keyring, SigningKey
    from app.services.node import Node


@dataclass(slots=True)
class Trust:
    """The one thing of a running node that changes under it. Whoever begins a command takes `node` once and keeps it.

    `refused` is the code of the fault for which the present file of the directory was not taken, None when it was:
    then `node.directory` is an older one than the operator believes.
    """

    node: Node
    keyring: Keyring
    refused: str | None = None

    def adopt(self, directory: Directory) -> None:
        """Believe this directory from now on."""
        self.node = replace(self.node, directory=directory)
        self.refused = None

    def refuse(self, code: str) -> None:
        """Go on with the directory we have, and say so."""
        self.refused = code

    def signing_key(self, now: datetime) -> SigningKey | None:
        """The key to sign with at this moment; None when the directory lets nobody believe any of ours."""
        return choose_signing_key(self.keyring, self.node.directory, code=self.node.code, now=now)

    def sealing(self, now: datetime) -> Sealing:
        """What one round of a relay works with."""
        return Sealing(self.node.code, self.signing_key(now), self.node.directory)
