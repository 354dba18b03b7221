"""What a thing in quarantine means, and who does what about it: for a person who is alone with it at night."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from app.domain.calling import how_to_call
from app.envelope.reasons import Reason
from app.services.inbound import MISPLACED, NOT_UNDERSTOOD, UNKNOWN_TYPE
from app.services.quarantine import CRASHED, EQUIVOCATION, UNOPENED
from app.services.second_text import AWAITING_DIRECTORY
from app.services.take_receipts import UNKNOWN_TEXT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.domain.directory import Directory


@dataclass(frozen=True, slots=True)
class Advice:
    """`reason` is a stable word; `meaning` and `next_act` are sentences: what is the case, and who does what."""

    reason: str
    meaning: str
    next_act: str


class Words(NamedTuple):
    """The two sentences with `{peer}` for its code and `{call}` for how to reach its people."""

    meaning: str
    next_act: str

    def about(self, reason: str, *, peer: str, call: str) -> Advice:
        """Fill them in."""
        words = {"peer": peer, "call": call}
        return Advice(reason, self.meaning.format(**words), self.next_act.format(**words))


_NOISE = (
    "Nobody waits for it, and whoever sent it gets no answer. A duty officer discards it. Do more of them come: "
    "telephone {call}, and tell the broker's administrator."
)
_FORGED = (
    "Telephone {call} and ask whether they sent anything at that time. What is genuine is sent again by itself until "
    "it is receipted, so nothing is lost by leaving this alone. A duty officer discards it after the call."
)
_ONE_IS_WRONG = (
    "Its exchange with {peer} stands still, all others go on. Telephone {call}: one of the two programs is wrong, and "
    "whoever runs it must be told. Does it have to go on now, a duty officer rejects it: {peer} is told so, and the "
    "exchange continues behind it."
)

_KNOWN: Mapping[str, Words] = {
    Reason.TOO_LARGE: Words("It is larger than any envelope may be.", _NOISE),
    Reason.MALFORMED: Words("It is no envelope: its form is wrong before anything could be opened.", _NOISE),
    Reason.DUPLICATE_MEMBER: Words("It names a member twice, which no node of ours writes.", _NOISE),
    Reason.ALG_NOT_ALLOWED: Words("It asks for a method of encryption or signature that we never use.", _NOISE),
    Reason.WRONG_HEADER: Words("Its outside lacks what every envelope has.", _NOISE),
    Reason.NOT_FOR_ME: Words("It is addressed to another contact point and came into our queue.", _NOISE),
    Reason.UNKNOWN_RECIPIENT_KEY: Words(
        "It is closed for a key that this node does not hold.",
        "Somebody works with another directory than we do. The operator compares our published keys with the folder of "
        "keys; telephone {call} and compare directory versions. Their node goes on sending and uses the right key once "
        "it has the newest directory; then a duty officer discards this.",
    ),
    Reason.UNDECRYPTABLE: Words("It names our key and does not open with it: damaged, or made up.", _FORGED),
    Reason.UNKNOWN_SENDER_KEY: Words(
        "It is signed with a key that our directory does not list for {peer}.",
        "Ask the registrar for the newest directory and put it in its place: the node reads it by itself, and their "
        "next copy is taken. Is ours the newest already, telephone {call} and compare the key by voice before anything "
        "else; then a duty officer discards this.",
    ),
    Reason.BAD_SIGNATURE: Words("It says that it is from {peer}, and the signature is not theirs.", _FORGED),
    Reason.MISMATCH: Words(
        "Inside and outside name different senders or recipients: it was put into a new cover.", _FORGED
    ),
    Reason.KEY_NOT_VALID: Words(
        "It was signed at a time at which its key was not valid yet, or no more.",
        "Telephone {call}: their clock is wrong, or they use a key that they have replaced. They put it right, and "
        "their node sends again; then a duty officer discards this.",
    ),
    Reason.KEY_REVOKED: Words(
        "It is signed with a key that {peer} has revoked, and came after that: whoever stole the key may have made it.",
        "Telephone {call} and let them read the message back. Is it theirs, two officers admit it, one after the "
        "other; is it not, a duty officer discards it. Meanwhile nothing of theirs is stopped by it.",
    ),
    Reason.UNKNOWN_VERSION: Words(
        "{peer} runs a newer release and writes a form of envelope that ours cannot read.",
        "The operator installs the release that reads it; it is taken up at the next start. Its exchange stands still "
        "until then, all others go on. Is it urgent, telephone {call}.",
    ),
    Reason.BAD_CLAIMS: Words(
        "{peer} did sign it, but what it says of itself cannot be read.",
        "Their node has been told that we could not read it and sends it no more. Telephone {call}: they have to send "
        "anew what they wanted. Then a duty officer discards this.",
    ),
    Reason.FROM_THE_FUTURE: Words(
        "It was signed at a time that our clock has not reached: theirs is five minutes ahead, or ours behind.",
        "The operator compares our clock with its time server first. Is ours right, telephone {call}: theirs is wrong. "
        "The message is taken by itself once our clock gets there.",
    ),
    UNKNOWN_TYPE: Words(
        "It is of a type that this release does not know.",
        "The operator installs the release that knows it; it is taken up at the next start. Its exchange with {peer} "
        "stands still until then, all others go on. Must it go on now, a duty officer rejects it: {peer} is told so.",
    ),
    MISPLACED: Words("It stands in a thread where its type has none, or in none where it needs one.", _ONE_IS_WRONG),
    NOT_UNDERSTOOD: Words("Its content does not have the form of its type.", _ONE_IS_WRONG),
    CRASHED: Words(
        "It is genuine, and our own program failed on it.",
        "The operator sends the log lines `message_quarantined` of that time to whoever maintains the software. Its "
        "exchange with {peer} stands still, all others go on. A duty officer may retry it at once; the next release "
        "does so at its start. Is it urgent, telephone {call}.",
    ),
    UNOPENED: Words(
        "The process died three times in a row with it in hand, so nobody opened it.",
        "Do not open it by hand. The operator sends the log of that time to whoever maintains the software. Is "
        "something expected, telephone {call}; a duty officer discards it when the cause is known.",
    ),
    EQUIVOCATION: Words(
        "{peer} signed two different texts for one place. The first one stands, and its exchange goes on.",
        "Their node got the first text back. Telephone {call}: was a backup restored there, or is their key in other "
        "hands? Both texts stay as evidence. A duty officer discards this one when it is explained.",
    ),
    UNKNOWN_TEXT: Words(
        "{peer} receipts a message that this node does not know to have sent: they are mistaken, or our database is "
        "older than what they saw.",
        "Do not restore anything. The text is being asked for, and comes back by itself if it is ours: look at "
        "`counterpart recovery show`. Does nothing come within the hour, telephone {call}; a duty officer discards "
        "this when it is explained.",
    ),
    AWAITING_DIRECTORY: Words(
        "{peer} signed a message again under another key, and our directory does not show why.",
        "Telephone {call}: was a key revoked? Then the registrar has a newer directory: put it in its place, and the "
        "message is taken by itself. Until then it is kept, and nothing is lost.",
    ),
}
_OTHER = Words(
    "It waits for a reason that this release has no words for.",
    "The operator looks up the reason in docs/operating.md; telephone {call} if something is expected.",
)


def advise_on_quarantine(directory: Directory, reason: str, peer: str | None) -> Advice:
    """Say what it means that something is kept for this reason, and what is to be done.

    `peer` is who sent it, or who is said to have sent it; None where the bytes do not even say that.
    """
    unseen = "the broker's administrator, who sees which account sent it"
    return _KNOWN.get(reason, _OTHER).about(
        str(reason), peer=peer or "an unknown sender", call=how_to_call(directory, peer) if peer else unseen
    )
