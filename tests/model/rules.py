"""The rules of the protocol that can be taken away, one by one, to see what they are for."""

from __future__ import annotations

from enum import StrEnum


class Rule(StrEnum):
    """What a node does or leaves undone. The text says what a node does that does not know the rule."""

    DEDUPE = "takes a message that it has again for a new one"
    ORDER = "applies what arrives when it arrives"
    RESEND = "publishes each message once"
    PROBE = "does not ask into a silence: without evidence nothing is sent again"
    FIVE_SECONDS = "acts on evidence at once"
    CONFIRMED_BEFORE = "takes any receipt for evidence against everything that waits"
    RECEIPT_ENDS = "believes the broker: a confirmation ends the row"
    RECEIPT_AFTER_COMMIT = "sends the receipt before it has committed what it speaks of"
    RECEIPT_NAMES_TEXT = "lets a receipt end a row by the message's name, whatever text it speaks of"
    FIRST_STANDS = "lets any second text replace the first"
    HELD_RECEIPTED = "does not receipt what waits behind a gap"
    DUPLICATE_RECEIPTED = "does not receipt what it has receipted before"
    JUDGED = "applies a withdrawal in whatever state the exchange is"
    REQUESTED_DECIDES = "changes the exchange at the requesting side, when its officer acts"
    GENERATION_ADOPTED = "adopts every snapshot, an older one too"
    GENERATION_SEEN = "lets an officer act on an exchange that has changed since they read it"
    FATE_TOLD = "does not tell what became of the other side's acts"
    EXPIRED_ANSWERED = "does not answer an opening that has expired"
    EXPIRED_BY_FIRST_COPY = "compares the expiry with the moment of applying"
    LANE_FOLLOWS_TIER = "leaves on the routine lane what was queued before the tier was raised"
    RAISE_UNDER_WAY_COUNTS = "forgets, when a snapshot comes, that a raise of its own is still under way"
    ONE_TEXT = "signs anew at each publication"
    SIGNED_AGAIN = "goes on publishing texts under a key that was revoked"
    AWAITS_DIRECTORY = "takes a text signed again, before it has heard of the revocation, for equivocation"
    REVOKED_REFUSED = "takes a text under a revoked key however late it comes"
    QUARANTINE_STOPS = "passes over what it cannot understand and goes on in the thread"
    WITHDRAWAL_BLOCKS = "does not look at withdrawals that wait behind a gap"
    WITHDRAWAL_FOUND_LATER = "looks at a waiting withdrawal when it arrives, and not again when the gap moves"
    RESYNC = "goes on after a restore as if nothing had happened"
    VOID_FILLS = "leaves the numbers that nobody holds empty after a restore"
    FATES_ADOPTED = "applies after a restore what it had answered before"
    ASKED_ON_BOTH_LANES = "answers a resync that has come on one lane only"
    LOOSE_SUPERSEDED = "signs after a restore what has no number, though it may have signed it before"
