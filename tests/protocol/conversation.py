"""The scenes of the conversation in docs/vectors/conversation.json, in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.domain.delivery_messages import HeartbeatBody, NumbersBody, ResyncBody, ResyncCopyBody, ResyncThreadBody
from app.domain.messages import VoidBody, write_body
from app.domain.moments import write_instant
from tests.protocol.play import LOST, THREAD, Play
from tests.protocol.stage import REVOKED_AT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from tests.protocol.stage import Message

JSON = dict[str, Any]
READS = ("exchange.open/1", "exchange.action/1", "exchange.state/1", "hold.action/1", "receipt/1", "heartbeat/1")
RESYNC = "019a9f5e-7c00-7000-8000-0000000000aa"


def conversation() -> list[JSON]:
    """Every step."""
    play = Play()
    _opened(play)
    _worked_on(play)
    _gap(play)
    _preserved(play)
    _signed_again(play)
    _restored(play)
    _ended(play)
    return [{"step": number, **step} for number, step in enumerate(play.stage.steps, start=1)]


def _opened(play: Play) -> None:
    opening = play.open()
    step = play.stage.carry(opening, "XA asks XT to preserve data.", fate="applied")
    play.begin(opening)
    play.receipt(step)
    play.given(play.state(), "XT answers: DELIVERED, generation 1, and the fate of the opening.", fate="applied")
    beat = HeartbeatBody(at=play.stage.now, software="example 1.0", reads=READS)
    body = write_body(beat)
    play.given(play.stage.say("XT", "heartbeat/1", body, lane="routine"), "A heartbeat.", effect="XT was heard.")


def _worked_on(play: Play) -> None:
    play.stage.wait(minutes=1)
    acknowledged = play.decide("acknowledge", b_reference="KT/2026/118", next_update_at="2026-11-22T11:00:00.000Z")
    first = play.stage.carry(acknowledged, "A person at XT took it.", fate="applied")
    play.receipt(first, lost=True)
    play.stage.wait(seconds=5)
    again = play.stage.carry(
        acknowledged, "The receipt did not come: the same text, copy 2.", effect="None: a duplicate."
    )
    play.receipt(again, received_at=first["at"])
    play.given(play.decide("accept", instrument="ETS185"), "It will be done.", fate="applied")
    play.given(play.decide("start"), "It is being done.", fate="applied")


def _gap(play: Play) -> None:
    play.stage.wait(seconds=30)
    one = play.wish("supplement", text="The source port was 51544.")
    two = play.wish("supplement", text="The clock of the gateway is exact.")
    play.stage.carry(one, LOST)
    held = play.stage.carry(two, "The next one overtakes what was lost.", effect="Held behind number 2.")
    play.receipt(held, "held", missing=[2])
    came = play.stage.carry(one, "XA is asked for number 2 and sends it at once.", fate="applied")
    play.judge(one, came["at"])
    play.judge(two, held["at"])
    play.receipt(came)
    held["then"]["fate"] = "applied"
    play.given(play.state(), "One state for both: consumed 3.", fate="applied")


def _preserved(play: Play) -> None:
    play.stage.wait(minutes=2)
    play.given(
        play.decide(
            "preserve", results=[{"target": 0, "outcome": "HELD"}], days=90, preserved_at=write_instant(play.stage.now)
        ),
        "Everything is held, for ninety days.",
        fate="applied",
    )
    hold = play.value.holds[0].id
    claim = play.wish("claim_mla_sent", hold=hold, ca_reference="AU-MLA-2026-31", date="2026-11-22")
    step = play.stage.carry(claim, "XA says that its letter of request has left.", fate="applied")
    play.judge(claim, step["at"])
    play.receipt(step)
    play.given(play.state(), "XT has noted the claim.", fate="applied")


def _signed_again(play: Play) -> None:
    stage = play.stage
    wish = play.wish("request_extension", hold=play.value.holds[0].id, days=60)
    first = stage.carry(wish, "XA asks for more time.", fate="applied")
    play.judge(wish, first["at"])
    play.receipt(first, lost=True)
    play.given(play.state(), "XT has noted the wish.", fate="applied")
    stage.now = REVOKED_AT.replace(minute=REVOKED_AT.minute + 1)
    stage.versions["XA"], stage.signing["XA"] = 42, "XA-sig-2026b"
    stage.event(
        "XA takes directory 42: its first signing key is revoked. It signs what has no receipt again.", code="XA"
    )
    second = stage.signed(wish)
    early = stage.carry(second, "The same message under the other key; XT still has directory 41.", effect="Kept.")
    stage.wait(minutes=1)
    stage.versions["XT"] = 42
    stage.event("XT takes directory 42 and looks again at what waits for it.", code="XT")
    play.receipt(early, copy=1, received_at=first["at"])
    early["then"] |= {"effect": "Kept, and not receipted before XT has directory 42.", "waits": True}
    stage.wait(minutes=1)
    play.given(play.decide_on_hold("grant_extension", days=60), "XT grants it.", fate="applied")


def _restored(play: Play) -> None:
    stage = play.stage
    stage.wait(minutes=5)
    backed_up, moment = stage.last["XA", THREAD], stage.now
    six = play.wish("supplement", text="The suspect has been named.")
    came = stage.carry(six, "After the last backup of XA: number 6.", fate="applied")
    play.judge(six, came["at"])
    play.receipt(came)
    forgotten = play.state()
    play.given(forgotten, "A state that XA will forget.", fate="applied")
    stage.carry(play.wish("supplement", text="This one nobody will have."), LOST)
    eight = play.wish("release", hold=play.value.holds[0].id)
    held = stage.carry(eight, "Number 8, behind a gap.", effect="Held behind number 7.")
    play.receipt(held, "held", missing=[7], lost=True)
    stage.wait(minutes=10)
    stage.last["XA", THREAD] = backed_up
    stage.event(
        "XA's database is restored from the backup; XA does not know it yet.", code="XA", from_=write_instant(moment)
    )
    wrong = play.wish("supplement", text="Another text in the place of number 6.")
    other = stage.carry(wrong, "XA uses number 6 a second time.", effect="None: equivocation. The first text stands.")
    play.receipt(other, "quarantined", reason="equivocation")
    copy = _copy(play, six, reason="equivocation")
    proof = stage.carry(copy, "XT returns the text that it had first.", effect="Proof: XA lacks it. It is recovering.")
    stage.last["XA", THREAD] = (6, six.jti)
    answered = _answered(play, moment, eight=eight, forgotten=forgotten)
    stage.event("XA has all that XT's answer lists. Number 7 is held by nobody. XA is open again.", code="XA")
    for step in (proof, *answered):
        play.receipt(step)
    _filled(play, eight, held)


def _answered(play: Play, moment: datetime, *, eight: Message, forgotten: Message) -> Sequence[JSON]:
    """What XT sends; XA receipts it when it is done."""
    stage, states = play.stage, forgotten.claims["seq"]
    ask = _listing("ask", out=NumbersBody(upto=6), in_=NumbersBody(upto=states - 1))
    asked = _both(play, "XA", ask.model_copy(update={"since": moment}), "XA asks what XT has of this pair")
    for step in asked:
        play.receipt(step)
    returned = stage.carry(
        _copy(play, eight, reason="resync"), "A text of XA that XA has not.", effect="XA has it again."
    )
    again = stage.carry(
        forgotten, "A state that XA has not is due again.", effect="Held until XA is done.", fate="applied"
    )
    answer = _listing("answer", out=NumbersBody(upto=states), in_=NumbersBody(upto=6, also=(8,)))
    return (returned, again, *_both(play, "XT", answer, "What XT has"))


def _filled(play: Play, eight: Message, held: JSON) -> None:
    stage = play.stage
    void = stage.say("XA", "void/1", write_body(VoidBody(reason="lost with the database")), thread=THREAD)
    filled = stage.carry(void, "Number 7 is filled: what was held behind it has its turn.", fate="void")
    stage.last["XA", THREAD] = (8, eight.jti)
    play.void(void)
    play.judge(eight, held["at"])
    play.receipt(filled)
    held["then"]["fate"] = "applied"
    play.given(play.state(), "Numbers 7 and 8 have their fates; the hold is releasing.", fate="applied")


def _ended(play: Play) -> None:
    play.stage.wait(minutes=5)
    play.given(
        play.decide_on_hold("release"),
        "XT's officer lets the data go: the hold has ended, and the exchange.",
        fate="applied",
    )


def _copy(play: Play, message: Message, *, reason: str) -> Message:
    members: JSON = {"reason": reason, "text": message.text}
    if reason == "resync":
        members["resync"] = RESYNC
    body = ResyncCopyBody.model_validate(members, strict=False)
    return play.stage.say("XT", "resync.copy/1", write_body(body))


def _listing(kind: str, *, out: NumbersBody, in_: NumbersBody) -> ResyncBody:
    thread = ResyncThreadBody.model_validate({"thread": THREAD, "out": out, "in": in_}, strict=False)
    return ResyncBody.model_validate({"id": RESYNC, "kind": kind, "lane": "urgent", "threads": (thread,)}, strict=False)


def _both(play: Play, sender: str, body: ResyncBody, about: str) -> Sequence[JSON]:
    steps = []
    for lane in ("urgent", "routine"):
        told = write_body(body) | {"lane": lane}
        message = play.stage.say(sender, "resync/1", told, lane=lane)
        steps.append(
            play.stage.carry(message, f"{about}, on {lane}.", effect="Taken; the other lane's copy counts too.")
        )
    return steps
