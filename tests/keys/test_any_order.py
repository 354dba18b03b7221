"""First text, second text, copies of both and the directory may come in any order: the end is the same."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.envelope.parties import AURELIA, NOW
from tests.keys.rotation import SECOND, THIRD, again, record
from tests.support.peer import new_id

if TYPE_CHECKING:
    from tests.keys.rotation import Rotation
    from tests.support.peer import Clock, Said

REVOKED_AT = NOW + timedelta(hours=1)
LEARN, LOOK = "learn", "look"

STEPS = st.lists(
    st.sampled_from([LEARN, LOOK, "old 1", "old 2", "new 1", "new 2", "old 1+new 1", "new 2+old 2", "old 2+new 1"]),
    max_size=10,
)


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@example(steps=["new 1", "old 1", LEARN, LOOK])
@example(steps=["old 2", "new 2", "old 2", LEARN, "new 2", LOOK])
@example(steps=["old 1+new 1", "new 2+old 2", LEARN, "old 1", "old 2"])
@given(steps=STEPS)
async def test_any_order_ends_the_same(rotation: Rotation, clock: Clock, steps: list[str]) -> None:
    """Each message has its effect once, in order; each text that was let in is kept and in the end receipted as stored.

    No text is receipted as a contradiction, and one under the old key that came too late not at all.
    """
    station, thread = rotation.station, new_id()
    await station.wipe()
    clock.now = NOW
    rotation.believe(record(AURELIA.signing), record(SECOND), record(THIRD))
    old = {number: rotation.first.say_next(thread) for number in ("1", "2")}
    texts = {"old": old, "new": {number: again(said, rotation.second) for number, said in old.items()}}
    let_in: set[str] = set()
    knows = False
    for step in [*steps, LEARN, LOOK, "new 1", "new 2", LOOK]:
        if step == LEARN:
            clock.now = NOW + timedelta(hours=2)
            rotation.revoke_first(REVOKED_AT)
            knows = True
        elif step == LOOK:
            await rotation.look_again()
        else:
            said = [texts[one.split()[0]][one.split()[1]] for one in step.split("+")]
            await station.take(*map(rotation.first.close, said))
            let_in |= {one.hash for one in said if not (knows and one in old.values())}
    assert await station.effects_of(thread) == [1, 2]
    assert await station.fates_of(thread) == [(1, "applied", None), (2, "applied", None)]
    assert await rotation.beside() | {name for (name,) in await station.rows("SELECT inner_hash FROM inbox")} == let_in
    assert {reason for reason, _ in await rotation.quarantined()} <= {"key_revoked"}
    said_of = defaultdict(list)
    for name, status, _ in await rotation.receipts():
        said_of[name].append(status)
    assert set(said_of) <= let_in
    assert {said.hash for said in texts["new"].values()} <= set(said_of)
    assert {status for statuses in said_of.values() for status in statuses} <= {"held", "stored"}
    assert {said_of[said.hash][-1] for said in texts["new"].values()} == {"stored"}


async def test_under_a_new_name_the_effect_would_double(rotation: Rotation) -> None:
    """(Control) Had the text signed again a message id of its own, both would have their effect."""
    station = rotation.station
    said: Said = rotation.first.say("test-call/1")
    renamed = again(said, rotation.second, jti=new_id())
    await station.take(rotation.first.close(said))
    rotation.revoke_first(REVOKED_AT)
    await station.take(rotation.first.close(renamed))
    await station.sweep()
    assert await station.rows("SELECT count(*) FROM effect") == [(2,)]
