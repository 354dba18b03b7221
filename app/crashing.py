"""Named places at which a process of a rehearsal dies on purpose: what a crash leaves there is then seen, not believed.

`COUNTERPART_CRASH_AT` names one of them; the settings refuse it everywhere but in a rehearsal. `docs/delivery.md` says
for each place what is left and who repairs it; each is visited by a test on real processes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum

KILLED = 137
"""Exit code of a process that died at a crash point: the shell's for one that was killed with SIGKILL."""


class CrashPoint(StrEnum):
    """Every place at which a process can be made to die; most lie right before or right after a commit."""

    GATEWAY_BEFORE_COMMIT = "gateway_before_commit"
    GATEWAY_BEFORE_ANSWER = "gateway_before_answer"
    RELAY_BEFORE_COMMIT = "relay_before_commit"
    RELAY_BEFORE_PUBLISHING = "relay_before_publishing"
    RELAY_BEFORE_SETTLING = "relay_before_settling"
    RELAY_AFTER_SETTLING = "relay_after_settling"
    INTAKE_BEFORE_COMMIT = "intake_before_commit"
    INTAKE_BEFORE_ACK = "intake_before_ack"
    INTAKE_BEFORE_SETTLING = "intake_before_settling"
    SETTLING_BEFORE_COMMIT = "settling_before_commit"
    SETTLING_AFTER_COMMIT = "settling_after_commit"
    SEQUENCER_BEFORE_COMMIT = "sequencer_before_commit"
    SEQUENCER_BEFORE_ANCHOR = "sequencer_before_anchor"
    SEQUENCER_BEFORE_PUBLISHING = "sequencer_before_publishing"
    TIMERS_BEFORE_COMMIT = "timers_before_commit"
    TIMERS_AFTER_COMMIT = "timers_after_commit"


@dataclass(frozen=True, slots=True)
class Crash:
    """Where this process is to die; nowhere in production."""

    at: CrashPoint | None = None

    def here(self, point: CrashPoint) -> None:
        """End the process at once if it was told to die here: no handler, no flush, no answer, as in a power cut."""
        if point is self.at:
            os._exit(KILLED)


NEVER = Crash()
"""For what no rehearsal lets a process die in."""
