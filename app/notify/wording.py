"""What a notification says: what kind of thing waits, by when, what to do, and where. Never content, never a person.

The registrar learns the exchange's id, the two contact points, states and times (domain.md 6.7), and no reference.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.db.tables_clocks import ChannelKind
from app.domain.deadlines import BY_TELEPHONE, Audience, Step, Subject
from app.domain.moments import write_instant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.db.events import StoredEvent
    from app.db.notifications import Matter

FAILED = "notification.failed"
_WITHOUT_ACCESS = frozenset({Audience.REGISTRAR, Audience.CENTRAL_AUTHORITY})
"""Who has no seat at this node, and nothing of a link to it."""

MAX_TITLE_LENGTH = 150

_DO: Mapping[str, str] = {
    "request.filed": "Open it: the agency waits, and nothing has left the state.",
    "exchange.delivered": "Take it: acknowledge it, then decide. Their people see that only a machine has it.",
    "hold.lost": "They report that the data are lost. Read what and when, and tell the agency.",
    "hold.lifted": "An authority there ended the order before its term. Read whether a new request could succeed.",
    "hold.expiring": "See to the follow-up request, or ask for more time: after its end nobody can.",
    "exchange.gap_alarmed": "Telephone the other contact point: a message of theirs has not come.",
    "contact_point.gap_alarmed": "Telephone the other contact point: a message of theirs has not come.",
    "contact_point.test_call": "Somebody tries whether your desk answers: answer the test call.",
    "contact_point.test_call_missed": "Their desk did not answer a test call: telephone it.",
    "contact_point.unverified": "Two test calls in a row were not answered: the registrar calls back.",
    "contact_point.incident": "Another contact point reports an incident that concerns you: read it.",
    "contact_point.key_revoked_late": "A key was revoked for a time in which its messages were taken: look at them.",
    "quarantine.proposed": "Another officer proposed something about the quarantine: look at it with your own token.",
    "roster.warning": "The duty roster breaks this rule soon: see who can take the shift, or be trained.",
    "roster.error": "The duty roster breaks this rule now or within 48 hours: mend it. Where nobody is on duty or "
    "trained, the escalation contact of the directory is called.",
    FAILED: "People were not told of something that is late. Look at the feed, tell them, and mend the channel.",
}

_LATE: Mapping[Step, str] = {
    Step.INTAKE: "Open the request.",
    Step.TRIAGE: "Decide the request: approve and sign, return, redirect or decline it.",
    Step.SIGNATURE_REVIEW: "Look at what one person signed alone.",
    Step.ACKNOWLEDGEMENT: "Take it: acknowledge it, or see that somebody does.",
    Step.SUBSTANCE: "Decide: accept, refuse, ask, or say how far it is.",
    Step.REFERRAL: "Ask the authority it was referred to, and say how it goes on.",
    Step.PRESERVED: "See that the data are held, and say so.",
    Step.ANSWER: "Give the answer, or say how far it is.",
    Step.TRAFFIC_PATH: "Tell the path of the communication (art. 30), or that it is withheld.",
    Step.CLARIFICATION_ANSWER: "Answer their question.",
    Step.RISK_NOTICE_ANSWER: "Decide on the risk: proceed or stop.",
    Step.CONDITION_ANSWER: "Accept or decline the condition.",
    Step.RELEASE: "Let go of the data that are no longer needed.",
    Step.REGULARISATION: "Put into writing what was asked by voice.",
    Step.CONFIRMATION: "Send the formal confirmation.",
    Step.REVIEW: "Take the postponed request up again.",
    Step.MLA_RECEIPT: "Ask your central authority whether the follow-up request has come.",
}
_FOR_CENTRAL_AUTHORITY: Mapping[str, str] = {
    "hold.expiring": "Data held abroad for a case of ours are kept only until this end. Send the request for mutual "
    "assistance, or tell our contact point that more time is needed: after the end nobody can give it.",
    "hold.receipt_to_confirm": "They say that their request for mutual assistance was sent to you. Tell our contact "
    "point whether it has come: until then the data held for them are lost with the end of the hold.",
}
_TELEPHONE = "Telephone the other contact point: the sheet says whom, in which order, and what to say."
_UNCONFIRMED = "Their system has not confirmed it yet; sending goes on. The sheet says how else they are reached."
_REMIND = "The other side is late: remind it."
_REGISTERED = "No person at the requested contact point has taken it in twice the time. Metadata only."


@dataclass(frozen=True, slots=True)
class Words:
    """One message: `title` for a mailbox, and both its forms."""

    title: str
    text: str
    data: str

    def body_for(self, kind: ChannelKind) -> str:
        """What that kind of channel carries."""
        return self.text if kind is ChannelKind.MAIL else self.data


def word(event: StoredEvent, matter: Matter | None, audience: Audience, *, code: str, link: str | None) -> Words:
    """The message about `event` for `audience`, from the contact point `code`. `link` is where people reach it."""
    members = _members(event, matter, audience, code=code)
    place = None if link is None or audience in _WITHOUT_ACCESS else f"{link.rstrip('/')}{_path(event)}"
    if place is not None:
        members["link"] = place
    said = {"type": event.event.kind, "timestamp": write_instant(event.at), "data": members}
    lines = [f"{_LABELS[name]}: {value}" for name, value in members.items() if name != "do"]
    text = "\n".join([members["do"], "", *lines, "", "Written by a machine; this mailbox is not read."]) + "\n"
    return Words(_title(event, members), text, json.dumps(said, separators=(",", ":")))


_LABELS: Mapping[str, str] = {
    "contact_point": "Contact point",
    "reference": "Reference",
    "exchange_id": "Exchange",
    "requesting": "Requesting",
    "requested": "Requested",
    "request_type": "Type",
    "tier": "Tier",
    "state": "State",
    "step": "Step",
    "whose": "Whose step",
    "due_at": "Due",
    "level": "Per cent of its time gone by",
    "expires_at": "Ends",
    "peer": "Other contact point",
    "rule": "Rule",
    "count": "How often",
    "starts_at": "From",
    "ends_at": "To",
    "channel": "Channel",
    "trouble": "Trouble",
    "link": "Where",
}


_OF_CASES = ("state", "step", "whose", "due_at", "level", "expires_at", "peer", "channel", "trouble")
_OF_ROSTER = ("rule", "count", "starts_at", "ends_at")


def _members(event: StoredEvent, matter: Matter | None, audience: Audience, *, code: str) -> dict[str, str]:
    data = event.event.data
    members = {"do": _do(event, audience), "contact_point": code}
    if audience is Audience.REGISTRAR:
        members["exchange_id"] = event.event.subject_id
    if matter is not None:
        if audience is not Audience.REGISTRAR:
            members |= {"reference": matter.reference, "request_type": matter.type}
        members |= {} if matter.requesting is None else {"requesting": matter.requesting}
        members |= {"requested": matter.requested, "tier": matter.tier.value, "state": matter.state}
    members |= {name: str(data[name]) for name in (*_OF_CASES, *_OF_ROSTER) if data.get(name) is not None}
    return {name: _printable(value) for name, value in members.items()}


def _do(event: StoredEvent, audience: Audience) -> str:
    data = event.event.data
    if audience is Audience.REGISTRAR:
        return _REGISTERED
    if audience is Audience.CENTRAL_AUTHORITY:
        return _FOR_CENTRAL_AUTHORITY.get(event.event.kind, "Ask our contact point.")
    if "step" not in data:
        return _DO.get(event.event.kind, "Look at it.")
    step = Step(str(data["step"]))
    if step is Step.DELIVERY:
        return _UNCONFIRMED
    if data.get("whose") == "theirs":
        return _TELEPHONE if step in BY_TELEPHONE else _REMIND
    return _LATE.get(step, "Look at it.")


def _title(event: StoredEvent, members: Mapping[str, str]) -> str:
    tier = f"[{members['tier']}] " if "tier" in members else ""
    about = members.get("reference") or members.get("exchange_id") or members["contact_point"]
    step = f": {members['step'].replace('_', ' ')}" if "step" in members else ""
    what = event.event.kind.replace(".", " ").replace("_", " ")
    return f"{tier}{about}{step}, {what}"[:MAX_TITLE_LENGTH]


def _path(event: StoredEvent) -> str:
    subject, data = event.event.subject_id, event.event.data
    if event.event.subject_kind == Subject.REQUEST:
        return f"/v1/requests/{subject}"
    if event.event.subject_kind != Subject.EXCHANGE:
        return "/v1/roster" if event.event.kind.startswith("roster.") else "/v1/events"
    by_voice = data.get("whose") == "theirs" and data.get("step") in {step.value for step in BY_TELEPHONE}
    return f"/v1/exchanges/{subject}" + ("/fallback-sheet" if by_voice else "")


def _printable(text: str) -> str:
    """Another node chose its reference: nothing of it may begin a line of its own."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
